//! Where a body ends: decided once from the head (RFC 9112 section 6.3), and refused where two answers are possible.

use crate::field::members;
use crate::{Fields, HeadError, Known, Version};

/// How a body is delimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    #[default]
    None,
    /// Exactly so many bytes; zero is a body that is there and empty.
    Length(u64),
    /// Chunks (RFC 9112 section 7.1).
    Chunked,
    /// Until the connection closes; answers only.
    UntilClose,
}

/// What the fields of either kind of message say about its body.
pub(crate) fn declared(fields: Fields<'_>, version: Version) -> Result<Framing, HeadError> {
    let mut length = None;
    let mut chunked = false;
    for field in fields.iter() {
        if field.known == Known::ContentLength {
            if length.replace(decimal(field.value)?).is_some() {
                return Err(HeadError::LengthRepeated);
            }
        } else if field.known == Known::TransferEncoding {
            if chunked {
                return Err(HeadError::CodingRepeated);
            }
            chunked = is_exactly_chunked(field.value)?;
        } else if field.known == Known::Other && is_lookalike(field.name) {
            return Err(HeadError::FramingLookalike);
        }
    }
    match (length, chunked) {
        (Some(_), true) => Err(HeadError::LengthWithCoding),
        (None, true) if version == Version::Http10 => Err(HeadError::CodingInOldVersion),
        (None, true) => Ok(Framing::Chunked),
        (Some(bytes), false) => Ok(Framing::Length(bytes)),
        (None, false) => Ok(Framing::None),
    }
}

/// Digits only: no sign, no blank, no list, no overflow.
fn decimal(value: &[u8]) -> Result<u64, HeadError> {
    if value.is_empty() {
        return Err(HeadError::LengthMalformed);
    }
    value.iter().try_fold(0u64, |sum, byte| {
        if !byte.is_ascii_digit() {
            return Err(HeadError::LengthMalformed);
        }
        sum.checked_mul(10).and_then(|sum| sum.checked_add(u64::from(byte - b'0'))).ok_or(HeadError::LengthMalformed)
    })
}

fn is_exactly_chunked(value: &[u8]) -> Result<bool, HeadError> {
    if value.eq_ignore_ascii_case(b"chunked") { Ok(true) } else { Err(HeadError::CodingUnknown) }
}

/// Servers that map `_` to `-`, or cut names at odd bytes, would take these for fields that frame a message.
fn is_lookalike(name: &[u8]) -> bool {
    let same = |plain: &[u8]| {
        name.len() == plain.len()
            && name
                .iter()
                .zip(plain)
                .all(|(have, want)| have.eq_ignore_ascii_case(want) || (*want == b'-' && !have.is_ascii_alphanumeric()))
    };
    matches!(name.len(), 14 | 17) && (same(b"content-length") || same(b"transfer-encoding"))
}

/// Whether the connection stays open after this message (RFC 9112 section 9.3).
pub(crate) fn keeps_alive(fields: Fields<'_>, version: Version) -> bool {
    let mut keep = version == Version::Http11;
    for value in fields.all(Known::Connection) {
        for member in members(value) {
            if member.eq_ignore_ascii_case(b"close") {
                return false;
            }
            keep |= member.eq_ignore_ascii_case(b"keep-alive");
        }
    }
    keep
}
