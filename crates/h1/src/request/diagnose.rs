//! Which rule a refused head breaks. Runs only after the fast parser said no, so it may take its time.

use super::is_token;
use crate::{HeadError, HeadLimits};

/// The first rule that the head of a request breaks.
pub(super) fn request(raw: &[u8], limits: &HeadLimits) -> HeadError {
    let (first, rest) = cut_line(raw);
    if let Some(error) = request_line(first) {
        return error;
    }
    fields(rest, limits.fields_max).unwrap_or(HeadError::RequestLine)
}

fn request_line(line: &[u8]) -> Option<HeadError> {
    if let Some(error) = stray(line) {
        return Some(error);
    }
    let mut parts = line.split(|byte| *byte == b' ');
    let (method, target, version) = (parts.next()?, parts.next(), parts.next());
    if !is_token(method) {
        return Some(HeadError::Method);
    }
    let (Some(target), Some(version), None) = (target, version, parts.next()) else {
        return Some(HeadError::RequestLine);
    };
    if target.is_empty() {
        return Some(HeadError::RequestLine);
    }
    if is_bad_target(target) {
        return Some(HeadError::Target);
    }
    match version {
        b"HTTP/1.1" | b"HTTP/1.0" => None,
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
            Some(HeadError::VersionUnsupported)
        }
        _ => Some(HeadError::Version),
    }
}

/// Controls, white space and DEL never stand in a target; what else may is decided where it is made canonical.
pub(crate) fn is_bad_target(target: &[u8]) -> bool {
    target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f)
}

/// The first rule that the field lines of either kind of head break.
pub(crate) fn fields(mut rest: &[u8], fields_max: usize) -> Option<HeadError> {
    let mut count = 0usize;
    while !rest.is_empty() {
        let (line, tail) = cut_line(rest);
        rest = tail;
        if line.is_empty() {
            return None;
        }
        count += 1;
        if count > fields_max {
            return Some(HeadError::TooManyFields);
        }
        if let Some(error) = field(line) {
            return Some(error);
        }
    }
    None
}

fn field(line: &[u8]) -> Option<HeadError> {
    if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
        return Some(HeadError::FoldedLine);
    }
    if let Some(error) = stray(line) {
        return Some(error);
    }
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Some(HeadError::NoColon);
    };
    let name = line.get(..colon).unwrap_or_default();
    if name.is_empty() {
        return Some(HeadError::EmptyName);
    }
    if name.last().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
        return Some(HeadError::BlankBeforeColon);
    }
    if is_token(name) { None } else { Some(HeadError::Name) }
}

fn stray(line: &[u8]) -> Option<HeadError> {
    line.iter().find_map(|byte| match byte {
        b'\r' => Some(HeadError::BareCarriageReturn),
        b'\t' => None,
        0..=0x1f | 0x7f => Some(HeadError::Control),
        _ => None,
    })
}

/// Splits at the first CRLF, which belongs to neither part.
fn cut_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memmem::find(bytes, b"\r\n") {
        Some(at) => (bytes.get(..at).unwrap_or_default(), bytes.get(at + 2..).unwrap_or_default()),
        None => (bytes, &[]),
    }
}
