//! The conversation: connections that stay open, requests in a row, interim answers, and every way a body can end.

use crate::check::{GOOD, good_request_works, problem, security_headers};
use portcullis_testkit::client::find;
use portcullis_testkit::{Client, FakeUpstream, Gatehouse};
use std::time::Duration;

#[test]
fn a_connection_serves_request_after_request() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    for number in 0..20 {
        let answer = client.ask(format!("GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!((answer.status, answer.says_close()), (200, false));
        assert!(answer.text().starts_with(&format!("GET /{number} HTTP/1.1\r\n")), "{}", answer.text());
        security_headers(&answer, "an answer of the upstream");
    }
    assert_eq!((upstream.connections(), upstream.requests()), (1, 20), "one connection is kept for all");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let upstream = FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            // The first ones take longest, so that an answer out of turn would show.
            let number: u64 = heard.target().trim_start_matches('/').parse().unwrap();
            talk.pause(Duration::from_millis(20 - 2 * number.min(10)));
            let body = heard.target();
            talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    let mut bytes = String::new();
    for number in 0..10 {
        let body = "x".repeat(number);
        bytes += &format!("POST /{number} HTTP/1.1\r\nHost: a\r\nContent-Length: {number}\r\n\r\n{body}");
    }
    client.send(&bytes);
    for number in 0..10 {
        assert_eq!(client.answer().text(), format!("/{number}"));
    }
}

#[test]
fn pipelined_requests_after_a_refusal_that_keeps_the_connection_are_told_apart() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    // The body of the refused request looks like a request of its own.
    let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    let refused = format!("POST /%2f HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len());
    client.send(format!("{refused}{GOOD}"));
    problem(&client.answer(), 400, "ambiguous_target", "an encoded slash");
    let answer = client.answer();
    assert!(answer.text().starts_with("GET /good "), "{}", answer.text());
    assert_eq!(upstream.requests(), 1);
    assert!(!upstream.text().contains("hidden"));
}

#[test]
fn nothing_after_a_refusal_that_closes_is_read_as_a_request() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    let bad = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    client.send(format!("{bad}GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"));
    problem(&client.answer(), 400, "ambiguous_framing", "a smuggled request");
    client.expect_end();
    assert_eq!(upstream.requests(), 0);
    good_request_works(&gate, "smuggling");
}

#[test]
fn an_answer_to_head_has_no_body_and_keeps_its_length() {
    let upstream = FakeUpstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 123\r\n\r\n");
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    for _ in 0..3 {
        let answer = client.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!((answer.status, answer.field("content-length")), (200, Some("123")));
    }
    // Nor has a refusal.
    let answer = client.ask("HEAD /%2f HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((answer.status, answer.body.len()), (400, 0));
    assert!(answer.field("content-length").is_some_and(|length| length != "0"));
    let answer = client.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(answer.status, 200, "the next answer begins where the last one ended");
}

#[test]
fn answers_without_a_body_do_not_shift_the_next_one() {
    for (first, status) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204),
        ("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 5\r\n\r\n", 304),
        ("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 304),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
        ("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", 205),
    ] {
        let upstream = FakeUpstream::with(move |talk| {
            while talk.request().is_some() {
                let answer = if talk.count == 1 { first } else { "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext" };
                talk.send(answer);
            }
        });
        let gate = Gatehouse::before(upstream.address());
        let mut client = Client::connect(gate.address());
        let answer = client.ask(GOOD);
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{first:?}");
        if status == 204 {
            assert_eq!(answer.field("content-length"), None, "RFC 9110 section 8.6");
        }
        if status == 204 && first.contains("Length") {
            // A body where none can be would shift the next answer, so that the connection is not used again.
            assert_eq!((client.ask(GOOD).status, upstream.connections()), (204, 2), "{first:?}");
            continue;
        }
        assert_eq!(client.ask(GOOD).text(), "next", "{first:?}");
        assert_eq!(upstream.connections(), 1, "{first:?}");
    }
}

#[test]
fn chunks_go_both_ways_framed_anew() {
    let upstream = FakeUpstream::with(|talk| {
        while talk.request().is_some() {
            talk.send("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\none\r\n");
            talk.send("003\r\ntwo\r\n0\r\nX-Sum: 1\r\n\r\n");
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = client.ask(format!("{head}4;x=\"y\"\r\nwiki\r\n05\r\npedia\r\n0\r\nX-Sum: 2\r\n\r\n"));
    assert_eq!((answer.status, answer.text().as_str(), answer.trailers.as_str()), (200, "onetwo", "X-Sum: 1\n"));
    let sent = upstream.text();
    assert!(!sent.contains("x=\"y\""), "extensions end here: {sent:?}");
    assert!(sent.to_lowercase().contains("transfer-encoding: chunked\r\n"), "{sent:?}");
    assert!(sent.ends_with("\r\n0\r\nX-Sum: 2\r\n\r\n"), "{sent:?}");
    assert!(client.ask(GOOD).whole);
    assert_eq!(upstream.connections(), 1);
}

#[test]
fn bytes_that_come_one_by_one_make_the_same_request() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    for byte in b"\r\nPOST /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" {
        client.send([*byte]);
    }
    let answer = client.answer();
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with("POST /slow ") && answer.text().ends_with("\r\n0\r\n\r\n"), "{}", answer.text());
    assert!(client.ask(format!("\r\n{GOOD}")).whole, "one empty line before a request is read over");
}

#[test]
fn a_client_that_waits_is_told_to_continue_once() {
    let upstream = FakeUpstream::with(|talk| {
        while let Some(heard) = talk.head() {
            talk.send("HTTP/1.1 100 Continue\r\n\r\n");
            assert_eq!(heard.field("expect"), None, "the expectation is met by the gateway");
            let body = talk.body(&heard).unwrap_or_default();
            talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()));
            talk.send(&body);
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(client.answer().status, 100);
    client.send("hello");
    let answer = client.answer();
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
    // A refusal comes instead of the permission, so that the body is never sent.
    let answer = client.ask("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    problem(&answer, 413, "body_too_large", "refused before it is sent");
    assert!(answer.says_close());
    client.expect_end();
}

#[test]
fn an_old_client_is_not_told_to_continue() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    client.send("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(client.answer().status, 200);
    client.expect_end();
}

#[test]
fn interim_answers_of_the_upstream_are_read_over_and_counted() {
    let upstream = FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            let count = if heard.target() == "/many" { 100 } else { 3 };
            for _ in 0..count {
                talk.send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n");
            }
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    let answer = client.ask(GOOD);
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    let answer = client.ask("GET /many HTTP/1.1\r\nHost: a\r\n\r\n");
    problem(&answer, 502, "upstream_malformed", "a hundred interim answers");
    good_request_works(&gate, "interim answers");
}

#[test]
fn clients_of_http_1_0_get_what_they_understand() {
    let upstream = FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            assert!(find(&heard.head, b" HTTP/1.1\r\n").is_some(), "upstream it is HTTP/1.1");
            if heard.target() == "/chunks" {
                talk.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n");
            } else {
                talk.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
            }
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    let answer = client.ask("GET / HTTP/1.0\r\n\r\n");
    assert_eq!((answer.text().as_str(), answer.says_close()), ("hello", true), "without a Host, and closed");
    client.expect_end();
    let mut client = Client::connect(gate.address());
    for _ in 0..3 {
        let answer = client.ask("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!((answer.text().as_str(), answer.field("connection")), ("hello", Some("keep-alive")));
    }
    let answer = client.ask("GET /chunks HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!((answer.text().as_str(), answer.until_close), ("hello", true), "no chunks for an old client");
}

#[test]
fn answers_that_end_with_their_connection_are_framed_for_the_client() {
    let upstream = FakeUpstream::with(|talk| {
        if talk.request().is_some() {
            talk.send("HTTP/1.1 200 OK\r\n\r\nuntil ");
            talk.send("the end");
            talk.finish();
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    for _ in 0..3 {
        let answer = client.ask(GOOD);
        assert_eq!((answer.text().as_str(), answer.whole, answer.until_close), ("until the end", true, false));
    }
    assert_eq!(upstream.connections(), 3);
    let answer = Client::connect(gate.address()).ask("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    assert_eq!((answer.text().as_str(), answer.until_close), ("until the end", true));
}

#[test]
fn close_is_honoured_on_both_sides() {
    let upstream = FakeUpstream::with(|talk| {
        if talk.request().is_some() {
            talk.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
            talk.finish();
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    for _ in 0..3 {
        let answer = client.ask(GOOD);
        assert_eq!(
            (answer.text().as_str(), answer.says_close()),
            ("ok", false),
            "their connection is not the client's"
        );
    }
    assert_eq!(upstream.connections(), 3);
    let answer = client.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.says_close());
    client.expect_end();
}

#[test]
fn a_connection_ends_after_as_many_requests_as_it_may_carry() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        portcullis_testkit::gateway::limit(plan, |limits| limits.requests_per_connection = 3);
    });
    let mut client = Client::connect(gate.address());
    assert!(!client.ask(GOOD).says_close());
    assert!(!client.ask(GOOD).says_close());
    assert!(client.ask(GOOD).says_close());
    client.expect_end();
    // A refusal counts and says so as well.
    let mut client = Client::connect(gate.address());
    let bad = "GET /%2f HTTP/1.1\r\nHost: a\r\n\r\n";
    assert!(!client.ask(bad).says_close());
    assert!(!client.ask(bad).says_close());
    assert!(client.ask(bad).says_close(), "the last answer of a connection says that it is");
    client.expect_end();
}
