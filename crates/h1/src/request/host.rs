//! The Host field: exactly one, well-formed, and the same as the target's where both are there (RFC 9112 section 3.2).

use super::{RequestHead, Span, Version};
use crate::{HeadError, Known};

pub(super) fn check(head: &RequestHead) -> Result<(), HeadError> {
    let mut values = head.fields().all(Known::Host);
    let host = values.next();
    if values.next().is_some() {
        return Err(HeadError::HostRepeated);
    }
    let absolute = (head.authority != Span::default()).then(|| head.authority.slice(&head.raw));
    match (host, absolute) {
        (None, None) if head.version != Version::Http10 => Err(HeadError::HostMissing),
        // Clients of HTTP/1.0 may leave it out with an origin-form target; such a request matches `*` only.
        (None, None) => Ok(()),
        (None, Some(_)) => Err(HeadError::HostMissing),
        (Some(host), None) => well_formed(host),
        (Some(host), Some(target)) if host.eq_ignore_ascii_case(target) => well_formed(host),
        (Some(_), Some(_)) => Err(HeadError::HostUnlikeTarget),
    }
}

/// The same for a head of HTTP/2, whose authority is the first host line and whose own host field may repeat it
/// (RFC 9113 section 8.3.1).
pub(super) fn check_composed(head: &RequestHead, authority: Option<&[u8]>) -> Result<(), HeadError> {
    let mut values = head.fields().all(Known::Host);
    let host = values.next().ok_or(HeadError::HostMissing)?;
    match (values.next(), authority) {
        (Some(own), Some(authority)) if !own.eq_ignore_ascii_case(authority) => Err(HeadError::HostUnlikeTarget),
        (Some(_), None) => Err(HeadError::HostRepeated),
        (Some(_), Some(_)) if values.next().is_some() => Err(HeadError::HostRepeated),
        (Some(_), Some(_)) | (None, _) => well_formed(host),
    }
}

/// A name, an IPv4 address or a bracketed IPv6 address, with a port or without.
fn well_formed(host: &[u8]) -> Result<(), HeadError> {
    let (name, port) = match host.first() {
        Some(b'[') => {
            let end = host.iter().position(|byte| *byte == b']').ok_or(HeadError::HostMalformed)?;
            let inside = host.get(1..end).unwrap_or_default();
            if inside.is_empty() || !inside.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')) {
                return Err(HeadError::HostMalformed);
            }
            (inside, host.get(end + 1..).unwrap_or_default())
        }
        _ => match host.iter().position(|byte| *byte == b':') {
            Some(colon) => host.split_at(colon),
            None => (host, &[][..]),
        },
    };
    let is_name_byte = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'~');
    let name_ok = !name.is_empty() && name.iter().all(is_name_byte);
    let port_ok = match port.split_first() {
        None => true,
        Some((b':', digits)) => is_port(digits),
        Some(_) => false,
    };
    if name_ok && port_ok { Ok(()) } else { Err(HeadError::HostMalformed) }
}

fn is_port(digits: &[u8]) -> bool {
    let value = digits
        .iter()
        .try_fold(0u32, |sum, digit| digit.is_ascii_digit().then(|| (sum * 10 + u32::from(digit - b'0')).min(1 << 20)));
    !digits.is_empty() && digits.len() <= 5 && value.is_some_and(|value| value <= u32::from(u16::MAX))
}
