//! Bodies larger than any buffer, over their limit, and answers that come before they are over.

use crate::check::{good_request_works, problem};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, Dice, FakeUpstream};
use std::hash::{DefaultHasher, Hasher};
use std::io::{Read, Write};
use std::net::TcpListener;
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

/// Answers on the head, then takes the body in sips, so that the way to it is full until the last one.
fn sipping(listener: &TcpListener, bytes: usize) {
    let (mut wire, _) = listener.accept().unwrap();
    wire.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (mut seen, mut sip) = (Vec::new(), [0; 16 * 1024]);
    let end = loop {
        let count = wire.read(&mut sip).unwrap();
        seen.extend_from_slice(&sip[..count]);
        if let Some(at) = seen.windows(4).position(|part| part == b"\r\n\r\n") {
            break at + 4;
        }
    };
    wire.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n").unwrap();
    let mut taken = seen.len() - end;
    while taken < bytes {
        // SLEEP: what is under test is a reader that is slower than the writer.
        std::thread::sleep(Duration::from_millis(1));
        taken += wire.read(&mut sip).unwrap();
    }
    wire.write_all(b"5\r\nended\r\n0\r\n\r\n").unwrap();
}

/// The last bytes meet a full socket only where the body's length falls just behind what the system's buffers hold,
/// which is known to the system alone; steps below what the gateway holds itself cannot miss it.
#[test]
fn the_end_of_a_body_leaves_although_its_answer_has_begun() {
    for bytes in (3_000_000..4_200_000).step_by(50_000) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = std::thread::spawn(move || sipping(&listener, bytes));
        let gate = Gatehouse::with(address, |plan| gateway::each_route(plan, |route| route.body_bytes = 100_000_000));
        let mut client = Client::connect(gate.address());
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {bytes}\r\n\r\n"));
        client.send(vec![b'x'; bytes]);
        let answer = client.answer();
        assert_eq!((answer.text().as_str(), answer.whole), ("begunended", true), "{bytes}");
        upstream.join().unwrap();
    }
}
