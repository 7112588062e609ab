//! The key that seals checkpoints (Ed25519, RFC 8032), and its public half.

use crate::AuditLogError;
use crate::line::{Hash, parse, spell};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use std::fmt;
use std::str::FromStr;

/// The key that seals what was written so far.
pub struct SealKey(Ed25519KeyPair);

/// The half of it by which everybody can check a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

// === impl SealKey ===

impl SealKey {
    /// From 32 random bytes.
    ///
    /// # Errors
    /// When the library refuses them.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, AuditLogError> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| AuditLogError::Key)
    }

    /// Its public half.
    ///
    /// # Errors
    /// When the library gives another length than 32 bytes.
    pub fn public(&self) -> Result<PublicKey, AuditLogError> {
        self.0.public_key().as_ref().try_into().map(PublicKey).map_err(|_| AuditLogError::Key)
    }

    pub(crate) fn seal(&self, seq: u64, before: Hash, at: &str) -> String {
        spell(self.0.sign(sealed(seq, before, at).as_bytes()).as_ref())
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealKey(..)")
    }
}

// === impl PublicKey ===

impl PublicKey {
    pub(crate) fn opens(&self, seal: &str, seq: u64, before: Hash, at: &str) -> bool {
        let Some(signature) = parse::<64>(seal.as_bytes()) else { return false };
        UnparsedPublicKey::new(&ED25519, self.0).verify(sealed(seq, before, at).as_bytes(), &signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&spell(&self.0))
    }
}

impl FromStr for PublicKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text.as_bytes()).map(Self).ok_or("a public key is 64 hexadecimal digits in small letters")
    }
}

/// What is signed. It begins with words of its own, so that the key signs nothing that could be taken for something else.
fn sealed(seq: u64, before: Hash, at: &str) -> String {
    format!("portcullis audit log checkpoint\n{seq}\n{before}\n{at}\n")
}
