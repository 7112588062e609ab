//! Everything at a glance.

use super::Visit;
use super::cells::{Cell, Tone, badge, duration, grouped, list, micros, moment, number, rows, text};
use super::chart::chart;
use super::frame::Page;
use crate::problem::Problem;
use portcullis_portal::html::Html;
use portcullis_types::percent::encoded;
use serde_json::Value;

pub(super) fn page(visit: &Visit<'_>) -> Result<Page, Problem> {
    let now = visit.all("getOverview")?;
    let mut page = Page::headed("/", "Overview", "");
    page.is_live = true;
    page.body.element("div", &[("id", "live"), ("data-every", "2000")], |html| {
        attention(html, &now);
        figures(html, &now);
        html.leaf("h2", &[], "Requests").line();
        chart(html, list(&now, "seconds"));
        html.element("div", &[("class", "halves")], |html| {
            html.element("section", &[], |html| decisions(html, &now));
            html.element("section", &[], |html| routes(html, &now));
        });
        gateway(html, &now);
    });
    Ok(page)
}

fn attention(html: &mut Html, now: &Value) {
    let all = list(now, "attention");
    if all.is_empty() {
        html.element("p", &[("class", "calm")], |html| {
            badge(html, Tone::Good, "all well");
            html.text(" Nothing asks for attention.").done();
        });
    } else {
        html.element("ul", &[("class", "attention"), ("aria-label", "What asks for attention")], |html| {
            all.iter().filter_map(Value::as_str).for_each(|one| html.leaf("li", &[], one).done());
        });
    }
    html.line();
}

fn figures(html: &mut Html, now: &Value) {
    let minute = now.get("minute").cloned().unwrap_or_default();
    let at = |pointer: &str| minute.pointer(pointer).cloned();
    let rate = |name: &str| format!("{} /s", text(&minute, name));
    let figures = [
        ("Served", rate("served_per_s")),
        ("Refused", rate("refused_per_s")),
        ("Failed", rate("failed_per_s")),
        ("Gateway, median", micros(at("/gateway_us/p50").as_ref())),
        ("Gateway, 99th percentile", micros(at("/gateway_us/p99").as_ref())),
        ("Whole, 99th percentile", micros(at("/total_us/p99").as_ref())),
        ("Connections", grouped(number(now, "connections"))),
    ];
    html.element("dl", &[("class", "figures")], |html| {
        for (name, value) in figures {
            html.element("div", &[], |html| {
                html.leaf("dt", &[], name).leaf("dd", &[], &value);
            });
        }
    });
    html.leaf("p", &[("class", "note")], "Rates and times of the last minute.").line();
}

fn decisions(html: &mut Html, now: &Value) {
    html.leaf("h2", &[], "Why requests were refused").line();
    let cells = |one: &Value| {
        vec![
            Cell::Link(format!("/traffic?reason={}", encoded(&text(one, "reason"))), text(one, "reason")),
            Cell::Text(text(one, "stage")),
            Cell::Number(number(one, "count")),
        ]
    };
    let all: Vec<_> = list(now, "decisions").iter().map(cells).collect();
    rows(
        html,
        "Reasons of refusals since the start",
        &["Reason", "Stage", "Requests"],
        &all,
        "No request was refused since the start.",
    );
}

fn routes(html: &mut Html, now: &Value) {
    html.leaf("h2", &[], "Most called routes").line();
    let cells = |one: &Value| {
        vec![
            Cell::Text(text(one, "api")),
            Cell::Code(text(one, "route")),
            Cell::Number(number(one, "requests")),
            Cell::Number(number(one, "refused")),
        ]
    };
    let all: Vec<_> = list(now, "routes").iter().map(cells).collect();
    rows(
        html,
        "Most called routes since the start",
        &["API", "Route", "Requests", "Refused"],
        &all,
        "No route was called since the start.",
    );
}

fn gateway(html: &mut Html, now: &Value) {
    html.leaf("h2", &[], "Gateway").line();
    let reloads = now.get("reloads").cloned().unwrap_or_default();
    let facts = [
        ("State", text(now, "phase")),
        ("Version", text(now, "version")),
        ("Up for", duration(number(now, "uptime_s"))),
        ("Configuration", text(now, "config_hash").chars().take(16).collect()),
        (
            "Reloads",
            format!(
                "{} done, {} failed, the last on {}",
                number(&reloads, "done"),
                number(&reloads, "failed"),
                moment(reloads.get("last"))
            ),
        ),
    ];
    html.element("dl", &[("class", "facts")], |html| {
        for (name, value) in facts {
            html.leaf("dt", &[], name).leaf("dd", &[], &value);
        }
    });
    html.line();
    let cells = |one: &Value| {
        vec![
            Cell::Text(text(one, "name")),
            Cell::Code(format!("{}://{}", text(one, "scheme"), text(one, "address"))),
            Cell::Number(number(one, "connections")),
        ]
    };
    let all: Vec<_> = list(now, "listeners").iter().map(cells).collect();
    rows(html, "Listeners", &["Listener", "Address", "Connections"], &all, "Nothing listens.");
}
