//! Names as numbers, made with a secret, so that nobody can choose two that fall together.

use portcullis_auth::principal::Principal;
use portcullis_limit::Prefixes;
use portcullis_types::siphash::short;
use std::fmt;
use std::net::IpAddr;

/// Makes numbers of names. One for all workers, as long as the process lives.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    key: [u64; 2],
}

/// What a number stands for; the same text means two different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Realm {
    Principal = 1,
    Address,
    Operation,
    Object,
    Client,
    Network,
    Credential,
}

// === impl Names ===

impl Names {
    pub(crate) const fn new(key: [u64; 2]) -> Self {
        Self { key }
    }

    /// Never 0, which is nobody.
    pub(crate) fn of(&self, realm: Realm, parts: [&[u8]; 2]) -> u64 {
        short(self.key, realm as u8, parts).max(1)
    }

    pub(crate) fn principal(&self, caller: &Principal) -> u64 {
        self.caller(caller.issuer.as_deref().unwrap_or_default(), &caller.id)
    }

    /// A caller by the name of the issuer, if any, and its own.
    pub(super) fn caller(&self, issuer: &str, id: &str) -> u64 {
        self.of(Realm::Principal, [issuer.as_bytes(), id.as_bytes()])
    }

    /// An address; one of IPv6 by its /64.
    pub(crate) fn address(&self, address: IpAddr) -> u64 {
        self.in_network(Realm::Address, address, Prefixes::default())
    }

    /// The network that an address belongs to, roughly: a /16, or a /32 of IPv6.
    pub(super) fn network(&self, address: IpAddr) -> u64 {
        self.in_network(Realm::Network, address, Prefixes { v4_bits: 16, v6_bits: 32 })
    }

    /// The autonomous system that announces an address.
    pub(super) fn system(&self, number: u32) -> u64 {
        self.of(Realm::Network, [&number.to_be_bytes(), b"system"])
    }

    fn in_network(&self, realm: Realm, address: IpAddr, prefixes: Prefixes) -> u64 {
        match prefixes.network(address) {
            IpAddr::V4(v4) => self.of(realm, [&v4.octets(), b""]),
            IpAddr::V6(v6) => self.of(realm, [&v6.octets(), b""]),
        }
    }

    /// Whoever is called so: an address, or a caller without an issuer.
    pub(super) fn of_text(&self, who: &str) -> Vec<u64> {
        let address = who.parse().ok().map(|address| self.address(address));
        address.into_iter().chain([self.caller("", who)]).collect()
    }
}

impl fmt::Debug for Names {
    /// Without the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Names")
    }
}
