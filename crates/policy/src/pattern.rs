//! Two operators of Cedar over literals, compiled: `like` with its wildcards, and ranges of addresses.

use serde_json::Value as Json;
use std::net::IpAddr;

/// What stands between the wildcards of a pattern, in its order; one more than there are wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<String>);

/// Addresses with the same leading bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    address: IpAddr,
    prefix: u32,
}

// === impl Pattern ===

impl Pattern {
    /// Reads the JSON form: `["Wildcard", { "Literal": "a" }]`.
    pub(crate) fn of(elements: &Json) -> Option<Self> {
        let mut parts = vec![String::new()];
        for element in elements.as_array()? {
            if element.as_str() == Some("Wildcard") {
                parts.push(String::new());
            } else {
                parts.last_mut()?.push_str(element.get("Literal")?.as_str()?);
            }
        }
        Some(Self(parts))
    }

    /// Whether a text is like it.
    pub(crate) fn fits(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_first() else { return false };
        let Some((last, between)) = rest.split_last() else { return text == first };
        let inner = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
        let Some(mut inner) = inner else { return false };
        for part in between {
            // The first place is as good as any: what is left behind it is the longest.
            let Some((_, after)) = inner.split_once(part.as_str()) else { return false };
            inner = after;
        }
        true
    }
}

// === impl Range ===

impl Range {
    /// Reads an address with or without a prefix, as strictly as anybody does; nothing for what needs a closer look.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let is_mixed = address.contains(':') && address.contains('.');
        let address: IpAddr = address.parse().ok().filter(|_| !is_mixed)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(digits) => {
                let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
                let is_short = digits == "0" || !digits.starts_with('0');
                digits.parse().ok().filter(|prefix| is_plain && is_short && *prefix <= bits)?
            }
        };
        Some(Self { address, prefix })
    }

    /// Whether it holds an address; nothing for one that is written in two ways.
    pub(crate) fn holds(self, address: IpAddr) -> Option<bool> {
        let all = |bits: u32| bits.checked_sub(self.prefix);
        Some(match (self.address, address) {
            (_, IpAddr::V6(_)) if address.to_string().contains('.') => return None,
            (IpAddr::V4(range), IpAddr::V4(one)) => {
                let differs = u32::from(range) ^ u32::from(one);
                differs.checked_shr(all(32)?).unwrap_or(0) == 0
            }
            (IpAddr::V6(range), IpAddr::V6(one)) => {
                let differs = u128::from(range) ^ u128::from(one);
                differs.checked_shr(all(128)?).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Range};

    #[test]
    fn patterns() {
        let literal = |text: &str| serde_json::json!({ "Literal": text });
        let pattern = |text: &str| {
            let mut elements = Vec::new();
            for (index, part) in text.split('*').enumerate() {
                if index > 0 {
                    elements.push("Wildcard".into());
                }
                elements.extend((!part.is_empty()).then(|| literal(part)));
            }
            Pattern::of(&elements.into()).unwrap()
        };
        for (written, text, fits) in [
            ("ada", "ada", true),
            ("ada", "adam", false),
            ("", "", true),
            ("*", "", true),
            ("a*", "ada", true),
            ("a*", "bada", false),
            ("*a", "ada", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*d*", "ada", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXcYb", false),
            ("*ab*ab*", "abab", true),
            ("*ab*ab*", "aab", false),
            ("**", "é", true),
        ] {
            assert_eq!(pattern(written).fits(text), fits, "{text} like {written}");
        }
        assert_eq!(Pattern::of(&serde_json::json!(["Other"])), None);
    }

    #[test]
    fn ranges() {
        for (range, address, expected) in [
            ("192.0.2.0/24", "192.0.2.7", Some(Some(true))),
            ("192.0.2.9/24", "192.0.2.7", Some(Some(true))),
            ("192.0.2.7", "192.0.2.7", Some(Some(true))),
            ("192.0.2.8", "192.0.2.7", Some(Some(false))),
            ("0.0.0.0/0", "192.0.2.7", Some(Some(true))),
            ("::/0", "192.0.2.7", Some(Some(false))),
            ("2001:db8::/32", "2001:db8::1", Some(Some(true))),
            ("::/0", "::ffff:192.0.2.7", Some(None)),
            ("192.0.2.0/024", "192.0.2.7", None),
            ("192.0.2.0/33", "192.0.2.7", None),
            ("192.0.2.0/", "192.0.2.7", None),
            ("::ffff:192.0.2.7", "192.0.2.7", None),
            ("x", "192.0.2.7", None),
        ] {
            let holds = Range::parse(range).map(|range| range.holds(address.parse().unwrap()));
            assert_eq!(holds, expected, "{address} in {range}");
        }
    }
}
