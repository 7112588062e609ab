//! Slow peers, silent peers, peers that go away: each has its time, and nobody else waits for them.

use crate::check::{GOOD, good_request_works, problem};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream};
use std::io::Read;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(300);

fn impatient(upstream: &FakeUpstream) -> Gatehouse {
    Gatehouse::with(upstream.address(), |plan| {
        gateway::limit(plan, |limits| {
            limits.head_timeout = SHORT;
            limits.body_idle_timeout = SHORT;
        });
        gateway::each_route(plan, |route| route.body_bytes = 100_000_000);
    })
}

#[test]
fn a_head_that_trickles_in_is_given_up() {
    let upstream = FakeUpstream::echoing();
    let gate = impatient(&upstream);
    let mut client = Client::connect(gate.address());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n");
    let began = Instant::now();
    // A byte now and then does not buy more time.
    while client.is_quiet_for(Duration::from_millis(50)) && began.elapsed() < Duration::from_secs(5) {
        drop(client.try_send("X"));
    }
    let answer = client.answer();
    problem(&answer, 408, "head_timeout", "a slow head");
    client.expect_end();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(upstream.connections(), 0);
    good_request_works(&gate, "a slow head");
}

#[test]
fn the_head_of_a_later_request_has_its_time_as_well() {
    let upstream = FakeUpstream::echoing();
    let gate = impatient(&upstream);
    let mut client = Client::connect(gate.address());
    assert_eq!(client.ask(GOOD).status, 200);
    client.send("GET / HTTP/1.1\r\n");
    problem(&client.answer(), 408, "head_timeout", "a slow second head");
    client.expect_end();
    // Its beginning may come together with the request before it.
    let mut client = Client::connect(gate.address());
    client.send(format!("{GOOD}GET / HT"));
    assert_eq!(client.answer().status, 200);
    problem(&client.answer(), 408, "head_timeout", "a slow pipelined head");
    client.expect_end();
}

#[test]
fn an_idle_connection_ends_without_a_word() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| gateway::limit(plan, |limits| limits.idle_timeout = SHORT));
    let mut silent = Client::connect(gate.address());
    let mut used = Client::connect(gate.address());
    assert_eq!(used.ask(GOOD).status, 200);
    used.expect_end();
    silent.expect_end();
}

#[test]
fn a_body_that_stalls_is_given_up() {
    let upstream = FakeUpstream::echoing();
    let gate = impatient(&upstream);
    for (framing, body) in [("Content-Length: 50", "hello"), ("Transfer-Encoding: chunked", "5\r\nhel")] {
        let mut client = Client::connect(gate.address());
        client.send(format!("POST /stall HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{body}"));
        problem(&client.answer(), 408, "body_timeout", framing);
        client.expect_end();
    }
    eventually("no connection upstream stays open", || (upstream.open() == 0).then_some(()));
    good_request_works(&gate, "a slow body");
}

#[test]
fn a_body_of_a_client_that_never_continues_is_given_up() {
    let upstream = FakeUpstream::echoing();
    let gate = impatient(&upstream);
    let mut client = Client::connect(gate.address());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(client.answer().status, 100);
    problem(&client.answer(), 408, "body_timeout", "nothing after 100 Continue");
    client.expect_end();
}

#[test]
fn a_body_that_is_slow_but_moves_is_taken() {
    let upstream = FakeUpstream::echoing();
    let gate = impatient(&upstream);
    let mut client = Client::connect(gate.address());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n");
    for byte in b"trickles" {
        assert!(client.is_quiet_for(SHORT / 3));
        client.send([*byte]);
    }
    assert!(client.answer().text().ends_with("\r\n\r\ntrickles"));
}

/// Sends without an end, and says when the gateway stops taking.
fn flood() -> FakeUpstream {
    FakeUpstream::with(|talk| {
        while talk.request().is_some() {
            talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 50_000_000));
            let part = vec![b'x'; 100_000];
            for _ in 0..500 {
                if !talk.send(&part) {
                    return;
                }
            }
        }
    })
}

#[test]
fn a_reader_that_stops_holds_no_more_than_the_buffers_and_is_given_up() {
    let upstream = flood();
    let gate = impatient(&upstream);
    let mut client = Client::connect(gate.address());
    client.send(GOOD);
    // Nothing is read. The upstream is stopped by full buffers, then the client's time is up.
    eventually("the upstream's connection ends", || (upstream.requests() == 1 && upstream.open() == 0).then_some(()));
    let record = gate.records().wait_for(1).remove(0);
    assert_eq!(record["outcome"], "gone", "{record}");
    let carried = record["response_bytes"].as_u64().unwrap();
    assert!(carried < 20_000_000, "{carried} bytes went into the sockets of a client that reads nothing");
    let mut rest = Vec::new();
    drop(client.socket().take(60_000_000).read_to_end(&mut rest));
    assert!(rest.len() < 50_000_000, "the answer is cut off");
    assert_eq!(Client::connect(gate.address()).ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
}

#[test]
fn a_reader_that_is_slow_but_reads_gets_everything() {
    let upstream = FakeUpstream::answering(
        [b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n".to_vec(), vec![b'x'; 3_000_000]].concat(),
    );
    let gate = impatient(&upstream);
    let mut client = Client::connect(gate.address());
    client.send(GOOD);
    let mut left = 3_000_000usize;
    let mut room = vec![0u8; 300_000];
    while left > 0 {
        let count = client.socket().read(&mut room).unwrap();
        assert!(count > 0, "cut off with {left} bytes left");
        left = left.saturating_sub(count);
        // SLEEP: this reader is slow on purpose, in all longer than its time for one wait.
        std::thread::sleep(Duration::from_millis(40));
    }
}

#[test]
fn a_client_that_goes_before_the_answer_cancels_its_request() {
    let upstream = FakeUpstream::with(|talk| {
        if talk.request().is_some() {
            talk.hang();
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    client.send(GOOD);
    eventually("the request has arrived", || (upstream.requests() == 1).then_some(()));
    assert_eq!(upstream.open(), 1);
    drop(client);
    let began = Instant::now();
    eventually("the upstream's connection ends", || (upstream.open() == 0).then_some(()));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let record = gate.records().wait_for(1).remove(0);
    assert_eq!((&record["outcome"], &record["status"]), (&"gone".into(), &499.into()), "{record}");
}

#[test]
fn a_client_that_goes_within_the_answer_cancels_its_request() {
    let upstream = FakeUpstream::with(|talk| {
        if talk.request().is_some() {
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthe beginning");
            talk.hang();
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    client.send(GOOD);
    eventually("the beginning of the answer", || {
        assert!(upstream.open() <= 1);
        (!client.is_quiet_for(Duration::from_millis(10))).then_some(())
    });
    drop(client);
    let began = Instant::now();
    eventually("the upstream's connection ends", || (upstream.open() == 0).then_some(()));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(gate.records().wait_for(1)[0]["outcome"], "gone");
}

#[test]
fn a_slow_client_delays_nobody() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let slow: Vec<Client> = (0..200)
        .map(|_| {
            let mut client = Client::connect(gate.address());
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf ");
            client
        })
        .collect();
    let began = Instant::now();
    for _ in 0..20 {
        good_request_works(&gate, "200 slow clients");
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    drop(slow);
    eventually("their requests are cancelled", || (upstream.open() <= 1).then_some(()));
}
