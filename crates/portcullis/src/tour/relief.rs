//! What calls cost, what operators see of limits, and what becomes of a server that fails.

use super::{Answer, Row, Scene};
use crate::hex::digits;

const LIMITS: &str = "rate limiting";
const TEAM: &str = "X-Team: green\r\n";
/// More than the workers of a machine need to see that nobody is there, each for itself.
const ATTEMPTS_MAX: usize = 1_024;

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    vec![several(scene), priced(scene), shown(scene), explained(scene), left_alone(scene), shed(scene)]
}

/// What an answer says of its limits: names with what is left.
fn left(answer: &Answer, wanted: &[&str]) -> String {
    let limits = answer.field("ratelimit").unwrap_or_default();
    let items = limits.split(", ").filter(|item| wanted.iter().any(|name| item.starts_with(&format!("\"{name}\""))));
    let told = items.map(|item| item.split(';').take(2).collect::<Vec<_>>().join(" "));
    let told = told.map(|item| if wanted.len() > 1 { item.split(' ').take(1).collect() } else { item });
    format!("{}, {}", answer.status, told.collect::<Vec<String>>().join(" and "))
}

fn several(scene: &Scene<'_>) -> Row {
    let expected = "200, \"per_address\" and \"work\"";
    let outcome = scene.client.get("/lab/priced", TEAM).map(|answer| {
        let got = left(&answer, &["per_address", "work"]);
        let ok = got == expected;
        (got, ok)
    });
    Row::new(LIMITS, "GET /lab/priced: every limit that counts it is told", expected, outcome)
}

/// The call before has cost 30, as its answer said, and this one 5 to get in.
fn priced(scene: &Scene<'_>) -> Row {
    let expected = "200, \"work\" r=65, and no X-Cost";
    let outcome = scene.client.get("/lab/priced", TEAM).map(|answer| {
        let told = if answer.field("x-cost").is_none() { "no X-Cost" } else { "X-Cost for everybody" };
        let got = format!("{}, and {told}", left(&answer, &["work"]));
        let ok = got == expected;
        (got, ok)
    });
    Row::new(LIMITS, "again: its answer had cost 30 of 100, as the API said", expected, outcome)
}

fn shown(scene: &Scene<'_>) -> Row {
    let expected = "40 of 100 left";
    let place = digits("apis.lab priced.limits.work");
    let path = format!("/limits?limit={place}&value={}&value={}", digits("green"), digits("127.0.0.1"));
    let outcome = crate::command::ask(&scene.admin, "GET", &path).map(|(status, body)| {
        let number = |name: &str| body.get(name).and_then(serde_json::Value::as_u64);
        let got = match (status, number("remaining"), number("limit")) {
            (200, Some(remaining), Some(limit)) => format!("{remaining} of {limit} left"),
            _ => format!("{status} {body}"),
        };
        let ok = got == expected;
        (got, ok)
    });
    Row::new(LIMITS, "portcullis limits show, of that account", expected, outcome)
}

/// Offline: which limits a request would meet, and what it would leave of a new account.
fn explained(scene: &Scene<'_>) -> Row {
    let expected = "guard: per_address and work, work 95 of 100";
    let outcome = crate::command::limits_of(&scene.config, "/lab/priced").map_err(|stop| stop.summary()).map(|text| {
        let named: Vec<&str> =
            ["per_address", "work"].into_iter().filter(|name| text.contains(&format!("{name}: "))).collect();
        let got = format!("guard: {}, {}", named.join(" and "), tail(&text));
        let ok = got == expected;
        (got, ok)
    });
    Row::new(LIMITS, "portcullis explain GET /lab/priced", expected, outcome)
}

/// The last account of `(left of a new account: per_address 3999 of 4000, work 95 of 100)`.
fn tail(text: &str) -> &str {
    text.trim_end_matches(')').rsplit(", ").next().unwrap_or_default()
}

/// Workers learn by themselves, so that it takes a few requests until all have.
fn left_alone(scene: &Scene<'_>) -> Row {
    let expected = "502 at first, then 503 reduced_capacity with Retry-After";
    let outcome = (|| {
        let first = scene.client.get("/flaky", "")?;
        let mut last = scene.client.get("/flaky", "")?;
        for _ in 0..ATTEMPTS_MAX {
            if last.status == 503 {
                break;
            }
            last = scene.client.get("/flaky", "")?;
        }
        let waits = if last.field("retry-after").is_some() { "with" } else { "without" };
        let got = format!("{} at first, then {} {waits} Retry-After", first.status, last.brief());
        let ok = got == expected;
        Ok((got, ok))
    })();
    Row::new(LIMITS, "GET /flaky, whose server is gone, again and again", expected, outcome)
}

/// Each worker has room for two, of which only one may be of low priority; one call more than there are workers cannot all find it.
fn shed(scene: &Scene<'_>) -> Row {
    let expected = "some wait and get 200, the rest 503 reduced_capacity; an urgent call among them 200";
    let outcome = (|| {
        let (_, status) = crate::command::ask(&scene.admin, "GET", "/status")?;
        let workers = status.get("workers").and_then(serde_json::Value::as_u64).unwrap_or(1);
        let mut open = Vec::new();
        for _ in 0..=workers {
            let mut one = scene.client.open()?;
            one.send(b"GET /narrow/reports HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
            open.push(one);
        }
        let urgent = scene.client.get("/narrow/alarms", "")?.status;
        let (mut served, mut shed, mut other) = (0, 0, String::new());
        for mut one in open {
            match one.answer()?.brief().as_str() {
                "200" => served += 1,
                "503 reduced_capacity" => shed += 1,
                brief => brief.clone_into(&mut other),
            }
        }
        let ok = served > 0 && shed > 0 && other.is_empty() && urgent == 200;
        let got = format!("{served} got 200, {shed} 503 reduced_capacity {other}, the urgent one {urgent}");
        Ok((if ok { expected.to_owned() } else { got }, ok))
    })();
    Row::new(LIMITS, "more GET /narrow/reports at once than its server bears", expected, outcome)
}
