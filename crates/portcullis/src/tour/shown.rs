//! What leaves and what is kept: security headers, records, metrics, documentation.

use super::{Answer, Row, Scene};

const HEADERS: &str = "security headers";
const LOGGING: &str = "logging";
const DOCUMENTATION: &str = "documentation";

const EXPECTED: [&str; 5] = [
    "strict-transport-security",
    "x-content-type-options",
    "content-security-policy",
    "x-frame-options",
    "referrer-policy",
];

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    let client = &scene.client;
    vec![
        protected("on an answer of the API", client.get("/orders/v1/1001", "")),
        protected("on a refusal", client.ask("DELETE", "/users/7", "")),
        protected("on a failure", client.get("/down", "")),
        banners(scene),
        recorded(scene),
        traced(scene),
        counted(scene),
        explained(scene),
    ]
}

fn protected(request: &str, answer: Result<Answer, String>) -> Row {
    let outcome = answer.map(|answer| {
        let missing: Vec<&str> = EXPECTED.into_iter().filter(|name| answer.field(name).is_none()).collect();
        match missing.as_slice() {
            [] => ("all five are there".to_owned(), true),
            missing => (format!("missing: {}", missing.join(", ")), false),
        }
    });
    Row::new(HEADERS, request, "all five are there", outcome)
}

fn banners(scene: &Scene<'_>) -> Row {
    let outcome = scene.client.get("/lab/crash", "").map(|answer| {
        let shown: Vec<&str> =
            ["server", "x-powered-by", "via"].into_iter().filter(|name| answer.field(name).is_some()).collect();
        match shown.as_slice() {
            [] => ("removed".to_owned(), true),
            shown => (format!("shown: {}", shown.join(", ")), false),
        }
    });
    Row::new(HEADERS, "Server and X-Powered-By of the API", "removed", outcome)
}

/// The record of one's own request, found by the id that the answer gave.
fn recorded(scene: &Scene<'_>) -> Row {
    let expected = "200 /orders/v1/1002?token=*&page=2";
    let outcome = scene.client.get("/orders/v1/1002?token=s3cret-of-the-tour&page=2", "").and_then(|answer| {
        let id = answer.field("x-request-id").ok_or("the answer has no X-Request-ID")?.to_owned();
        let line = scene.eventually(|| {
            let text = std::fs::read_to_string(&scene.log).ok()?;
            text.lines().find(|line| line.contains(&id)).map(str::to_owned)
        });
        let line = line.ok_or("no record with its id within five seconds")?;
        let record: serde_json::Value = serde_json::from_str(&line).map_err(|error| error.to_string())?;
        let target = record.get("target").and_then(|target| target.as_str()).unwrap_or("none").to_owned();
        let status = record.get("status").cloned().unwrap_or_default();
        let got = format!("{status} {target}");
        let ok = got == expected && !line.contains("s3cret");
        Ok((got, ok))
    });
    Row::new(LOGGING, "the record of a request with ?token=(secret)&page=2", expected, outcome)
}

fn traced(scene: &Scene<'_>) -> Row {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let line = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n");
    let outcome = scene.client.get("/lab/echo", &line).map(|answer| match answer.body.contains(TRACE) {
        true => ("the API sees the same trace".to_owned(), true),
        false => ("the trace is lost".to_owned(), false),
    });
    Row::new(LOGGING, "GET /lab/echo with a traceparent", "the API sees the same trace", outcome)
}

fn counted(scene: &Scene<'_>) -> Row {
    const SERIES: &str = "portcullis_decisions_total{stage=\"identify\",decision=\"refused\",reason=\"route_closed\"} ";
    let count = || -> Result<u64, String> {
        let answer = scene.client.get_plain(scene.status, "/metrics", "")?;
        let line = answer.body.lines().find_map(|line| line.strip_prefix(SERIES)).unwrap_or("0");
        line.parse().map_err(|_| format!("not a number: {line}"))
    };
    let outcome = (|| {
        let before = count()?;
        scene.client.ask("DELETE", "/users/7", "")?;
        let more = scene.eventually(|| count().ok().filter(|now| *now > before).map(|now| (now - before).to_string()));
        let got = if more.as_deref() == Some("1") { "one more" } else { "another number" }.to_owned();
        Ok((got, more.as_deref() == Some("1")))
    })();
    Row::new(LOGGING, "a refusal in portcullis_decisions_total", "one more", outcome)
}

/// Follows the `type` of a problem.
fn explained(scene: &Scene<'_>) -> Row {
    let expected = "200, a page that says what to do";
    let outcome = scene.client.ask("DELETE", "/users/7", "").and_then(|answer| {
        let kind = answer.json().get("type").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned();
        let base = format!("http://{}", scene.status);
        let path = kind.strip_prefix(&base).ok_or_else(|| format!("the type is elsewhere: {kind}"))?;
        let page = scene.client.get_plain(scene.status, path, "Accept: text/html\r\n")?;
        let says = page.body.contains("What the caller can do");
        let got = format!("{}, {}", page.status, if says { "a page that says what to do" } else { "another page" });
        let ok = got == expected;
        Ok((got, ok))
    });
    Row::new(DOCUMENTATION, "the address in a problem's `type`", expected, outcome)
}
