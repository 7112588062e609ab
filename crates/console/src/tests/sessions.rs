//! Who comes in, by page and by program, and what browsers of other sites cannot do.

use super::{HOME, House, PASSWORD};
use crate::Via;
use std::net::{IpAddr, Ipv4Addr};

const OURS: &str = "\r\norigin: http://console.test\r\nsec-fetch-site: same-origin";

/// The cookie that a log-in sets.
fn cookie(house: &House) -> String {
    let (status, fields, text) =
        house.send(HOME, &format!("POST /login{OURS}"), &format!("name=ada&password={}", PASSWORD.replace(' ', "+")));
    assert_eq!(status, 303, "{text}");
    let set = fields["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("portcullis=") && set.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

#[test]
fn pages_are_for_those_who_are_in() {
    let house = House::new();
    for path in ["/", "/keys", "/requests/x", "/configuration?a=b"] {
        let (status, fields, _) = house.send(HOME, &format!("GET {path}"), "");
        assert_eq!(
            (status, fields["location"].to_str().unwrap().starts_with("/login?next=%2F")),
            (303, true),
            "{path}"
        );
        assert!(fields["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"), "{path}");
    }
    let (status, _, text) = house.send(HOME, &format!("POST /login{OURS}"), "name=ada&password=wrong");
    assert!(status == 401 && text.contains("name and password do not belong together"), "{text}");
    let cookie = cookie(&house);
    for path in [
        "/",
        "/traffic",
        "/traffic?only=notable",
        "/routes",
        "/policy?route=orders/listOrders",
        "/limits",
        "/keys",
        "/accounts",
        "/issuers",
        "/upstreams",
        "/certificates",
        "/findings",
        "/rules",
        "/configuration",
        "/audit-log",
    ] {
        let (status, fields, text) = house.send(HOME, &format!("GET {path}\r\ncookie: {cookie}"), "");
        assert_eq!(status, 200, "{path}: {text}");
        assert!(text.starts_with("<!doctype html>") && text.contains("<h1>"), "{path}");
        assert_eq!(fields["cache-control"], "no-store", "{path}");
    }
    let (status, _, _) = house.send(HOME, &format!("GET /nowhere\r\ncookie: {cookie}"), "");
    assert_eq!(status, 404);
    let twice = format!("GET /\r\ncookie: {cookie}\r\ncookie: {cookie}");
    assert_eq!(house.send(HOME, &twice, "").0, 303, "two cookies of one name: somebody else has set one");
    assert!(house.noted().iter().any(|entry| entry.starts_with("user:ada console.login {\"address\":\"127.0.0.1\"")));
    assert!(house.noted().iter().any(|entry| entry.starts_with("user:ada console.login_failed")));
}

#[test]
fn cookies_over_tls_are_of_this_host_alone() {
    let house = House::new();
    let from = Via::Listener(IpAddr::V4(Ipv4Addr::LOCALHOST), true);
    let line = "POST /login\r\norigin: https://console.test\r\nsec-fetch-site: same-origin";
    let (status, fields, _) = house.send(from, line, &format!("name=ada&password={}", PASSWORD.replace(' ', "+")));
    assert_eq!(status, 303);
    let set = fields["set-cookie"].to_str().unwrap();
    assert!(
        set.starts_with("__Host-portcullis=") && set.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"),
        "{set}"
    );
    assert!(fields.contains_key("strict-transport-security"));
}

#[test]
fn other_sites_change_nothing() {
    let house = House::new();
    let cookie = cookie(&house);
    let (_, _, page) = house.send(HOME, &format!("GET /keys\r\ncookie: {cookie}"), "");
    let token = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let made = |fields: &str, body: &str| {
        house.send(HOME, &format!("POST /act/createKey\r\ncookie: {cookie}{fields}"), body).0
    };
    let body = format!("consumer=acme&csrf={token}");
    for (fields, body, why) in [
        ("", body.as_str(), "neither Origin nor Sec-Fetch-Site"),
        ("\r\norigin: https://evil.example", &body, "another origin"),
        ("\r\norigin: null", &body, "an origin that is none"),
        ("\r\norigin: http://console.test\r\nsec-fetch-site: cross-site", &body, "another site, by the browser's word"),
        (OURS, "consumer=acme", "no token"),
        (OURS, "consumer=acme&csrf=x", "a wrong token"),
    ] {
        assert_eq!(made(fields, body), 403, "{why}");
    }
    assert_eq!(made(OURS, &body), 201);
    assert_eq!(house.noted().iter().filter(|entry| entry.contains("keys.create")).count(), 1);
    // The same over the API, where the cookie says who asks.
    let line = format!("POST /api/v1/keys\r\ncookie: {cookie}{OURS}");
    assert_eq!(house.send(HOME, &line, r#"{"consumer":"acme"}"#).0, 403);
    assert_eq!(house.send(HOME, &format!("{line}\r\nx-csrf-token: {token}"), r#"{"consumer":"acme"}"#).0, 201);
    // Out is out.
    assert_eq!(house.send(HOME, &format!("POST /logout\r\ncookie: {cookie}{OURS}"), "").0, 403);
    let (status, fields, _) =
        house.send(HOME, &format!("POST /logout\r\ncookie: {cookie}{OURS}"), &format!("csrf={token}"));
    assert_eq!((status, fields["set-cookie"].to_str().unwrap().contains("Max-Age=0")), (303, true));
    assert_eq!(house.send(HOME, &format!("GET /keys\r\ncookie: {cookie}"), "").0, 303);
}
