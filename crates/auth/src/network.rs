//! Networks (CIDR): whether an address belongs to one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network: an address and how many of its leading bits count; the others are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    length: u8,
}

/// Not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// Neither an address nor an address with a prefix length.
    Malformed,
    /// More bits than an address has.
    Length,
    /// Bits beyond the prefix are set: one of the two is a mistake.
    HostBits,
}

// === impl Network ===

impl Network {
    pub(crate) const BYTES: usize = 18;

    /// A network of this address and prefix length.
    ///
    /// # Errors
    /// Why it is none.
    pub fn new(address: IpAddr, length: u8) -> Result<Self, NetworkError> {
        let (bits, value) = match address {
            IpAddr::V4(v4) => (32u8, u128::from(v4.to_bits()) << 96),
            IpAddr::V6(v6) => (128, v6.to_bits()),
        };
        if length > bits {
            return Err(NetworkError::Length);
        }
        // Addresses are compared in their own family, so that this one would hold nothing.
        if matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some()) {
            return Err(NetworkError::Malformed);
        }
        if value.checked_shl(u32::from(length)).unwrap_or(0) != 0 {
            return Err(NetworkError::HostBits);
        }
        Ok(Self { address, length })
    }

    /// Whether the network holds an address. An IPv4 address that comes mapped into IPv6 is the IPv4 address.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32u32.saturating_sub(u32::from(self.length));
                (network.to_bits() ^ address.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128u32.saturating_sub(u32::from(self.length));
                (network.to_bits() ^ address.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let (family, value) = match self.address {
            IpAddr::V4(v4) => (4, v4.to_ipv6_mapped().octets()),
            IpAddr::V6(v6) => (6, v6.octets()),
        };
        let mut out = [0; Self::BYTES];
        let (head, tail) = out.split_at_mut(2);
        head.copy_from_slice(&[family, self.length]);
        tail.copy_from_slice(&value);
        out
    }

    pub(crate) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let (&[family, length], octets) = bytes.split_first_chunk::<2>()?;
        let v6 = Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?);
        let address = match family {
            4 => IpAddr::V4(v6.to_ipv4_mapped()?),
            6 => IpAddr::V6(v6),
            0..=3 | 5 | 7.. => return None,
        };
        Self::new(address, length).ok()
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Malformed)?;
        let plain = |text: &str| !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        let length = match length {
            Some(text) if plain(text) => text.parse().map_err(|_| NetworkError::Length)?,
            Some(_) => return Err(NetworkError::Malformed),
            None if address.is_ipv4() => 32,
            None => 128,
        };
        Self::new(address, length)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.length)
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "not an address, or an address with a prefix length as in 192.0.2.0/24",
            Self::Length => "the prefix is longer than the address",
            Self::HostBits => "bits beyond the prefix are set",
        })
    }
}

impl std::error::Error for NetworkError {}

/// Whether an address may be asked for keys on behalf of a public host name: not this machine, not the local network,
/// not the metadata services of clouds, nothing reserved. Who resolves a name asks this about every address before
/// connecting, and connects to that address and no other, so that a second answer of the name cannot slip in.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = match a {
        // "This network", private, loopback, multicast and what comes after it.
        0 | 10 | 127 | 224.. => true,
        100 => (64..=127).contains(&b),
        // Link-local, where the metadata services of clouds answer.
        169 => b == 254,
        172 => (16..=31).contains(&b),
        192 => matches!((b, c), (0, 0 | 2) | (88, 99) | (168, _)),
        198 => matches!((b, c), (18 | 19, _) | (51, 100)),
        203 => (b, c) == (0, 113),
        _ => false,
    };
    !reserved
}

/// Global unicast is 2000::/3 (RFC 4291); within it what embeds an IPv4 address is judged by that address.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match (a, b) {
        // NAT64 (RFC 6052): the last 32 bits are the IPv4 address that is really asked.
        (0x64, 0xff9b) => [c, d, e, f] == [0; 4] && embedded(g, h),
        // 6to4 (RFC 3056).
        (0x2002, _) => embedded(b, c),
        // Teredo, ORCHID, benchmarking and the other special blocks of 2001::/23; documentation.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => false,
        (a, _) => (0x2000..=0x3fff).contains(&a),
    }
}

#[cfg(test)]
mod tests {
    use super::{Network, NetworkError, is_public};

    #[test]
    fn networks_hold_their_addresses() {
        for (network, address, holds) in [
            ("10.1.0.0/16", "10.1.255.9", true),
            ("10.1.0.0/16", "::ffff:10.1.2.3", true),
            ("10.1.0.0/16", "10.2.0.1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "192.0.2.1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert_eq!(parsed.holds(address.parse().unwrap()), holds, "{network} {address}");
            assert_eq!(Network::from_bytes(&parsed.to_bytes()), Some(parsed));
            assert_eq!(parsed.to_string().parse(), Ok(parsed));
        }
    }

    #[test]
    fn mistakes_in_networks_are_refused() {
        for (text, error) in [
            ("10.1.0.0/33", NetworkError::Length),
            ("10.1.0.0/999", NetworkError::Length),
            ("::/129", NetworkError::Length),
            ("10.1.0.1/16", NetworkError::HostBits),
            ("2001:db8::1/64", NetworkError::HostBits),
            ("10.1.0.0/+8", NetworkError::Malformed),
            ("10.1.0.0/", NetworkError::Malformed),
            ("10.1.0.0/8/8", NetworkError::Malformed),
            ("010.1.0.0/8", NetworkError::Malformed),
            ("10.1/16", NetworkError::Malformed),
            ("", NetworkError::Malformed),
            ("::ffff:10.0.0.0/104", NetworkError::Malformed),
        ] {
            assert_eq!(text.parse::<Network>(), Err(error), "{text}");
        }
    }

    #[test]
    fn only_public_addresses_are_asked() {
        let closed = "127.0.0.1 127.1.2.3 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 \
            100.100.100.200 192.0.0.192 198.18.0.1 192.0.2.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 \
            ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 fe80::1 fc00::1 fd00:ec2::254 ff02::1 64:ff9b::a00:1 \
            64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1:: 2002:a9fe:a9fe:: 2001::1 2001:db8::1 100::1 4000::1 3fff::1 fec0::1";
        for text in closed.split_whitespace() {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        let open = "1.1.1.1 8.8.8.8 172.15.0.1 172.32.0.1 100.63.0.1 100.128.0.1 169.253.0.1 192.0.1.1 198.17.0.1 223.255.255.255 \
            2606:4700::1111 2a00:1450::1 64:ff9b::808:808 2002:808:808:: ::ffff:8.8.8.8";
        for text in open.split_whitespace() {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }
}
