//! Routes with what applies to them, and the configuration: what is in force, and what a reload would change.

use super::Visit;
use super::act::form;
use super::cells::{Cell, Tone, badge, list, number, rows, text};
use super::frame::Page;
use crate::problem::Problem;
use portcullis_config::plan::Role;
use portcullis_portal::html::Html;
use portcullis_types::percent::encoded;
use serde_json::Value;

pub(super) fn routes(visit: &Visit<'_>) -> Result<Page, Problem> {
    let all = visit.all("listRoutes")?;
    let mut page = Page::headed("/routes", "Routes", "What is served, who may call it, and the line that says so.");
    let cells = |one: &Value| {
        vec![
            Cell::Text(text(one, "api")),
            Cell::Link(
                format!("/policy?route={}", encoded(&text(one, "name"))),
                format!("{} {}", text(one, "methods"), text(one, "path")),
            ),
            Cell::Text(text(one, "authn")),
            Cell::Text(text(one, "targets")),
            Cell::Number(number(one, "requests")),
            Cell::Number(number(one, "refused")),
            Cell::Code(text(one, "line")),
        ]
    };
    let cells: Vec<_> = list(&all, "routes").iter().map(cells).collect();
    let heads = ["API", "Route", "Who may call", "Servers", "Requests", "Refused", "Line"];
    rows(&mut page.body, "Every route", &heads, &cells, "Nothing is served.");
    Ok(page)
}

pub(super) fn policy(visit: &Visit<'_>) -> Result<Page, Problem> {
    let name = visit.query.value("route").unwrap_or_default();
    let found = visit.ask("getPolicy", Vec::new(), &format!("route={}", encoded(name)))?;
    let mut page = Page::headed(
        "/routes",
        &format!("Policy of {name}"),
        "Every setting that applies, and the line that decides it.",
    );
    for (index, route) in list(&found, "policies").iter().enumerate() {
        let title = format!("{} {}", text(route, "methods"), text(route, "path"));
        page.body.leaf("h2", &[], &title).line();
        let cells = |one: &Value| {
            let line = text(one, "line");
            let is_locked = one.get("locked").and_then(Value::as_bool).unwrap_or(false);
            vec![
                Cell::Code(text(one, "setting")),
                Cell::Text(text(one, "value")),
                if line.is_empty() { Cell::Text("built in".to_owned()) } else { Cell::Code(line) },
                if is_locked { Cell::Badge(Tone::Good, "locked".to_owned()) } else { Cell::Text(String::new()) },
            ]
        };
        let cells: Vec<_> = list(route, "settings").iter().map(cells).collect();
        let caption = format!("Settings of {title}, {}", index + 1);
        rows(&mut page.body, &caption, &["Setting", "Value", "Line", "Lock"], &cells, "Nothing applies.");
    }
    Ok(page)
}

pub(super) fn configuration(visit: &Visit<'_>) -> Result<Page, Problem> {
    let now = visit.all("getConfiguration")?;
    let mut page = Page::headed("/configuration", "Configuration", "What is in force, beside what the file says now.");
    let html = &mut page.body;
    html.element("p", &[], |html| {
        html.text("In force: ").leaf("code", &[], &text(&now, "config_hash")).done();
    });
    html.line();
    difference(html, &visit.all("getDifference")?);
    if visit.guest.role >= Role::Operator {
        form(html, visit, "reload", &[], |html| {
            html.leaf("button", &[], "Reload").text(" takes over all of the file or nothing.").done();
        });
    }
    html.leaf("h2", &[], "Settings that weaken the gateway").line();
    let cells = |one: &Value| {
        vec![Cell::Code(text(one, "setting")), Cell::Text(text(one, "consequence")), Cell::Code(text(one, "line"))]
    };
    let dangers: Vec<_> = list(&now, "dangers").iter().map(cells).collect();
    rows(html, "Settings that weaken the gateway", &["Setting", "Consequence", "Line"], &dangers, "There is none.");
    html.leaf("h2", &[], "Files").line();
    html.element("ul", &[], |html| {
        for file in list(&now, "files").iter().filter_map(Value::as_str) {
            html.element("li", &[], |html| html.leaf("code", &[], file).done());
        }
    });
    Ok(page)
}

fn difference(html: &mut Html, difference: &Value) {
    html.leaf("h2", &[], "What a reload would change").line();
    let mistakes = difference.get("mistakes").and_then(Value::as_object).filter(|mistakes| !mistakes.is_empty());
    if let Some(mistakes) = mistakes {
        html.element("p", &[], |html| {
            badge(html, Tone::Bad, "mistakes");
            html.text(" The file has mistakes. What is in force stays.").done();
        });
        let all = mistakes.get("diagnostics").and_then(Value::as_array).cloned().unwrap_or_default();
        let cells = |one: &Value| {
            let line = format!("{}:{}", text(one, "file"), text(one, "line"));
            vec![Cell::Code(line), Cell::Text(text(one, "message")), Cell::Text(text(one, "help"))]
        };
        let all: Vec<_> = all.iter().map(cells).collect();
        let nothing = mistakes.get("message").and_then(Value::as_str).unwrap_or("`portcullis validate` lists them.");
        rows(html, "Mistakes of the file", &["Line", "Mistake", "Way out"], &all, nothing);
        return;
    }
    if difference.get("same").and_then(Value::as_bool).unwrap_or(false) {
        html.element("p", &[], |html| {
            badge(html, Tone::Good, "the same");
            html.text(" The file says what is in force.").done();
        });
        html.line();
        return;
    }
    let sections = list(difference, "sections").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
    html.element("p", &[], |html| html.prose(&format!("Sections that differ: {sections}.")).done()).line();
    let cells = |one: &Value| {
        vec![
            Cell::Text(text(one, "route")),
            Cell::Code(text(one, "setting")),
            Cell::Text(text(one, "before")),
            Cell::Text(text(one, "after")),
            Cell::Code(text(one, "line")),
        ]
    };
    let changes: Vec<_> = list(difference, "changes").iter().map(cells).collect();
    rows(
        html,
        "Settings of routes that differ",
        &["Route", "Setting", "In force", "In the file", "Line"],
        &changes,
        "No setting of a route differs.",
    );
}
