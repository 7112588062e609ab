//! Rows of whole messages: what passes, what is refused and by which rule.

use crate::{
    Body, BodyError, Framing, HeadError, HeadLimits, HeadScan, Known, Part, RequestHead, ResponseHead, Version,
};

fn parse(raw: &str) -> Result<RequestHead, HeadError> {
    let limits = HeadLimits::default();
    let length = HeadScan::default().find(raw.as_bytes(), limits.head_bytes_max)?.expect("a complete head");
    let mut head = RequestHead::default();
    head.parse(&raw.as_bytes()[..length], &limits).map(|()| head)
}

fn get(lines: &str) -> Result<RequestHead, HeadError> {
    parse(&format!("GET /a HTTP/1.1\r\nHost: a\r\n{lines}\r\n"))
}

#[test]
fn an_ordinary_request_is_read_with_its_fields_in_order() {
    let head = parse(
        "POST /a?b=<c> HTTP/1.1\r\nHost: api.example.com:8443\r\nX-A: 1\r\nx-a:  2 \r\nContent-Length: 5\r\n\r\n",
    )
    .unwrap();
    assert_eq!((head.method(), head.target(), head.version()), (&b"POST"[..], &b"/a?b=<c>"[..], Version::Http11));
    assert_eq!(head.authority(), b"api.example.com:8443");
    assert_eq!(head.framing(), Framing::Length(5));
    assert!(head.keep_alive());
    let values: Vec<_> =
        head.fields().iter().filter(|field| field.known == Known::Other).map(|field| field.value).collect();
    assert_eq!(values, [b"1", b"2"]);
}

#[test]
fn requests_that_are_refused_and_why() {
    for (raw, rule) in [
        ("GET /a HTTP/1.1\nHost: a\r\n\r\n", HeadError::BareLineFeed),
        ("GET /a HTTP/1.1\r\nHost: a\n\r\n", HeadError::BareLineFeed),
        ("GET /a HTTP/1.1\r\nHost: a\rb\r\n\r\n", HeadError::BareCarriageReturn),
        ("GET /a HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", HeadError::Control),
        ("GET /a HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", HeadError::Control),
        ("GET /a HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", HeadError::Control),
        ("GET  /a HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::RequestLine),
        ("GET /a  HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::RequestLine),
        (" GET /a HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::Method),
        ("GET /a HTTP/1.1 \r\nHost: a\r\n\r\n", HeadError::RequestLine),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::RequestLine),
        ("GET /a\r\nHost: a\r\n\r\n", HeadError::RequestLine),
        ("GET\t/a HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::Method),
        ("G(T /a HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::Method),
        ("GET /a HTTP/2.0\r\nHost: a\r\n\r\n", HeadError::VersionUnsupported),
        ("GET /a HTTP/1.2\r\nHost: a\r\n\r\n", HeadError::VersionUnsupported),
        ("GET /a HTTP/0.9\r\nHost: a\r\n\r\n", HeadError::VersionUnsupported),
        ("GET /a HTTP/1.10\r\nHost: a\r\n\r\n", HeadError::Version),
        ("GET /a http/1.1\r\nHost: a\r\n\r\n", HeadError::Version),
        ("GET /a HTTP/1.1x\r\nHost: a\r\n\r\n", HeadError::Version),
        ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::TargetForm),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::TargetForm),
        ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::TargetForm),
        ("GET /a HTTP/1.1\r\n\r\n", HeadError::HostMissing),
        ("GET http://a/ HTTP/1.1\r\n\r\n", HeadError::HostMissing),
        ("GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", HeadError::HostRepeated),
        ("GET /a HTTP/1.1\r\nHost:\r\n\r\n", HeadError::HostMalformed),
        ("GET /a HTTP/1.1\r\nHost: a b\r\n\r\n", HeadError::HostMalformed),
        ("GET /a HTTP/1.1\r\nHost: a@b\r\n\r\n", HeadError::HostMalformed),
        ("GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n", HeadError::HostMalformed),
        ("GET /a HTTP/1.1\r\nHost: a:\r\n\r\n", HeadError::HostMalformed),
        ("GET /a HTTP/1.1\r\nHost: a:65536\r\n\r\n", HeadError::HostMalformed),
        ("GET /a HTTP/1.1\r\nHost: a:80x\r\n\r\n", HeadError::HostMalformed),
        ("GET /a HTTP/1.1\r\nHost: a,b\r\n\r\n", HeadError::HostMalformed),
        ("GET /a HTTP/1.1\r\nHost: [::1\r\n\r\n", HeadError::HostMalformed),
        ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::HostUnlikeTarget),
        ("GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", HeadError::HostUnlikeTarget),
        ("GET http://u@a/ HTTP/1.1\r\nHost: u@a\r\n\r\n", HeadError::HostMalformed),
    ] {
        assert_eq!(parse(raw).map(|_| ()), Err(rule), "{raw:?}");
    }
}

#[test]
fn header_lines_that_are_refused_and_why() {
    for (lines, rule) in [
        (" X: 1\r\n", HeadError::FoldedLine),
        ("X: 1\r\n 2\r\n", HeadError::FoldedLine),
        ("X: 1\r\n\t2\r\n", HeadError::FoldedLine),
        ("X : 1\r\n", HeadError::BlankBeforeColon),
        ("X\t: 1\r\n", HeadError::BlankBeforeColon),
        (": 1\r\n", HeadError::EmptyName),
        ("X\r\n", HeadError::NoColon),
        ("X Y: 1\r\n", HeadError::Name),
        ("X\u{e9}: 1\r\n", HeadError::Name),
        ("X(: 1\r\n", HeadError::Name),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", HeadError::LengthWithCoding),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", HeadError::LengthWithCoding),
        ("Content-Length: 1\r\nContent-Length: 1\r\n", HeadError::LengthRepeated),
        ("Content-Length: 1\r\nContent-Length: 2\r\n", HeadError::LengthRepeated),
        ("Content-Length: +5\r\n", HeadError::LengthMalformed),
        ("Content-Length: -5\r\n", HeadError::LengthMalformed),
        ("Content-Length: 5,5\r\n", HeadError::LengthMalformed),
        ("Content-Length: 5 5\r\n", HeadError::LengthMalformed),
        ("Content-Length: 0x5\r\n", HeadError::LengthMalformed),
        ("Content-Length: 5.0\r\n", HeadError::LengthMalformed),
        ("Content-Length: five\r\n", HeadError::LengthMalformed),
        ("Content-Length: \"5\"\r\n", HeadError::LengthMalformed),
        ("Content-Length:\r\n", HeadError::LengthMalformed),
        ("Content-Length: 18446744073709551616\r\n", HeadError::LengthMalformed),
        ("Transfer-Encoding: gzip, chunked\r\n", HeadError::CodingUnknown),
        ("Transfer-Encoding: chunked, chunked\r\n", HeadError::CodingUnknown),
        ("Transfer-Encoding: chunked,\r\n", HeadError::CodingUnknown),
        ("Transfer-Encoding: ,chunked\r\n", HeadError::CodingUnknown),
        ("Transfer-Encoding: identity\r\n", HeadError::CodingUnknown),
        ("Transfer-Encoding: xchunked\r\n", HeadError::CodingUnknown),
        ("Transfer-Encoding: \"chunked\"\r\n", HeadError::CodingUnknown),
        ("Transfer-Encoding: chunked;a=b\r\n", HeadError::CodingUnknown),
        ("Transfer-Encoding:\r\n", HeadError::CodingUnknown),
        ("Transfer-Encoding: \u{b}chunked\r\n", HeadError::Control),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", HeadError::CodingRepeated),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", HeadError::CodingRepeated),
        ("Content_Length: 5\r\n", HeadError::FramingLookalike),
        ("Transfer_Encoding: chunked\r\n", HeadError::FramingLookalike),
        ("Transfer.Encoding: chunked\r\n", HeadError::FramingLookalike),
        ("Expect: 200-ok\r\n", HeadError::Expectation),
        ("Expect: 100-continue, x\r\n", HeadError::Expectation),
    ] {
        assert_eq!(get(lines).map(|_| ()), Err(rule), "{lines:?}");
    }
    let old = "GET /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(parse(old).map(|_| ()), Err(HeadError::CodingInOldVersion));
}

#[test]
fn limits_name_themselves() {
    let limits = HeadLimits { head_bytes_max: 100, target_bytes_max: 10, fields_max: 2 };
    let outcome = |raw: &str| {
        let found = HeadScan::default().find(raw.as_bytes(), limits.head_bytes_max)?;
        RequestHead::default().parse(&raw.as_bytes()[..found.unwrap()], &limits)
    };
    assert_eq!(outcome("GET /1234567890 HTTP/1.1\r\nHost: a\r\n\r\n"), Err(HeadError::TargetTooLong));
    assert_eq!(outcome("GET /12345678 HTTP/1.1\r\nHost: a\r\n\r\n"), Ok(()));
    assert_eq!(outcome("GET / HTTP/1.1\r\nHost: a\r\na: 1\r\nb: 2\r\n\r\n"), Err(HeadError::TooManyFields));
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\na: {}\r\n\r\n", "x".repeat(100));
    assert_eq!(outcome(&long), Err(HeadError::HeadTooLarge));
    assert_eq!(HeadScan::default().find(&[b'x'; 101], 100), Err(HeadError::HeadTooLarge));
}

#[test]
fn the_scan_finds_the_same_end_however_the_bytes_arrive() {
    let raw = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next";
    let mut scan = HeadScan::default();
    for length in 0..27 {
        assert_eq!(scan.find(&raw[..length], 1000), Ok(None), "{length}");
    }
    assert_eq!(scan.find(&raw[..27], 1000), Ok(Some(27)));
    assert_eq!(HeadScan::default().find(raw, 1000), Ok(Some(27)));
}

#[test]
fn connection_options_decide_whether_it_stays_open() {
    assert!(!get("Connection: close\r\n").unwrap().keep_alive());
    assert!(!get("Connection: x, CLOSE\r\n").unwrap().keep_alive());
    let many = |count: usize| get(&format!("Connection: {}\r\n", vec!["x"; count].join(",")));
    assert!(many(32).unwrap().keep_alive());
    assert_eq!(many(33).map(|_| ()), Err(HeadError::TooManyFields));
    let old = |line: &str| parse(&format!("GET / HTTP/1.0\r\n{line}\r\n")).unwrap().keep_alive();
    assert!(!old(""));
    assert!(old("Connection: Keep-Alive\r\n"));
}

fn drain(framing: Framing, bytes: &[u8], step: usize) -> Result<(Vec<u8>, usize), BodyError> {
    let mut body = Body::new(framing);
    let (mut data, mut used, mut end) = (Vec::new(), 0, step.min(bytes.len()));
    loop {
        match body.next(&bytes[used..end])? {
            Part::Data(range) => {
                data.extend_from_slice(&bytes[used + range.start..used + range.end]);
                used += range.end;
            }
            Part::More(count) => {
                used += count;
                if end == bytes.len() {
                    return body.closed().map(|()| (data, used));
                }
                end = (end + step).min(bytes.len());
            }
            Part::End(count) => return Ok((data, used + count)),
        }
    }
}

#[test]
fn bodies_end_where_they_say_whatever_the_pieces() {
    for step in 1..30 {
        for (framing, bytes, data, used) in [
            (Framing::None, "next", "", 0),
            (Framing::Length(0), "next", "", 0),
            (Framing::Length(4), "datanext", "data", 4),
            (Framing::UntilClose, "data", "data", 4),
            (Framing::Chunked, "4\r\ndata\r\n0\r\n\r\nnext", "data", 14),
            (Framing::Chunked, "2;a=\"b\"\r\nda\r\n02\r\nta\r\n000\r\n\r\nnext", "data", 28),
            (Framing::Chunked, "A\r\n0123456789\r\n0\r\nx-sum: 1\r\n\r\nnext", "0123456789", 30),
        ] {
            let (have, at) = drain(framing, bytes.as_bytes(), step).unwrap();
            assert_eq!((have.as_slice(), at), (data.as_bytes(), used), "{bytes:?} in steps of {step}");
        }
    }
}

#[test]
fn bodies_that_are_refused_and_why() {
    for (bytes, rule) in [
        ("+4\r\ndata\r\n0\r\n\r\n", BodyError::ChunkSize),
        ("-4\r\ndata\r\n0\r\n\r\n", BodyError::ChunkSize),
        (" 4\r\ndata\r\n0\r\n\r\n", BodyError::ChunkSize),
        ("4 \r\ndata\r\n0\r\n\r\n", BodyError::ChunkSize),
        ("0x4\r\ndata\r\n0\r\n\r\n", BodyError::ChunkSize),
        ("\r\ndata\r\n0\r\n\r\n", BodyError::ChunkSize),
        (";a\r\ndata\r\n0\r\n\r\n", BodyError::ChunkSize),
        ("4\ndata\r\n0\r\n\r\n", BodyError::ChunkLineEnd),
        ("4\rdata\r\n0\r\n\r\n", BodyError::ChunkLineEnd),
        ("4;a\ndata\r\n0\r\n\r\n", BodyError::ChunkLineEnd),
        ("4;\0\r\ndata\r\n0\r\n\r\n", BodyError::ChunkExtension),
        ("4\r\ndata\n0\r\n\r\n", BodyError::ChunkEnd),
        ("4\r\ndata12\r\n0\r\n\r\n", BodyError::ChunkEnd),
        ("5\r\ndata\r\n0\r\n\r\n", BodyError::ChunkEnd),
        ("fffffffffffffffff\r\n", BodyError::ChunkSizeOverflow),
        ("0\r\nx y: 1\r\n\r\n", BodyError::TrailerMalformed),
        ("0\r\nx\r\n\r\n", BodyError::TrailerMalformed),
        ("0\r\nx: 1\n\r\n", BodyError::TrailerMalformed),
        ("0\r\nx: \0\r\n\r\n", BodyError::TrailerMalformed),
        ("0\r\nContent-Length: 3\r\n\r\n", BodyError::TrailerForbidden),
        ("0\r\nTransfer-Encoding: chunked\r\n\r\n", BodyError::TrailerForbidden),
        ("0\r\nX-Consumer-ID: root\r\n\r\n", BodyError::TrailerForbidden),
        ("0\r\nX_Consumer_ID: root\r\n\r\n", BodyError::TrailerForbidden),
        ("0\r\nAuthorization: Bearer x\r\n\r\n", BodyError::TrailerForbidden),
        ("4\r\nda", BodyError::Truncated),
        ("4\r\ndata\r\n0\r\n", BodyError::Truncated),
    ] {
        for step in [1, 3, 1000] {
            assert_eq!(drain(Framing::Chunked, bytes.as_bytes(), step), Err(rule), "{bytes:?}");
        }
    }
    let long = format!("4;{}\r\n", "x".repeat(300));
    assert_eq!(drain(Framing::Chunked, long.as_bytes(), 1000), Err(BodyError::ChunkExtensionTooLong));
    let trailers = format!("0\r\n{}", "a: b\r\n".repeat(3000));
    assert_eq!(drain(Framing::Chunked, trailers.as_bytes(), 1000), Err(BodyError::TrailerTooLarge));
    let tiny = "1\r\nx\r\n".repeat(20_000);
    assert_eq!(drain(Framing::Chunked, tiny.as_bytes(), 1000), Err(BodyError::TooSmallChunks));
}

#[test]
fn where_an_answer_ends_depends_on_status_and_question() {
    let framing = |raw: &str, to_head: bool| {
        let mut head = ResponseHead::default();
        head.parse(raw.as_bytes(), to_head, &HeadLimits::default()).map(|()| (head.framing(), head.keep_alive()))
    };
    for (raw, to_head, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, (Framing::Length(5), true)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, (Framing::None, true)),
        ("HTTP/1.1 204 No Content\r\n\r\n", false, (Framing::None, true)),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", false, (Framing::None, false)),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, (Framing::None, true)),
        ("HTTP/1.1 200\r\n\r\n", false, (Framing::UntilClose, false)),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", false, (Framing::Length(5), false)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, (Framing::Chunked, true)),
    ] {
        assert_eq!(framing(raw, to_head), Ok(expected), "{raw:?}");
    }
    for (raw, rule) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", HeadError::LengthWithCoding),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", HeadError::LengthRepeated),
        ("HTTP/1.1 99 OK\r\n\r\n", HeadError::StatusLine),
        ("HTTP/1.1 999 OK\r\n\r\n", HeadError::StatusLine),
        ("ICY 200 OK\r\n\r\n", HeadError::StatusLine),
        ("HTTP/1.1 200 OK\r\nX : 1\r\n\r\n", HeadError::BlankBeforeColon),
    ] {
        assert_eq!(framing(raw, false), Err(rule), "{raw:?}");
    }
}
