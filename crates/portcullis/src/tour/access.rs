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
    vec![
        Row::brief(PRACTICE, "GET /account/ada with ada's token", "200", scene.client.get("/account/ada", &bearer)),
        refused("GET /account/eve with it", "403 forbidden_here", "GET", "/account/eve"),
        refused("the same as /account/ada/../%65ve", "403 forbidden_here", "GET", "/account/ada/../%65ve"),
        refused("PUT /account/ada, which needs another scope", "403 insufficient_scope", "PUT", "/account/ada"),
        refused("DELETE /account/ada, which is for admins", "403 forbidden", "DELETE", "/account/ada"),
    ]
}
