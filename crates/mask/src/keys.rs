//! What hashes and tokens are made with: keys drawn from one secret, so that none of them tells anything about another.

use std::fmt;

// LIMIT: bytes of the secret.
const SECRET_BYTES_MIN: usize = 32;

/// The keys of hashes and tokens.
#[derive(Clone)]
pub struct Keys {
    pub(crate) hash: [u8; 32],
    pub(crate) digits: [u8; 32],
    pub(crate) seal: [u8; 32],
    pub(crate) nonce: [u8; 32],
}

impl Keys {
    /// Draws them from a secret of at least 32 bytes; `None` if it is shorter.
    #[must_use]
    pub fn new(secret: &[u8]) -> Option<Self> {
        let draw = |purpose: &str| blake3::derive_key(purpose, secret);
        (secret.len() >= SECRET_BYTES_MIN).then(|| Self {
            hash: draw("portcullis 2026-11 mask hash"),
            digits: draw("portcullis 2026-11 mask digits"),
            seal: draw("portcullis 2026-11 mask seal"),
            nonce: draw("portcullis 2026-11 mask nonce"),
        })
    }

    /// What stands for a text: the same for the same text, and nothing that can be tried out without the key.
    pub(crate) fn hash(&self, text: &str) -> String {
        let hash = blake3::keyed_hash(&self.hash, text.as_bytes());
        let mut shown = String::from("h_");
        shown.push_str(hash.to_hex().get(..32).unwrap_or_default());
        shown
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keys")
    }
}
