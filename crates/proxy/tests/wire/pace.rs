//! Clients that are slow on purpose: each byte comes in time, and all of them together never end.

use crate::check::{good_request_works, problem};
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream};
use std::io::Read;
use std::time::{Duration, Instant};

/// A kilobyte a second, after half a second; the pause between two reads may be far longer.
fn demanding(upstream: &FakeUpstream) -> Gatehouse {
    Gatehouse::with(upstream.address(), |plan| {
        gateway::limit(plan, |limits| {
            limits.pace.body_rate = 1000;
            limits.pace.send_rate = 100_000;
            limits.pace.grace = Duration::from_millis(500);
        });
        gateway::each_route(plan, |route| route.body_bytes = 100_000_000);
    })
}

#[test]
fn a_body_that_trickles_in_is_given_up() {
    let upstream = FakeUpstream::echoing();
    let gate = demanding(&upstream);
    for body in ["Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"] {
        let mut client = Client::connect(gate.address());
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{body}"));
        let began = Instant::now();
        while client.is_quiet_for(Duration::from_millis(50)) && began.elapsed() < Duration::from_secs(20) {
            drop(client.try_send(if body.starts_with('C') { "x" } else { "1\r\nx\r\n" }));
        }
        let answer = client.answer();
        problem(&answer, 408, "body_too_slow", body);
        assert!(began.elapsed() < Duration::from_secs(10), "long before ten seconds of silence: {:?}", began.elapsed());
    }
    let series = "portcullis_decisions_total{stage=\"receive\",decision=\"refused\",reason=\"body_too_slow\"}";
    gate.wait_metric(series, 2.0);
    good_request_works(&gate, "slow bodies");
}

#[test]
fn a_body_that_is_fast_enough_is_taken_however_long_it_lasts() {
    let upstream = FakeUpstream::echoing();
    let gate = demanding(&upstream);
    let mut client = Client::connect(gate.address());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12000\r\n\r\n");
    for _ in 0..12 {
        assert!(client.is_quiet_for(Duration::from_millis(150)), "no answer before the end");
        client.send("x".repeat(1000));
    }
    assert_eq!(client.answer().status, 200);
}

#[test]
fn an_upstream_that_is_slow_is_no_fault_of_the_client() {
    let upstream = FakeUpstream::with(|talk| {
        if talk.request().is_some() {
            // SLEEP: the upstream takes longer than a slow client may.
            std::thread::sleep(Duration::from_millis(1500));
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let gate = demanding(&upstream);
    let answer = Client::connect(gate.address()).ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    assert_eq!(answer.text(), "ok");
}

#[test]
fn an_answer_that_is_taken_in_drops_is_broken_off() {
    let big = format!("HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n{}", "x".repeat(50_000_000));
    let upstream = FakeUpstream::answering(big);
    let gate = demanding(&upstream);
    let mut client = Client::connect(gate.address());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let began = Instant::now();
    let mut room = [0; 100];
    while gate.metric("portcullis_slow_readers_total") < 0.5 {
        assert!(began.elapsed() < Duration::from_secs(9), "before ten seconds without progress");
        drop(client.socket().read(&mut room));
        // SLEEP: a reader of a few hundred bytes a second.
        std::thread::sleep(Duration::from_millis(100));
    }
    gate.wait_metric("portcullis_connections", 0.0);
    let records = gate.records().wait_for(1);
    assert_eq!(records[0]["outcome"], "gone", "{records:?}");
    drop(client);
    good_request_works_small(&gate);
}

/// The upstream of the test answers a lot to everything.
fn good_request_works_small(gate: &Gatehouse) {
    let answer = Client::connect(gate.address()).ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(answer.status, 200);
}
