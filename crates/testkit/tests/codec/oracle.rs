//! The codec against hyper: what we accept, hyper accepts as well, and reads the same in it. We may be stricter, never
//! more lenient, and never of another opinion. Each difference that is allowed has a name here.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::{Uri, Version};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::{Request, Response};
use portcullis_h1::{Body, HeadLimits, HeadScan, Part, RequestHead};
use portcullis_testkit::Dice;
use portcullis_testkit::fuzz::{BODY_PIECES, HEAD_PIECES, HEAD_SEEDS, mutate};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

const CASES: u64 = 20_000;

/// What a parser read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Read1 {
    method: Vec<u8>,
    old: bool,
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// `None` where it is not whole, or not well-formed.
    body: Option<Vec<u8>>,
}

/// What we read; `None` where we refuse or want more bytes for the head.
fn ours(bytes: &[u8]) -> Option<(RequestHead, Read1, usize)> {
    let limits = HeadLimits::default();
    let length = HeadScan::default().find(bytes, limits.head_bytes_max).ok()??;
    let mut head = RequestHead::default();
    head.parse(&bytes[..length], &limits).ok()?;
    let (mut body, mut data, mut used) = (Body::new(head.framing()), Vec::new(), length);
    let whole = loop {
        match body.next(&bytes[used..]) {
            Ok(Part::Data(range)) => {
                data.extend_from_slice(&bytes[used + range.start..used + range.end]);
                used += range.end;
            }
            Ok(Part::End(count)) => {
                used += count;
                break true;
            }
            Ok(Part::More(_)) | Err(_) => break false,
        }
    };
    let fields = head.fields().iter().map(|line| (line.name.to_ascii_lowercase(), line.value.to_vec()));
    let mut fields: Vec<_> = fields.collect();
    fields.sort();
    let read = Read1 {
        method: head.method().to_vec(),
        old: head.version() == portcullis_h1::Version::Http10,
        fields,
        body: whole.then_some(data),
    };
    Some((head, read, if whole { used } else { bytes.len() }))
}

/// A socket in memory: these bytes, then the end; what is written is dropped.
struct Memory(Vec<u8>);

impl Read for Memory {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, mut room: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let count = self.0.len().min(room.remaining());
        room.put_slice(&self.0[..count]);
        self.0.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl Write for Memory {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What hyper reads: the first request and its target, if it gives one to its service.
fn hypers(bytes: &[u8]) -> Option<(Uri, Read1)> {
    let seen: Rc<RefCell<Vec<(Uri, Read1)>>> = Rc::default();
    let first = Rc::clone(&seen);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let seen = Rc::clone(&first);
        async move {
            let (head, body) = request.into_parts();
            let fields = head.headers.iter().map(|(name, value)| (name.as_str().into(), value.as_bytes().to_vec()));
            let mut fields: Vec<(Vec<u8>, Vec<u8>)> = fields.collect();
            fields.sort();
            let (method, old) = (head.method.as_str().into(), head.version == Version::HTTP_10);
            let body = body.collect().await.ok().map(|body| body.to_bytes().to_vec());
            seen.borrow_mut().push((head.uri, Read1 { method, old, fields, body }));
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
        }
    });
    let mut connection = pin!(
        hyper::server::conn::http1::Builder::new().half_close(true).serve_connection(Memory(bytes.to_vec()), service)
    );
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1000 {
        if connection.as_mut().poll(&mut context).is_ready() {
            break;
        }
    }
    seen.take().into_iter().next()
}

/// Why hyper may refuse what we accept: the difference's name, or nothing.
fn allowed(head: &RequestHead) -> Option<&'static str> {
    let target = std::str::from_utf8(head.target());
    if head.method() == b"CONNECT" {
        return Some("CONNECT: refused by the pipeline, hyper has rules of its own for tunnels");
    }
    if target.ok().and_then(|target| target.parse::<Uri>().ok()).is_none() {
        return Some("target: the `http` crate refuses bytes that inspection has to see");
    }
    None
}

/// Whether hyper's target is ours. It cuts fragments off, which the canonical target refuses later.
fn same_target(head: &RequestHead, uri: &Uri) -> bool {
    let cut = |text: &[u8]| text.split(|byte| *byte == b'#').next().unwrap_or_default().to_vec();
    let origin = cut(head.origin_target());
    if head.target() == b"*" || head.method() == b"CONNECT" {
        return uri.to_string().as_bytes() == head.target();
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().is_none_or(|have| have.as_str().as_bytes().eq_ignore_ascii_case(head.authority()));
    authority && (origin == path.as_bytes() || [b"/", origin.as_slice()].concat() == path.as_bytes())
}

fn case(seed: u64) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let mut bytes = dice.pick(HEAD_SEEDS).as_bytes().to_vec();
    let pieces = if dice.one_in(4) { BODY_PIECES } else { HEAD_PIECES };
    // Most mutations are gentle, so that many cases are accepted.
    for _ in 0..=dice.roll(2) {
        if dice.one_in(3) {
            mutate(&mut bytes, pieces, &mut dice);
        } else {
            let lines: Vec<usize> = (0..bytes.len()).filter(|at| bytes[..*at].ends_with(b"\r\n")).collect();
            let at = lines.get(dice.roll(lines.len())).copied().unwrap_or(0);
            let piece = dice.pick(pieces).as_bytes();
            bytes.splice(at..at, piece.iter().copied());
        }
    }
    bytes
}

#[test]
fn whatever_we_accept_hyper_reads_the_same() {
    let mut table: BTreeMap<&str, u32> = BTreeMap::new();
    let mut count = |what: &'static str| *table.entry(what).or_default() += 1;
    for seed in 0..CASES {
        let bytes = case(seed);
        let about = || format!("seed {seed}: {:?}", String::from_utf8_lossy(&bytes));
        let Some((head, ours, used)) = ours(&bytes) else {
            count("we refuse");
            continue;
        };
        // What follows is the next message, of which hyper may think what it likes.
        let Some((uri, theirs)) = hypers(&bytes[..used]) else {
            count(allowed(&head).unwrap_or_else(|| panic!("hyper refuses what we accept, {}", about())));
            continue;
        };
        assert!(same_target(&head, &uri), "{uri} is not our target, {}", about());
        assert_eq!((&ours.method, ours.old, &ours.fields), (&theirs.method, theirs.old, &theirs.fields), "{}", about());
        match &ours.body {
            Some(body) => {
                assert_eq!(Some(body), theirs.body.as_ref(), "{}", about());
                count("the same request, body and all");
            }
            None => count("the same head; we refuse the body or miss its end"),
        }
    }
    println!("oracle: {CASES} cases: {table:#?}");
    assert!(table.get("the same request, body and all").is_some_and(|count| *count > 3000), "{table:?}");
}
