//! What may come in, and how much of it: input validation, and the limits that exist so far.

use super::{Row, Scene};

const VALIDATION: &str = "input validation";
const LIMITS: &str = "rate limiting";

/// What is sent, in words; status and code; the bytes.
const HOSTILE: [(&str, &str, &str); 9] = [
    (
        "Content-Length beside Transfer-Encoding",
        "400 ambiguous_framing",
        "POST /orders/v1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "two different Content-Lengths",
        "400 ambiguous_framing",
        "POST /orders/v1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}}",
    ),
    (
        "Content-Length: +2",
        "400 ambiguous_framing",
        "POST /orders/v1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\n{}",
    ),
    (
        "Transfer-Encoding: xchunked",
        "400 ambiguous_framing",
        "POST /orders/v1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ),
    ("a bare line feed in the head", "400 malformed_head", "GET /orders/v1 HTTP/1.1\nHost: localhost\n\n"),
    (
        "a folded header line",
        "400 malformed_head",
        "GET /orders/v1 HTTP/1.1\r\nHost: localhost\r\nX-Note: one\r\n two\r\n\r\n",
    ),
    ("two Host fields", "400 invalid_host", "GET /orders/v1 HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n"),
    (
        "GET /orders/v1/..%2f..%2fusers",
        "400 ambiguous_target",
        "GET /orders/v1/..%2f..%2fusers HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    ("GET /orders/v1/%zz", "400 malformed_target", "GET /orders/v1/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
];

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    let mut rows: Vec<Row> = HOSTILE
        .iter()
        .map(|(request, expected, bytes)| scene.refused(VALIDATION, request, expected, bytes.as_bytes()))
        .collect();
    rows.extend(contract(scene));
    rows.push(known(scene));
    rows.extend(attacks(scene));
    rows.extend([body_too_large(scene), head_too_large(scene), third_connection(scene), slow_head(scene)]);
    rows
}

/// What rules about attacks refuse, and what only looks like it to a careless rule.
fn attacks(scene: &Scene<'_>) -> Vec<Row> {
    let refused = |request: &str, target: &str| {
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        scene.refused(VALIDATION, request, "403 attack_refused", bytes.as_bytes())
    };
    let passes = |request: &str, target: &str| Row::brief(VALIDATION, request, "200", scene.client.get(target, ""));
    vec![
        refused("?q=1' union select … from users--", "/orders/v1?q=1%27+union+select+name+from+users--"),
        refused("?q=<script>alert(1)</script>", "/orders/v1?q=%3Cscript%3Ealert(1)%3C/script%3E"),
        refused("?host=x;cat /etc/passwd", "/orders/v1?host=x;cat+/etc/passwd"),
        refused("?state=<script>… in base64", "/orders/v1?state=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg"),
        passes(
            "?q=drop me a line: where's O'Brien's order?",
            "/orders/v1?q=drop+me+a+line:+where%27s+O%27Brien%27s+order?",
        ),
    ]
}

/// What is asked of APIs that have a contract, or take GraphQL: method, path, body; status and code.
const CONTRACT: [(&str, &str, &str, &str); 14] = [
    ("PUT", "/shop/customers/7", r#"{"name":"Ada"}"#, "200"),
    ("PUT", "/shop/customers/7", r#"{"name":"Ada","role":"admin"}"#, "422 invalid_body"),
    ("PUT", "/shop/customers/7", r#"{"name":"Ada","id":1}"#, "422 invalid_body"),
    ("PUT", "/shop/customers/7", r#"{"name":"Ada","name":"Eve"}"#, "400 invalid_request"),
    ("GET", "/shop/customers/7?debug=1", "", "400 invalid_request"),
    ("GET", "/shop/customers/me", "", "400 invalid_request"),
    ("GET", "/shop/secrets", "", "502 invalid_answer"),
    ("POST", "/shop/labels", "<label><to>Ada</to><copies>2</copies></label>", "200"),
    ("POST", "/shop/labels", "<label><to>Ada</to><copies>many</copies></label>", "422 invalid_body"),
    ("POST", "/shop/labels", "<!DOCTYPE label []><label><to>Ada</to></label>", "400 invalid_request"),
    ("POST", "/graphql", r#"{"query":"{orders(first: 10) {id}}"}"#, "200"),
    ("POST", "/graphql", r#"{"query":"{a{b{a{b{a}}}}}"}"#, "400 graphql_limit"),
    ("POST", "/graphql", r#"{"query":"{orders(first: 9999) {id}}"}"#, "400 graphql_limit"),
    ("POST", "/graphql", r#"{"query":"{__schema{types{name}}}"}"#, "400 graphql_limit"),
];

fn contract(scene: &Scene<'_>) -> impl Iterator<Item = Row> {
    CONTRACT.iter().map(|(method, path, body, expected)| {
        let kind = if body.starts_with('<') { "xml" } else { "json" };
        let lines = match body.len() {
            0 => String::new(),
            bytes => format!("Content-Type: application/{kind}\r\nContent-Length: {bytes}\r\n"),
        };
        let request = format!("{method} {path} {body}");
        let outcome = scene.bearer().and_then(|bearer| {
            let bytes = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}{lines}\r\n{body}");
            let got = scene.client.raw(bytes.as_bytes())?.brief();
            let ok = got == *expected;
            Ok((got, ok))
        });
        Row::new(VALIDATION, request.trim_end(), expected, outcome)
    })
}

/// What the gateway has come to know of the contract meanwhile.
fn known(scene: &Scene<'_>) -> Row {
    let expected = "GET /stock is unknown, putCustomer used, /headers of GET /secrets undeclared";
    let outcome = (|| {
        scene.client.get("/shop/stock", "")?;
        let look = || {
            let (_, report) = crate::command::ask(&scene.admin, "GET", "/contracts").ok()?;
            let has = |pointer: &str, name: &str, wanted: &str| {
                let list = report.pointer(pointer).and_then(|list| list.as_array());
                list?.iter().find(|one| one.get(name).and_then(|value| value.as_str()) == Some(wanted)).cloned()
            };
            let shadow = has("/contracts/0/shadow", "path", "/stock")?;
            let used = has("/contracts/0/operations", "id", "putCustomer")?.get("last")?.as_u64().is_some();
            let field = has("/contracts/0/undeclared", "pointer", "/headers")?;
            let of = |value: &serde_json::Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
            let used = if used { "used" } else { "unused" };
            let (method, path, operation) = (of(&shadow, "method")?, of(&shadow, "path")?, of(&field, "operation")?);
            Some(format!("{method} {path} is unknown, putCustomer {used}, /headers of {operation} undeclared"))
        };
        let got = scene.eventually(look).unwrap_or_else(|| "they are not in the report".to_owned());
        let ok = got == expected;
        Ok((got, ok))
    })();
    Row::new(VALIDATION, "portcullis contract report, over the admin socket", expected, outcome)
}

fn body_too_large(scene: &Scene<'_>) -> Row {
    let key = scene.callers.key.reveal();
    let head =
        format!("POST /orders/v1 HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nContent-Length: 5000\r\n\r\n");
    scene.refused(VALIDATION, "5,000 bytes where a route takes 4 KiB", "413 body_too_large", head.as_bytes())
}

fn head_too_large(scene: &Scene<'_>) -> Row {
    let filler = "a".repeat(70_000);
    let bytes = format!("GET /orders/v1 HTTP/1.1\r\nHost: localhost\r\nX-Filler: {filler}\r\n\r\n");
    scene.refused(VALIDATION, "70,000 bytes of header where 64 KiB are taken", "431 head_too_large", bytes.as_bytes())
}

/// The first two are held open, so that the third finds the listener full.
fn third_connection(scene: &Scene<'_>) -> Row {
    let request = b"GET /orders/v1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let expected = "turned away, the other two are served";
    let outcome = (|| {
        let mut held = [scene.client.open_plain(scene.small)?, scene.client.open_plain(scene.small)?];
        for open in &mut held {
            open.send(request)?;
            let answer = open.answer()?;
            if answer.status != 200 {
                return Ok((format!("one of the first two got {}", answer.brief()), false));
            }
        }
        let mut third = scene.client.open_plain(scene.small)?;
        third.send(request)?;
        let turned_away = match third.answer() {
            Ok(answer) => answer.status == 503,
            Err(_) => true,
        };
        let mut served = true;
        for open in &mut held {
            open.send(request)?;
            served &= open.answer()?.status == 200;
        }
        Ok(match (turned_away, served) {
            (true, true) => (expected.to_owned(), true),
            (true, false) => ("turned away, and the other two suffer".to_owned(), false),
            (false, _) => ("served".to_owned(), false),
        })
    })();
    Row::new(LIMITS, "a third connection to a listener that holds two", expected, outcome)
}

fn slow_head(scene: &Scene<'_>) -> Row {
    let expected = "closed within five seconds";
    let outcome = (|| {
        // The connections of the row before are given back first.
        let freed = scene.eventually(|| {
            let mut open = scene.client.open_plain(scene.small).ok()?;
            open.send(b"GET /orders/v1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
            open.answer().ok().filter(|answer| answer.status == 200).map(|_| String::new())
        });
        freed.ok_or("the listener stays full")?;
        let before = scene.client.clock().millis();
        let mut open = scene.client.open_plain(scene.small)?;
        open.send(b"GET /orders/v1 HTTP/1.1\r\nHost: loc")?;
        open.closed()?;
        let millis = scene.client.clock().millis() - before;
        let ok = (500..5_000).contains(&millis);
        Ok((if ok { expected.to_owned() } else { format!("closed after {millis} ms") }, ok))
    })();
    Row::new(LIMITS, "a head that never ends, where heads have one second", expected, outcome)
}
