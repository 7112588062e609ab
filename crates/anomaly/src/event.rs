//! What is told of a request.

/// A request that has ended. All names are numbers that the caller has made of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Event<'e> {
    /// When it ended, in milliseconds since 1970.
    pub at_ms: u64,
    /// Who called, if anybody was identified.
    pub principal: Option<u64>,
    /// From where: the address, one of IPv6 by its /64.
    pub address: u64,
    /// Which operation of which API and version, if there is one.
    pub operation: Option<u64>,
    /// The status of the answer.
    pub status: u16,
    /// The objects that the path names.
    pub objects: &'e [Object],
    /// Bytes of the answer's body.
    pub bytes: u64,
    /// What kind of client it is, such as a browser or a library, without its version; 0 if unknown.
    pub client: u64,
    /// The network of the address; 0 if unknown.
    pub network: u64,
    /// The country of the address; 0 if unknown.
    pub country: u16,
    /// A credential that was tried and was wrong: whose it claimed to be.
    pub failed_credential: Option<u64>,
}

/// An object that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// By a number.
    Number(u64),
    /// By something else, as a number made of it.
    Name(u64),
}

// === impl Object ===

impl Object {
    pub(crate) const fn mixed(self) -> u64 {
        match self {
            Self::Number(number) => mix(number),
            Self::Name(name) => name,
        }
    }
}

/// Spreads bits (the finaliser of SplitMix64; Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
pub(crate) const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
