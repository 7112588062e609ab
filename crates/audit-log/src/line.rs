//! One line of a segment: 64 digits of its hash, a blank, its payload, a line feed.

use crate::PAYLOAD_BYTES_MAX;
use aws_lc_rs::digest::{Context, SHA256};
use std::fmt;

/// LIMIT: bytes of a line, its end included.
pub(crate) const LINE_BYTES_MAX: usize = DIGITS + 1 + PAYLOAD_BYTES_MAX + 1;
const DIGITS: usize = 64;

/// What a line says about itself and all lines before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hash([u8; 32]);

/// A line in its parts, as it stands; whether the hash is right is another question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) hash: Hash,
    pub(crate) payload: &'a [u8],
}

// === impl Hash ===

impl Hash {
    /// Of a payload that follows a line with this hash.
    pub(crate) fn after(self, payload: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&self.0);
        context.update(payload);
        Self::of(context.finish().as_ref())
    }

    fn of(digest: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
        Self(bytes)
    }

    /// From its digits; small letters only, so that a hash has one spelling.
    pub(crate) fn parse(digits: &[u8]) -> Option<Self> {
        parse(digits).map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&spell(&self.0))
    }
}

// === impl Line ===

impl<'a> Line<'a> {
    /// The line for a payload after a line with this hash.
    pub(crate) fn spell(before: Hash, payload: &str) -> (Hash, String) {
        let hash = before.after(payload.as_bytes());
        (hash, format!("{hash} {payload}\n"))
    }

    /// From its bytes, its end included.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (digits, rest) = bytes.split_at_checked(DIGITS)?;
        let payload = rest.strip_prefix(b" ")?.strip_suffix(b"\n")?;
        Some(Self { hash: Hash::parse(digits)?, payload })
    }
}

/// Bytes as digits.
pub(crate) fn spell(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As many bytes as these digits have to be.
pub(crate) fn parse<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}
