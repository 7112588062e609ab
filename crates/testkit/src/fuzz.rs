//! Fuzz entries that need more than one crate, and the seeds and mutations that the smoke tests share.

use crate::dice::Dice;
use crate::gateway::{PROBLEM_BASE, plan};
use portcullis_config::plan::Plan;
use portcullis_h1::{Framing, HeadLimits, HeadScan, Known, RequestHead, claims_identity};
use portcullis_proxy::explain_raw;
use std::net::SocketAddr;
use std::sync::OnceLock;

/// Takes bytes through every stage. What would be forwarded is a request again, with one framing, one host, and
/// nothing that a client could claim about itself.
pub fn fuzz_forward(bytes: &[u8]) {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    let plan = PLAN.get_or_init(|| plan(SocketAddr::from(([127, 0, 0, 1], 1))));
    let explained = explain_raw(plan, PROBLEM_BASE, bytes, false).expect("the plan is a good one");
    let Some(forwarded) = explained.forwarded else {
        assert!(explained.problem.is_some(), "what is not forwarded is refused");
        return;
    };
    let limits = HeadLimits { head_bytes_max: 1 << 20, target_bytes_max: 1 << 20, fields_max: 256 };
    let forwarded = forwarded.as_bytes();
    assert_eq!(
        HeadScan::default().find(forwarded, 1 << 20),
        Ok(Some(forwarded.len())),
        "one head and nothing after it"
    );
    let (mut sent, mut came) = (RequestHead::default(), RequestHead::default());
    sent.parse(forwarded, &limits).unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(forwarded)));
    let length = HeadScan::default().find(bytes, 1 << 20).unwrap().unwrap();
    came.parse(&bytes[..length], &limits).unwrap();
    assert_eq!((sent.framing(), sent.method()), (came.framing(), came.method()));
    assert!(!matches!(sent.framing(), Framing::UntilClose));
    for once in [Known::Host, Known::XRequestId, Known::Traceparent, Known::XForwardedFor, Known::XForwardedProto] {
        assert_eq!(sent.fields().all(once).count(), 1, "{once:?} in {:?}", String::from_utf8_lossy(forwarded));
    }
    for line in sent.fields().iter() {
        assert!(!line.known.is_identity() && !claims_identity(line.name), "{:?}", String::from_utf8_lossy(line.name));
        assert!(!line.known.is_hop_by_hop() || line.known == Known::TransferEncoding);
    }
    let again = explain_raw(plan, PROBLEM_BASE, forwarded, false).unwrap().forwarded.expect("accepted again");
    let first_line = |text: &str| text.lines().next().map(str::to_owned);
    assert_eq!(first_line(&again), first_line(&String::from_utf8_lossy(forwarded)), "the target is canonical already");
}

/// Changes bytes as a careless or hostile sender would: a byte, a piece, a repetition, a cut.
pub fn mutate(bytes: &mut Vec<u8>, pieces: &[&str], dice: &mut Dice) {
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(bytes.len() + 1);
        match dice.roll(6) {
            0 if at < bytes.len() => bytes[at] = u8::try_from(dice.roll(256)).unwrap(),
            1 => bytes.insert(
                at,
                *dice.pick(&[b"\r", b"\n", b" ", b"\t", b"\0", b":", b";", b",", b"\xff"]).first().unwrap(),
            ),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => {
                let end = (at + dice.roll(20)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            4 => {
                let end = (at + dice.roll(8)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let piece = dice.pick(pieces).as_bytes();
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
}

/// Pieces that matter in a head.
pub const HEAD_PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    "Content-Length: 5\r\n",
    "content-length:0\r\n",
    "Content-Length: 5, 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "transfer-encoding:\tchunked \r\n",
    "Transfer_Encoding: chunked\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive, X-Consumer-ID, Authorization\r\n",
    "Host: b\r\n",
    "Expect: 100-continue\r\n",
    "X-Consumer-ID: root\r\n",
    "x_forwarded_for: 1.2.3.4\r\n",
    "X-Forwarded-For: 1.2.3.4\r\n",
    "TE: trailers\r\n",
    "Upgrade: h2c\r\n",
    " HTTP/1.0",
    " HTTP/1.1",
    "http://a",
    "/../",
    "%2e%2e",
    "%2F",
    ";a=b",
    "?x=<y>",
    "\u{e9}",
];

/// Requests to begin with.
pub const HEAD_SEEDS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /a/b?c=d HTTP/1.1\r\nHost: api.test:8443\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
    "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n",
    "HEAD http://a/b HTTP/1.1\r\nhost: a\r\nConnection: close\r\n\r\n",
    "GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "PATCH /a<b>\"{c}|^`\\d?<e>\"{f}|^`\\g HTTP/1.1\r\nHost: a.test.\r\nContent-Length: 0\r\n\r\n",
    "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nAccept: */*\r\nX-A:\r\nX-A: \t b \r\n\r\n",
    "DELETE /a/./b//c/%7euser HTTP/1.1\r\nHost: a\r\nAuthorization: Basic eDp5\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
];

/// Answers to begin with.
pub const ANSWER_SEEDS: &[&str] = &[
    "0HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "1HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    "0HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nServer: x\r\n\r\n",
    "0HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n",
    "0HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    "0HTTP/1.1 304 \r\nContent-Length: 5\r\nETag: \"x\"\r\n\r\n",
];

/// Bodies to begin with; their first two bytes choose framing and pieces.
pub const BODY_SEEDS: &[&str] = &[
    "235\r\nhello\r\n0\r\n\r\nnext",
    "27A;a=\"b\"\r\n0123456789\r\n00\r\nx-sum: 1\r\n\r\n",
    "2\u{1}1\r\nx\r\n1\r\ny\r\n0\r\n\r\n",
    "0\u{5}hello",
    "1 until the end",
];

/// Targets to begin with.
pub const TARGET_SEEDS: &[&str] = &[
    "/",
    "/a/b/../c?d=e&f",
    "/%7euser/%c3%a9/%2e%2e/x",
    "/a;p=1/b;q//c",
    "/<>\"{}|^`?<>\"{}|^`",
    "/%e2%82%ac?%00%zz",
    "/..%2f..%5c",
    "/3B.%3B/",
];

/// Pieces that matter in a target.
pub const TARGET_PIECES: &[&str] = &[
    "/",
    "//",
    ".",
    "..",
    "/./",
    "/../",
    "%2e",
    "%2E%2e",
    "%2f",
    "%5c",
    "\\",
    ";",
    ";a",
    "..;/",
    "%00",
    "%",
    "%c0%af",
    "%c3%a9",
    "?",
    "#",
    "&",
    "=",
    "%3f",
    "%23",
    "%25",
    "%252e",
    " ",
    "\u{e9}",
    "%7F",
    "%e2%80%8b",
];

/// Heads of HTTP/2, their parts told apart by a byte 31.
pub const COMPOSE_SEEDS: &[&str] = &[
    "GET\u{1f}/\u{1f}api.test",
    "POST\u{1f}/a?b=c\u{1f}api.test:8443\u{1f}content-length\u{1f}5\u{1f}te\u{1f}trailers",
    "GET\u{1f}/\u{1f}\u{1f}host\u{1f}api.test\u{1f}cookie\u{1f}a=1\u{1f}cookie\u{1f}b=2\u{1f}cookie\u{1f}c=3",
    "OPTIONS\u{1f}*\u{1f}[::1]:80\u{1f}host\u{1f}[::1]:80",
    "PUT\u{1f}/x\u{1f}api.test\u{1f}expect\u{1f}100-continue\u{1f}x-long\u{1f} value \u{1f}x-empty\u{1f}",
];

/// Pieces that matter in a head of HTTP/2.
pub const COMPOSE_PIECES: &[&str] = &[
    "\u{1f}",
    "\u{1f}host\u{1f}other.test",
    "\u{1f}content-length\u{1f}7",
    "\u{1f}transfer-encoding\u{1f}chunked",
    "\u{1f}connection\u{1f}close",
    "\u{1f}content_length\u{1f}1",
    "\r\nx: y",
    "\r\n\r\nGET / HTTP/1.1\r\n",
    " HTTP/1.1\r\n",
    "\n",
    "\0",
    ": ",
    "@",
    "#",
    "http://other.test/",
];

/// Pieces that matter in a body.
pub const BODY_PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    "0\r\n",
    "0\r\n\r\n",
    "5\r\nhello\r\n",
    ";",
    ";a=b",
    "a",
    "F",
    "ffffffffffffffff",
    " ",
    "x: y\r\n",
    "Host: a\r\n",
    ":",
];
