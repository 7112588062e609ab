//! Where a body ends: decided once from the head (RFC 9112 section 6.3), and refused where two answers are possible.

use crate::field::members;
use crate::{Fields, HeadError, Known, Version};

// LIMIT: members of all Connection fields. Each is compared with every field line when a head is forwarded.
const CONNECTION_MEMBERS_MAX: usize = 32;

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
        } else if field.known == Known::Other && imitates_framing(field.name) {
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

/// Servers that map other marks to `-` would take these for fields that frame a message.
fn imitates_framing(name: &[u8]) -> bool {
    matches!(Known::imitated_by(name), Known::ContentLength | Known::TransferEncoding)
}

/// Whether the connection stays open after this message (RFC 9112 section 9.3).
pub(crate) fn keeps_alive(fields: Fields<'_>, version: Version) -> Result<bool, HeadError> {
    let (mut keep, mut close) = (version == Version::Http11, false);
    for (index, member) in fields.all(Known::Connection).flat_map(members).enumerate() {
        if index >= CONNECTION_MEMBERS_MAX {
            return Err(HeadError::TooManyFields);
        }
        close |= member.eq_ignore_ascii_case(b"close");
        keep |= member.eq_ignore_ascii_case(b"keep-alive");
    }
    Ok(keep && !close)
}
