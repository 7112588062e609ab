//! Mistakes on the wire, each a row: what is sent, and what comes back. Nothing of any of them reaches the upstream,
//! the connection closes where its next byte could not be told apart, and a good request works afterwards.

use crate::check::{good_request_works, problem};
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream};

/// Sends the bytes; the answer has this status and code, and the connection closes.
fn refused(rows: &[(&str, &str, u16, &str)]) {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| gateway::each_route(plan, |route| route.body_bytes = 1000));
    for (index, (name, bytes, status, code)) in rows.iter().enumerate() {
        let mut client = Client::connect(gate.address());
        // Latin-1, so that a row can hold any byte.
        let bytes: Vec<u8> = bytes.chars().map(|letter| u8::try_from(letter).expect("a byte")).collect();
        client.send(&bytes);
        let answer = client.answer();
        problem(&answer, *status, code, name);
        assert!(answer.says_close(), "{name}: the answer says that the connection ends");
        client.expect_end();
        good_request_works(&gate, name);
        let text = upstream.text();
        assert_eq!(upstream.requests(), index + 1, "{name}: only good requests are forwarded, not {text:?}");
    }
    assert!(upstream.text().replace("GET /good", "").find("GET ").is_none(), "{}", upstream.text());
}

#[test]
fn request_lines() {
    let head = "malformed_head";
    refused(&[
        ("line feed alone", "GET / HTTP/1.1\nHost: a\n\n", 400, head),
        ("line feed alone in the first line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400, head),
        ("carriage return in the target", "GET /\ra HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("no version", "GET /\r\nHost: a\r\n\r\n", 400, head),
        ("no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("nothing but a method", "GET\r\n\r\n", 400, head),
        ("two blanks before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("two blanks before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("tab before the target", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("blank after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, head),
        ("blank before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("method with a colon", "GE:T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("method with a control", "GET\u{1} / HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("version with a letter after it", "GET / HTTP/1.1a\r\nHost: a\r\n\r\n", 400, head),
        ("version of two digits", "GET / HTTP/1.01\r\nHost: a\r\n\r\n", 400, head),
        ("another protocol", "GET / ICAP/1.0\r\nHost: a\r\n\r\n", 400, head),
        ("two empty lines before the request", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("a TLS handshake to a plain port", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}\r\n\r\n", 400, head),
        ("HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505, "unsupported_version"),
        ("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505, "unsupported_version"),
        ("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "unsupported_version"),
    ]);
}

#[test]
fn targets() {
    let head = "malformed_head";
    refused(&[
        ("NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("DEL in the target", "GET /\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("relative target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("CONNECT without a port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
        ("authority for GET", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400, head),
    ]);
}

#[test]
fn hosts() {
    let host = "invalid_host";
    refused(&[
        ("none", "GET / HTTP/1.1\r\n\r\n", 400, host),
        ("two", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, host),
        ("two unlike", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: b\r\n\r\n", 400, host),
        ("empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, host),
        ("a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, host),
        ("with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, host),
        ("with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, host),
        ("with a port that is none", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400, host),
        ("with two ports", "GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", 400, host),
        ("with a port of six digits", "GET / HTTP/1.1\r\nHost: a:123456\r\n\r\n", 400, host),
        ("with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, host),
        ("with a percent sign", "GET / HTTP/1.1\r\nHost: a%00b\r\n\r\n", 400, host),
        ("above ASCII", "GET / HTTP/1.1\r\nHost: \u{e9}\r\n\r\n", 400, host),
        ("an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, host),
        ("unlike the absolute target", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, host),
        ("missing beside the absolute target", "GET http://a/ HTTP/1.1\r\n\r\n", 400, host),
        ("a user in the absolute target", "GET http://a@b/ HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, host),
        ("in a folded line", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400, "malformed_head"),
    ]);
}

#[test]
fn header_lines() {
    let head = "malformed_head";
    let row = |line: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n");
    let rows: Vec<(&str, String)> = vec![
        ("blank before the colon", row("X-A : 1")),
        ("tab before the colon", row("X-A\t: 1")),
        ("no colon", row("X-A")),
        ("no name", row(": 1")),
        ("blank in the name", row("X A: 1")),
        ("control in the name", row("X\u{1}A: 1")),
        ("letter above ASCII in the name", row("X\u{e9}: 1")),
        ("quote in the name", row("X\"A: 1")),
        ("bracket in the name", row("X(A): 1")),
        ("folded with a blank", row("X-A: 1\r\n 2")),
        ("folded with a tab", row("X-A: 1\r\n\t2")),
        ("first line folded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n".to_owned()),
        ("NUL in the value", row("X-A: \0")),
        ("control in the value", row("X-A: a\u{b}b")),
        ("DEL in the value", row("X-A: a\u{7f}")),
        ("carriage return in the value", row("X-A: a\rX-B: c")),
        ("carriage return before the end", row("X-A: a\r")),
        ("line feed in the value", row("X-A: a\nX-B: c")),
    ];
    let rows: Vec<_> = rows.iter().map(|(name, bytes)| (*name, bytes.as_str(), 400, head)).collect();
    refused(&rows);
}

#[test]
fn limits_of_the_head() {
    let lines = "X-A: b\r\n".repeat(70);
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX-A: {}\r\n\r\n", "b".repeat(17_000));
    let endless = format!("GET / HTTP/1.1\r\nHost: a\r\nX-A: {}", "b".repeat(17_000));
    let target = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "b".repeat(5_000));
    refused(&[
        ("too many lines", &many, 431, "head_too_large"),
        ("too many bytes", &long, 431, "head_too_large"),
        ("too many bytes without an end", &endless, 431, "head_too_large"),
        ("a target that is too long", &target, 414, "target_too_long"),
    ]);
}

#[test]
fn framing() {
    let code = "ambiguous_framing";
    let row = |lines: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n0\r\n\r\n");
    let rows: Vec<(&str, String)> = vec![
        ("length and coding", row("Content-Length: 5\r\nTransfer-Encoding: chunked")),
        ("coding and length", row("Transfer-Encoding: chunked\r\nContent-Length: 5")),
        ("length 0 and coding", row("Content-Length: 0\r\nTransfer-Encoding: chunked")),
        ("two lengths", row("Content-Length: 5\r\nContent-Length: 5")),
        ("two unlike lengths", row("Content-Length: 5\r\nContent-Length: 6")),
        ("a list of lengths", row("Content-Length: 5, 5")),
        ("a list without a blank", row("Content-Length: 5,5")),
        ("length with a plus", row("Content-Length: +5")),
        ("length with a minus", row("Content-Length: -5")),
        ("length in hexadecimal", row("Content-Length: 0x5")),
        ("length with a blank inside", row("Content-Length: 5 5")),
        ("length with a letter", row("Content-Length: 5a")),
        ("length with a comma", row("Content-Length: 5,")),
        ("empty length", row("Content-Length:")),
        ("length beyond 64 bits", row("Content-Length: 18446744073709551621")),
        ("length with a quote", row("Content-Length: \"5\"")),
        ("length with digits above ASCII", row("Content-Length: \u{b2}")),
        ("unknown coding", row("Transfer-Encoding: gzip")),
        ("identity", row("Transfer-Encoding: identity")),
        ("two codings", row("Transfer-Encoding: gzip, chunked")),
        ("chunked first", row("Transfer-Encoding: chunked, gzip")),
        ("chunked twice", row("Transfer-Encoding: chunked, chunked")),
        ("two lines of coding", row("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")),
        ("an empty line of coding after it", row("Transfer-Encoding: chunked\r\nTransfer-Encoding:")),
        ("empty coding", row("Transfer-Encoding:")),
        ("coding with a parameter", row("Transfer-Encoding: chunked;q=1")),
        ("coding with a quote", row("Transfer-Encoding: \"chunked\"")),
        ("coding with a comma", row("Transfer-Encoding: chunked,")),
        ("coding cut off", row("Transfer-Encoding: chunke")),
        ("coding with an apostrophe", row("Transfer-Encoding: 'chunked'")),
        ("length with an underscore", row("Content_Length: 5")),
        ("coding with an underscore", row("Transfer_Encoding: chunked")),
        (
            "coding of HTTP/1.0",
            row("X: 1").replace("HTTP/1.1", "HTTP/1.0").replace("X: 1", "Transfer-Encoding: chunked"),
        ),
    ];
    let rows: Vec<_> = rows.iter().map(|(name, bytes)| (*name, bytes.as_str(), 400, code)).collect();
    refused(&rows);
    refused(&[
        ("blank before the colon of a length", &row("Content-Length : 5"), 400, "malformed_head"),
        ("blank before the colon of a coding", &row("Transfer-Encoding : chunked"), 400, "malformed_head"),
        ("folded coding", &row("Transfer-Encoding:\r\n chunked"), 400, "malformed_head"),
        ("coding after a control", &row("Transfer-Encoding: \u{b}chunked"), 400, "malformed_head"),
        ("unknown expectation", &row("Content-Length: 5\r\nExpect: 200-ok"), 417, "unknown_expectation"),
        ("two expectations", &row("Content-Length: 5\r\nExpect: 100-continue, x"), 417, "unknown_expectation"),
    ]);
}

/// The upstream may see the beginning of such a body, never a request that is whole.
#[test]
fn chunks() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| gateway::each_route(plan, |route| route.body_bytes = 1000));
    let extension = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(300));
    let trailers = format!("5\r\nhello\r\n0\r\n{}\r\n", "X-A: b\r\n".repeat(2000));
    for (name, body) in [
        ("size with a plus", "+5\r\nhello\r\n0\r\n\r\n"),
        ("size with a minus", "-5\r\nhello\r\n0\r\n\r\n"),
        ("size after a blank", " 5\r\nhello\r\n0\r\n\r\n"),
        ("size before a blank", "5 \r\nhello\r\n0\r\n\r\n"),
        ("size with a prefix", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("no size", "\r\nhello\r\n0\r\n\r\n"),
        ("size with an underscore", "0_5\r\nhello\r\n0\r\n\r\n"),
        ("size beyond 64 bits", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("size with a letter", "5g\r\nhello\r\n0\r\n\r\n"),
        ("line feed after the size", "5\nhello\r\n0\r\n\r\n"),
        ("carriage return after the size", "5\rhello\r\n0\r\n\r\n"),
        ("line feed in an extension", "5;a\nhello\r\n0\r\n\r\n"),
        ("control in an extension", "5;a\u{1}\r\nhello\r\n0\r\n\r\n"),
        ("an extension that is too long", &extension),
        ("line feed after the data", "5\r\nhello\n0\r\n\r\n"),
        ("data longer than its size", "5\r\nhello!\r\n0\r\n\r\n"),
        ("data shorter than its size", "6\r\nhello\r\n0\r\n\r\n"),
        ("line feed after the last chunk", "5\r\nhello\r\n0\n\n"),
        ("trailer without a colon", "5\r\nhello\r\n0\r\nX-A\r\n\r\n"),
        ("folded trailer", "5\r\nhello\r\n0\r\nX-A: b\r\n c\r\n\r\n"),
        ("blank in the name of a trailer", "5\r\nhello\r\n0\r\nX-A : b\r\n\r\n"),
        ("control in a trailer", "5\r\nhello\r\n0\r\nX-A: \0\r\n\r\n"),
        ("line feed in the trailers", "5\r\nhello\r\n0\r\nX-A: b\n\r\n"),
        ("length in the trailers", "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n"),
        ("coding in the trailers", "5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("host in the trailers", "5\r\nhello\r\n0\r\nHost: b\r\n\r\n"),
        ("credential in the trailers", "5\r\nhello\r\n0\r\nAuthorization: Basic eDp5\r\n\r\n"),
        ("identity in the trailers", "5\r\nhello\r\n0\r\nX-Consumer-ID: root\r\n\r\n"),
        ("identity in the trailers with underscores", "5\r\nhello\r\n0\r\nX_Consumer_ID: root\r\n\r\n"),
        ("a group in the trailers", "5\r\nhello\r\n0\r\nX-Consumer-Groups: admin\r\n\r\n"),
        ("an address in the trailers", "5\r\nhello\r\n0\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n"),
        ("too many trailers", &trailers),
    ] {
        let before = upstream.bytes().len();
        let mut client = Client::connect(gate.address());
        client.send(format!("POST /bad HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}"));
        let answer = client.answer();
        problem(&answer, 400, "malformed_body", name);
        client.expect_end();
        for bytes in &upstream.bytes()[before..] {
            let text = String::from_utf8_lossy(bytes).into_owned();
            assert!(!text.contains("\r\n0\r\n"), "{name}: the upstream got a whole body: {text:?}");
        }
        good_request_works(&gate, name);
    }
}
