//! What is stored of a key, and whether it opens this door now.

use super::text::KeyText;
use std::net::IpAddr;

/// The key of the hash under which secrets are stored; it lives in a file of its own.
#[derive(Clone)]
pub struct Pepper([u8; 32]);

/// What is stored instead of a secret. Comparing two takes the same time wherever they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyDigest(blake3::Hash);

/// A key as the store knows it.
#[derive(Clone, Debug)]
pub struct KeyRecord {
    /// The key's public part.
    pub id: String,
    /// The digest of its secret.
    pub digest: KeyDigest,
    /// Who holds it.
    pub owner: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// As whom.
    pub roles: Vec<String>,
    /// Seconds since 1970 after which it opens nothing; `None` never ends.
    pub expires_at: Option<u64>,
    /// When it was revoked.
    pub revoked_at: Option<u64>,
    /// The APIs that it is for; empty means all.
    pub apis: Vec<String>,
    /// The networks that it may come from, address and prefix length; empty means all.
    pub networks: Vec<(IpAddr, u8)>,
}

/// Why a key that is well-formed opens nothing. The caller is told none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The secret is another one.
    Secret,
    /// It was revoked.
    Revoked,
    /// Its time is over.
    Expired,
    /// It is for other APIs.
    Api,
    /// It comes from a network that it may not come from.
    Network,
}

// === impl Pepper ===

impl Pepper {
    /// Takes 32 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What is stored of a key. The id goes in as well, so that a digest cannot be moved to another record.
    #[must_use]
    pub fn digest(&self, key: &KeyText) -> KeyDigest {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(key.id().as_bytes()).update(b"_").update(key.secret().as_bytes());
        KeyDigest(hasher.finalize())
    }
}

impl std::fmt::Debug for Pepper {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Pepper")
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
    /// Whether the key opens `api` for a caller at `address` at `now` (seconds since 1970). The secret is compared
    /// first, so that whoever has only an id learns nothing else about it.
    ///
    /// # Errors
    /// The first thing that keeps the door closed.
    pub fn admits(&self, pepper: &Pepper, key: &KeyText, api: &str, address: IpAddr, now: u64) -> Result<(), Refused> {
        if pepper.digest(key) != self.digest {
            return Err(Refused::Secret);
        }
        if self.revoked_at.is_some() {
            return Err(Refused::Revoked);
        }
        if self.expires_at.is_some_and(|end| now >= end) {
            return Err(Refused::Expired);
        }
        if !self.apis.is_empty() && !self.apis.iter().any(|name| name == api) {
            return Err(Refused::Api);
        }
        if !self.networks.is_empty() && !self.networks.iter().any(|network| holds(*network, address)) {
            return Err(Refused::Network);
        }
        Ok(())
    }
}

/// Whether a network holds an address. An IPv4 address that comes mapped into IPv6 is the IPv4 address.
fn holds((network, length): (IpAddr, u8), address: IpAddr) -> bool {
    match (network.to_canonical(), address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let shift = 32u32.checked_sub(u32::from(length));
            shift.is_some_and(|shift| (network.to_bits() ^ address.to_bits()).checked_shr(shift).unwrap_or(0) == 0)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let shift = 128u32.checked_sub(u32::from(length));
            shift.is_some_and(|shift| (network.to_bits() ^ address.to_bits()).checked_shr(shift).unwrap_or(0) == 0)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}
