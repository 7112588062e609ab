//! Our own answers: the form that the client asks for, the same guard on all of them, and nothing of what was sent in them.

use crate::check::{GOOD, problem, security_headers};
use portcullis_config::plan::{Authn, HostPattern, Methods};
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream};
use std::sync::Arc;

fn gate(upstream: &FakeUpstream) -> Gatehouse {
    Gatehouse::with(upstream.address(), |plan| {
        let to = Arc::new(gateway::upstream_plan("other", upstream.address()));
        let mut closed = gateway::route(Methods::Any, "/closed", &to);
        closed.authn = Authn::Refuse;
        let only = gateway::route(Methods::Only(vec!["GET".to_owned(), "PUT".to_owned()]), "/only", &to);
        plan.apis = vec![gateway::api("closed", HostPattern::Exact("closed.test".to_owned()), vec![closed, only])];
    })
}

#[test]
fn what_is_not_declared_does_not_exist() {
    let upstream = FakeUpstream::echoing();
    let gate = gate(&upstream);
    let mut client = Client::connect(gate.address());
    let ask = |client: &mut Client, method: &str, host: &str, path: &str| {
        client.ask(format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    };
    problem(&ask(&mut client, "GET", "other.test", "/only"), 404, "route_not_found", "another host");
    problem(&ask(&mut client, "GET", "closed.test", "/other"), 404, "route_not_found", "another path");
    problem(&ask(&mut client, "GET", "closed.test", "/only/more"), 404, "route_not_found", "below a path");
    problem(&ask(&mut client, "GET", "closed.test", "/closed"), 403, "route_closed", "a closed route");
    let answer = ask(&mut client, "POST", "closed.test", "/only");
    problem(&answer, 405, "method_not_allowed", "another method");
    let mut allowed: Vec<&str> = answer.field("allow").unwrap().split(", ").collect();
    allowed.sort_unstable();
    assert!(allowed.contains(&"GET") && allowed.contains(&"PUT"), "{allowed:?}");
    assert!(!allowed.contains(&"POST"));
    for host in ["closed.test", "CLOSED.test", "closed.test:8080", "closed.test."] {
        assert_eq!(ask(&mut client, "GET", host, "/only").status, 200, "{host}");
    }
    assert_eq!(upstream.requests(), 4);
}

#[test]
fn a_browser_gets_a_page_and_everybody_else_json() {
    let upstream = FakeUpstream::echoing();
    let gate = gate(&upstream);
    let mut client = Client::connect(gate.address());
    for (accept, html) in [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
        ("text/html", true),
        ("application/json, text/html", false),
        ("application/problem+json", false),
        ("*/*", false),
        ("image/png", false),
        ("", false),
    ] {
        let answer = client.ask(format!("GET /<script> HTTP/1.1\r\nHost: x.test\r\nAccept: {accept}\r\n\r\n"));
        assert_eq!(answer.status, 404, "{accept}");
        security_headers(&answer, accept);
        assert_eq!(answer.field("vary"), Some("accept"));
        if html {
            assert_eq!(answer.field("content-type"), Some("text/html; charset=utf-8"), "{accept}");
            let page = answer.text();
            assert!(page.starts_with("<!doctype html>") && page.contains(answer.field("x-request-id").unwrap()));
            assert!(!page.contains("script"), "nothing of the request is in it");
        } else {
            problem(&answer, 404, "route_not_found", accept);
        }
    }
}

#[test]
fn nothing_that_a_client_sent_is_in_our_answers() {
    let upstream = FakeUpstream::echoing();
    let gate = gate(&upstream);
    for request in [
        "GET /<script>alert(1)</script>?x=\"y HTTP/1.1\r\nHost: script.test\r\nX: script\r\n\r\n",
        "script / HTTP/1.1\r\nHost: script.test\r\n\r\n",
        "GET /script HTTP/1.1\r\nHost: script<>\r\n\r\n",
        "GET /script HTTP/1.1\r\nHost: a\r\nscript\r\n\r\n",
        "GET /script HTTP/1.1\r\nHost: a\r\nContent-Length: script\r\n\r\n",
        "GET /script HTTP/3.script\r\nHost: a\r\n\r\n",
    ] {
        for accept in ["application/json", "text/html"] {
            let request = request.replace("Host:", &format!("Accept: {accept}\r\nHost:"));
            let answer = Client::connect(gate.address()).ask(&request);
            assert!(answer.status >= 400, "{request:?}");
            security_headers(&answer, &request);
            assert!(!format!("{}{}", answer.head, answer.text()).contains("script"), "{request:?}: {}", answer.text());
        }
    }
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn plain_answers_do_not_pretend_to_be_encrypted() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let answer = Client::connect(gate.address()).ask(GOOD);
    assert_eq!(answer.field("strict-transport-security"), None);
}
