//! Where requests go and what happens when that fails: gateway, versions, errors.

use super::{Row, Scene};
use crate::demo::STAFF;
use portcullis_contract::diff::{Named, diff};

const GATEWAY: &str = "gateway";
const VERSIONING: &str = "versioning";
const ERRORS: &str = "error handling";

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    let client = &scene.client;
    let mut rows = vec![
        routed(scene),
        method(scene),
        balanced(scene),
        pipelined(scene),
        versions(scene),
        Row::brief(VERSIONING, "GET /orders/v3/1001", "404 route_not_found", client.get("/orders/v3/1001", "")),
        deprecated(scene),
        Row::brief(VERSIONING, "GET /orders/v0, whose day has come", "410 version_gone", client.get("/orders/v0", "")),
        Row::brief(
            VERSIONING,
            "GET /orders/beta, at an announced time",
            "410 version_brownout",
            client.get("/orders/beta", ""),
        ),
        Row::brief(
            VERSIONING,
            "GET /staff/7 with X-API-Version: v9",
            "404 version_unknown",
            client.get("/staff/7", "X-API-Version: v9\r\n"),
        ),
        broken(),
        problem(scene),
        page(scene),
        Row::brief(ERRORS, "GET /lab/slow, which takes too long", "504 upstream_timeout", client.get("/lab/slow", "")),
    ];
    let expected = "502 upstream_unreachable, connection_refused";
    let outcome = client.get("/down", "").map(|answer| {
        let status = answer.field("proxy-status").and_then(|status| status.strip_prefix("portcullis; error="));
        let got = format!("{}, {}", answer.brief(), status.unwrap_or("no Proxy-Status"));
        let ok = got == expected;
        (got, ok)
    });
    rows.push(Row::new(ERRORS, "GET /down, where nobody is; its Proxy-Status", expected, outcome));
    rows
}

fn routed(scene: &Scene<'_>) -> Row {
    let outcome = scene.client.get("/orders/v1/1001", "").map(|answer| {
        let id = answer.json().get("id").cloned().unwrap_or_default();
        (format!("{}, order {id}", answer.brief()), answer.status == 200 && id == 1001)
    });
    Row::new(GATEWAY, "GET /orders/v1/1001", "200, order 1001", outcome)
}

fn method(scene: &Scene<'_>) -> Row {
    let expected = "405 method_not_allowed, Allow: GET, HEAD";
    let outcome = scene.client.ask("PATCH", "/orders/v1/1001", "").map(|answer| {
        let got = format!("{}, Allow: {}", answer.brief(), answer.field("allow").unwrap_or("none"));
        let ok = got == expected;
        (got, ok)
    });
    Row::new(GATEWAY, "PATCH /orders/v1/1001", expected, outcome)
}

fn balanced(scene: &Scene<'_>) -> Row {
    let expected = "40 answers, from a and b";
    let outcome = (|| {
        let mut names = std::collections::BTreeSet::new();
        let mut served = 0;
        for _ in 0..40 {
            let answer = scene.client.get("/orders/v1/1001", "")?;
            served += u32::from(answer.status == 200);
            names.extend(answer.field("x-answered-by").map(str::to_owned));
        }
        let names: Vec<String> = names.into_iter().collect();
        let got = format!("{served} answers, from {}", names.join(" and "));
        let ok = got == expected;
        Ok((got, ok))
    })();
    Row::new(GATEWAY, "40 requests to an API with two servers", expected, outcome)
}

fn pipelined(scene: &Scene<'_>) -> Row {
    let expected = "orders 1001, 1002, 1003 in order";
    let outcome = (|| {
        let mut open = scene.client.open()?;
        let requests: Vec<String> = [1001, 1002, 1003]
            .iter()
            .map(|id| format!("GET /orders/v1/{id} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            .collect();
        open.send(requests.concat().as_bytes())?;
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(open.answer()?.json().get("id").cloned().unwrap_or_default().to_string());
        }
        let got = format!("orders {} in order", ids.join(", "));
        let ok = got == expected;
        Ok((got, ok))
    })();
    Row::new(GATEWAY, "three requests at once on one connection", expected, outcome)
}

fn versions(scene: &Scene<'_>) -> Row {
    let expected = "11570 cents in v1, 115.70 EUR in v2";
    let outcome = (|| {
        let first = scene.client.get("/orders/v1/1001", "")?.json();
        let second = scene.client.get("/orders/v2/1001", "")?.json();
        let text = |path: &str| second.pointer(path).and_then(|value| value.as_str()).unwrap_or("none").to_owned();
        let cents = first.get("total_cents").cloned().unwrap_or_default();
        let got = format!("{cents} cents in v1, {} {} in v2", text("/total/amount"), text("/total/currency"));
        let ok = got == expected;
        Ok((got, ok))
    })();
    Row::new(VERSIONING, "the total in /orders/v1/1001 and /orders/v2/1001", expected, outcome)
}

/// What changes for callers if a contract asks for more than it did.
fn broken() -> Row {
    let expected = "D023 `name` is not always there now";
    let new = STAFF.replace("required: [id, name]", "required: [id]");
    let named = |file, text| Named { file, bytes: str::as_bytes(text) };
    let found = diff(named("old.yaml", STAFF), named("new.yaml", &new), (&mut |_| None, &mut |_| None));
    let outcome = found.map_err(|error| error.to_string()).map(|found| {
        let said: Vec<String> = found.iter().map(|one| format!("{} {}", one.code, one.message)).collect();
        let got = said.join("; ");
        let ok = got == expected;
        (got, ok)
    });
    Row::new(VERSIONING, "contract diff: a name that need not be there any more", expected, outcome)
}

fn deprecated(scene: &Scene<'_>) -> Row {
    let expected = "200, deprecated @1790812800, gone on Tue, 01 Apr 2036 00:00:00 GMT";
    let outcome = scene.client.get("/orders/v1/1001", "").map(|answer| {
        let field = |name: &str| answer.field(name).unwrap_or("never").to_owned();
        let got = format!("{}, deprecated {}, gone on {}", answer.brief(), field("deprecation"), field("sunset"));
        let ok = got == expected;
        (got, ok)
    });
    Row::new(VERSIONING, "GET /orders/v1/1001, a version that comes to its end", expected, outcome)
}

fn problem(scene: &Scene<'_>) -> Row {
    let expected = "404 route_not_found, JSON, same request id";
    let outcome = scene.client.get("/nowhere", "").map(|answer| {
        let is_problem = answer.field("content-type") == Some("application/problem+json");
        let id = answer.json().get("request_id").and_then(|id| id.as_str()).map(str::to_owned);
        let same = id.is_some() && id.as_deref() == answer.field("x-request-id");
        let form = if is_problem { "JSON" } else { "not a problem" };
        let same = if same { "same request id" } else { "other request id" };
        let got = format!("{}, {form}, {same}", answer.brief());
        let ok = got == expected;
        (got, ok)
    });
    Row::new(ERRORS, "GET /nowhere, problem and X-Request-ID", expected, outcome)
}

fn page(scene: &Scene<'_>) -> Row {
    let expected = "404, a page with the request id";
    let outcome = scene.client.get("/nowhere", "Accept: text/html\r\n").map(|answer| {
        let html = answer.field("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        let named = answer.field("x-request-id").is_some_and(|id| answer.body.contains(id));
        let got = match (html, named) {
            (true, true) => format!("{}, a page with the request id", answer.status),
            (true, false) => format!("{}, a page without the request id", answer.status),
            (false, _) => format!("{}, not a page", answer.status),
        };
        let ok = got == expected;
        (got, ok)
    });
    Row::new(ERRORS, "the same as a browser asks", expected, outcome)
}
