//! Networks: `10.0.0.0/8`, `::1`.

use std::net::IpAddr;

/// A network; an address alone is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: u128,
    bits: u32,
    v4: bool,
}

// === impl Network ===

impl Network {
    pub(crate) fn contains(self, ip: IpAddr) -> bool {
        let (address, v4) = number(ip);
        let shift = 128 - self.bits;
        v4 == self.v4 && (shift == 128 || address >> shift == self.address >> shift)
    }
}

/// An address as a number of 128 bits, the four bytes of IPv4 first.
fn number(ip: IpAddr) -> (u128, bool) {
    match ip.to_canonical() {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, true),
        IpAddr::V6(v6) => (v6.to_bits(), false),
    }
}

/// The address that a value is.
pub(super) fn parse(value: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

/// Reads a list of networks.
pub(super) fn networks<'a>(pieces: impl Iterator<Item = &'a str>) -> Result<Vec<Network>, String> {
    let mut out = Vec::new();
    for piece in pieces.map(str::trim).filter(|p| !p.is_empty()) {
        let (text, bits) = match piece.split_once('/') {
            Some((text, bits)) => (text, Some(bits)),
            None => (piece, None),
        };
        let wrong = || format!("`{piece}` isn't an address or a network");
        let ip: IpAddr = text.parse().map_err(|_| wrong())?;
        let (address, v4) = number(ip);
        let widest = if v4 { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse::<u32>().ok().filter(|b| *b <= widest).ok_or_else(wrong)?,
            None => widest,
        };
        out.push(Network { address, bits, v4 });
    }
    if out.is_empty() { Err("no address".into()) } else { Ok(out) }
}
