//! What the fuzzer calls: whatever the bytes, nothing panics, pieces do not matter, and what was accepted means the
//! same when it is written out and read again.

use crate::write::{CHUNK_END, LAST_CHUNK, chunk_start, decimal, field};
use crate::{
    Body, BodyError, Composed, Fields, Framing, HeadLimits, HeadScan, Known, Part, RequestHead, ResponseHead, Version,
};

/// Reads bytes as the head of a request.
pub fn fuzz_head(bytes: &[u8]) {
    let limits = HeadLimits::default();
    let Some(raw) = scanned(bytes, &limits) else { return };
    let (mut head, mut again) = (RequestHead::default(), RequestHead::default());
    let outcome = head.parse(raw, &limits);
    assert_eq!(outcome, again.parse(raw, &limits), "the same bytes, the same answer");
    assert_eq!(head.raw(), raw, "inspection sees what came");
    if outcome.is_err() {
        return;
    }
    assert!(token(head.method()), "{:?}", head.method());
    assert!(!head.target().is_empty() && head.target().iter().all(|byte| *byte > b' ' && *byte != 0x7f));
    assert_ne!(head.framing(), Framing::UntilClose, "no request ends with its connection");
    let mut text = Vec::new();
    text.extend_from_slice(head.method());
    text.push(b' ');
    text.extend_from_slice(head.target());
    text.extend_from_slice(if head.version() == Version::Http10 { b" HTTP/1.0\r\n" } else { b" HTTP/1.1\r\n" });
    written(head.fields(), &mut text);
    assert_eq!(again.parse(&text, &limits_for(&text)), Ok(()), "what was accepted is accepted again");
    assert_eq!((head.method(), head.target(), head.version()), (again.method(), again.target(), again.version()));
    assert_eq!((head.framing(), head.keep_alive()), (again.framing(), again.keep_alive()));
    assert_eq!((head.authority(), head.origin_target()), (again.authority(), again.origin_target()));
    assert_eq!(head.expects_continue(), again.expects_continue());
    same(head.fields(), again.fields());
}

/// Takes bytes for a head of HTTP/2: method, target, authority, then names and values in turn, all with a byte 31 between
/// them. What is accepted means the same when it is said in HTTP/1, so that nothing can be smuggled by the change.
pub fn fuzz_compose(bytes: &[u8]) {
    let mut parts = bytes.split(|byte| *byte == 31);
    let (method, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let authority = parts.next().filter(|authority| !authority.is_empty());
    let rest: Vec<&[u8]> = parts.collect();
    let fields = rest.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
    let has_body = bytes.len().is_multiple_of(2);
    let composed = Composed { method, target, authority, has_body, websocket: false };
    let mut head = RequestHead::default();
    if head.compose(&composed, fields, &HeadLimits::default()).is_err() {
        return;
    }
    assert_ne!(head.framing(), Framing::UntilClose);
    assert!(has_body || head.framing() == Framing::None);
    let mut text = [head.method(), b" ", head.target(), b" HTTP/1.1\r\n"].concat();
    // The authority may stand twice, in its own field and in the client's; HTTP/1 has it once.
    let mut hosts = 0;
    for line in head.fields().iter() {
        let frames = matches!(line.known, Known::ContentLength | Known::Te);
        hosts += usize::from(line.known == Known::Host);
        if !frames && (line.known != Known::Host || hosts == 1) {
            assert!(token(line.name), "{:?}", line.name);
            field(line.name, line.value, &mut text);
        }
    }
    match head.framing() {
        Framing::Length(bytes) => text.extend_from_slice(format!("content-length: {bytes}\r\n").as_bytes()),
        Framing::Chunked => text.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::None | Framing::UntilClose => {}
    }
    text.extend_from_slice(b"\r\n");
    assert_eq!(HeadScan::default().find(&text, text.len()), Ok(Some(text.len())), "one head and nothing after it");
    let mut again = RequestHead::default();
    let outcome = again.parse(&text, &limits_for(&text));
    if head.method() == b"CONNECT" {
        return;
    }
    assert_eq!(outcome, Ok(()), "{:?}", String::from_utf8_lossy(&text));
    assert_eq!((head.method(), head.target(), head.authority()), (again.method(), again.target(), again.authority()));
    assert_eq!(head.framing(), again.framing());
}

/// Reads bytes as the head of an answer; the first one says whether the question was HEAD.
pub fn fuzz_response_head(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let (limits, to_head) = (HeadLimits::default(), first % 2 == 1);
    let Some(raw) = scanned(bytes, &limits) else { return };
    let (mut head, mut again) = (ResponseHead::default(), ResponseHead::default());
    let outcome = head.parse(raw, to_head, &limits);
    assert_eq!(outcome, again.parse(raw, to_head, &limits), "the same bytes, the same answer");
    if outcome.is_err() {
        return;
    }
    assert!((100..600).contains(&head.status()));
    if to_head || matches!(head.status(), 100..=199 | 204 | 304) {
        assert_eq!(head.framing(), Framing::None, "no such answer has a body");
    }
    assert!(!(head.keep_alive() && head.framing() == Framing::UntilClose));
    let old = raw.starts_with(b"HTTP/1.0");
    let mut text = if old { b"HTTP/1.0 ".to_vec() } else { b"HTTP/1.1 ".to_vec() };
    decimal(u64::from(head.status()), &mut text);
    text.extend_from_slice(b" x\r\n");
    written(head.fields(), &mut text);
    assert_eq!(again.parse(&text, to_head, &limits_for(&text)), Ok(()), "what was accepted is accepted again");
    assert_eq!(
        (head.status(), head.framing(), head.keep_alive()),
        (again.status(), again.framing(), again.keep_alive())
    );
    same(head.fields(), again.fields());
}

/// Reads bytes as a body; the first one chooses the framing, the second one the pieces.
pub fn fuzz_body(bytes: &[u8]) {
    let [kind, pieces, bytes @ ..] = bytes else { return };
    let framing = match kind % 4 {
        0 => Framing::Length(u64::from(*pieces)),
        1 => Framing::UntilClose,
        _ => Framing::Chunked,
    };
    let whole = drain(framing, bytes, bytes.len().max(1));
    assert_eq!(whole, drain(framing, bytes, 1), "byte by byte");
    assert_eq!(whole, drain(framing, bytes, usize::from(*pieces).max(1)), "in pieces of {pieces}");
    let Ok((data, used, trailers)) = whole else { return };
    assert!(used <= bytes.len());
    if framing != Framing::Chunked {
        assert_eq!(Some(data.as_slice()), bytes.get(..used), "such a body is its bytes");
        return;
    }
    let mut text = Vec::new();
    for part in data.chunks(usize::from(*pieces).max(1)) {
        chunk_start(part.len(), &mut text);
        text.extend_from_slice(part);
        text.extend_from_slice(CHUNK_END);
    }
    text.extend_from_slice(LAST_CHUNK);
    text.extend_from_slice(&trailers);
    text.extend_from_slice(b"\r\n");
    match drain(Framing::Chunked, &text, text.len()) {
        Ok((again, used, lines)) => assert_eq!((again, used, lines), (data, text.len(), trailers)),
        // Small pieces may weigh more than their data, which is a limit of its own.
        Err(error) => assert_eq!(error, BodyError::TooSmallChunks),
    }
}

/// The first head in `bytes`, found the same way however they arrive.
fn scanned<'a>(bytes: &'a [u8], limits: &HeadLimits) -> Option<&'a [u8]> {
    let at_once = HeadScan::default().find(bytes, limits.head_bytes_max);
    let mut scan = HeadScan::default();
    let mut slowly = Ok(None);
    for length in 1..=bytes.len() {
        slowly = scan.find(bytes.get(..length).unwrap_or_default(), limits.head_bytes_max);
        if slowly != Ok(None) {
            break;
        }
    }
    // Whether a head is too large or ends badly further on depends on what is looked at first; refused it is.
    let both_refused = at_once.is_err() && slowly.is_err();
    assert!(both_refused || at_once == slowly, "{at_once:?} at once, {slowly:?} slowly");
    let length = at_once.ok().flatten()?;
    bytes.get(..length)
}

/// Written out, a head may grow by the blanks after its colons.
fn limits_for(text: &[u8]) -> HeadLimits {
    HeadLimits { head_bytes_max: text.len(), ..HeadLimits::default() }
}

fn written(fields: Fields<'_>, out: &mut Vec<u8>) {
    for line in fields.iter() {
        assert!(token(line.name), "{:?}", line.name);
        assert!(line.value.iter().all(|byte| !matches!(byte, 0..=8 | 10..=31 | 0x7f)), "{:?}", line.value);
        assert_eq!(line.value, line.value.trim_ascii(), "blanks around a value are none of it");
        field(line.name, line.value, out);
    }
    out.extend_from_slice(b"\r\n");
}

fn same(one: Fields<'_>, other: Fields<'_>) {
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(other.iter()) {
        assert_eq!((one.name, one.value, one.known), (other.name, other.value, other.known));
    }
}

fn token(text: &[u8]) -> bool {
    crate::request::is_token(text)
}

type Drained = (Vec<u8>, usize, Vec<u8>);

/// Reads a body that arrives in pieces of `step` bytes and ends with its connection.
fn drain(framing: Framing, bytes: &[u8], step: usize) -> Result<Drained, BodyError> {
    let mut body = Body::new(framing);
    let (mut data, mut used, mut end) = (Vec::new(), 0usize, step.min(bytes.len()));
    loop {
        let input = bytes.get(used..end).unwrap_or_default();
        let (count, more) = match body.next(input)? {
            Part::Data(range) => {
                data.extend_from_slice(input.get(range.clone()).unwrap_or_default());
                (range.end, false)
            }
            Part::More(count) => (count, true),
            Part::End(count) => return Ok((data, used + count, body.trailers().to_vec())),
        };
        assert!(count <= input.len() && (more || count > 0), "every look moves on");
        used += count;
        assert_eq!(body.received(), data.len() as u64);
        if more && end == bytes.len() {
            return body.closed().map(|()| (data, used, body.trailers().to_vec()));
        }
        if more {
            end = end.saturating_add(step).min(bytes.len());
        }
    }
}
