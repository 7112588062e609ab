//! What is stored of a key, and whether it opens this door now.

use super::text::KeyText;
use crate::network::Network;
use std::fmt;
use std::net::IpAddr;

/// The key of the hash under which secrets are stored; it lives in a file of its own, and has a number, so that a new
/// one can be used for new keys while the old one still verifies.
#[derive(Clone)]
pub struct Pepper {
    number: u32,
    bytes: [u8; 32],
}

/// The hashing keys that are in use; the last one hashes new keys.
#[derive(Clone, Debug)]
pub struct Peppers {
    current: Pepper,
    earlier: Vec<Pepper>,
}

/// What is stored instead of a secret. Comparing two takes the same time wherever they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyDigest(blake3::Hash);

/// A key as the store knows it. When it was last used is kept beside it, because that changes far more often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The number that the key's public part writes.
    pub number: u64,
    /// Which hashing key made the digest.
    pub pepper: u32,
    /// The digest of its secret.
    pub digest: KeyDigest,
    /// Who holds it: the consumer's id.
    pub consumer: String,
    /// The consumer's name.
    pub username: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// As whom.
    pub roles: Vec<String>,
    /// Seconds since 1970 when it was made.
    pub created_at: u64,
    /// Seconds since 1970 after which it opens nothing; `None` never ends.
    pub expires_at: Option<u64>,
    /// When it was revoked.
    pub revoked_at: Option<u64>,
    /// The key that takes its place; it still opens until `expires_at`.
    pub rotated_to: Option<u64>,
    /// The APIs that it is for; empty means all.
    pub apis: Vec<String>,
    /// The networks that it may come from; empty means all.
    pub networks: Vec<Network>,
}

/// Why a key that is well-formed opens nothing. The caller is told none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nobody holds it.
    Unknown,
    /// The secret is another one.
    Secret,
    /// The hashing key of its digest is gone, so that nobody can tell.
    Pepper,
    /// It was revoked.
    Revoked,
    /// Its time is over.
    Expired,
    /// It is for other APIs.
    Api,
    /// It comes from a network that it may not come from.
    Network,
}

/// Where and when a key is shown.
#[derive(Clone, Copy, Debug)]
pub struct Door<'a> {
    /// The API that is called.
    pub api: &'a str,
    /// Who calls.
    pub address: IpAddr,
    /// Seconds since 1970.
    pub now: u64,
}

// === impl Pepper ===

impl Pepper {
    /// Takes 32 random bytes under a number.
    #[must_use]
    pub const fn new(number: u32, bytes: [u8; 32]) -> Self {
        Self { number, bytes }
    }

    /// The number under which records name it.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The bytes, for the file that they live in.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// What is stored of a key. The id goes in as well, so that a digest cannot be moved to another record.
    #[must_use]
    pub fn digest(&self, key: &KeyText) -> KeyDigest {
        let mut hasher = blake3::Hasher::new_keyed(&self.bytes);
        hasher.update(key.id().as_bytes()).update(b"_").update(key.secret().as_bytes());
        KeyDigest(hasher.finalize())
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pepper({})", self.number)
    }
}

// === impl Peppers ===

impl Peppers {
    /// One hashing key, and those before it.
    #[must_use]
    pub const fn new(current: Pepper, earlier: Vec<Pepper>) -> Self {
        Self { current, earlier }
    }

    /// The one that hashes new keys.
    #[must_use]
    pub const fn current(&self) -> &Pepper {
        &self.current
    }

    /// Those that only verify.
    #[must_use]
    pub fn earlier(&self) -> &[Pepper] {
        &self.earlier
    }

    /// The one of this number.
    #[must_use]
    pub fn find(&self, number: u32) -> Option<&Pepper> {
        std::iter::once(&self.current).chain(&self.earlier).find(|pepper| pepper.number == number)
    }
}

// === impl KeyDigest ===

impl KeyDigest {
    /// The stored form.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// From the stored form.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(blake3::Hash::from_bytes(bytes))
    }
}

// === impl KeyRecord ===

impl KeyRecord {
    /// A record of this key for a consumer, without further rights or limits.
    #[must_use]
    pub fn new(key: &KeyText, pepper: &Pepper, consumer: &str, created_at: u64) -> Self {
        Self {
            number: key.number(),
            pepper: pepper.number(),
            digest: pepper.digest(key),
            consumer: consumer.to_owned(),
            username: consumer.to_owned(),
            scopes: Vec::new(),
            roles: Vec::new(),
            created_at,
            expires_at: None,
            revoked_at: None,
            rotated_to: None,
            apis: Vec::new(),
            networks: Vec::new(),
        }
    }

    /// Takes the place of another key: the same holder, rights and limits; the other one opens for `overlap_seconds` more
    /// at most. A key that is revoked already stays so.
    pub fn replace(&mut self, old: &mut Self, now: u64, overlap_seconds: u64) {
        let end = now.saturating_add(overlap_seconds);
        self.consumer.clone_from(&old.consumer);
        self.username.clone_from(&old.username);
        self.scopes.clone_from(&old.scopes);
        self.roles.clone_from(&old.roles);
        self.apis.clone_from(&old.apis);
        self.networks.clone_from(&old.networks);
        old.expires_at = Some(old.expires_at.map_or(end, |earlier| earlier.min(end)));
        old.rotated_to = Some(self.number);
    }
}
