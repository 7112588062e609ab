//! Bodies larger than any buffer, over their limit, and answers that come before they are over.

use crate::check::{good_request_works, problem};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, Dice, FakeUpstream};
use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

const TEN_MEGABYTES: usize = 10_000_000;

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn roomy(upstream: &FakeUpstream) -> Gatehouse {
    Gatehouse::with(upstream.address(), |plan| gateway::each_route(plan, |route| route.body_bytes = 100_000_000))
}

/// Answers each request with its body's data, chunked where the request was.
fn mirror() -> FakeUpstream {
    FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            let coding = if heard.field("transfer-encoding").is_some() {
                "Transfer-Encoding: chunked".to_owned()
            } else {
                format!("Content-Length: {}", heard.body.len())
            };
            talk.send(format!("HTTP/1.1 200 OK\r\n{coding}\r\n\r\n"));
            talk.send(&heard.body);
        }
    })
}

#[test]
fn ten_megabytes_go_both_ways_unharmed() {
    let upstream = mirror();
    let gate = roomy(&upstream);
    let body = Dice::new(7).bytes(TEN_MEGABYTES);
    let mut client = Client::connect(gate.address());
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {TEN_MEGABYTES}\r\n\r\n"));
    client.send(&body);
    let answer = client.answer();
    assert_eq!((answer.body.len(), hash(&answer.body)), (body.len(), hash(&body)));
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut dice = Dice::new(8);
    let mut rest = body.as_slice();
    while !rest.is_empty() {
        let (chunk, tail) = rest.split_at((1 + dice.roll(100_000)).min(rest.len()));
        client.send(format!("{:x}\r\n", chunk.len()));
        client.send(chunk);
        client.send("\r\n");
        rest = tail;
    }
    client.send("0\r\n\r\n");
    let answer = client.answer();
    assert!(answer.whole);
    assert_eq!((answer.body.len(), hash(&answer.body)), (body.len(), hash(&body)));
}

#[test]
fn a_body_of_exactly_its_limit_passes_and_one_byte_more_does_not() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| gateway::each_route(plan, |route| route.body_bytes = 1000));
    let post =
        |length: usize| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length));
    assert_eq!(Client::connect(gate.address()).ask(post(1000)).status, 200);
    let seen = upstream.requests();
    let mut client = Client::connect(gate.address());
    problem(&client.ask(post(1001)), 413, "body_too_large", "by its length");
    client.expect_end();
    assert_eq!(upstream.requests(), seen, "its length was known before anything was sent");
    let chunked = |count: usize| {
        let chunks = format!("64\r\n{}\r\n", "x".repeat(100)).repeat(count);
        format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
    };
    assert_eq!(Client::connect(gate.address()).ask(chunked(10)).status, 200);
    let before = upstream.bytes().len();
    let mut client = Client::connect(gate.address());
    problem(&client.ask(chunked(11)), 413, "body_too_large", "by its chunks");
    client.expect_end();
    for bytes in &upstream.bytes()[before..] {
        assert!(!String::from_utf8_lossy(bytes).contains("\r\n0\r\n"), "the upstream got a whole body");
    }
    good_request_works(&gate, "bodies over their limit");
}

#[test]
fn a_huge_length_is_refused_before_the_body_is_sent() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    let answer = client.ask(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", u64::MAX));
    problem(&answer, 413, "body_too_large", "the largest length");
    client.expect_end();
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn an_answer_before_the_body_is_over_reaches_the_client() {
    let upstream = FakeUpstream::with(|talk| {
        while talk.head().is_some() {
            talk.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
            talk.hang();
        }
    });
    let gate = roomy(&upstream);
    let mut client = Client::connect(gate.address());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\nthe beginning");
    let answer = client.answer();
    assert_eq!((answer.status, answer.text().as_str()), (401, "no"));
    assert!(answer.says_close(), "nobody can tell where the next request would begin");
    drop(client.try_send("x".repeat(49_987)));
    client.expect_end();
}

#[test]
fn an_upstream_that_answers_and_closes_without_reading_is_heard() {
    let upstream = FakeUpstream::with(|talk| {
        if talk.head().is_some() {
            talk.send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
            // The script ends here, and with it the connection, unread bytes and all.
            talk.pause(Duration::from_millis(50));
        }
    });
    let gate = roomy(&upstream);
    for _ in 0..5 {
        let mut client = Client::connect(gate.address());
        drop(
            client.try_send(format!(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n{}",
                "x".repeat(200_000)
            )),
        );
        let answer = client.answer();
        assert_eq!((answer.status, answer.text().as_str()), (413, "no"));
    }
}

#[test]
fn a_body_cut_off_by_its_client_never_looks_whole_upstream() {
    for (framing, body) in [("Content-Length: 50", "hello"), ("Transfer-Encoding: chunked", "5\r\nhello\r\n")] {
        let upstream = FakeUpstream::echoing();
        let gate = roomy(&upstream);
        let mut client = Client::connect(gate.address());
        client.send(format!("POST /cut HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{body}"));
        client.finish();
        client.expect_end();
        eventually("the end of the upstream's connection", || (upstream.open() == 0).then_some(()));
        assert!(!upstream.text().contains("\r\n0\r\n\r\n"), "{framing}: {}", upstream.text());
        good_request_works(&gate, framing);
    }
}

#[test]
fn the_end_of_a_body_leaves_although_its_answer_has_begun() {
    const BYTES: usize = 8_000_000;
    let upstream = FakeUpstream::with(|talk| {
        while let Some(head) = talk.head() {
            talk.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n");
            // Long enough for every buffer on the way to be full when the client has sent its last byte.
            talk.pause(Duration::from_millis(500));
            let Some(body) = talk.body(&head) else { return };
            let text = body.len().to_string();
            talk.send(format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len()));
        }
    });
    let gate = roomy(&upstream);
    let mut client = Client::connect(gate.address());
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {BYTES}\r\n\r\n"));
    client.send(vec![b'x'; BYTES]);
    let answer = client.answer();
    assert_eq!((answer.text(), answer.whole), (format!("begun{BYTES}"), true));
    drop(client);
}
