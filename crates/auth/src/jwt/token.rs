//! A token taken apart: nothing in it is believed before its signature has been verified.

use super::check::{Check, JwtError};
use crate::strict_json;
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

// LIMIT: bytes of a token. Larger ones do not fit into the header limits of common servers either.
pub(super) const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Base64url without padding and with canonical last bits: one text for one value.
const STRICT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

/// A token in its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// The header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}

// === impl Token ===

impl Token {
    /// A claim that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        text(&self.claims, name)
    }

    /// A claim that is a NumericDate.
    #[must_use]
    pub fn seconds(&self, name: &str) -> Option<u64> {
        self.claims.get(name).and_then(seconds)
    }
}

/// A NumericDate (RFC 7519 section 2): seconds since 1970, not before it; a fraction is cut off.
pub(crate) fn seconds(value: &Value) -> Option<u64> {
    let number = value.as_number()?;
    number.as_u64().or_else(|| {
        let float = number.as_f64().filter(|float| (0.0..9.0e15).contains(float))?;
        float.trunc().to_string().parse().ok()
    })
}

/// The parts that the signature is about.
#[derive(Clone, Debug)]
pub(crate) struct Compact<'a> {
    pub(crate) header: Map<String, Value>,
    pub(crate) signed: &'a [u8],
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

// === impl Compact ===

impl<'a> Compact<'a> {
    /// Splits the compact form (RFC 7515 section 7.1).
    pub(crate) fn split(text: &'a str) -> Result<Self, JwtError> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(JwtError(Check::Size));
        }
        let form = || JwtError(Check::Form);
        let (signed, signature) = text.rsplit_once('.').ok_or_else(form)?;
        let (header, payload) = signed.split_once('.').ok_or_else(form)?;
        if payload.contains('.') || signature.is_empty() {
            return Err(form());
        }
        let header = decode(header).ok_or_else(form)?;
        let payload = decode(payload).ok_or_else(form)?;
        let signature = decode(signature).ok_or_else(form)?;
        let header = strict_json::object(&header).ok_or(JwtError(Check::Header))?;
        Ok(Self { header, signed: signed.as_bytes(), payload, signature })
    }
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STRICT.decode(text).ok()
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    STRICT.encode(bytes)
}

/// A member that is a text.
pub(crate) fn text<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    map.get(name).and_then(Value::as_str)
}
