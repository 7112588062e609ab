//! Nonces for proofs (RFC 9449 section 9) without a table: each carries its time and a keyed hash of it, so that every
//! process with the same key knows them and none has to remember any.

use crate::bounded::keyed;
use crate::jwt::{decode, encode};
use aws_lc_rs::constant_time::verify_slices_are_equal;

/// Makes nonces and knows its own again.
#[derive(Clone)]
pub struct Nonces {
    key: [u8; 32],
    lifetime_seconds: u64,
}

// === impl Nonces ===

impl Nonces {
    /// Nonces under a random key that are good for this long.
    #[must_use]
    pub const fn new(key: [u8; 32], lifetime_seconds: u64) -> Self {
        Self { key, lifetime_seconds }
    }

    /// The nonce of now.
    #[must_use]
    pub fn issue(&self, now: u64) -> String {
        let time = now.to_be_bytes();
        let tag = keyed(&self.key, &[b"dpop-nonce", &time]);
        let whole: Vec<u8> = time.iter().chain(tag.iter().take(16)).copied().collect();
        encode(whole)
    }

    /// Whether a nonce is ours and not too old.
    #[must_use]
    pub fn knows(&self, nonce: &str, now: u64) -> bool {
        let Some(whole) = decode(nonce).filter(|whole| whole.len() == 24) else { return false };
        let Some((time, tag)) = whole.split_first_chunk::<8>() else { return false };
        let expected = keyed(&self.key, &[b"dpop-nonce", time]);
        let ours = expected.get(..16).is_some_and(|expected| verify_slices_are_equal(expected, tag).is_ok());
        let issued = u64::from_be_bytes(*time);
        ours && issued <= now && now - issued <= self.lifetime_seconds
    }
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Nonces({} s)", self.lifetime_seconds)
    }
}
