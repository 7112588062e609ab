//! The last requests, and one of them with why.

use super::Visit;
use super::cells::{Cell, badge, list, micros, number, rows, shown, text, tone_of};
use super::frame::Page;
use crate::problem::Problem;
use portcullis_portal::html::Html;
use portcullis_types::percent::encoded;
use serde_json::{Map, Value};
use std::net::SocketAddr;

const HEADS: [&str; 8] = ["Time", "Request", "Outcome", "Status", "Reason", "API", "Caller", "Took"];

pub(super) fn page(visit: &Visit<'_>) -> Result<Page, Problem> {
    let only = visit.query.value("only") == Some("notable");
    let reason = visit.query.value("reason").filter(|reason| !reason.is_empty());
    let recent = visit.ask(
        "listRecords",
        Vec::new(),
        if only || reason.is_some() { "count=200&only=notable" } else { "count=200" },
    )?;
    let mut page = Page::headed(
        "/traffic",
        "Traffic",
        "The last requests as they end: every refusal and failure, and a sample of the rest. The access log has all of them.",
    );
    page.is_live = true;
    page.body.element("p", &[("class", "choice")], |html| {
        let link = |html: &mut Html, address: &str, name: &str, is_here: bool| {
            let here: &[(&'static str, &str)] =
                if is_here { &[("href", address), ("aria-current", "true")] } else { &[("href", address)] };
            html.leaf("a", here, name).text(" ");
        };
        link(html, "/traffic", "All", !only && reason.is_none());
        link(html, "/traffic?only=notable", "Refused and failed", only);
        if let Some(reason) = reason {
            link(html, &format!("/traffic?reason={}", encoded(reason)), reason, true);
        }
    });
    page.body.line();
    let missed = number(&recent, "missed");
    if missed > 0 {
        let told = format!("{missed} requests since the start came too fast to be kept here.");
        page.body.leaf("p", &[("class", "note")], &told).line();
    }
    let records = list(&recent, "records").iter().rev().filter_map(|one| one.get("record"));
    let fitting = records.filter(|record| reason.is_none_or(|reason| text(record, "reason") == reason));
    let all: Vec<_> = fitting.map(row).collect();
    let address =
        if only || reason.is_some() { "/api/v1/records/stream?only=notable" } else { "/api/v1/records/stream" };
    let stream = [("id", "records"), ("data-stream", address), ("data-reason", reason.unwrap_or_default())];
    page.body.leaf("p", &[("id", "stream-state"), ("class", "note"), ("role", "status")], "").line();
    page.body.element("div", &stream, |html| {
        rows(html, "The last requests, the newest first", &HEADS, &all, "No request has ended yet.");
    });
    Ok(page)
}

fn row(record: &Value) -> Vec<Cell> {
    let (outcome, id) = (text(record, "outcome"), text(record, "request_id"));
    let what = format!("{} {}", text(record, "method"), text(record, "target"));
    let time = text(record, "time");
    let time = time.get(11..23).unwrap_or(&time).to_owned();
    vec![
        Cell::Code(time),
        Cell::Link(format!("/requests/{}", encoded(&id)), what),
        Cell::Badge(tone_of(&outcome), outcome),
        Cell::Text(text(record, "status")),
        Cell::Text(text(record, "reason")),
        Cell::Text(text(record, "api")),
        Cell::Text(caller(record)),
        Cell::Text(micros(record.get("total_us"))),
    ]
}

/// Who asks: by name, else by address.
fn caller(record: &Value) -> String {
    let named = ["principal", "client"].iter().map(|name| text(record, name)).find(|name| !name.is_empty());
    named.unwrap_or_else(|| {
        let peer = text(record, "peer");
        // The port is another one for each connection.
        peer.parse::<SocketAddr>().map_or(peer, |peer| peer.ip().to_string())
    })
}

/// Looks for the id that somebody has typed.
pub(super) fn find(visit: &Visit<'_>) -> Result<Page, Problem> {
    one(visit, visit.query.value("id").unwrap_or_default().trim())
}

pub(super) fn one(visit: &Visit<'_>, id: &str) -> Result<Page, Problem> {
    let found = visit.ask("getRecord", vec![id.to_owned()], "")?;
    let empty = Map::new();
    let record = found.get("record").unwrap_or(&Value::Null);
    let what = format!("{} {}", text(record, "method"), text(record, "target"));
    let mut page = Page::new("/traffic", &what);
    let html = &mut page.body;
    html.leaf("h1", &[("class", "wrap")], &what).line();
    let outcome = text(record, "outcome");
    html.element("p", &[("class", "lead")], |html| {
        badge(html, tone_of(&outcome), &outcome);
        html.text(&format!(" with status {} at {}", text(record, "status"), text(record, "time"))).done();
    });
    why(html, record, found.get("meaning").unwrap_or(&Value::Null));
    time(html, record);
    html.leaf("h2", &[], "The whole record").line();
    let members = record.as_object().unwrap_or(&empty);
    let all: Vec<_> =
        members.iter().map(|(name, value)| vec![Cell::Code(name.clone()), Cell::Text(shown(value))]).collect();
    rows(html, "Members of the access record", &["Member", "Value"], &all, "It is empty.");
    Ok(page)
}

/// Who decided, and what that means.
fn why(html: &mut Html, record: &Value, meaning: &Value) {
    let reason = text(record, "reason");
    if reason.is_empty() {
        return;
    }
    html.leaf("h2", &[], "Why").line();
    let facts = [
        ("Stage", text(record, "stage")),
        ("Reason", format!("{reason}: {}", text(meaning, "title"))),
        ("Decided by", text(record, "decided_by")),
        ("Rule", text(record, "rule")),
        ("Limit", text(record, "limit")),
        ("Detail", text(record, "detail")),
        ("It means", text(meaning, "means")),
        ("The caller can", text(meaning, "caller")),
        ("You can", text(meaning, "operator")),
    ];
    html.element("dl", &[("class", "facts")], |html| {
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            html.leaf("dt", &[], name);
            html.element("dd", &[], |html| html.prose(value).done());
        }
    });
    html.line();
}

/// Where the time went.
fn time(html: &mut Html, record: &Value) {
    html.leaf("h2", &[], "Time").line();
    let cells: Vec<_> = [("Gateway", "gateway_us"), ("Upstream", "upstream_us"), ("Together", "total_us")]
        .into_iter()
        .map(|(name, member)| vec![Cell::Text(name.to_owned()), Cell::Text(micros(record.get(member)))])
        .collect();
    rows(html, "Where the time went", &["Part", "Time"], &cells, "");
}
