//! Edges that real peers meet: much at once, ends at odd moments, servers that announce or regret what they keep open.

use crate::check::{GOOD, good_request_works, problem};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream};
use std::io::Write;
use std::time::Duration;

#[test]
fn more_pipelined_requests_than_any_buffer_are_answered_in_order() {
    let upstream = FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            let body = heard.target();
            talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    let mut socket = client.socket().try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        for number in 0..5000 {
            let padding = "x".repeat(number % 300);
            socket
                .write_all(format!("GET /{number} HTTP/1.1\r\nHost: a\r\nX-P: {padding}\r\n\r\n").as_bytes())
                .unwrap();
        }
    });
    for number in 0..5000 {
        assert_eq!(client.answer().text(), format!("/{number}"));
    }
    sender.join().unwrap();
    assert_eq!(upstream.connections(), 1);
}

#[test]
fn an_upstream_that_closes_within_a_body_is_told_to_a_client_that_waits() {
    let upstream = FakeUpstream::with(|talk| {
        talk.head();
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nthe beginning");
    problem(&client.answer(), 502, "upstream_closed", "closed within the body");
    client.expect_end();
}

#[test]
fn a_server_that_says_how_long_it_keeps_a_connection_is_believed() {
    let upstream =
        FakeUpstream::answering("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1, max=5\r\nContent-Length: 2\r\n\r\nok");
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    for _ in 0..3 {
        assert_eq!(client.ask(GOOD).text(), "ok");
        eventually("the connection is let go in time", || (upstream.open() == 0).then_some(()));
    }
}

#[test]
fn a_farewell_on_a_kept_connection_is_no_answer() {
    // Some servers say 408 before they close an idle connection.
    let upstream = FakeUpstream::with(|talk| {
        if talk.request().is_some() {
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            talk.pause(Duration::from_millis(30));
            talk.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            talk.finish();
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    for _ in 0..5 {
        assert_eq!(client.ask(GOOD).status, 200);
        assert!(client.is_quiet_for(Duration::from_millis(100)));
    }
}

#[test]
fn kept_connections_have_a_number_and_an_age() {
    let upstream = FakeUpstream::with(|talk| {
        while talk.request().is_some() {
            talk.pause(Duration::from_millis(50));
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::each_upstream(plan, |upstream| {
            upstream.idle_connections = 2;
            upstream.idle_timeout = Duration::from_millis(500);
        });
    });
    let mut clients: Vec<Client> = (0..6).map(|_| Client::connect(gate.address())).collect();
    clients.iter_mut().for_each(|client| client.send(GOOD));
    for client in &mut clients {
        assert_eq!(client.answer().text(), "ok");
    }
    eventually("two are kept", || (upstream.open() == 2).then_some(()));
    eventually("none is kept for long", || (upstream.open() == 0).then_some(()));
}

#[test]
fn a_large_head_of_an_answer_passes_and_too_many_lines_do_not() {
    let upstream = FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            let count = if heard.target() == "/many" { 101 } else { 90 };
            let lines: String = (0..count).map(|number| format!("X-{number}: {}\r\n", "v".repeat(500))).collect();
            talk.send(format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n\r\nok"));
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let answer = Client::connect(gate.address()).ask(GOOD);
    assert_eq!((answer.text().as_str(), answer.field("x-89").map(str::len)), ("ok", Some(500)));
    let answer = Client::connect(gate.address()).ask("GET /many HTTP/1.1\r\nHost: a\r\n\r\n");
    problem(&answer, 502, "upstream_malformed", "101 lines");
}

#[test]
fn trailers_of_an_answer_cannot_change_what_its_head_said() {
    let upstream = FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            let name = heard.target().replace('/', "");
            talk.send(format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n{name}: 1\r\n\r\n"
            ));
        }
    });
    let gate = Gatehouse::before(upstream.address());
    for name in ["Content-Length", "Transfer-Encoding", "Content-Type", "X-Consumer-ID", "X-Request-ID"] {
        let answer = Client::connect(gate.address()).ask(format!("GET /{name} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(answer.status == 502 || !answer.whole, "{name}: {answer:?}");
    }
    good_request_works(&gate, "trailers");
}

#[test]
fn a_client_over_ipv6_is_named_so() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.listeners[0].bind = "[::1]:0".parse().unwrap();
    });
    let answer = Client::connect(gate.address()).ask("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n");
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("\r\nx-forwarded-for: ::1\r\n"), "{}", answer.text());
    assert!(answer.text().contains("\r\nhost: [::1]:8080\r\n"), "{}", answer.text());
    let record = gate.records().of(answer.field("x-request-id").unwrap());
    assert!(record["peer"].as_str().unwrap().starts_with("[::1]:"), "{record}");
    assert_eq!(record["host"], "[::1]");
}

#[test]
fn a_refused_upload_hears_why() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    // The client sends all of it before it reads: closing at once would destroy the answer on its way.
    for length in [1_100_000, 1_200_000] {
        let mut client = Client::connect(gate.address());
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"));
        let sent = client.try_send("x".repeat(200_000));
        problem(&client.answer(), 413, "body_too_large", "an upload");
        assert!(sent.is_ok());
        client.expect_end();
    }
    // Below the bound for reading over, the connection goes on.
    let mut client = Client::connect(gate.address());
    client.send(format!("POST /%2f HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n{}{GOOD}", "x".repeat(50_000)));
    problem(&client.answer(), 400, "ambiguous_target", "a refused upload");
    assert!(client.answer().text().starts_with("GET /good "));
}

#[test]
fn the_body_of_a_get_is_forwarded_with_its_framing() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    for method in ["GET", "DELETE", "OPTIONS", "PATCH", "QUERY"] {
        let answer = client.ask(format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"));
        assert!(answer.text().to_lowercase().contains("\r\ncontent-length: 5\r\n"), "{}", answer.text());
        assert!(answer.text().ends_with("\r\n\r\nhello"), "{}", answer.text());
    }
}
