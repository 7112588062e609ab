//! What a caller may ask for: served, told how much is left, refused, and somebody else served meanwhile.

use super::{Answer, Row, Scene};
use crate::hex::digits;

const LIMITS: &str = "rate limiting";

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    let ask = |team: &str| scene.client.get("/lab/limited", &format!("X-Team: {team}\r\n"));
    let told = |answer: &Answer| {
        let limits = answer.field("ratelimit").unwrap_or_default();
        let own = limits.split(", ").find(|item| item.starts_with("\"team\""));
        let own = own.map(|item| item.split(';').take(2).collect::<Vec<_>>().join(" "));
        format!("{}, {}", answer.status, own.unwrap_or_else(|| "not told what is left".to_owned()))
    };
    let row = |request: &str, expected: &str, answer: Result<Answer, String>| {
        let outcome = answer.map(|answer| {
            let got = told(&answer);
            let ok = got == expected;
            (got, ok)
        });
        Row::new(LIMITS, request, expected, outcome)
    };
    vec![
        row("GET /lab/limited, two an hour by team", "200, \"team\" r=1", ask("red")),
        row("the same again", "200, \"team\" r=0", ask("red")),
        refused("and a third time", ask("red")),
        row("another team", "200, \"team\" r=1", ask("blue")),
        by_principal(scene),
        forgiven(scene),
    ]
}

fn refused(request: &str, answer: Result<Answer, String>) -> Row {
    let expected = "429 quota_exceeded over `team`, with Retry-After";
    let outcome = answer.map(|answer| {
        let violated = answer.json();
        let violated = violated.get("violated-policies").and_then(|names| names.get(0)?.as_str()).unwrap_or_default();
        let wait = answer.field("retry-after").and_then(|wait| wait.parse::<u64>().ok());
        let waits = if wait.is_some_and(|wait| wait > 0) { "with" } else { "without" };
        let got = format!("{} over `{violated}`, {waits} Retry-After", answer.brief());
        let ok = got == expected;
        (got, ok)
    });
    Row::new(LIMITS, request, expected, outcome)
}

/// What a caller has spent, forgotten over the admin socket.
fn forgiven(scene: &Scene<'_>) -> Row {
    let expected = "forgotten, then 200";
    let place = "apis.lab limited.limits.team";
    let path = format!("/limits/reset?limit={}&value={}&value={}", digits(place), digits("red"), digits("127.0.0.1"));
    let outcome = crate::command::ask(&scene.admin, "POST", &path).and_then(|(status, body)| {
        if status != 200 || body.get("reset") != Some(&true.into()) {
            return Ok((format!("{status} {body}"), false));
        }
        let answer = scene.client.get("/lab/limited", "X-Team: red\r\n")?;
        let got = format!("forgotten, then {}", answer.brief());
        let ok = got == expected;
        Ok((got, ok))
    });
    Row::new(LIMITS, "the first team after `portcullis limits reset`", expected, outcome)
}

/// The limit of a caller is charged wherever he calls from, and told beside that of the address.
fn by_principal(scene: &Scene<'_>) -> Row {
    let expected = "200, per_address and per_principal";
    let line = format!("X-API-Key: {}\r\n", scene.callers.key.reveal());
    let outcome = scene.client.get("/account", &line).map(|answer| {
        let policies = answer.field("ratelimit-policy").unwrap_or_default();
        let names: Vec<&str> = policies.split('"').skip(1).step_by(2).collect();
        let got = format!("{}, {}", answer.status, names.join(" and "));
        let ok = got == expected;
        (got, ok)
    });
    Row::new(LIMITS, "GET /account with a key: which limits are told", expected, outcome)
}
