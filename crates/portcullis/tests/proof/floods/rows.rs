//! The scripts: what is sent, how often, and what must come of it.

use portcullis_testkit::frames::{ACK, Block, END_HEADERS, END_STREAM, Frame, code, get, kind, setting};
use std::time::Duration;

/// What must come of a script.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    /// The connection ends with one of these codes.
    GoAway(&'static [u32]),
    /// The stream ends with one of these codes, or the connection does.
    Reset(&'static [u32]),
    /// The same, or an answer of 400 to 499.
    Refused(&'static [u32]),
    /// The gateway ends the connection.
    Closed,
}

/// One script.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) settings: Vec<(u16, u32)>,
    pub(crate) begin: Vec<u8>,
    /// Appends the bytes of the so-many-th piece.
    pub(crate) piece: fn(u32, &mut Vec<u8>),
    pub(crate) count: u32,
    pub(crate) expected: Expected,
    /// The label of the metric that counts it.
    pub(crate) limit: Option<&'static str>,
    pub(crate) patience: Duration,
}

const CALM: &[u32] = &[code::ENHANCE_YOUR_CALM];
const WRONG: &[u32] = &[code::PROTOCOL_ERROR];
/// RFC 9113 names a code of its own for these, and the library says PROTOCOL_ERROR; the connection ends either way.
const COMPRESSION: &[u32] = &[code::COMPRESSION_ERROR, code::PROTOCOL_ERROR];
const WINDOW: &[u32] = &[code::FLOW_CONTROL_ERROR, code::PROTOCOL_ERROR];
const PATIENCE: Duration = Duration::from_secs(10);
const FLOOD: u32 = 20_000;

fn row(name: &'static str, begin: Vec<u8>, expected: Expected) -> Row {
    let (settings, limit) = (Vec::new(), None);
    Row { name, settings, begin, piece: |_, _| {}, count: 0, expected, limit, patience: PATIENCE }
}

fn flood(name: &'static str, limit: &'static str, begin: Vec<u8>, piece: fn(u32, &mut Vec<u8>)) -> Row {
    Row { piece, count: FLOOD, limit: Some(limit), ..row(name, begin, Expected::GoAway(CALM)) }
}

fn odd(number: u32) -> u32 {
    2 * number + 1
}

/// An open request with a body to come.
fn post(stream: u32) -> Vec<u8> {
    Frame::headers(stream, &Block::request("POST", "/n/x"), 0).bytes()
}

pub(crate) fn floods() -> Vec<Row> {
    vec![
        flood("rapid reset", "resets", Vec::new(), |number, out| {
            out.extend(get(odd(number), "/n/x").bytes());
            out.extend(Frame::reset(odd(number), code::CANCEL).bytes());
        }),
        // Streams that the server resets because of the client cost as much (CVE-2025-8671).
        flood("resets provoked by a window that overflows", "window_updates", Vec::new(), |number, out| {
            out.extend(get(odd(number), "/n/x").bytes());
            out.extend(Frame::window_update(odd(number), 0x7fff_ffff).bytes());
        }),
        flood("settings", "settings", Vec::new(), |_, out| out.extend(Frame::settings(&[(4, 65_535)]).bytes())),
        flood("pings", "pings", Vec::new(), |number, out| out.extend(Frame::ping(0, number.into()).bytes())),
        flood("empty data", "empty_data", post(1), |_, out| out.extend(Frame::data(1, [], 0).bytes())),
        flood("priorities", "priorities", Vec::new(), |number, out| out.extend(Frame::priority(odd(number)).bytes())),
        flood("window updates of one octet", "window_updates", post(1), |number, out| {
            out.extend(Frame::window_update(number % 2, 1).bytes());
        }),
        flood(
            "continuations without an end",
            "continuations",
            Frame::new(kind::HEADERS, END_STREAM, 1, Block::request("GET", "/n/x").bytes()).bytes(),
            |_, out| out.extend(Frame::continuation(1, Block::default().with("x", "y").bytes(), 0).bytes()),
        ),
        flood(
            "empty continuations",
            "continuations",
            Frame::new(kind::HEADERS, END_STREAM, 1, Block::request("GET", "/n/x").bytes()).bytes(),
            |_, out| out.extend(Frame::continuation(1, [], 0).bytes()),
        ),
        Row {
            name: "a header list bomb: one large field, remembered, then named again and again",
            expected: Expected::Refused(&[code::ENHANCE_YOUR_CALM, code::PROTOCOL_ERROR, code::COMPRESSION_ERROR]),
            ..row("", bomb(), Expected::Closed)
        },
        Row {
            name: "more streams than allowed",
            piece: |number, out| out.extend(post(odd(number))),
            count: 2_000,
            expected: Expected::Reset(&[code::REFUSED_STREAM, code::ENHANCE_YOUR_CALM, code::PROTOCOL_ERROR]),
            ..row("", Vec::new(), Expected::Closed)
        },
    ]
}

/// 4,000 octets that become 4,000 × 4,000 (CVE-2016-1544).
fn bomb() -> Vec<u8> {
    let block = Block::request("GET", "/n/x").remembered("x-bomb", "b".repeat(3_900));
    let block = (0..4_000).fold(block, |block, _| block.indexed(62));
    Frame::headers(1, &block, END_STREAM).bytes()
}

/// Readers that leave the gateway with what it got for them; it ends their requests when their time is up.
pub(crate) fn slow_readers() -> Vec<Row> {
    let large: Vec<u8> = (0..20).flat_map(|number| get(odd(number), "/large").bytes()).collect();
    let slow = |name, window| Row {
        settings: vec![(setting::INITIAL_WINDOW_SIZE, window)],
        patience: Duration::from_secs(20),
        ..row(name, large.clone(), Expected::Reset(&[code::INTERNAL_ERROR, code::CANCEL, code::NO_ERROR]))
    };
    vec![
        slow("no window at all", 0),
        slow("a window of one octet", 1),
        Row {
            // One octet for each stream in turn, for as long as the gateway lets it.
            piece: |number, out| out.extend(Frame::window_update(odd(number % 20), 1).bytes()),
            count: 4_000,
            ..slow("a window that opens by one octet", 1)
        },
    ]
}

/// A request's head that is wrong in itself.
fn head(name: &'static str, block: &Block) -> Row {
    row(name, Frame::headers(1, block, END_STREAM).bytes(), Expected::Refused(WRONG))
}

/// A request with one more field.
fn field(name: &'static str, field: &str, value: &str) -> Row {
    head(name, &Block::request("GET", "/n/x").with(field, value))
}

fn frame(name: &'static str, frame: &Frame, codes: &'static [u32]) -> Row {
    row(name, frame.bytes(), Expected::GoAway(codes))
}

pub(crate) fn malformed() -> Vec<Row> {
    let mut rows = frames_out_of_place();
    rows.extend(heads());
    rows
}

fn frames_out_of_place() -> Vec<Row> {
    let size = &[code::FRAME_SIZE_ERROR, code::PROTOCOL_ERROR];
    let get = |stream| get(stream, "/n/x");
    vec![
        frame("data on the connection", &Frame::data(0, b"x", 0), WRONG),
        frame("a head on the connection", &Frame::headers(0, &Block::request("GET", "/n/x"), END_STREAM), WRONG),
        frame("a stream with an even number", &get(2), WRONG),
        row("a stream below the last one", [get(5).bytes(), get(3).bytes()].concat(), Expected::GoAway(WRONG)),
        frame("data on an idle stream", &Frame::data(1, b"x", 0), WRONG),
        frame("a reset of an idle stream", &Frame::reset(1, code::CANCEL), WRONG),
        frame("a reset of the connection", &Frame::reset(0, code::CANCEL), WRONG),
        frame("a window update on an idle stream", &Frame::window_update(1, 1), WRONG),
        frame("a window update of nothing", &Frame::window_update(0, 0), WRONG),
        row(
            "a window beyond its end",
            [0x7fff_ffff; 2].map(|increment| Frame::window_update(0, increment).bytes()).concat(),
            Expected::GoAway(WINDOW),
        ),
        frame("settings on a stream", &Frame::new(kind::SETTINGS, 0, 1, []), WRONG),
        frame("settings cut off", &Frame::new(kind::SETTINGS, 0, 0, [0, 4, 0]), size),
        frame("an answer to settings with settings in it", &Frame::new(kind::SETTINGS, ACK, 0, [0; 6]), size),
        frame("a window of settings beyond its end", &Frame::settings(&[(4, 0x8000_0000)]), WINDOW),
        frame("a frame size of settings too small", &Frame::settings(&[(5, 100)]), WRONG),
        frame("push neither on nor off", &Frame::settings(&[(2, 2)]), WRONG),
        frame("a ping cut off", &Frame::new(kind::PING, 0, 0, [0; 7]), size),
        frame("a ping on a stream", &Frame::new(kind::PING, 0, 1, [0; 8]), WRONG),
        frame("a priority cut off", &Frame::new(kind::PRIORITY, 0, 1, [0; 4]), size),
        frame("a promise from a client", &Frame::new(kind::PUSH_PROMISE, END_HEADERS, 1, [0, 0, 0, 2]), WRONG),
        frame("a continuation of nothing", &Frame::continuation(1, [], END_HEADERS), WRONG),
        row(
            "another frame inside of a head",
            [Frame::new(kind::HEADERS, END_STREAM, 1, Block::request("GET", "/n/x").bytes()), Frame::ping(0, 1)]
                .map(|frame| frame.bytes())
                .concat(),
            Expected::GoAway(WRONG),
        ),
        row(
            "a frame larger than allowed",
            [post(1), Frame::data(1, vec![0; 20_000], 0).bytes()].concat(),
            Expected::GoAway(size),
        ),
        row(
            "padding longer than the frame",
            [post(1), Frame::new(kind::DATA, 0x8, 1, [200, 1, 2]).bytes()].concat(),
            Expected::GoAway(WRONG),
        ),
        row(
            "a head that depends on itself",
            Frame::new(
                kind::HEADERS,
                END_STREAM | END_HEADERS | 0x20,
                1,
                [&[0, 0, 0, 1, 15][..], &Block::request("GET", "/n/x").bytes()].concat(),
            )
            .bytes(),
            Expected::Reset(WRONG),
        ),
    ]
}

fn heads() -> Vec<Row> {
    let request = || Block::request("GET", "/n/x");
    let pseudo = |fields: &[(&str, &str)]| fields.iter().fold(Block::default(), |block, (n, v)| block.with(n, v));
    let broken =
        |name, block: &[u8]| frame(name, &Frame::headers(1, &Block::default().raw(block), END_STREAM), COMPRESSION);
    vec![
        broken("an index that stands for nothing", &[0xff, 0xff, 0x03]),
        broken("the index 0", &[0x80]),
        broken("a literal cut off", &[0x00, 0x05, b'a']),
        broken("a table larger than allowed", &[0x3f, 0xff, 0xff, 0xff, 0x07]),
        head("no path", &pseudo(&[(":method", "GET"), (":scheme", "http"), (":authority", "a")])),
        head("no method", &pseudo(&[(":scheme", "http"), (":authority", "a"), (":path", "/")])),
        head("no scheme", &pseudo(&[(":method", "GET"), (":authority", "a"), (":path", "/")])),
        head("an empty path", &pseudo(&[(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "")])),
        field("a second method", ":method", "POST"),
        field("a second path", ":path", "/other"),
        field("a pseudo-header of an answer", ":status", "200"),
        field("a pseudo-header that nobody knows", ":secret", "1"),
        field("a protocol without CONNECT", ":protocol", "websocket"),
        head(
            "a pseudo-header after a field",
            &pseudo(&[(":method", "GET"), (":scheme", "http"), ("x", "y"), (":path", "/"), (":authority", "a")]),
        ),
        field("a name with capitals", "X-Capital", "1"),
        field("a name with a space", "x y", "1"),
        field("a name with a colon", "x:y", "1"),
        field("an empty name", "", "1"),
        field("connection", "connection", "close"),
        field("keep-alive", "keep-alive", "timeout=5"),
        field("proxy-connection", "proxy-connection", "close"),
        field("transfer-encoding", "transfer-encoding", "chunked"),
        field("upgrade", "upgrade", "websocket"),
        field("te other than trailers", "te", "gzip"),
        field("a line end in a value", "x", "a\r\nhost: b"),
        field("a line feed in a value", "x", "a\nb"),
        field("a NUL in a value", "x", "a\0b"),
        field("a blank before a value", "x", " y"),
        field("a tab after a value", "x", "y\t"),
        field("a host that contradicts the authority", "host", "other.test"),
        field("two hosts", "host", "a.test, b.test"),
        head(
            "a path with a line end",
            &pseudo(&[(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/\r\nx: y")]),
        ),
        head(
            "a path with a space",
            &pseudo(&[(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/ HTTP/1.1")]),
        ),
        head(
            "a method with a space",
            &pseudo(&[(":method", "GET /x"), (":scheme", "http"), (":authority", "a"), (":path", "/")]),
        ),
        head(
            "an authority with a name before it",
            &pseudo(&[(":method", "GET"), (":scheme", "http"), (":authority", "user@a"), (":path", "/")]),
        ),
        field("a length without a body", "content-length", "5"),
        field("a length that is no number", "content-length", "+1"),
        head("two lengths", &request().with("content-length", "0").with("content-length", "1")),
        row(
            "a body longer than its length",
            [
                Frame::headers(1, &Block::request("POST", "/n/x").with("content-length", "1"), 0).bytes(),
                Frame::data(1, b"two", END_STREAM).bytes(),
            ]
            .concat(),
            Expected::Refused(WRONG),
        ),
    ]
}
