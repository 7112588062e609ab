//! Values inside values, for rules that look at `DERIVED`: JSON that a body, an argument or a cookie holds without saying
//! so, strings of GraphQL documents, and text in base64. What nobody reads isn't made.

use super::{BodyLimits, Processor, json};
use crate::bytes::{at, sub};
use crate::store::{List, Span, Store};
use crate::transform::Transform;

/// LIMIT: bytes of all derived values of a request; what they are made of is looked at as it came in any case.
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
    let mut made = 0;
    let mut text = Vec::new();
    for number in 0..store.list(list).len() {
        let Some(entry) = store.list(list).get(number).copied() else { break };
        if !has_room(store, limits) || made > BYTES {
            return false;
        }
        let value = store.bytes(entry.value);
        let kind = match value.first() {
            Some(b'{' | b'[') if is_query(store.bytes(entry.name)) => Kind::GraphQl,
            Some(b'{' | b'[') => Kind::Json,
            Some(_) if is_query(store.bytes(entry.name)) => Kind::GraphQl,
            Some(byte) if byte.is_ascii_alphanumeric() => Kind::Base64,
            Some(_) | None => continue,
        };
        text.clear();
        match kind {
            Kind::Base64 => {
                if base64_text(value, &mut text) {
                    made += text.len();
                    add(store, entry.name, &text);
                }
            }
            Kind::Json | Kind::GraphQl => {
                text.extend_from_slice(value);
                made += text.len();
                if kind == Kind::Json {
                    json(store, &text, limits);
                } else {
                    graphql(store, entry.name, &text, limits);
                }
            }
        }
    }
    has_room(store, limits) && made <= BYTES
}

fn has_room(store: &Store, limits: BodyLimits) -> bool {
    store.list(List::Derived).len() < limits.arguments
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    GraphQl,
    Base64,
}

/// Adds what a body holds that no processor took apart, because its type says something else or nothing. False as above.
pub(crate) fn body(store: &mut Store, body: &[u8], processor: Option<Processor>, limits: BodyLimits) -> bool {
    if processor.is_some() || !store.wants(List::Derived) {
        return true;
    }
    let start = body.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(body.len());
    // A byte order mark is no part of the text, and some servers skip it.
    let text = sub(body, start, body.len());
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    if matches!(text.first(), Some(b'{' | b'[' | b'"')) {
        json(store, text, limits);
        graphql(store, Span::default(), text, limits);
    }
    has_room(store, limits)
}

/// What of it is JSON counts, also where it breaks off.
fn json(store: &mut Store, text: &[u8], limits: BodyLimits) {
    let broken = json::read_into(text, limits, List::Derived, store);
    drop(broken);
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
fn graphql(store: &mut Store, name: Span, document: &[u8], limits: BodyLimits) {
    let mut i = 0;
    let mut text = Vec::new();
    while i < document.len() && has_room(store, limits) {
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
            let block = sub(document, i + 2, document.len());
            let end = memchr::memmem::find(block, b"\"\"\"").unwrap_or(block.len());
            text.extend_from_slice(sub(block, 0, end));
            i += 2 + end + 3;
        } else {
            // The string ends where one of JSON ends; a broken one is looked at as far as it goes.
            i += json::string(sub(document, i, document.len()), &mut text);
        }
        if !text.is_empty() {
            add(store, name, &text);
        }
    }
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

#[cfg(test)]
mod tests;
