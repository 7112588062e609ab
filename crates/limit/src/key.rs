//! What stands for a caller in a table: 128 bits of a keyed hash of its parts, and none of its text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use portcullis_types::siphash::SipHash;

#[cfg(test)]
mod tests;

/// One account's name. Never nought, so that a table can use nought for "nobody".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(u128);

/// How much of an address names its owner: the network that one customer of a provider gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefixes {
    /// Leading bits of an IPv4 address that count, at most 32.
    pub v4_bits: u8,
    /// Leading bits of an IPv6 address that count, at most 128.
    pub v6_bits: u8,
}

/// Makes keys. Workers that share a ledger must share the secret; a new secret forgets all accounts.
#[derive(Clone, Copy)]
pub struct KeyHasher {
    start: SipHash,
    prefixes: Prefixes,
}

/// Takes the parts of one key, in order. Parts cannot run into each other: ("ab", "c") is not ("a", "bc").
#[derive(Clone, Copy)]
pub struct KeyWriter {
    hash: SipHash,
    prefixes: Prefixes,
}

// === impl Key ===

impl Key {
    /// A key that somebody else hashed. Nought becomes one.
    #[must_use]
    pub const fn from_hash(hash: u128) -> Self {
        Self(if hash == 0 { 1 } else { hash })
    }

    /// The bits, for a shared store or a partition key on the wire.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// The half that a ledger compares. Two keys that agree in it share an account: stricter, never open.
    pub(crate) fn tag(self) -> u64 {
        self.half(0).max(1)
    }

    /// The half that chooses a place.
    pub(crate) fn home(self) -> usize {
        usize::try_from(self.half(64)).unwrap_or(0)
    }

    fn half(self, shift: u32) -> u64 {
        u64::try_from((self.0 >> shift) & u128::from(u64::MAX)).unwrap_or(u64::MAX)
    }
}

// === impl Prefixes ===

impl Default for Prefixes {
    /// A whole IPv4 address; an IPv6 /64, within which one host can choose freely (RFC 4291 section 2.5.1).
    fn default() -> Self {
        Self { v4_bits: 32, v6_bits: 64 }
    }
}

impl Prefixes {
    /// The network of an address. An IPv4 address mapped into IPv6 counts as the IPv4 address it is, or the same client
    /// would have two accounts.
    #[must_use]
    pub fn network(self, address: IpAddr) -> IpAddr {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let host_bits = 32_u32.saturating_sub(u32::from(self.v4_bits));
                let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
            }
            IpAddr::V6(v6) => {
                let host_bits = 128_u32.saturating_sub(u32::from(self.v6_bits));
                let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
        }
    }
}

// === impl KeyHasher ===

impl KeyHasher {
    /// `secret` is random and never leaves the gateways that share limits.
    #[must_use]
    pub fn new(secret: [u8; 16], prefixes: Prefixes) -> Self {
        let bits = u128::from_le_bytes(secret);
        let secret = Key(bits);
        Self { start: SipHash::new(secret.half(0), secret.half(64)), prefixes }
    }

    /// Begins a key.
    #[must_use]
    pub fn key(&self) -> KeyWriter {
        KeyWriter { hash: self.start, prefixes: self.prefixes }
    }
}

impl std::fmt::Debug for KeyHasher {
    /// Without the state, from which the secret follows.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyHasher").field("prefixes", &self.prefixes).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for KeyWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyWriter").finish_non_exhaustive()
    }
}

// === impl KeyWriter ===

impl KeyWriter {
    /// Adds a part: a consumer's id, a claim, a route's name.
    #[must_use]
    #[inline]
    pub fn part(mut self, part: &[u8]) -> Self {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        self.hash.write(&length.to_le_bytes());
        self.hash.write(part);
        // Up to a whole word, so that the next part is read word by word as well; the length told how much is text.
        let fill = part.len().next_multiple_of(8).saturating_sub(part.len());
        self.hash.write([0; 8].get(..fill).unwrap_or_default());
        self
    }

    /// Adds an address, as the network it belongs to.
    #[must_use]
    pub fn address(self, address: IpAddr) -> Self {
        match self.prefixes.network(address) {
            IpAddr::V4(v4) => self.part(&v4.octets()),
            IpAddr::V6(v6) => self.part(&v6.octets()),
        }
    }

    /// The key of all parts so far.
    #[must_use]
    #[inline]
    pub fn finish(self) -> Key {
        Key::from_hash(self.hash.finish())
    }
}
