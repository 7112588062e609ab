//! Errors of servers: what gives something away is replaced by a problem with the same status, what does not leaves as it is.

use crate::check::{good_request_works, problem, security_headers};
use crate::http2::peer::{Peer, get};
use crate::security::{record_of, to_file};
use portcullis_config::plan::{ErrorsPlan, SecurityLogPlan, ShapePlan};
use portcullis_testkit::gateway::{Gatehouse, each_route};
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Client, FakeUpstream};
use std::sync::{Arc, OnceLock};

const CRASH: &str = "java.lang.NullPointerException: Cannot invoke \"Order.total()\"\n\tat com.acme.shop.Orders.total(Orders.java:42)\n\
                     password=hunter2 ada@example.com\n";

fn gate(errors: ErrorsPlan, status: &'static str, fields: &'static str, body: &[u8]) -> (FakeUpstream, Gatehouse) {
    logged(errors, (status, fields, body), None)
}

fn logged(
    errors: ErrorsPlan,
    (status, fields, body): (&'static str, &'static str, &[u8]),
    security: Option<SecurityLogPlan>,
) -> (FakeUpstream, Gatehouse) {
    let body = body.to_vec();
    let upstream = FakeUpstream::with(move |talk| {
        while let Some(heard) = talk.request() {
            let good = heard.target() == "/good";
            let (status, body) = if good { ("200 OK", &b"ok"[..]) } else { (status, &body[..]) };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{fields}\r\n", body.len());
            if !talk.send([head.as_bytes(), body].concat()) {
                return;
            }
        }
    });
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.security_log = security;
        each_route(plan, |route| route.shape = Arc::new(ShapePlan { errors, ..ShapePlan::default() }));
    });
    (upstream, gate)
}

const ASK: &str = "GET /orders HTTP/1.1\r\nHost: api.test\r\n\r\n";

#[test]
fn a_crash_is_told_to_the_security_record_alone() {
    let scratch = Scratch::new();
    let fields = "Content-Type: text/plain\r\nRetry-After: 7\r\nX-Debug-Token: abc\r\nServer: Tomcat\r\n";
    let answer = ("500 Internal Server Error", fields, CRASH.as_bytes());
    let (_upstream, gate) = logged(ErrorsPlan::default(), answer, Some(to_file(&scratch)));
    let answer = Client::connect(gate.address()).ask(ASK);
    problem(&answer, 500, "upstream_error", "a crash");
    assert_eq!(answer.field("retry-after"), Some("7"), "what a client needs to go on");
    assert_eq!(answer.field("x-debug-token"), None);
    assert_eq!(answer.field("proxy-status"), Some("portcullis; error=http_response_transform_error"));
    let id = answer.field("x-request-id").unwrap();
    let record = gate.records().of(id);
    assert_eq!(record["detail"], "stack_trace", "{record}");
    assert!(!record.to_string().contains("Orders"), "{record}");
    let told = record_of(&scratch, id, "error_scrubbed");
    let original = told["original"].as_str().unwrap();
    assert!(original.starts_with("java.lang.NullPointerException"), "{original}");
    assert!(original.contains("Orders.java:42"), "{original}");
    assert!(!original.contains("hunter2") && !original.contains("ada@"), "{original}");
    assert_eq!(
        (&record["status"], &record["stage"], &record["reason"]),
        (&500.into(), &"shape".into(), &"upstream_error".into())
    );
    let mut http2 = Peer::connect(gate.address());
    let answer = http2.ask(get("/orders"), b"");
    assert!(answer.status == 500 && answer.text().contains("\"code\":\"upstream_error\""), "{}", answer.text());
    let mut client = Client::connect(gate.address());
    client.send("GET /orders HTTP/1.1\r\nHost: api.test\r\nAccept: text/html\r\n\r\n");
    let page = client.answer();
    assert!(page.status == 500 && page.text().contains("upstream_error") && !page.text().contains("Orders.java"));
    let to_head = {
        let mut client = Client::connect(gate.address());
        client.send("HEAD /orders HTTP/1.1\r\nHost: api.test\r\n\r\n");
        client.answer_to(true)
    };
    assert_eq!(to_head.status, 500, "an answer to HEAD has nothing to look at");
    good_request_works(&gate, "a crash");
}

#[test]
fn an_error_that_gives_nothing_away_leaves_as_it_is() {
    let body = br#"{"error":"the order is closed","id":7}"#;
    let fields = "Content-Type: application/json\r\nETag: \"e\"\r\n";
    let (_upstream, gate) = gate(ErrorsPlan::Scrub, "409 Conflict", fields, body);
    let mut client = Client::connect(gate.address());
    for _ in 0..2 {
        let answer = client.ask(ASK);
        assert_eq!((answer.status, answer.text().as_bytes()), (409, &body[..]));
        assert_eq!((answer.field("content-length"), answer.field("etag")), (Some("38"), Some("\"e\"")));
        security_headers(&answer, "an error of a server");
    }
    let answer = Peer::connect(gate.address()).ask(get("/orders"), b"");
    assert_eq!((answer.status, &answer.body[..]), (409, &body[..]));
}

#[test]
fn routes_choose_what_becomes_of_errors() {
    let (_upstream, passing) = gate(ErrorsPlan::Pass, "500 Oops", "", CRASH.as_bytes());
    assert_eq!(Client::connect(passing.address()).ask(ASK).text(), CRASH);
    let (_upstream, replacing) = gate(ErrorsPlan::Replace, "404 Not Found", "", b"nothing here");
    problem(&Client::connect(replacing.address()).ask(ASK), 404, "upstream_error", "every error");
    good_request_works(&replacing, "errors that are replaced");
}

#[test]
fn what_cannot_be_looked_at_is_replaced() {
    let long = "x".repeat(300 * 1024);
    let wide: Vec<u8> = CRASH.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let rows: [(&str, &[u8], &str); 6] = [
        ("Content-Type: text/plain; charset=utf-16le\r\n", &wide, "in a charset that cannot be looked at"),
        ("Content-Type: text/plain\r\n", &wide, "in a charset that cannot be looked at"),
        ("", long.as_bytes(), "too long to be looked at"),
        ("Content-Encoding: gzip\r\n", b"no gzip", "in a form that cannot be looked at"),
        ("Content-Encoding: snappy\r\n", b"x", "in a form that cannot be looked at"),
        // `panic: runtime error` in DEFLATE.
        ("Content-Encoding: deflate\r\n", &ZLIB, "stack_trace"),
    ];
    for (fields, body, why) in rows {
        let (_upstream, gate) = gate(ErrorsPlan::Scrub, "502 Bad Gateway", fields, body);
        let answer = Client::connect(gate.address()).ask(ASK);
        problem(&answer, 502, "upstream_error", why);
        let record = gate.records().of(answer.field("x-request-id").unwrap());
        assert_eq!(record["detail"], why, "{record}");
        good_request_works(&gate, why);
    }
}

/// Fields that name inner hosts, and two that do not.
const INNER: &str = "X-Served-By: cache-7\r\nX-Backend-Host: db7\r\nX-Envoy-Upstream-Service-Time: 7\r\nX-Anything: http://10.0.0.5:8080\r\n\
                     Location: http://10.0.0.5:8080/x\r\nSet-Cookie: id=1; Domain=x.internal\r\nSet-Cookie: good=1; Path=/\r\n\
                     X-Kept: yes\r\nContent-Type: application/json\r\n";

#[test]
fn fields_of_redirections_and_errors_name_no_inner_hosts() {
    const NAMED: [&str; 3] = ["x-served-by", "x-backend-host", "x-envoy-upstream-service-time"];
    for (errors, status, passes) in [
        (ErrorsPlan::Scrub, "400 Bad Request", false),
        (ErrorsPlan::Scrub, "302 Found", false),
        (ErrorsPlan::Replace, "302 Found", false),
        (ErrorsPlan::Scrub, "200 OK", true),
        (ErrorsPlan::Pass, "302 Found", true),
    ] {
        let (_upstream, gate) = gate(errors, status, INNER, b"{}");
        let answer = Client::connect(gate.address()).ask(ASK);
        let about = format!("{status} with {errors:?}: {}", answer.head);
        assert!(status.starts_with(&answer.status.to_string()), "{about}");
        for name in NAMED {
            assert_eq!(answer.field(name), None, "{about}");
        }
        for name in ["x-anything", "location"] {
            assert_eq!(answer.field(name).is_some(), passes, "{about}");
        }
        assert_eq!(answer.head.contains("x.internal"), passes, "{about}");
        assert_eq!(answer.field("x-kept"), Some("yes"), "{about}");
        assert!(answer.head.contains("good=1"), "{about}");
        let answer = Peer::connect(gate.address()).ask(get("/orders"), b"");
        assert_eq!(answer.field("location").is_some(), passes, "{about} over HTTP/2");
    }
}

#[test]
fn a_place_of_the_server_itself_is_named_by_its_path() {
    let address = Arc::new(OnceLock::new());
    let own = Arc::clone(&address);
    let upstream = FakeUpstream::with(move |talk| {
        while talk.request().is_some() {
            let own = own.wait();
            let head =
                format!("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://{own}/signed-in?x=1\r\n\r\n");
            if !talk.send(head) {
                return;
            }
        }
    });
    address.set(upstream.address()).unwrap();
    let gate = Gatehouse::before(upstream.address());
    assert_eq!(Client::connect(gate.address()).ask(ASK).field("location"), Some("/signed-in?x=1"));
}

#[test]
fn an_error_that_breaks_off_is_a_failure_of_the_server() {
    let upstream = FakeUpstream::with(|talk| {
        if talk.request().is_some() {
            talk.send("HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf of it");
        }
    });
    let gate = Gatehouse::before(upstream.address());
    problem(&Client::connect(gate.address()).ask(ASK), 502, "upstream_closed", "half an error");
}

const ZLIB: [u8; 28] = [
    120, 156, 43, 72, 204, 203, 76, 182, 82, 40, 42, 205, 43, 201, 204, 77, 85, 72, 45, 42, 202, 47, 2, 0, 79, 157, 7,
    180,
];
