//! Addresses of mail, hosts and resources.

/// RFC 5321 section 4.1.2 without quoted names, which no sender needs.
pub(super) fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else { return false };
    let is_atom = |atom: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
        !atom.is_empty() && atom.bytes().all(allowed)
    };
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).is_some_and(|address| {
        let six = address.strip_prefix("IPv6:").is_some_and(|six| six.parse::<std::net::Ipv6Addr>().is_ok());
        six || address.parse::<std::net::Ipv4Addr>().is_ok()
    });
    name.len() <= 64 && name.split('.').all(is_atom) && (literal || is_hostname(host))
}

/// RFC 1123 section 2.1.
pub(super) fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// RFC 3986: its characters, its percent-encoding, its scheme, its brackets.
pub(super) fn is_uri(text: &str, absolute: bool) -> bool {
    let has_scheme = text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    });
    if absolute && !has_scheme {
        return false;
    }
    let rest = if has_scheme { text.split_once(':').map_or("", |(_, rest)| rest) } else { text };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let first = path.split('/').next().unwrap_or("");
    // Without a scheme the first segment of a path has no colon (section 4.2).
    if !has_scheme && first.contains(':') {
        return false;
    }
    let (authority, path) = match path.strip_prefix("//") {
        Some(rest) => rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, "")),
        None => ("", path),
    };
    is_authority(authority) && is_made_of(path, b"/:@") && is_made_of(query, b"/?:@") && is_made_of(fragment, b"/?:@")
}

fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else { return false };
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("", port)
        }
        None => host.split_at_checked(host.find(':').unwrap_or(host.len())).unwrap_or((host, "")),
    };
    let port_fits =
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    port_fits && is_made_of(user, b":") && is_made_of(host, b"")
}

/// Unreserved characters, sub-delimiters, percent-encoding, and what else is allowed here.
fn is_made_of(text: &str, more: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => {
                let mut digit = || bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit());
                digit() && digit()
            }
            other => other.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&other) || more.contains(&other),
        };
        if !fits {
            return false;
        }
    }
    true
}
