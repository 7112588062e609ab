//! Who may call, and over what: authentication and HTTPS.

use super::{Row, Scene};
use crate::demo::UNDECIDED;
use portcullis_config::{Environment, load_text};
use std::path::Path;

const AUTHENTICATION: &str = "authentication";
const HTTPS: &str = "HTTPS";

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    vec![undecided(), closed(scene), claimed(scene), encrypted(scene), in_the_clear(scene)]
}

fn undecided() -> Row {
    let outcome = match load_text("undecided.yaml", UNDECIDED, Path::new(""), &Environment::sealed()) {
        Ok(_) => ("it was taken".to_owned(), false),
        Err(failure) => {
            let codes: Vec<&str> = failure.diagnostics().iter().map(|diagnostic| diagnostic.code).collect();
            (format!("refused at load: {}", codes.join(", ")), codes == ["no-authentication"])
        }
    };
    let request = "a configuration that does not say who may call";
    Row::new(AUTHENTICATION, request, "refused at load: no-authentication", Ok(outcome))
}

fn closed(scene: &Scene<'_>) -> Row {
    let bytes = b"DELETE /users/7 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    scene.refused(AUTHENTICATION, "DELETE /users/7, which is `authn: refuse`", "403 route_closed", bytes)
}

fn claimed(scene: &Scene<'_>) -> Row {
    let claims = "X-Consumer-ID: admin\r\nX-Identity-Token: forged\r\nX-Authenticated-Scope: all\r\n";
    let outcome = scene.client.get("/lab/echo", claims).map(|answer| {
        let seen = answer.body.to_ascii_lowercase();
        let kept: Vec<&str> = ["x-consumer-id", "x-identity-token", "x-authenticated-scope"]
            .into_iter()
            .filter(|name| seen.contains(name))
            .collect();
        match (answer.status, kept.as_slice()) {
            (200, []) => ("the API sees none of it".to_owned(), true),
            (200, kept) => (format!("the API sees {}", kept.join(", ")), false),
            (_, _) => (answer.brief(), false),
        }
    });
    Row::new(AUTHENTICATION, "GET /lab/echo with X-Consumer-ID: admin", "the API sees none of it", outcome)
}

fn encrypted(scene: &Scene<'_>) -> Row {
    let expected = "200, TLSv1_3, X25519MLKEM768";
    let outcome = scene.client.get("/orders/v1/1001", "").map(|answer| {
        let (version, group) = answer.tls.clone().unwrap_or_default();
        let got = format!("{}, {version}, {group}", answer.brief());
        let ok = got == expected;
        (got, ok)
    });
    Row::new(HTTPS, "GET /orders/v1/1001 over TLS", expected, outcome)
}

fn in_the_clear(scene: &Scene<'_>) -> Row {
    let secure = scene.secure;
    let outcome = scene.client.get_plain(secure, "/orders/v1/1001", "").map(|answer| {
        let redirect = answer.field("location").is_some();
        let got = if redirect { format!("{}, redirected", answer.brief()) } else { answer.brief() };
        let ok = got == "400 plaintext_on_tls";
        (got, ok)
    });
    Row::new(HTTPS, "the same in plain HTTP to the same port", "400 plaintext_on_tls", outcome)
}
