//! Part by part: limits, issuers, upstreams, certificates, findings, rules, the audit log.

use super::Visit;
use super::act::{field, form};
use super::cells::{Cell, Tone, badge, duration, list, moment, number, rows, text};
use super::frame::Page;
use crate::problem::Problem;
use portcullis_config::plan::Role;
use portcullis_portal::html::Html;
use serde_json::Value;

pub(super) fn limits(visit: &Visit<'_>) -> Result<Page, Problem> {
    let all = visit.all("listLimits")?;
    let mut page = Page::headed("/limits", "Limits", "How much callers may ask for, and how often there was no room.");
    let cells = |one: &Value| {
        let window = one.get("window_s").and_then(Value::as_u64);
        let mode = text(one, "mode");
        let tone = if mode == "enforce" { Tone::Good } else { Tone::Warn };
        vec![
            Cell::Code(text(one, "place")),
            Cell::Text(text(one, "key")),
            Cell::Number(number(one, "limit")),
            Cell::Text(
                window.map_or_else(|| "at the same time".to_owned(), |window| format!("in {}", duration(window))),
            ),
            Cell::Badge(tone, mode),
            Cell::Number(number(one, "exceeded")),
        ]
    };
    let cells: Vec<_> = list(&all, "limits").iter().map(cells).collect();
    let heads = ["Limit", "Account of each", "At most", "Window", "Mode", "No room"];
    rows(&mut page.body, "Every limit", &heads, &cells, "There is no limit.");
    page.body.leaf("h2", &[], "One caller").line();
    page.body.element("p", &[("class", "note")], |html| {
        html.text("Values are those of the account's parts, in their order: an address, the name of a caller.").done();
    });
    let account = |html: &mut Html, operation: &str, button: &str| {
        form(html, visit, operation, &[], |html| {
            html.element("div", &[("class", "fields")], |html| {
                field(html, "limit", "Limit", "as it is called above", true);
                field(html, "values", "Values", "with blanks between", true);
            });
            html.leaf("button", &[], button).done();
        });
    };
    account(&mut page.body, "getAccount", "Show what is left");
    if visit.guest.role >= Role::Operator {
        account(&mut page.body, "resetAccount", "Forget what was spent");
    }
    Ok(page)
}

pub(super) fn issuers(visit: &Visit<'_>) -> Result<Page, Problem> {
    let all = visit.all("listIssuers")?;
    let mut page =
        Page::headed("/issuers", "Issuers", "Whose tokens are believed, and how old what is known of their keys is.");
    let cells = |one: &Value| {
        let age = one.get("age_ms").and_then(Value::as_u64);
        let state = if number(one, "keys") > 0 { (Tone::Good, "known") } else { (Tone::Bad, "no keys") };
        vec![
            Cell::Text(text(one, "name")),
            Cell::Badge(state.0, state.1.to_owned()),
            Cell::Number(number(one, "keys")),
            Cell::Text(age.map_or_else(|| "never fetched".to_owned(), |age| format!("{} old", duration(age / 1000)))),
            Cell::Number(number(one, "failures")),
        ]
    };
    let cells: Vec<_> = list(&all, "issuers").iter().map(cells).collect();
    rows(
        &mut page.body,
        "Issuers",
        &["Issuer", "Keys", "How many", "Age", "Failed fetches"],
        &cells,
        "No issuer's keys are fetched from an address.",
    );
    Ok(page)
}

pub(super) fn upstreams(visit: &Visit<'_>) -> Result<Page, Problem> {
    let all = visit.all("listUpstreams")?;
    let mut page = Page::headed("/upstreams", "Upstreams", "The servers that requests go to.");
    page.is_live = true;
    page.body.element("div", &[("id", "live"), ("data-every", "3000")], |html| {
        let servers = list(&all, "upstreams").iter().flat_map(|upstream| {
            let name = text(upstream, "name");
            list(upstream, "servers").iter().map(move |server| {
                let state = text(server, "state");
                let tone = match state.as_str() {
                    "healthy" => Tone::Good,
                    "slow_start" | "draining" => Tone::Warn,
                    _ => Tone::Bad,
                };
                vec![
                    Cell::Text(name.clone()),
                    Cell::Code(text(server, "address")),
                    Cell::Badge(tone, state),
                    Cell::Number(number(server, "active")),
                    Cell::Number(number(server, "kept")),
                    Cell::Text(text(server, "last_failure")),
                ]
            })
        });
        let cells: Vec<_> = servers.collect();
        let heads = ["Upstream", "Server", "State", "Requests under way", "Kept connections", "Last failure"];
        rows(html, "Servers", &heads, &cells, "Requests go nowhere.");
    });
    Ok(page)
}

pub(super) fn certificates(visit: &Visit<'_>) -> Result<Page, Problem> {
    let all = visit.all("listCertificates")?;
    let mut page = Page::headed("/certificates", "Certificates", "What listeners show to clients.");
    let cells = |one: &Value| {
        let days = one.get("days_left").and_then(Value::as_i64);
        let (tone, left) = match days {
            None => (Tone::Plain, "unknown".to_owned()),
            Some(days) if days < 0 => (Tone::Bad, "over".to_owned()),
            Some(days) => (if days < 14 { Tone::Warn } else { Tone::Good }, format!("{days} days")),
        };
        vec![
            Cell::Text(text(one, "listener")),
            Cell::Text(text(one, "name")),
            Cell::Text(moment(one.get("expires"))),
            Cell::Badge(tone, left),
        ]
    };
    let cells: Vec<_> = list(&all, "certificates").iter().map(cells).collect();
    rows(
        &mut page.body,
        "Certificates",
        &["Listener", "Name", "Ends", "Left"],
        &cells,
        "No listener shows a certificate.",
    );
    Ok(page)
}

pub(super) fn findings(visit: &Visit<'_>) -> Result<Page, Problem> {
    let mut page = Page::headed(
        "/findings",
        "Findings",
        "What is unusual for a caller or an address, with the numbers that say so and what followed.",
    );
    let all = match visit.all("listFindings") {
        Ok(all) => all,
        Err(problem) if problem.status == http::StatusCode::NOT_FOUND => {
            page.body.element("p", &[], |html| html.prose(&problem.detail).done());
            return Ok(page);
        }
        Err(problem) => return Err(problem),
    };
    if let Some(steps) = all.get("in_force").and_then(Value::as_object) {
        page.body.element("p", &[("class", "note")], |html| {
            let told = steps.iter().map(|(step, count)| format!("{step}: {count}")).collect::<Vec<_>>().join(", ");
            html.text(&format!("In force now, by callers and addresses: {told}.")).done();
        });
    }
    let may_act = visit.guest.role >= Role::Operator;
    let cells = |one: &Value| {
        let (caller, step) = (text(one, "caller"), text(one, "step"));
        let who = if text(one, "about") == "address" { text(one, "address") } else { caller };
        let tone = if step == "observe" { Tone::Warn } else { Tone::Bad };
        let milliseconds = number(one, "at_ms");
        vec![
            Cell::Text(moment(Some(&Value::from(milliseconds / 1000)))),
            Cell::Text(text(one, "kind")),
            Cell::Text(who.clone()),
            Cell::Code(Some(text(one, "operation")).filter(|at| !at.is_empty()).unwrap_or_else(|| text(one, "place"))),
            Cell::Text(format!(
                "{}, usual {}, bound {}, within {}",
                short(one, "seen"),
                short(one, "usual"),
                short(one, "bound"),
                duration(number(one, "window_s"))
            )),
            Cell::Badge(tone, step),
            Cell::Piece(answer(visit, one, &who, may_act)),
        ]
    };
    let cells: Vec<_> = list(&all, "findings").iter().rev().map(cells).collect();
    let heads = ["Time", "What", "Who", "Operation", "Numbers", "Step", "Seen by"];
    rows(&mut page.body, "Findings, the newest first", &heads, &cells, "Nothing unusual was found.");
    Ok(page)
}

/// Who has seen it, or the buttons with which somebody says so.
fn answer(visit: &Visit<'_>, one: &Value, who: &str, may_act: bool) -> Html {
    let mut html = Html::default();
    match one.get("acknowledged_by").and_then(Value::as_str) {
        Some(seen) => html.text(seen).done(),
        None if may_act => form(&mut html, visit, "acknowledgeFinding", &[("id", &text(one, "id"))], |html| {
            html.leaf("button", &[], "Acknowledge").done();
        }),
        None => badge(&mut html, Tone::Warn, "nobody"),
    }
    if may_act && !who.is_empty() {
        form(&mut html, visit, "pardonCaller", &[("who", who)], |html| html.leaf("button", &[], "Pardon").done());
    }
    html
}

/// A number that may have a fraction, in few digits.
fn short(one: &Value, name: &str) -> String {
    let number = one.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    if number.fract().abs() < 0.05 { format!("{number:.0}") } else { format!("{number:.1}") }
}

pub(super) fn rules(visit: &Visit<'_>) -> Result<Page, Problem> {
    let all = visit.all("listRules")?;
    let mut page = Page::headed(
        "/rules",
        "Rules",
        "What rules have done since the start. `portcullis waf tune` proposes exceptions from the security log.",
    );
    for (kind, title, nothing) in [
        ("attack", "Attacks", "No rule about attacks has matched."),
        ("mask", "Masking", "No value was masked."),
        ("access", "Access", "No route has been asked for that has rules about access."),
    ] {
        page.body.leaf("h2", &[], title).line();
        let cells = |one: &Value| {
            vec![
                Cell::Text(text(one, "api")),
                Cell::Code(text(one, "route")),
                Cell::Text(text(one, "rule")),
                Cell::Text(text(one, "result")),
                Cell::Number(number(one, "count")),
            ]
        };
        let cells: Vec<_> = list(&all, "rules").iter().filter(|one| text(one, "kind") == kind).map(cells).collect();
        let caption = format!("What rules have done: {title}");
        rows(&mut page.body, &caption, &["API", "Route", "Rule", "Result", "How often"], &cells, nothing);
    }
    Ok(page)
}

pub(super) fn audit_log(visit: &Visit<'_>) -> Result<Page, Problem> {
    let mut page = Page::headed(
        "/audit-log",
        "Audit log",
        "Who changed what. `portcullis audit-log verify` proves that it is as it was written.",
    );
    match visit.ask("listAuditLog", Vec::new(), "count=200") {
        Ok(all) => {
            let cells = |one: &Value| {
                vec![
                    Cell::Text(text(one, "at")),
                    Cell::Text(text(one, "actor")),
                    Cell::Code(text(one, "kind")),
                    Cell::Text(text(one, "details")),
                ]
            };
            let cells: Vec<_> = list(&all, "entries").iter().rev().map(cells).collect();
            rows(
                &mut page.body,
                "Entries, the newest first",
                &["Time", "Who", "What", "Details"],
                &cells,
                "Nothing was done yet.",
            );
        }
        Err(problem) if problem.status == http::StatusCode::NOT_FOUND => {
            page.body.element("p", &[], |html| html.prose(&problem.detail).done());
        }
        Err(problem) => return Err(problem),
    }
    Ok(page)
}
