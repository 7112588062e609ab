//! The PROXY header, versions 1 and 2: what a load balancer says about a connection before its first byte ("The PROXY
//! protocol, versions 1 & 2", HAProxy Technologies, 2020). Pure: bytes in, a decision out.
//!
//! The parser says how many more bytes certainly belong to the header, so that nothing after it is ever read here.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const FIXED: usize = 16;
// LIMIT: bytes of a header of version 1 (section 2.1).
const LINE_MAX: usize = 107;
// LIMIT: bytes of a header of version 2 behind its first 16; what load balancers add is a tenth of it.
const REST_MAX: usize = 2048;
// LIMIT: additions within one header.
const ADDITIONS_MAX: usize = 64;

/// The shortest header of any form: `PROXY UNKNOWN\r\n`.
const LEAST: usize = 15;
/// `PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n` and `PROXY TCP6 :: :: 0 0\r\n`.
const LEAST_TCP4: usize = 32;
const LEAST_TCP6: usize = 22;

/// Where a parse stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// So many more bytes belong to the header.
    Needs(usize),
    /// The header is whole. `None` keeps the address of the socket: a health check of the load balancer itself, or a
    /// client that it knows nothing about.
    Whole(Option<SocketAddr>),
}

/// What breaks the protocol. The text names the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Reads as much of a header as is there.
///
/// # Errors
/// Bytes with which no header begins.
pub(crate) fn parse(bytes: &[u8]) -> Result<Progress, Malformed> {
    if agrees(bytes, SIGNATURE) && !bytes.is_empty() {
        if bytes.len() < FIXED {
            return Ok(Progress::Needs(FIXED - bytes.len()));
        }
        return second(bytes);
    }
    if !agrees(bytes, b"PROXY ") {
        return Err(Malformed("the connection does not begin with a PROXY header"));
    }
    first(bytes)
}

/// Whether one is the beginning of the other.
fn agrees(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.iter().zip(wanted).all(|(have, want)| have == want)
}

/// Version 1: one line of text.
fn first(bytes: &[u8]) -> Result<Progress, Malformed> {
    if bytes.len() < LEAST {
        return Ok(Progress::Needs(LEAST - bytes.len()));
    }
    let line_feed = bytes.iter().position(|byte| *byte == b'\n');
    let Some(end) = line_feed else {
        if bytes.len() >= LINE_MAX {
            return Err(Malformed("the line is longer than 107 bytes"));
        }
        let least = match bytes.get(6..11) {
            Some(b"TCP4 ") => LEAST_TCP4,
            Some(b"TCP6 ") => LEAST_TCP6,
            Some(_) | None => LEAST,
        };
        let line_end = if bytes.ends_with(b"\r") { 1 } else { 2 };
        let needs = least.saturating_sub(bytes.len()).max(line_end);
        return Ok(Progress::Needs(needs.min(LINE_MAX - bytes.len())));
    };
    let line = bytes.get(..end).and_then(|line| line.strip_suffix(b"\r"));
    let line = line.ok_or(Malformed("the line does not end with CR LF"))?;
    if bytes.len() != end + 1 || line.contains(&b'\r') {
        return Err(Malformed("the line ends too early"));
    }
    let text = std::str::from_utf8(line).map_err(|_| Malformed("the line is not ASCII"))?;
    let rest = text.strip_prefix("PROXY ").unwrap_or_default();
    if rest == "UNKNOWN" || rest.starts_with("UNKNOWN ") {
        return Ok(Progress::Whole(None));
    }
    let mut words = rest.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let (family, source, target, source_port, target_port) = (word(), word(), word(), word(), word());
    if words.next().is_some() {
        return Err(Malformed("the line holds more than six words"));
    }
    let (source, _) = match family {
        "TCP4" => (text_address::<Ipv4Addr>(source)?, text_address::<Ipv4Addr>(target)?),
        "TCP6" => (text_address::<Ipv6Addr>(source)?, text_address::<Ipv6Addr>(target)?),
        _ => return Err(Malformed("the family is none of TCP4, TCP6 and UNKNOWN")),
    };
    let _checked = port(target_port)?;
    Ok(Progress::Whole(Some(SocketAddr::new(source.to_canonical(), port(source_port)?))))
}

fn text_address<A: std::str::FromStr + Into<IpAddr>>(text: &str) -> Result<IpAddr, Malformed> {
    text.parse::<A>().map(Into::into).map_err(|_| Malformed("an address is not of its family"))
}

fn port(text: &str) -> Result<u16, Malformed> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain).ok_or(Malformed("a port is no number from 0 to 65535"))
}

/// Version 2: binary, with additions.
fn second(bytes: &[u8]) -> Result<Progress, Malformed> {
    let (Some(kind), Some(family), Some(length)) = (bytes.get(12), bytes.get(13), bytes.get(14..FIXED)) else {
        return Ok(Progress::Needs(FIXED.saturating_sub(bytes.len())));
    };
    let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    if length > REST_MAX {
        return Err(Malformed("the header is longer than 2064 bytes"));
    }
    let local = match kind {
        0x20 => true,
        0x21 => false,
        _ => return Err(Malformed("version and command are neither 2 with LOCAL nor 2 with PROXY")),
    };
    let addresses = match (local, family) {
        (_, 0x00) => 0,
        (_, 0x11) => 12,
        (_, 0x21) => 36,
        // What a load balancer says of its own connections is not used (section 2.2).
        (true, _) => 0,
        (false, _) => return Err(Malformed("the family is neither TCP over IPv4 nor TCP over IPv6")),
    };
    if length < addresses {
        return Err(Malformed("the addresses do not fit into the header's length"));
    }
    let whole = FIXED + length;
    if bytes.len() < whole {
        return Ok(Progress::Needs(whole - bytes.len()));
    }
    if bytes.len() > whole {
        return Err(Malformed("more was read than the header"));
    }
    if local {
        return Ok(Progress::Whole(None));
    }
    additions(bytes, FIXED + addresses)?;
    Ok(Progress::Whole(source(bytes, *family)))
}

fn source(bytes: &[u8], family: u8) -> Option<SocketAddr> {
    let port = |at: usize| {
        let two = bytes.get(at..at + 2)?.first_chunk::<2>()?;
        Some(u16::from_be_bytes(*two))
    };
    match family {
        0x11 => {
            let four = bytes.get(FIXED..)?.first_chunk::<4>()?;
            Some(SocketAddr::new(Ipv4Addr::from(*four).into(), port(FIXED + 8)?))
        }
        0x21 => {
            let sixteen = bytes.get(FIXED..)?.first_chunk::<16>()?;
            Some(SocketAddr::new(IpAddr::from(Ipv6Addr::from(*sixteen)).to_canonical(), port(FIXED + 32)?))
        }
        _ => None,
    }
}

/// Type, length and value, one after the other, up to the very end (section 2.2.1 and following).
fn additions(bytes: &[u8], from: usize) -> Result<(), Malformed> {
    const CHECKSUM: u8 = 0x03;
    const SSL: u8 = 0x20;
    // Client flags and the outcome of the verification stand before what SSL adds itself.
    const SSL_FIXED: usize = 5;
    let mut at = from;
    let mut count = 0;
    while at < bytes.len() {
        let (kind, value) = addition(bytes, at)?;
        count += 1;
        if count > ADDITIONS_MAX {
            return Err(Malformed("there are more than 64 additions"));
        }
        match kind {
            CHECKSUM => checksum(bytes, value.clone())?,
            SSL => {
                let end = value.end;
                let mut inner = value.start + SSL_FIXED;
                if inner > end {
                    return Err(Malformed("what is said about TLS is cut off"));
                }
                while inner < end {
                    let within = bytes.get(..end).unwrap_or_default();
                    inner = addition(within, inner)?.1.end;
                }
            }
            _ => {}
        }
        at = value.end;
    }
    Ok(())
}

fn addition(bytes: &[u8], at: usize) -> Result<(u8, std::ops::Range<usize>), Malformed> {
    let cut_off = Malformed("an addition is cut off");
    let Some([kind, high, low]) = bytes.get(at..).and_then(<[u8]>::first_chunk::<3>) else { return Err(cut_off) };
    let start = at + 3;
    let end = start + usize::from(u16::from_be_bytes([*high, *low]));
    if end > bytes.len() { Err(cut_off) } else { Ok((*kind, start..end)) }
}

/// CRC-32C over the whole header, with zeros in the place of the checksum (section 2.2.3).
fn checksum(bytes: &[u8], value: std::ops::Range<usize>) -> Result<(), Malformed> {
    let stated = bytes.get(value.clone()).and_then(|value| <&[u8; 4]>::try_from(value).ok());
    let stated = stated.map(|four| u32::from_be_bytes(*four)).ok_or(Malformed("a checksum has four bytes"))?;
    let mut sum = u32::MAX;
    for (at, byte) in bytes.iter().enumerate() {
        sum ^= if value.contains(&at) { 0 } else { u32::from(*byte) };
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0x82f6_3b78 & 0_u32.wrapping_sub(sum & 1));
        }
    }
    if !sum == stated { Ok(()) } else { Err(Malformed("the checksum is wrong")) }
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}
