//! What leaves and what is kept: security headers, records, metrics, documentation.

use super::{Answer, Row, Scene};
use crate::command::limit_fields_told;

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
        read_by(scene, "https://shop.example", "401 missing_credential, readable"),
        read_by(scene, "https://evil.example", "401 missing_credential, kept from the page"),
        preflight(scene, "https://shop.example", "204, GET with x-api-key"),
        preflight(scene, "https://evil.example", "403 preflight_refused"),
        reported(scene),
        recorded(scene),
        traced(scene),
        counted(scene),
        open(scene),
        explained(scene),
        documented(scene),
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

/// Whether a browser lets a page of this origin read a refusal.
fn read_by(scene: &Scene<'_>, origin: &str, expected: &'static str) -> Row {
    let outcome = scene.client.get("/account", &format!("Origin: {origin}\r\n")).map(|answer| {
        let readable = answer.field("access-control-allow-origin") == Some(origin);
        let got = format!("{}, {}", answer.brief(), if readable { "readable" } else { "kept from the page" });
        let ok = got == expected;
        (got, ok)
    });
    Row::new(HEADERS, &format!("a page of {origin} calls /account without a key"), expected, outcome)
}

/// What a browser asks before a page of this origin may send a key.
fn preflight(scene: &Scene<'_>, origin: &str, expected: &'static str) -> Row {
    let lines = format!(
        "Origin: {origin}\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: x-api-key\r\n"
    );
    let outcome = scene.client.ask("OPTIONS", "/account", &lines).map(|answer| {
        let may_send = answer.field("access-control-allow-headers").is_some_and(|names| names.contains("x-api-key"));
        let method = answer.field("access-control-allow-methods").unwrap_or("nothing");
        let got = if may_send { format!("{}, {method} with x-api-key", answer.status) } else { answer.brief() };
        let ok = got == expected;
        (got, ok)
    });
    Row::new(HEADERS, &format!("its preflight: OPTIONS /account from {origin}"), expected, outcome)
}

/// A browser reports what the policy of a page kept it from.
fn reported(scene: &Scene<'_>) -> Row {
    const SERIES: &str =
        "portcullis_browser_reports_total{api=\"staff\",kind=\"csp-violation\",directive=\"script-src\"}";
    let expected = "204, counted under script-src";
    let body = r#"{"csp-report":{"effective-directive":"script-src","blocked-uri":"https://evil.example/x.js"}}"#;
    let bytes = format!(
        "POST /staff/.reports HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/csp-report\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let outcome = scene.client.raw(bytes.as_bytes()).map(|answer| {
        let counted = scene.eventually(|| scene.metric(SERIES).filter(|count| *count == 1).map(|_| String::new()));
        let got = match counted {
            Some(_) => format!("{}, counted under script-src", answer.status),
            None => format!("{}, and not counted", answer.brief()),
        };
        let ok = got == expected;
        (got, ok)
    });
    Row::new(HEADERS, "a browser reports a script that the policy of /staff kept out", expected, outcome)
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
        let line = line.ok_or("no record with its id within ten seconds")?;
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

/// A reason that no other row meets, so that the count is exact.
fn counted(scene: &Scene<'_>) -> Row {
    const REASON: &str = "reason=\"unknown_expectation\"} ";
    let expected = "417 unknown_expectation, counted once";
    let count = || -> Result<String, String> {
        let answer = scene.client.get_plain(scene.status, "/metrics", "")?;
        let mut series = answer.body.lines().filter(|line| line.starts_with("portcullis_decisions_total{"));
        let value = series.find_map(|line| line.split_once(REASON).map(|(_, value)| value.to_owned()));
        Ok(value.unwrap_or_else(|| "0".to_owned()))
    };
    let outcome = (|| {
        let before = count()?;
        let answer = scene.client.get("/lab/echo", "Expect: miracles\r\n")?;
        let after = scene.eventually(|| count().ok().filter(|now| *now != before));
        let times = match (before.as_str(), after.as_deref()) {
            ("0", Some("1")) => "once".to_owned(),
            (before, after) => format!("from {before} to {}", after.unwrap_or(before)),
        };
        let got = format!("{}, counted {times}", answer.brief());
        let ok = got == expected;
        Ok((got, ok))
    })();
    Row::new(LOGGING, "Expect: miracles, in portcullis_decisions_total", expected, outcome)
}

/// The same numbers in the form that other collectors ask for.
fn open(scene: &Scene<'_>) -> Row {
    let expected = "application/openmetrics-text, whole to its end";
    let lines = "Accept: application/openmetrics-text; version=1.0.0\r\n";
    let outcome = scene.client.get_plain(scene.status, "/metrics", lines).map(|answer| {
        let form = answer.field("content-type").unwrap_or_default().split(';').next().unwrap_or_default().to_owned();
        let is_whole =
            answer.body.contains("# TYPE portcullis_requests counter\n") && answer.body.ends_with("\n# EOF\n");
        let got = format!("{form}, {}", if is_whole { "whole to its end" } else { "not whole" });
        let ok = got == expected;
        (got, ok)
    });
    Row::new(LOGGING, "GET /metrics for whoever wants OpenMetrics", expected, outcome)
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

/// What the developer portal says of an operation's limits, beside what an answer says.
fn documented(scene: &Scene<'_>) -> Row {
    let expected = "the page and the answer say the same";
    let outcome =
        limit_fields_told(&scene.config, "/orders/v2", "GET").map_err(|stop| stop.summary()).and_then(|page| {
            let answer = scene.client.get("/orders/v2", "")?;
            let said = answer.field("ratelimit-policy").unwrap_or("nothing");
            let ok = page.as_deref() == Some(said);
            let page = page.unwrap_or_else(|| "nothing".to_owned());
            Ok((if ok { expected.to_owned() } else { format!("the page {page}, the answer {said}") }, ok))
        });
    Row::new(DOCUMENTATION, "RateLimit-Policy of an operation, on its page in the portal", expected, outcome)
}
