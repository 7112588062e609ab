//! The last requests of an account that were refused, and why: what their answers have said, and what to do. Nothing of what the gateway
//! told its operators besides.

use super::sheet::Sheet;
use super::{Outcome, Stay};
use crate::pages::cells::{Cell, number, rows, text};
use http::StatusCode;
use portcullis_portal::html::Html;
use portcullis_types::Reason;
use serde_json::{Value, json};

// LIMIT: records that are looked through, and those that are shown.
const LOOKED_MAX: usize = 4_000;
const SHOWN_MAX: usize = 50;

pub(super) fn page(stay: &Stay<'_>) -> Outcome {
    let lead = "Of the last requests with your keys. A request that nobody could tell to be yours, such as one with a revoked key, is not among them.";
    let mut sheet = Sheet::below("What was refused", lead);
    let recent = stay.desk.handle.recent(0, LOOKED_MAX, true);
    let own = recent.records.iter().rev().filter_map(|one| told(&one.line, stay.account()));
    let own: Vec<Value> = own.take(SHOWN_MAX).collect();
    let cells: Vec<_> = own
        .iter()
        .map(|one| {
            vec![
                Cell::Text(text(one, "time")),
                Cell::Code(format!("{} {}", text(one, "method"), text(one, "target"))),
                Cell::Text(format!("{} {}", number(one, "status"), text(one, "title"))),
                prose(&text(one, "means")),
                prose(&text(one, "caller")),
                Cell::Link(format!("/problems/{}.html", text(one, "code")), text(one, "code")),
                Cell::Code(text(one, "request_id")),
            ]
        })
        .collect();
    let heads = ["When", "Request", "Answer", "What it means", "What to do", "More", "Request id"];
    rows(&mut sheet.body, "Your last refusals", &heads, &cells, "Nothing of yours was refused lately.");
    Ok(stay.answer(StatusCode::OK, &sheet))
}

/// A sentence of ours.
fn prose(text: &str) -> Cell {
    let mut piece = Html::default();
    piece.prose(text);
    Cell::Piece(piece)
}

/// What the account may know of a record; `None` if it is somebody else's, or of no refusal.
fn told(line: &str, account: &str) -> Option<Value> {
    // Before it is read: most are others'.
    if !line.contains(account) {
        return None;
    }
    let record: Value = serde_json::from_str(line).ok()?;
    let is = |name: &str, value: &str| record.get(name).and_then(Value::as_str) == Some(value);
    // Subjects of issuers have names of their own.
    if !is("principal", account)
        || !is("scheme", "api_key")
        || record.get("issuer").is_some()
        || !is("outcome", "refused")
    {
        return None;
    }
    let reason = Reason::from_code(record.get("reason")?.as_str()?)?;
    let page = reason.page();
    Some(json!({
        "time": text(&record, "time"), "method": text(&record, "method"), "target": text(&record, "target"),
        "status": number(&record, "status"), "request_id": text(&record, "request_id"), "code": reason.code(),
        "title": reason.title(), "means": page.meaning, "caller": page.caller,
    }))
}

#[cfg(test)]
mod tests {
    use super::told;
    use serde_json::{Value, json};

    fn line(change: impl FnOnce(&mut Value)) -> String {
        let mut record = json!({
            "time": "2026-11-28T12:00:00Z", "request_id": "r1", "principal": "ada", "scheme": "api_key", "credential": "k1",
            "client": "192.0.2.1", "method": "GET", "target": "/orders", "status": 403, "outcome": "refused", "stage": "permit",
            "reason": "forbidden", "detail": "rule `secret` wants role `internal`", "rule": "secret",
            "decided_by": "portcullis.yaml:7", "target_server": "10.0.0.1:80",
        });
        change(&mut record);
        record.to_string()
    }

    #[test]
    fn somebody_is_told_what_his_answers_have_said_and_nothing_else() {
        let own = told(&line(|_| {}), "ada").unwrap();
        let names: Vec<&String> = own.as_object().unwrap().keys().collect();
        assert_eq!(names, ["time", "method", "target", "status", "request_id", "code", "title", "means", "caller"]);
        for secret in ["secret", "internal", "portcullis.yaml", "10.0.0.1", "192.0.2.1"] {
            assert!(!own.to_string().contains(secret), "{secret}");
        }
        for (what, change) in [
            ("somebody else's", json!({ "principal": "bob", "target": "/ada" })),
            ("a longer name", json!({ "principal": "ada2" })),
            ("an issuer's", json!({ "issuer": "https://idp", "principal": "ada" })),
            ("another scheme", json!({ "scheme": "jwt" })),
            ("served", json!({ "outcome": "served" })),
            ("without a reason", json!({ "reason": null })),
        ] {
            let line = line(|record| {
                change.as_object().unwrap().iter().for_each(|(name, value)| record[name.as_str()] = value.clone());
            });
            assert_eq!(told(&line, "ada"), None, "{what}");
        }
    }
}
