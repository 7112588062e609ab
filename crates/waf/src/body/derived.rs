//! Values inside values, for rules that look at `DERIVED`: JSON that a body, an argument or a cookie holds without saying
//! so, strings of GraphQL documents, and text in base64. What nobody reads isn't made.

use super::{BodyLimits, Processor, json, kind_of};
use crate::bytes::{at, percent_decode, sub};
use crate::store::{List, Span, Store};
use crate::transform::Transform;

/// LIMIT: bytes of all derived values of a request, of its head and its body together; what they are made of is looked
/// at as it came in any case.
const BYTES: usize = 4 << 20;
/// The shortest base64 that is undone: shorter ones hold no attack.
const BASE64_BYTES: usize = 12;
/// How much of it must be text before the rest is undone.
const PROBE_BYTES: usize = 8;

/// Adds what the values of a list hold. False if there is more of it than there is room for: what wasn't looked at must
/// not go by.
pub(crate) fn arguments(store: &mut Store, list: List, limits: BodyLimits) -> bool {
    if !store.wants(List::Derived) {
        return true;
    }
    let mut whole = true;
    let mut room = Room::new(limits);
    let (mut text, mut decoded, mut undone) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..store.list(list).len() {
        let Some(entry) = store.list(list).get(number).copied() else { break };
        if !room.is_left(store) {
            return false;
        }
        let value = store.bytes(entry.value);
        let value = start(if list == List::Cookies { cookie(value, &mut decoded) } else { value });
        // The views don't rule each other out: `query` may hold a document, JSON, or base64.
        let is_document = is_query(store.bytes(entry.name));
        let is_json = matches!(value.first(), Some(b'{' | b'['));
        let is_base64 = value.first().is_some_and(u8::is_ascii_alphanumeric) && base64_text(value, &mut undone);
        if is_document || is_json {
            text.clear();
            text.extend_from_slice(value);
        }
        if is_base64 {
            add(store, entry.name, &undone);
        }
        if is_document {
            graphql(store, entry.name, &text, &mut room);
        }
        if is_json {
            whole &= json::derive(&text, limits, store);
        }
    }
    whole && room.is_left(store)
}

/// A text from its first byte that counts: a byte order mark is no part of it, and some servers skip it.
fn start(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_start();
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start()
}

/// A cookie as its reader takes it: they are kept as they came, and who puts JSON into one encodes it, quotes it
/// (RFC 6265 section 4.1.1), or writes `j:` before it.
fn cookie<'v>(value: &'v [u8], decoded: &'v mut Vec<u8>) -> &'v [u8] {
    let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    let mut value = quoted.unwrap_or(value);
    if memchr::memchr(b'%', value).is_some() {
        decoded.clear();
        percent_decode(value, decoded);
        value = decoded;
    }
    value.strip_prefix(b"j:").unwrap_or(value)
}

/// How many of the derived values have been counted, and their bytes.
struct Room {
    limits: BodyLimits,
    values: usize,
    bytes: usize,
}

/// Adds what a body holds that no processor takes apart, because its type says something else or nothing. False as above.
pub(crate) fn body(
    store: &mut Store,
    body: &[u8],
    (processor, content_type): (Option<Processor>, &[u8]),
    limits: BodyLimits,
) -> bool {
    if processor.is_some() || !store.wants(List::Derived) {
        return true;
    }
    let text = start(body);
    let mut whole = true;
    let json = matches!(text.first(), Some(b'{' | b'[' | b'"'));
    if json {
        whole = json::derive(text, limits, store);
    }
    // A body of this type is a document, without JSON around it.
    let mut room = Room::new(limits);
    if json || kind_of(content_type).eq_ignore_ascii_case(b"application/graphql") {
        graphql(store, Span::default(), text, &mut room);
    }
    whole && room.is_left(store)
}

fn add(store: &mut Store, name: Span, value: &[u8]) {
    let value = store.intern(value);
    store.push(List::Derived, name, value);
}

/// Whether the argument is where GraphQL has its document: `query`, or `json.query`, also of a batch.
fn is_query(name: &[u8]) -> bool {
    let last = memchr::memrchr(b'.', name).map_or(0, |dot| dot + 1);
    sub(name, last, name.len()) == b"query"
}

/// The strings of a GraphQL document (GraphQL October 2021, section 2.9.4), unescaped.
fn graphql(store: &mut Store, name: Span, document: &[u8], room: &mut Room) {
    let mut i = 0;
    let mut text = Vec::new();
    while i < document.len() && room.is_left(store) {
        let rest = sub(document, i, document.len());
        let Some(next) = memchr::memchr2(b'"', b'#', rest) else { return };
        i += next + 1;
        if at(rest, next) == b'#' {
            let line = sub(document, i, document.len());
            i += line.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(line.len());
            continue;
        }
        text.clear();
        if sub(document, i, i + 2) == b"\"\"" {
            i += 2 + block_string(sub(document, i + 2, document.len()), &mut text);
        } else {
            // The string ends where one of JSON ends; a broken one is looked at as far as it goes.
            i += json::string(sub(document, i, document.len()), &mut text);
        }
        if !text.is_empty() {
            add(store, name, &text);
        }
    }
}

/// Appends what stands up to a block string's closing quotes, where `\"""` is three of the text's own; says where it ends.
fn block_string(block: &[u8], out: &mut Vec<u8>) -> usize {
    let mut from = 0;
    while let Some(found) = memchr::memmem::find(sub(block, from, block.len()), b"\"\"\"") {
        let text = sub(block, from, from + found);
        from += found + 3;
        match text.strip_suffix(b"\\") {
            Some(text) => {
                out.extend_from_slice(text);
                out.extend_from_slice(b"\"\"\"");
            }
            None => {
                out.extend_from_slice(text);
                return from;
            }
        }
    }
    out.extend_from_slice(sub(block, from, block.len()));
    block.len()
}

/// Undoes base64 of either alphabet if text comes out.
fn base64_text(value: &[u8], out: &mut Vec<u8>) -> bool {
    let mut end = value.len();
    while end > value.len().saturating_sub(2) && at(value, end.wrapping_sub(1)) == b'=' {
        end -= 1;
    }
    let digits = sub(value, 0, end);
    if value.len() < BASE64_BYTES || digits.len() % 4 == 1 {
        return false;
    }
    let probe = sub(digits, 0, PROBE_BYTES);
    (decode(probe, out) && is_text(out)) && (probe.len() == digits.len() || (decode(digits, out) && is_text(out)))
}

fn is_text(bytes: &[u8]) -> bool {
    // A character may be cut off where the probe ends.
    let whole = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(e) => e.error_len().is_none(),
    };
    whole && bytes.iter().all(|b| *b >= 0x20 || matches!(b, b'\t' | b'\r' | b'\n'))
}

/// Either alphabet (RFC 4648 sections 4 and 5); false if there is anything else.
fn decode(digits: &[u8], out: &mut Vec<u8>) -> bool {
    if digits.iter().any(|b| matches!(b, b'-' | b'_')) {
        let same = |b: &u8| match b {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        };
        let plain: Vec<u8> = digits.iter().map(same).collect();
        Transform::Base64Decode.apply(&plain, out);
    } else {
        Transform::Base64Decode.apply(digits, out);
    }
    // It stops at what isn't of its alphabet.
    out.len() == digits.len() * 6 / 8
}

// === impl Room ===

impl Room {
    fn new(limits: BodyLimits) -> Self {
        Self { limits, values: 0, bytes: 0 }
    }

    /// Whether more may be made. Counts what the request has had made so far, each value once.
    fn is_left(&mut self, store: &Store) -> bool {
        let made = store.list(List::Derived);
        self.bytes += made.iter().skip(self.values).map(|entry| entry.value.len()).sum::<usize>();
        self.values = made.len();
        made.len() < self.limits.arguments && self.bytes <= BYTES
    }
}

#[cfg(test)]
mod tests;
