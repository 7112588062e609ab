//! Names and addresses that say by themselves that a host is none for everybody. A loop back to the reader's own machine is not
//! among them: clients are sent there (RFC 8252 section 7.3).

use super::signs::{Sign, head, network, tail};
use std::net::Ipv6Addr;

const fn host(text: &'static str) -> Sign {
    network(text, is_host_end)
}

/// All of them.
pub(super) const HOSTS: &[Sign] = &[
    host(".internal"),
    host(".svc.cluster.local"),
    host(".cluster.local"),
    host(".svc"),
    host(".local"),
    host(".lan"),
    host(".intranet"),
    host(".consul"),
    network("10.", |before, behind| is_address(before, behind, 3)),
    network("169.254.", |before, behind| is_address(before, behind, 2)),
    network("192.168.", |before, behind| is_address(before, behind, 2)),
    network("172.", |before, behind| {
        let second = behind.split(|byte| *byte == b'.').next().unwrap_or_default();
        let is_private = matches!(second, [b'1', b'6'..=b'9'] | [b'2', _] | b"30" | b"31");
        is_private && is_address(before, behind, 3)
    }),
    network("fc", |before, behind| is_local_address(before, "fc", behind)),
    network("fd", |before, behind| is_local_address(before, "fd", behind)),
    network("FC", |before, behind| is_local_address(before, "FC", behind)),
    network("FD", |before, behind| is_local_address(before, "FD", behind)),
    network("fe80:", |before, behind| is_local_address(before, "fe80:", behind)),
    network("FE80:", |before, behind| is_local_address(before, "FE80:", behind)),
    // As machines of clouds are called.
    network("ip-10-", |before, behind| is_dashed(before, behind, 3)),
    network("ip-172-", |before, behind| is_dashed(before, behind, 3)),
    network("ip-192-168-", |before, behind| is_dashed(before, behind, 2)),
    network("://", |_, behind| is_bare_with_port(behind)),
];

/// The end of a name of a host, with something before it.
fn is_host_end(before: &[u8], behind: &[u8]) -> bool {
    let named = match before {
        // Programs call their parts by one letter as well.
        [begin @ .., name] if !begin.last().is_some_and(|byte| is_of_name(*byte)) => {
            let begins = [&b"omain="[..], b"omain=.", b"://", b"@"];
            is_of_name(*name) && begins.iter().any(|known| begin.ends_with(known))
        }
        [.., name] => is_of_name(*name),
        [] => false,
    };
    // `System.Internal` and `app.local_storage` are none.
    let lower =
        tail(before, 30).iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    let is_lower = lower.clone().all(|byte| !byte.is_ascii_uppercase());
    let ends = behind.first().is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-' | b'('))
        && (behind.first() != Some(&b'.') || behind.get(1).is_none_or(|next| !next.is_ascii_alphanumeric()));
    named && is_lower && ends
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// The rest of an address of which so many numbers are left (RFC 1918, RFC 6890).
pub(super) fn is_address(before: &[u8], behind: &[u8], left: usize) -> bool {
    let starts = before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'-' | b'_'));
    let end = behind.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    // A full stop may follow; a letter may not.
    let text = head(behind, end);
    let text = text.strip_suffix(b".").unwrap_or(text);
    let ends = behind.get(end).is_none_or(|byte| !byte.is_ascii_alphabetic() && *byte != b'_');
    starts && ends && are_numbers(text, b'.', left)
}

fn are_numbers(text: &[u8], sign: u8, count: usize) -> bool {
    let is_number = |part: &[u8]| {
        let part = std::str::from_utf8(part).unwrap_or_default();
        part.len() <= 3 && part.parse::<u8>().is_ok()
    };
    let mut parts = text.split(|byte| *byte == sign);
    parts.clone().count() == count && parts.all(is_number)
}

/// The rest of a name that is an address with dashes.
fn is_dashed(before: &[u8], behind: &[u8], left: usize) -> bool {
    let starts = before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_'));
    let end = behind.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
    let ends = behind.get(end).is_none_or(|byte| !byte.is_ascii_alphabetic() && *byte != b'_');
    starts && ends && are_numbers(head(behind, end), b'-', left)
}

/// An address that is unique or valid within a site or on a link alone (RFC 4193, RFC 4291 section 2.5.6).
fn is_local_address(before: &[u8], begin: &str, behind: &[u8]) -> bool {
    const BYTES_MAX: usize = 40;
    let starts = before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b":.-_%".contains(byte));
    let end = head(behind, BYTES_MAX).iter().take_while(|byte| byte.is_ascii_hexdigit() || **byte == b':').count();
    let ends = behind.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    if !starts || !ends {
        return false;
    }
    let text = format!("{begin}{}", String::from_utf8_lossy(head(behind, end)));
    // A colon may follow that is none of it.
    let address = text.parse().or_else(|_| text.strip_suffix(':').unwrap_or_default().parse::<Ipv6Addr>());
    address.is_ok_and(|address| address.is_unique_local() || address.is_unicast_link_local())
}

/// An authority of one label and a port: no name that everybody could look up.
fn is_bare_with_port(text: &[u8]) -> bool {
    bare(text).is_some_and(|(name, _)| name != b"localhost")
}

/// Whether a text begins with a name in small letters without a dot, and a port that servers listen at.
pub(super) fn is_bare_host(text: &[u8]) -> bool {
    bare(text).is_some_and(|(name, port)| {
        let is_lower = name.iter().all(|byte| !byte.is_ascii_uppercase());
        is_lower && name != b"localhost" && matches!(port, 80 | 443 | 1_000..)
    })
}

/// The label and the port with which a text begins.
fn bare(text: &[u8]) -> Option<(&[u8], u16)> {
    const LABEL_BYTES_MAX: usize = 63;
    let is_label = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let label = head(text, LABEL_BYTES_MAX + 1).iter().take_while(is_label).count();
    let (name, rest) = text.split_at_checked(label)?;
    let rest = rest.strip_prefix(b":")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let port: u16 = std::str::from_utf8(head(rest, digits)).ok()?.parse().ok()?;
    // What an `@` follows is a password, and no port.
    let ends = rest.get(digits).is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"@_.:".contains(byte));
    (name.first().is_some_and(u8::is_ascii_alphabetic) && digits >= 2 && ends).then_some((name, port))
}
