//! The text of a key: made once, shown once, recognised ever after.

use super::base62::{self, is_digit};
use std::fmt;

/// Random bytes that a key takes: 8 for its id, 32 for its secret.
pub const ENTROPY_BYTES: usize = 40;
const ID_DIGITS: usize = 11;
/// 43 digits of base 62 hold 256 bits.
const SECRET_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;
// LIMIT: letters of a prefix.
const PREFIX_MAX: usize = 16;

/// A key in its parts. It does not print its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText {
    whole: String,
    prefix: usize,
}

/// Why a text is no key of ours. Nothing has been looked up when this is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Another prefix, or none.
    Prefix,
    /// Not the parts or digits of a key.
    Form,
    /// The checksum is another one: a typing error, or a made-up key.
    Checksum,
}

// === impl KeyText ===

impl KeyText {
    /// Makes a key from random bytes.
    ///
    /// # Errors
    /// A prefix that is not 1 to 16 lower-case letters or digits.
    pub fn mint(prefix: &str, entropy: &[u8; ENTROPY_BYTES]) -> Result<Self, KeyError> {
        let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if prefix.is_empty() || prefix.len() > PREFIX_MAX || !prefix.bytes().all(valid) {
            return Err(KeyError::Prefix);
        }
        let (id, secret) = entropy.split_at(ENTROPY_BYTES - 32);
        let body = format!("{prefix}_{}_{}", base62::encode(id, ID_DIGITS), base62::encode(secret, SECRET_DIGITS));
        let whole = format!("{body}_{}", checksum(&body));
        Ok(Self { whole, prefix: prefix.len() })
    }

    /// Recognises a key of this prefix.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(prefix: &str, text: &str) -> Result<Self, KeyError> {
        let rest = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or(KeyError::Prefix)?;
        if rest.len() != ID_DIGITS + SECRET_DIGITS + CHECKSUM_DIGITS + 2 {
            return Err(KeyError::Form);
        }
        let mut parts = rest.split('_');
        for digits in [ID_DIGITS, SECRET_DIGITS, CHECKSUM_DIGITS] {
            let part = parts.next().ok_or(KeyError::Form)?;
            if part.len() != digits || !part.bytes().all(is_digit) {
                return Err(KeyError::Form);
            }
        }
        let (body, sum) = text.rsplit_once('_').ok_or(KeyError::Form)?;
        if checksum(body) != sum {
            return Err(KeyError::Checksum);
        }
        // Eleven digits hold a little more than 64 bits; what is beyond was never minted.
        let id = rest.get(..ID_DIGITS).and_then(base62::decode);
        id.ok_or(KeyError::Form)?;
        Ok(Self { whole: text.to_owned(), prefix: prefix.len() })
    }

    /// The public part: names the record, may stand in logs.
    #[must_use]
    pub fn id(&self) -> &str {
        self.whole.get(self.prefix + 1..self.prefix + 1 + ID_DIGITS).unwrap_or_default()
    }

    /// The number that the public part writes, under which the record is kept.
    #[must_use]
    pub fn number(&self) -> u64 {
        base62::decode(self.id()).unwrap_or(u64::MAX)
    }

    /// The public part of the key of this number.
    #[must_use]
    pub fn id_of(number: u64) -> String {
        base62::encode(&number.to_be_bytes(), ID_DIGITS)
    }

    /// The number of a public part, as people copy it from a list.
    #[must_use]
    pub fn number_of(id: &str) -> Option<u64> {
        if id.len() == ID_DIGITS { base62::decode(id) } else { None }
    }

    /// The secret part, for the digest only.
    pub(super) fn secret(&self) -> &str {
        let start = self.prefix + ID_DIGITS + 2;
        self.whole.get(start..start + SECRET_DIGITS).unwrap_or_default()
    }

    /// The whole key, to be shown once to whoever asked for it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.whole
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyText({})", self.id())
    }
}

/// How long a key of this prefix is.
pub(super) fn length_of(prefix: &str) -> usize {
    prefix.len() + ID_DIGITS + SECRET_DIGITS + CHECKSUM_DIGITS + 3
}

fn checksum(body: &str) -> String {
    base62::encode(&crc32(body.as_bytes()).to_be_bytes(), CHECKSUM_DIGITS)
}

/// CRC-32 of IEEE 802.3, reflected; found here against typing errors, not against attackers.
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
        }
    }
    !sum
}

// === impl KeyError ===

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Prefix => "the key has another prefix",
            Self::Form => "the key does not have the form of one",
            Self::Checksum => "the key's checksum is wrong",
        })
    }
}

impl std::error::Error for KeyError {}
