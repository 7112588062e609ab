//! What is unusual: somebody who takes one person after another is noticed, refused, and pardoned.

use super::{Outcome, Row, Scene};
use crate::hex::digits;
use serde_json::Value;

const MONITORING: &str = "monitoring";

/// More people than somebody new asks for one after another.
const PEOPLE: u32 = 60;

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    // A clerk, who may see every customer.
    let token = match scene.callers.token_as("clerk") {
        Ok(token) => token,
        Err(stop) => return vec![Row::new(MONITORING, "a token", "a token", Err(stop.summary()))],
    };
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let ask = |person: u32| scene.client.get(&format!("/people/{person}"), &bearer).map(|answer| answer.brief());
    let expected = "429 abnormal_usage";
    let swept = (1..=PEOPLE).try_fold(String::new(), |_, person| ask(person)).map(|last| {
        let refused = || ask(PEOPLE).ok().filter(|got| got == expected);
        let got = scene.eventually(refused).unwrap_or(last);
        let ok = got == expected;
        (got, ok)
    });
    let request = format!("GET /people/1 to {PEOPLE}, one after another, and once more");
    vec![Row::new(MONITORING, &request, expected, swept), told(scene), pardoned(scene, || ask(7))]
}

fn told(scene: &Scene<'_>) -> Row {
    let expected = "sequential_ids of ada, which leads to refuse";
    let outcome = crate::command::ask(&scene.admin, "GET", "/findings").map(|(_, body)| {
        let findings = body.get("findings").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let of = |finding: &Value, name: &str| finding.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let found = findings.iter().find(|finding| of(finding, "step") != "observe");
        let got = found.map_or_else(
            || format!("{} findings, which lead to nothing", findings.len()),
            |found| format!("{} of {}, which leads to {}", of(found, "kind"), of(found, "caller"), of(found, "step")),
        );
        let ok = got == expected;
        (got, ok)
    });
    Row::new(MONITORING, "`portcullis findings show`", expected, outcome)
}

fn pardoned(scene: &Scene<'_>, ask: impl Fn() -> Result<String, String>) -> Row {
    let expected = "pardoned, then 200";
    let who = digits("ada");
    let asked = crate::command::ask(&scene.admin, "POST", &format!("/findings/pardon?who={who}"));
    let outcome: Outcome = asked.map(|(status, body)| {
        if body.get("pardoned") != Some(&true.into()) {
            return (format!("{status} {body}"), false);
        }
        let free = scene.eventually(|| ask().ok().filter(|got| got == "200"));
        let got = format!("pardoned, then {}", free.unwrap_or_else(|| "still refused".to_owned()));
        let ok = got == expected;
        (got, ok)
    });
    Row::new(MONITORING, "the same caller after `portcullis findings pardon ada`", expected, outcome)
}
