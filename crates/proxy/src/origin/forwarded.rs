//! `Forwarded` (RFC 7239) and `X-Forwarded-For`/`-Proto`: what trusted proxies say about where a request comes from.
//! Pure: values in, hops out. Whom to believe is decided one level up.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

// LIMIT: hops of one request; a longer way is no way to an API.
pub(crate) const HOPS_MAX: usize = 32;
// LIMIT: parameters of one hop.
const PARAMETERS_MAX: usize = 16;

/// One step on the way, as the proxy behind it saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hop {
    /// `None` is `unknown`, an obfuscated identifier, or nothing said.
    pub(crate) address: Option<IpAddr>,
    /// Whether it was HTTPS, where that is said.
    pub(crate) secure: Option<bool>,
}

/// What a field breaks. The text names the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// The hops of all `Forwarded` fields, the client's first.
///
/// # Errors
/// Anything that the grammar of RFC 7239 section 4 does not have.
pub(crate) fn forwarded<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Hop>, Malformed> {
    let mut hops = Vec::new();
    for value in values {
        let mut reader = Reader { rest: value };
        loop {
            reader.blanks();
            // An empty element is no element (RFC 9110 section 5.6.1.2).
            if !reader.rest.is_empty() && !reader.rest.starts_with(b",") {
                push(&mut hops, reader.element()?)?;
                reader.blanks();
            }
            match reader.rest.split_first() {
                None => break,
                Some((b',', rest)) => reader.rest = rest,
                Some(_) => return Err(Malformed("something stands between two elements of Forwarded")),
            }
        }
    }
    Ok(hops)
}

fn push(hops: &mut Vec<Hop>, hop: Hop) -> Result<(), Malformed> {
    if hops.len() >= HOPS_MAX {
        return Err(Malformed("there are more than 32 hops"));
    }
    hops.push(hop);
    Ok(())
}

/// The rest of a field value.
struct Reader<'a> {
    rest: &'a [u8],
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn blanks(&mut self) {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let count = self.rest.iter().take_while(|byte| blank(byte)).count();
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn token(&mut self) -> Result<&'a [u8], Malformed> {
        let count = self.rest.iter().take_while(|byte| is_token(**byte)).count();
        if count == 0 {
            return Err(Malformed("a token of Forwarded is missing"));
        }
        let (token, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, b""));
        self.rest = rest;
        Ok(token)
    }

    /// `for=192.0.2.1;proto=https`
    fn element(&mut self) -> Result<Hop, Malformed> {
        let mut hop = Hop::default();
        let mut seen: Vec<&[u8]> = Vec::new();
        loop {
            let name = self.token()?;
            if seen.len() >= PARAMETERS_MAX || seen.iter().any(|have| have.eq_ignore_ascii_case(name)) {
                return Err(Malformed("a parameter of Forwarded stands twice, or there are too many"));
            }
            seen.push(name);
            let Some(rest) = self.rest.strip_prefix(b"=") else {
                return Err(Malformed("a parameter of Forwarded has no value"));
            };
            self.rest = rest;
            let value = self.value()?;
            match name.to_ascii_lowercase().as_slice() {
                b"for" => hop.address = node(&value)?,
                b"by" => drop(node(&value)?),
                b"proto" => hop.secure = Some(scheme(&value)?),
                b"host" if !is_host(&value) => return Err(Malformed("the host of Forwarded is none")),
                _ => {}
            }
            match self.rest.strip_prefix(b";") {
                Some(rest) => self.rest = rest,
                None => return Ok(hop),
            }
        }
    }

    /// A token or a quoted string (RFC 9110 section 5.6.4).
    fn value(&mut self) -> Result<Vec<u8>, Malformed> {
        let Some(mut rest) = self.rest.strip_prefix(b"\"") else { return self.token().map(<[u8]>::to_vec) };
        let mut value = Vec::new();
        loop {
            match rest {
                [b'"', after @ ..] => {
                    self.rest = after;
                    return Ok(value);
                }
                [b'\\', byte @ (b'\t' | b' '..=b'~' | 0x80..), after @ ..]
                | [byte @ (b'\t' | b' '..=b'~' | 0x80..), after @ ..] => {
                    value.push(*byte);
                    rest = after;
                }
                _ => return Err(Malformed("a quoted string of Forwarded does not end")),
            }
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A node (RFC 7239 section 6): an address, `unknown`, or an identifier that begins with an underscore; each with or
/// without a port.
fn node(value: &[u8]) -> Result<Option<IpAddr>, Malformed> {
    const BAD: Malformed = Malformed("a node of Forwarded is neither an address nor an identifier");
    let text = std::str::from_utf8(value).map_err(|_| BAD)?;
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, after) = rest.split_once(']').ok_or(BAD)?;
            let address: Ipv6Addr = inner.parse().map_err(|_| BAD)?;
            check_port(after)?;
            return Ok(Some(IpAddr::from(address).to_canonical()));
        }
        None => match text.find(':') {
            Some(colon) => text.split_at_checked(colon).unwrap_or((text, "")),
            None => (text, ""),
        },
    };
    check_port(port)?;
    if name.eq_ignore_ascii_case("unknown") || obfuscated(name) {
        return Ok(None);
    }
    name.parse::<Ipv4Addr>().map(|address| Some(address.into())).map_err(|_| BAD)
}

/// `_` and then letters, digits, `.`, `_` and `-`.
fn obfuscated(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    name.strip_prefix('_').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(plain))
}

/// Nothing, or a colon with a port or an obfuscated one.
fn check_port(text: &str) -> Result<(), Malformed> {
    let Some(port) = text.strip_prefix(':') else {
        return if text.is_empty() { Ok(()) } else { Err(Malformed("something stands behind an address")) };
    };
    let number = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    if number || obfuscated(port) { Ok(()) } else { Err(Malformed("a port is none")) }
}

fn scheme(value: &[u8]) -> Result<bool, Malformed> {
    match value.to_ascii_lowercase().as_slice() {
        b"https" => Ok(true),
        b"http" => Ok(false),
        _ => Err(Malformed("the scheme is neither http nor https")),
    }
}

fn is_host(value: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:[]%".contains(byte);
    !value.is_empty() && value.len() <= 260 && value.iter().all(plain)
}

/// The hops of all `X-Forwarded-For` fields, with the schemes of `X-Forwarded-Proto`: one for all of them, or one each.
///
/// # Errors
/// A member that is no address, a scheme that is none, or another number of schemes than of hops.
pub(crate) fn x_forwarded<'a>(
    for_values: impl Iterator<Item = &'a [u8]>,
    proto_values: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<Hop>, Malformed> {
    let mut hops = Vec::new();
    for value in for_values {
        for member in members(value) {
            push(&mut hops, Hop { address: member_address(member)?, secure: None })?;
        }
    }
    let mut schemes = Vec::new();
    for member in proto_values.flat_map(members) {
        if schemes.len() >= HOPS_MAX {
            return Err(Malformed("there are more than 32 schemes"));
        }
        schemes.push(scheme(member)?);
    }
    match schemes.as_slice() {
        [] => {}
        [one] => {
            if hops.is_empty() {
                hops.push(Hop::default());
            }
            hops.iter_mut().for_each(|hop| hop.secure = Some(*one));
        }
        many if many.len() == hops.len() => {
            hops.iter_mut().zip(many).for_each(|(hop, secure)| hop.secure = Some(*secure));
        }
        _ => return Err(Malformed("there are more schemes than hops, or fewer")),
    }
    Ok(hops)
}

fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// An address with or without a port, an IPv6 address with or without brackets, or `unknown`.
fn member_address(member: &[u8]) -> Result<Option<IpAddr>, Malformed> {
    let bad = Malformed("a member of X-Forwarded-For is no address");
    let text = std::str::from_utf8(member).map_err(|_| bad)?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Some(address.to_canonical()));
    }
    node(member).map_err(|_| bad)
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}
