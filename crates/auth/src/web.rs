//! Web addresses as far as identity needs them: what is compared, what may be asked for keys.

use std::net::IpAddr;

// LIMIT: bytes of a web address.
const URL_BYTES_MAX: usize = 2048;

/// An absolute `http` or `https` address in its normal form (RFC 3986 section 6.2): two that mean the same are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAddress {
    /// Whether it is `https`.
    pub secure: bool,
    /// The host in lower case; an IPv6 address is without its brackets.
    pub host: String,
    /// The port, where none is given that of the scheme.
    pub port: u16,
    /// The path; never empty.
    pub path: String,
    /// Whether a query follows.
    pub has_query: bool,
    /// Whether a fragment follows.
    pub has_fragment: bool,
}

// === impl WebAddress ===

impl WebAddress {
    /// Reads an address. User information, dot segments and whatever is not printable ASCII make it none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > URL_BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let (before_fragment, fragment) = split_off(rest, '#');
        let (path, query) = split_off(before_fragment, '?');
        let (host, port) = authority_of(authority, secure)?;
        let path = normal_path(path)?;
        Some(Self { secure, host, port, path, has_query: query.is_some(), has_fragment: fragment.is_some() })
    }

    /// The address of a request: its scheme, its authority (the `Host` field), its path.
    #[must_use]
    pub fn of_request(secure: bool, authority: &str, path: &str) -> Option<Self> {
        let (host, port) = authority_of(authority, secure)?;
        let path = normal_path(path)?;
        Some(Self { secure, host, port, path, has_query: false, has_fragment: false })
    }

    /// Whether scheme, host, port and path are the same; queries and fragments are not looked at.
    #[must_use]
    pub fn same_place(&self, other: &Self) -> bool {
        (self.secure, &self.host, self.port, &self.path) == (other.secure, &other.host, other.port, &other.path)
    }

    /// Whether the host can only be this machine. Names other than `localhost` are not believed to be.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
    }
}

fn split_off(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn authority_of(authority: &str, secure: bool) -> Option<(String, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']')?;
            let address: std::net::Ipv6Addr = address.parse().ok()?;
            (address.to_string(), if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => {
            let (host, port) = split_off(authority, ':');
            let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            if host.is_empty() || host.len() > 255 || !host.bytes().all(letter) {
                return None;
            }
            (host.to_ascii_lowercase(), port)
        }
    };
    let port = match port {
        None | Some("") => {
            if secure {
                443
            } else {
                80
            }
        }
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port > 0)?
        }
        Some(_) => return None,
    };
    Some((host, port))
}

/// Percent-encodings in upper case, none of an unreserved character; no dot segments.
fn normal_path(path: &str) -> Option<String> {
    let mut out = String::with_capacity(path.len().max(1));
    if !path.starts_with('/') {
        if !path.is_empty() {
            return None;
        }
        out.push('/');
    }
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            if !byte.is_ascii_graphic() || matches!(byte, b'?' | b'#') {
                return None;
            }
            out.push(char::from(byte));
            continue;
        }
        let mut digit = || bytes.next().map(char::from).and_then(|digit| digit.to_digit(16));
        let value = u8::try_from(digit()? * 16 + digit()?).ok()?;
        if value.is_ascii_alphanumeric() || matches!(value, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(value));
        } else {
            out.push_str(&format!("%{value:02X}"));
        }
    }
    if out.split('/').any(|segment| matches!(segment, "." | "..")) { None } else { Some(out) }
}

#[cfg(test)]
mod tests {
    use super::WebAddress;

    #[test]
    fn addresses_that_mean_the_same_are_equal() {
        let same = |a: &str, b: &str| WebAddress::parse(a).unwrap().same_place(&WebAddress::parse(b).unwrap());
        for (a, b, equal) in [
            ("https://a.example", "HTTPS://A.EXAMPLE:443/", true),
            ("http://a.example:80/x", "http://a.example/x", true),
            ("https://a.example/%7Eada/%2f", "https://a.example/~ada/%2F", true),
            ("https://a.example/x?y#z", "https://a.example/x", true),
            ("https://[::1]/", "https://[0:0::1]:443/", true),
            ("https://a.example/x", "http://a.example/x", false),
            ("https://a.example/x", "https://a.example/x/", false),
            ("https://a.example/x", "https://a.example/X", false),
            ("https://a.example/x", "https://a.example:444/x", false),
            ("https://a.example/%2F", "https://a.example//", false),
        ] {
            assert_eq!(same(a, b), equal, "{a} {b}");
        }
        let asked = WebAddress::of_request(true, "A.example", "/x").unwrap();
        assert!(asked.same_place(&WebAddress::parse("https://a.example/x?q").unwrap()));
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            "a.example",
            "//a.example/",
            "ftp://a.example/",
            "https:///x",
            "https://ada@a.example/",
            "https://a.example:0/",
            "https://a.example:65536/",
            "https://a.example:+1/",
            "https://a.example/ x",
            "https://a.example/\u{e9}",
            "https://a.example/%",
            "https://a.example/%4",
            "https://a.example/../x",
            "https://a.example/%2e%2E/x",
            "https://[::1/",
            "https://[::1]x/",
            "https://a.example\\@b.example/",
        ] {
            assert_eq!(WebAddress::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (text, loopback) in [
            ("http://localhost/", true),
            ("http://127.0.0.9/", true),
            ("http://[::1]/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("http://localhost.example/", false),
            ("http://127.0.0.1.example/", false),
            ("http://2130706433/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(WebAddress::parse(text).unwrap().is_loopback(), loopback, "{text}");
        }
    }
}
