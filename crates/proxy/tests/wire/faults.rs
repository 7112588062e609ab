//! Upstreams that fail: refused, late, broken off, garbage. The client gets one clear answer or a visible end, never
//! half an answer that looks whole, and the next request is served.

use crate::check::{GOOD, problem};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn an_upstream_that_nobody_listens_for_is_unreachable() {
    let gate = Gatehouse::before(FakeUpstream::nobody());
    let mut client = Client::connect(gate.address());
    for _ in 0..3 {
        let answer = client.ask(GOOD);
        problem(&answer, 502, "upstream_unreachable", "connection refused");
        assert_eq!(answer.field("proxy-status"), Some("portcullis; error=connection_refused"));
        assert!(!answer.text().contains("127.0.0.1:") || !answer.text().contains("refused"), "nothing internal");
    }
    let record = gate.records().wait_for(3).remove(0);
    assert_eq!((&record["stage"], &record["reason"]), (&"forward".into(), &"upstream_unreachable".into()), "{record}");
}

#[test]
fn a_target_that_is_down_is_passed_over() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::each_upstream(plan, |upstream| upstream.targets.push(gateway::target(FakeUpstream::nobody())));
    });
    for _ in 0..20 {
        assert_eq!(Client::connect(gate.address()).ask(GOOD).status, 200);
    }
}

#[test]
fn a_silent_upstream_is_given_up_after_its_time() {
    let upstream = FakeUpstream::with(|talk| {
        if let Some(heard) = talk.request() {
            if heard.target() == "/begun" {
                talk.send("HTTP/1.1 200 OK\r\nContent-");
            }
            talk.hang();
        }
    });
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::each_upstream(plan, |upstream| upstream.first_byte_timeout = Duration::from_millis(300));
    });
    for target in ["/", "/begun"] {
        let began = Instant::now();
        let answer = Client::connect(gate.address()).ask(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        problem(&answer, 504, "upstream_timeout", target);
        assert!(began.elapsed() >= Duration::from_millis(250) && began.elapsed() < Duration::from_secs(2));
    }
    eventually("the upstream's connections end", || (upstream.open() == 0).then_some(()));
}

#[test]
fn the_whole_request_has_its_time() {
    let upstream = FakeUpstream::with(|talk| {
        if talk.request().is_some() {
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            while talk.send("x") {
                talk.pause(Duration::from_millis(50));
            }
        }
    });
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::each_route(plan, |route| route.timeout = Duration::from_millis(500));
    });
    let mut client = Client::connect(gate.address());
    let began = Instant::now();
    let answer = client.ask(GOOD);
    assert!(!answer.whole, "cut off when its time was up, visibly");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    eventually("the upstream's connection ends", || (upstream.open() == 0).then_some(()));
    assert_eq!(gate.records().wait_for(1)[0]["outcome"], "truncated");
}

#[test]
fn garbage_is_never_passed_on() {
    for (name, garbage) in [
        ("another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        ("no status", "HTTP/1.1 OK\r\n\r\n"),
        ("a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"),
        ("a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"),
        ("a status out of range", "HTTP/1.1 600 X\r\n\r\n"),
        ("another version", "HTTP/2.0 200 OK\r\n\r\n"),
        ("line feeds alone", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
        ("one line feed alone", "HTTP/1.1 200 OK\r\nX-A: b\nContent-Length: 0\r\n\r\n"),
        ("a folded line", "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n"),
        ("a blank before the colon", "HTTP/1.1 200 OK\r\nX-A : b\r\nContent-Length: 0\r\n\r\n"),
        ("no colon", "HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 0\r\n\r\n"),
        ("a carriage return in a value", "HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: x\r\nContent-Length: 0\r\n\r\n"),
        ("NUL in a value", "HTTP/1.1 200 OK\r\nX-A: \0\r\nContent-Length: 0\r\n\r\n"),
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"),
        ("two unlike lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"),
        ("a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok"),
        ("a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"),
        ("length and coding", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
        ("two codings", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ("a coding of HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("an upgrade nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
    ] {
        let upstream = FakeUpstream::with(move |talk| {
            if talk.request().is_some() {
                talk.send(garbage);
                talk.hang();
            }
        });
        let gate = Gatehouse::before(upstream.address());
        let mut client = Client::connect(gate.address());
        problem(&client.ask(GOOD), 502, "upstream_malformed", name);
        problem(&client.ask(GOOD), 502, "upstream_malformed", name);
        assert_eq!(upstream.connections(), 2, "{name}: such a connection is not used again");
    }
}

#[test]
fn a_head_without_an_end_is_given_up() {
    let upstream = FakeUpstream::with(|talk| {
        if talk.request().is_some() {
            talk.send("HTTP/1.1 200 OK\r\n");
            while talk.send("X-A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n".repeat(100)) {}
        }
    });
    let gate = Gatehouse::before(upstream.address());
    problem(&Client::connect(gate.address()).ask(GOOD), 502, "upstream_malformed", "an endless head");
    eventually("the upstream's connection ends", || (upstream.open() == 0).then_some(()));
}

#[test]
fn an_upstream_that_closes_without_an_answer_is_told_apart() {
    for begun in ["", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 103 Early Hints\r\n\r\n"] {
        let upstream = FakeUpstream::with(move |talk| {
            if talk.request().is_some() {
                talk.send(begun);
                talk.finish();
            }
        });
        let gate = Gatehouse::before(upstream.address());
        let mut client = Client::connect(gate.address());
        problem(&client.ask(GOOD), 502, "upstream_closed", begun);
        assert_eq!(upstream.requests(), 1, "{begun:?}: a fresh connection that breaks is no reason to ask again");
        let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok";
        problem(&Client::connect(gate.address()).ask(post), 502, "upstream_closed", begun);
        assert_eq!(upstream.requests(), 2);
    }
}

/// What an upstream sends before it breaks off.
const BROKEN_OFF: &[(&str, &str)] = &[
    ("within a length", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"),
    ("before any byte of it", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"),
    ("within a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n32\r\nhalf"),
    ("between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
    ("before any chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("within the trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\nX-Sum"),
    ("before the last line", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n"),
    ("with a chunk that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n"),
    ("with a chunk that does not end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf!\r\n"),
];

#[test]
fn half_an_answer_never_looks_whole() {
    for (name, sent) in BROKEN_OFF {
        let upstream = FakeUpstream::with(move |talk| {
            if talk.request().is_some() {
                talk.send(sent);
                talk.finish();
            }
        });
        let gate = Gatehouse::before(upstream.address());
        let mut client = Client::connect(gate.address());
        let answer = client.ask(GOOD);
        let outcome = gate.records().wait_for(1)[0]["outcome"].as_str().unwrap().to_owned();
        if answer.status == 502 {
            // It broke off before anything of it had left.
            problem(&answer, 502, "upstream_closed", name);
            assert_eq!(outcome, "failed", "{name}");
        } else {
            assert!(!answer.whole, "{name}: {:?}", answer.text());
            assert_eq!(outcome, "truncated", "{name}");
        }
        // A client of HTTP/1.0 has only the manner of the end to go by: a reset is no end of a body.
        let mut client = Client::connect(gate.address());
        client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
        let (bytes, end) = client.rest();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let told = text.starts_with("HTTP/1.1 502 ") || text.contains("content-length: 50");
        assert!(told || end.is_err(), "{name}: an orderly end after {text:?}");
    }
}

#[test]
fn what_comes_after_an_answer_belongs_to_nobody() {
    let upstream = FakeUpstream::with(|talk| {
        while talk.request().is_some() {
            let extra = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
            talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok{extra}"));
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    for number in 1..=5 {
        assert_eq!(client.ask(GOOD).text(), "ok");
        assert_eq!(upstream.connections(), number, "a connection with unread bytes is not used again");
    }
}

#[test]
fn bytes_that_come_late_after_an_answer_belong_to_nobody() {
    let (said, forged) = std::sync::mpsc::sync_channel(1);
    let upstream = FakeUpstream::with(move |talk| {
        while talk.request().is_some() {
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            talk.pause(Duration::from_millis(30));
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
            said.send(()).expect("the test waits for it");
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    for _ in 0..5 {
        assert_eq!(client.ask(GOOD).text(), "ok");
        // Bytes that came after the next request had left could not be told from its answer.
        forged.recv_timeout(Duration::from_secs(10)).expect("the upstream has said more");
        assert!(client.is_quiet_for(Duration::from_millis(20)));
    }
    assert_eq!(upstream.connections(), 5);
}

#[test]
fn a_kept_connection_that_the_upstream_has_closed_is_nobodys_problem() {
    for post in [false, true] {
        let upstream = FakeUpstream::with(|talk| {
            if talk.request().is_some() {
                talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                talk.pause(Duration::from_millis(20));
            }
        });
        let gate = Gatehouse::before(upstream.address());
        let mut client = Client::connect(gate.address());
        for _ in 0..10 {
            let answer = if post {
                client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok")
            } else {
                client.ask(GOOD)
            };
            assert_eq!((answer.status, answer.text().as_str()), (200, "ok"), "{}", answer.head);
            eventually("the upstream closes", || (upstream.open() == 0).then_some(()));
        }
    }
}

#[test]
fn a_kept_connection_that_closes_under_a_request_is_replaced_where_that_is_safe() {
    // The first request of a connection is answered; the second one is read, and then the connection closes.
    let upstream = FakeUpstream::with(|talk| {
        if talk.request().is_some() {
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            talk.request();
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    for _ in 0..5 {
        assert_eq!(client.ask(GOOD).status, 200, "GET can be sent again");
    }
    let seen = upstream.requests();
    // A POST may have taken effect before the connection broke: it is sent once, whatever comes of it.
    let answer = client.ask("POST /once HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok");
    assert!(matches!(answer.status, 200 | 502), "{}", answer.status);
    assert_eq!(upstream.requests(), seen + 1);
    assert_eq!(upstream.text().matches("POST /once").count(), 1);
}

#[test]
fn a_slow_upstream_takes_a_large_body_at_its_own_pace() {
    let taken = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let upstream = FakeUpstream::with(|talk| {
        if let Some(heard) = talk.head() {
            // Nothing is read for a while: the gateway must not take the whole body into memory meanwhile.
            talk.pause(Duration::from_millis(700));
            let body = talk.body(&heard).unwrap_or_default();
            talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Bytes: {}\r\n\r\n", body.len()));
        }
    });
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::each_route(plan, |route| route.body_bytes = 100_000_000);
    });
    let mut client = Client::connect(gate.address());
    let socket = client.socket().try_clone().unwrap();
    let count = Arc::clone(&taken);
    let sender = std::thread::spawn(move || {
        use std::io::Write;
        let part = vec![b'x'; 100_000];
        let mut socket = socket;
        socket.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n").unwrap();
        for _ in 0..500 {
            socket.write_all(&part).unwrap();
            count.fetch_add(part.len(), std::sync::atomic::Ordering::SeqCst);
        }
    });
    // SLEEP: the upstream reads nothing for longer than this; what the gateway took by now is what it holds.
    std::thread::sleep(Duration::from_millis(500));
    let held = taken.load(std::sync::atomic::Ordering::SeqCst);
    assert!(held < 30_000_000, "{held} bytes are in buffers");
    sender.join().unwrap();
    assert_eq!(client.answer().field("x-bytes"), Some("50000000"));
}
