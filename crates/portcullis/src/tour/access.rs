//! What callers may do: their own things, and nobody else's, however they are asked for.

use super::{Row, Scene};

const PRACTICE: &str = "access control";

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    let token = match scene.callers.token(300) {
        Ok(token) => token,
        Err(stop) => return vec![Row::new(PRACTICE, "a token", "a token", Err(stop.summary()))],
    };
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let ask = |method: &str, target: &str| {
        format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n{bearer}\r\n")
    };
    let refused = |request: &str, expected: &str, method: &str, target: &str| {
        scene.refused(PRACTICE, request, expected, ask(method, target).as_bytes())
    };
    let put = |target: &str, bearer: &str| {
        let json = "Content-Type: application/json\r\nContent-Length: 14\r\n";
        format!("PUT {target} HTTP/1.1\r\nHost: localhost\r\n{bearer}{json}\r\n{{\"name\":\"Ada\"}}").into_bytes()
    };
    let mut rows = vec![
        Row::brief(PRACTICE, "GET /account/ada with ada's token", "200", scene.client.get("/account/ada", &bearer)),
        refused("GET /account/eve with it", "403 forbidden_here", "GET", "/account/eve"),
        refused("the same as /account/ada/../%65ve", "403 forbidden_here", "GET", "/account/ada/../%65ve"),
        refused("PUT /account/ada, which needs another scope", "403 insufficient_scope", "PUT", "/account/ada"),
        refused("DELETE /account/ada, which is for admins", "403 forbidden", "DELETE", "/account/ada"),
    ];
    rows.extend([
        scene.refused(
            PRACTICE,
            "PUT /shop/customers/7 by nobody",
            "401 missing_credential",
            &put("/shop/customers/7", ""),
        ),
        scene.refused(
            PRACTICE,
            "PUT /shop/customers/9 by customer 7",
            "403 forbidden_here",
            &put("/shop/customers/9", &bearer),
        ),
    ]);
    rows.extend(bodies(scene, &bearer));
    rows.extend(shown(scene, &bearer));
    rows.extend([
        Row::brief(PRACTICE, "GET /ledger/, as its contract allows it", "200", scene.client.get("/ledger/", &bearer)),
        refused(
            "DELETE /ledger/, for which the contract wants a scope",
            "403 insufficient_scope",
            "DELETE",
            "/ledger/",
        ),
    ]);
    rows
}

/// What bodies say: whose something is, fields that only some may set, and what Cedar policies make of them.
fn bodies(scene: &Scene<'_>, bearer: &str) -> Vec<Row> {
    let bytes = |line: &str, body: &str| {
        let length = body.len();
        let json = "Content-Type: application/json\r\n";
        format!("{line} HTTP/1.1\r\nHost: localhost\r\n{bearer}{json}Content-Length: {length}\r\n\r\n{body}")
            .into_bytes()
    };
    let (profile, payments) = ("PUT /desk/profile", "POST /desk/payments");
    let rows = [
        (profile, r#"{"userId":"ada","name":"Ada"}"#, "200"),
        (profile, r#"{"userId":"eve","name":"Ada"}"#, "403 forbidden_here"),
        (profile, r#"{"userId":"ada","UserId":"eve"}"#, "403 forbidden_here"),
        (profile, r#"{"userId":"ada","role":"admin"}"#, "403 forbidden_field"),
        (payments, r#"{"payer":"ada","amount":1000}"#, "200"),
        (payments, r#"{"payer":"ada","amount":1001}"#, "403 forbidden_here"),
        (payments, r#"{"payer":"eve","amount":1}"#, "403 forbidden_here"),
    ];
    let row = |(line, body, expected): (&str, &str, &'static str)| {
        let (about, bytes) = (format!("{line} {body}"), bytes(line, body));
        match expected {
            "200" => Row::brief(PRACTICE, &about, expected, scene.client.raw(&bytes)),
            _ => scene.refused(PRACTICE, &about, expected, &bytes),
        }
    };
    rows.into_iter().map(row).collect()
}

/// Ids that an answer has shown, and others.
fn shown(scene: &Scene<'_>, bearer: &str) -> Vec<Row> {
    let ask = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n");
    let refused =
        |about: &str, target: &str| scene.refused(PRACTICE, about, "403 forbidden_here", ask(target).as_bytes());
    vec![
        refused("GET /desk/orders/1001, which no list has shown", "/desk/orders/1001"),
        Row::brief(PRACTICE, "GET /desk, a list with 1001 and 1003", "200", scene.client.get("/desk", bearer)),
        Row::brief(PRACTICE, "GET /desk/orders/1001 now", "200", scene.client.get("/desk/orders/1001", bearer)),
        refused("GET /desk/orders/1002, a guess", "/desk/orders/1002"),
    ]
}
