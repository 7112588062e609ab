//! Bodies that a stage looks into: held whole within bounds, decoded and read once, and sent on as they came.

use crate::bytes::gzip;
use crate::check::{good_request_works, problem};
use crate::http2::peer::{Peer, Server, post};
use portcullis_config::plan::{BodiesPlan, RetryPlan};
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Answer, Client, FakeUpstream};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const HELD: u64 = 100_000;

/// A gateway that reads JSON strictly.
fn strict(upstream: SocketAddr) -> Gatehouse {
    Gatehouse::with(upstream, |plan| {
        gateway::each_route(plan, |route| {
            route.bodies = BodiesPlan { strict_json: true, held_bytes: HELD, ..BodiesPlan::default() };
            route.bodies.json.depth = 8;
        });
    })
}

/// Answers with the body that it was sent.
fn mirror() -> FakeUpstream {
    FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            let framing = match heard.field("transfer-encoding") {
                Some(_) => "Transfer-Encoding: chunked".to_owned(),
                None => format!("Content-Length: {}", heard.body.len()),
            };
            talk.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n"));
            talk.send(&heard.body);
        }
    })
}

fn head(fields: &str, length: usize) -> String {
    format!("POST /a HTTP/1.1\r\nHost: api.test\r\n{fields}Content-Length: {length}\r\n\r\n")
}

const JSON: &str = "Content-Type: application/json\r\n";
const GZIP: &str = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";

fn send(client: &mut Client, fields: &str, body: &[u8]) -> Answer {
    client.ask([head(fields, body.len()).as_bytes(), body].concat())
}

#[test]
fn what_is_looked_into_goes_on_as_it_came() {
    let upstream = mirror();
    let gate = strict(upstream.address());
    let mut client = Client::connect(gate.address());
    let large: String = (0..9_000).map(|number| format!(",{}", number * 7_919)).collect();
    let large = format!("[0{large}]");
    for body in ["{}", " {\"a\" : [1, 2e3, \"\\u00e9\"] }\n", large.as_str()] {
        let answer = send(&mut client, JSON, body.as_bytes());
        assert!(answer.status == 200 && answer.text() == body, "{} bytes", body.len());
        let packed = gzip(body.as_bytes());
        let answer = send(&mut client, GZIP, &packed);
        assert!(answer.status == 200 && answer.body == packed, "{} bytes, encoded as they were sent", body.len());
        let chunks = format!(
            "POST /a HTTP/1.1\r\nHost: api.test\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n",
            &body[..1],
            body.len() - 1,
            &body[1..]
        );
        let answer = client.ask(chunks);
        assert!(answer.status == 200 && answer.text() == body, "{} bytes in chunks", body.len());
    }
    let answer = send(&mut client, "Content-Type: text/plain\r\n", b"{");
    assert_eq!((answer.status, answer.text().as_str()), (200, "{"), "it does not say that it is JSON");
    assert_eq!(send(&mut client, JSON, b"").status, 200, "nothing is not read");
}

#[test]
fn over_http2_as_well() {
    let (upstream, server) = (mirror(), Server::echoing());
    for (gate, about) in [(strict(upstream.address()), "HTTP/1"), (strict(server.address), "HTTP/2")] {
        let gate = if about == "HTTP/1" { gate } else { Gatehouse::start(spoken_in_http2(&gate)) };
        let mut peer = Peer::connect(gate.address());
        let mut ask = |body: &str| {
            let mut request = post("/a");
            request.headers_mut().insert("content-type", "application/json".parse().unwrap());
            peer.ask(request, body.as_bytes())
        };
        let got = ask("{\"a\":1}");
        assert!(got.status == 200 && got.text().contains("{\"a\":1}"), "{about}: {}", got.text());
        assert_eq!(ask("{\"a\":1,\"a\":2}").status, 400, "{about}");
        assert_eq!(ask(&format!("\"{}\"", "x".repeat(100_000))).status, 413, "{about}");
        assert_eq!(ask("[]").status, 200, "{about}: the connection goes on");
    }
}

fn spoken_in_http2(gate: &Gatehouse) -> portcullis_config::plan::Plan {
    let mut plan = gate.plan();
    gateway::each_upstream(&mut plan, |upstream| {
        upstream.protocol = portcullis_config::plan::UpstreamProtocol::Http2;
    });
    plan
}

#[test]
fn what_programs_read_differently_is_refused_before_anybody_reads_it() {
    let upstream = mirror();
    let gate = strict(upstream.address());
    let deep = format!("{}{}", "[".repeat(9), "]".repeat(9));
    let mut client = Client::connect(gate.address());
    for (body, about) in [
        (b"{".as_slice(), "broken off"),
        (b"{}{}", "two values"),
        (b"{\"a\":1,\"\\u0061\":2}", "a member twice, once in disguise"),
        (b"\"\xff\"", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "a mark before it"),
        (b"[1,]", "a comma too many"),
        (b"[01]", "a number that some read as octal"),
        (b"[NaN]", "no number"),
        (b"\"\\ud800\"", "half a letter"),
        (deep.as_bytes(), "too deep"),
    ] {
        problem(&send(&mut client, JSON, body), 400, "malformed_json", about);
        problem(&send(&mut client, GZIP, &gzip(body)), 400, "malformed_json", about);
    }
    let fields = "Content-Type: application/problem+json; charset=utf-8\r\n";
    problem(&send(&mut client, fields, b"{"), 400, "malformed_json", "every name for JSON");
    assert_eq!(upstream.requests(), 0, "nothing has left");
    assert_eq!(send(&mut client, JSON, b"{}").status, 200, "the connection goes on: bodies were read to their end");
    let refused = send(&mut client, JSON, b"{");
    let record = gate.records().of(refused.field("x-request-id").unwrap());
    assert_eq!((record["stage"].as_str(), record["request_bytes"].as_u64()), (Some("conform"), Some(1)), "{record}");
    good_request_works(&gate, "bodies that are no JSON");
}

#[test]
fn codings_are_undone_within_bounds_or_refused() {
    let upstream = mirror();
    let gate = strict(upstream.address());
    let bomb = gzip(&vec![b' '; 5_000_000]);
    let vast = gzip(&vec![b' '; 11 << 20]);
    let mut cut = gzip(b"{}");
    cut.pop();
    let twice = [gzip(b"{}"), gzip(b"{}")].concat();
    for (coding, body, status, code) in [
        ("compress", b"{}".as_slice(), 415, "unknown_coding"),
        ("gzip, gzip, gzip", b"{}", 415, "unknown_coding"),
        ("gzip", &bomb, 413, "body_inflated"),
        ("gzip", &vast, 413, "body_inflated"),
        ("gzip", b"{}", 400, "malformed_coding"),
        ("gzip", &cut, 400, "malformed_coding"),
        ("gzip", &twice, 400, "malformed_coding"),
    ] {
        let fields = format!("{JSON}Content-Encoding: {coding}\r\n");
        let answer = send(&mut Client::connect(gate.address()), &fields, body);
        problem(&answer, status, code, coding);
        assert_eq!(answer.field("accept-encoding").is_some(), status == 415, "{coding}");
    }
    assert_eq!(upstream.requests(), 0, "nothing has left");
    good_request_works(&gate, "bombs");
}

#[test]
fn longer_bodies_are_refused_before_they_are_sent_where_that_can_be_known() {
    let upstream = mirror();
    let gate = strict(upstream.address());
    let expect = format!("{JSON}Expect: 100-continue\r\n");
    let mut client = Client::connect(gate.address());
    problem(&client.ask(head(&expect, 100_001)), 413, "body_too_large", "by its length");
    client.expect_end();
    let fields = format!("{expect}Content-Encoding: compress\r\n");
    problem(&Client::connect(gate.address()).ask(head(&fields, 2)), 415, "unknown_coding", "by its coding");
    let mut client = Client::connect(gate.address());
    client.send(head(&expect, 2));
    let told = client.read_exactly(25);
    assert_eq!(told, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.ask("{}").text(), "{}");
    let mut client = Client::connect(gate.address());
    client.send(format!("POST /a HTTP/1.1\r\nHost: api.test\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n"));
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    // What comes after the answer may meet a connection that is closed.
    for _ in 0..8 {
        drop(client.try_send(&chunk));
    }
    problem(&client.answer(), 413, "body_too_large", "while it comes");
    assert_eq!(upstream.requests(), 1, "none of them has left");
    good_request_works(&gate, "bodies that are too long");
}

#[test]
fn a_held_body_is_sent_again_whole_however_it_came() {
    let tries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tries);
    let upstream = FakeUpstream::with(move |talk| {
        while let Some(heard) = talk.request() {
            let first = count.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
            let status = if first { "503 No" } else { "200 OK" };
            let length = heard.body.len();
            talk.send(format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n"));
            talk.send(&heard.body);
        }
    });
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::each_route(plan, |route| route.bodies.strict_json = true);
        gateway::each_upstream(plan, |upstream| {
            let (pause, max_pause) = (Duration::from_millis(1), Duration::from_millis(5));
            let statuses = vec![503];
            upstream.pool.retries =
                Some(RetryPlan { attempts: 2, statuses, body_bytes: 10, budget: 100, pause, max_pause });
        });
    });
    let body = format!("[{}1]", "1,".repeat(9_000));
    let put = format!("PUT /a HTTP/1.1\r\nHost: api.test\r\n{JSON}Content-Length: {}\r\n\r\n{body}", body.len());
    let answer = Client::connect(gate.address()).ask(put);
    assert_eq!((answer.status, answer.text().len()), (200, body.len()));
    assert_eq!(tries.load(Ordering::SeqCst), 2);
}

#[test]
fn calls_of_grpc_are_not_held_where_they_are_declared() {
    let upstream = FakeUpstream::echoing();
    let declared = Gatehouse::with(upstream.address(), |plan| {
        gateway::each_route(plan, |route| {
            route.bodies = BodiesPlan { strict_json: true, held_bytes: HELD, ..BodiesPlan::default() };
            route.grpc = true;
        });
    });
    for media in ["application/grpc", "application/grpc+proto", "Application/gRPC; a=b"] {
        let field = format!("Content-Type: {media}\r\n");
        let answer = send(&mut Client::connect(declared.address()), &field, b"x");
        assert_eq!(answer.status, 200, "{media}");
        let before = upstream.requests();
        // Where nobody declared it, it would be a way past everybody who looks into bodies.
        let gate = strict(upstream.address());
        let answer = send(&mut Client::connect(gate.address()), &field, b"[1,]");
        // The caller says that it speaks gRPC, and is answered in it.
        assert_eq!((answer.status, answer.field("grpc-status")), (200, Some("12")), "{media}");
        assert_eq!(upstream.requests(), before, "{media}");
        assert_eq!(send(&mut Client::connect(gate.address()), JSON, b"[1]").status, 200, "a good request after it");
    }
}

#[test]
fn where_nobody_looks_bodies_stream() {
    let upstream = FakeUpstream::echoing();
    // An upstream that streams has the head before the body is over.
    let gate = Gatehouse::before(upstream.address());
    let before = upstream.requests();
    let mut client = Client::connect(gate.address());
    client.send(head(JSON, 2));
    client.send("{");
    portcullis_testkit::deadline::eventually("the head arrives", || (upstream.requests() > before).then_some(()));
    client.send("}");
    assert_eq!(client.answer().status, 200);
}

/// Whoever sends a byte now and then makes progress, and would be waited for without an end.
#[test]
fn a_body_that_is_held_has_no_longer_than_its_request() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::each_route(plan, |route| {
            route.bodies = BodiesPlan { strict_json: true, held_bytes: HELD, ..BodiesPlan::default() };
            route.timeout = std::time::Duration::from_millis(300);
        });
    });
    let before = upstream.requests();
    let mut client = Client::connect(gate.address());
    client.send(head(JSON, 100));
    client.send("[");
    assert_eq!(client.answer().status, 408);
    assert_eq!(upstream.requests(), before, "nobody heard of it");
    assert_eq!(send(&mut Client::connect(gate.address()), JSON, b"[1]").status, 200, "a good request after it");
}
