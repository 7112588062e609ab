//! Fills the values that a head gives: target, headers, cookies, query.

use crate::body::urlencoded;
use crate::bytes::{percent_decode, sub, trim};
use crate::message::{RequestHead, ResponseHead};
use crate::store::{List, Span, Store};

/// LIMIT: cookies of a request.
const COOKIES: usize = 1000;

/// Fills the store; returns the content type, and whether rules see all arguments and cookies.
pub(super) fn request(store: &mut Store, head: &RequestHead<'_>, separator: u8, arguments: usize) -> (Vec<u8>, bool) {
    store.set_bytes(List::Method, head.method);
    // A request line without a version is HTTP/0.9 (RFC 1945 section 4.1).
    store.set_bytes(List::Protocol, if head.protocol.is_empty() { b"HTTP/0.9" } else { head.protocol });
    if store.wants(List::Line) {
        let line = store.write(|out| {
            for (at, piece) in [head.method, head.target, head.protocol].into_iter().enumerate() {
                if at > 0 && !piece.is_empty() {
                    out.push(b' ');
                }
                out.extend_from_slice(piece);
            }
        });
        store.set(List::Line, line);
    }
    let mut whole = target(store, head.target, separator, arguments);
    let mut content_type = Vec::new();
    for (name, value) in head.headers {
        let name_span = store.intern(name);
        let value_span = store.intern(trim(value));
        store.push(List::Headers, name_span, value_span);
        if name.eq_ignore_ascii_case(b"cookie") {
            whole &= cookies(store, value);
        } else if name.eq_ignore_ascii_case(b"content-type") && content_type.is_empty() {
            content_type = trim(value).to_vec();
        }
    }
    if store.wants(List::RemoteAddr) {
        store.set_bytes(List::RemoteAddr, head.peer.0.to_canonical().to_string().as_bytes());
    }
    store.set_number(List::RemotePort, usize::from(head.peer.1));
    store.set_bytes(List::UniqueId, head.unique_id.as_bytes());
    if store.wants(List::ServerName) {
        server_name(store);
    }
    (content_type, whole)
}

fn server_name(store: &mut Store) {
    let host = store.find(List::Headers, b"host").map(|e| store.bytes(e.value).to_vec()).unwrap_or_default();
    let end = memchr::memrchr(b':', &host).filter(|at| !sub(&host, *at, host.len()).contains(&b']'));
    store.set_bytes(List::ServerName, sub(&host, 0, end.unwrap_or(host.len())));
}

/// False if there are more arguments than rules see.
fn target(store: &mut Store, raw: &[u8], separator: u8, arguments: usize) -> bool {
    store.set_bytes(List::UriRaw, raw);
    let uri = without_authority(raw);
    store.set_bytes(List::Uri, uri);
    let question = memchr::memchr(b'?', uri);
    let path = sub(uri, 0, question.unwrap_or(uri.len()));
    // The reference's host decodes the path once before rules see it.
    if store.wants(List::Filename) || store.wants(List::Basename) {
        let filename = store.write(|out| percent_decode(path, out));
        store.set(List::Filename, filename);
        let decoded = store.bytes(filename);
        let base = memchr::memrchr2(b'/', b'\\', decoded).map_or(0, |at| at + 1);
        let basename = Span { start: filename.start.saturating_add(crate::bytes::len32(base)), end: filename.end };
        store.set(List::Basename, basename);
    }
    let query = question.map_or(&[][..], |at| sub(uri, at + 1, uri.len()));
    let query = sub(query, 0, memchr::memchr(b'#', query).unwrap_or(query.len()));
    store.set_bytes(List::Query, query);
    // Too many are its only error. That the rest is in `QUERY_STRING` helps no rule about arguments.
    urlencoded::arguments(query, separator, arguments, List::ArgsGet, store).is_ok()
}

/// The path and query of a target in absolute form (RFC 9112 section 3.2.2); any other form as it is.
fn without_authority(raw: &[u8]) -> &[u8] {
    let scheme = raw.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')).count();
    if scheme == 0 || sub(raw, scheme, scheme + 3) != b"://" {
        return raw;
    }
    let rest = sub(raw, scheme + 3, raw.len());
    let path = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    if path == rest.len() { b"/" } else { sub(rest, path, rest.len()) }
}

/// False if there are more cookies than rules see.
fn cookies(store: &mut Store, value: &[u8]) -> bool {
    for piece in value.split(|b| *b == b';') {
        let piece = trim(piece);
        if piece.is_empty() {
            continue;
        }
        if store.list(List::Cookies).len() >= COOKIES {
            return false;
        }
        let at = memchr::memchr(b'=', piece).unwrap_or(piece.len());
        let name = store.intern(trim(sub(piece, 0, at)));
        let value = store.intern(trim(sub(piece, at + 1, piece.len())));
        store.push(List::Cookies, name, value);
    }
    true
}

/// Fills the store.
pub(super) fn response(store: &mut Store, head: &ResponseHead<'_>) {
    store.set_number(List::ResponseStatus, usize::from(head.status));
    store.set_bytes(List::ResponseProtocol, head.protocol);
    for (name, value) in head.headers {
        let name_span = store.intern(name);
        let value_span = store.intern(trim(value));
        store.push(List::ResponseHeaders, name_span, value_span);
        if name.eq_ignore_ascii_case(b"content-type") {
            store.set(List::ResponseType, value_span);
        } else if name.eq_ignore_ascii_case(b"content-length") {
            store.set(List::ResponseLength, value_span);
        }
    }
}
