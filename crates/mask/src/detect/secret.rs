//! Tokens and keys of programs.

use std::ops::Range;

/// The shortest of them.
pub(super) const BYTES_MIN: usize = 20;

/// How well-known keys begin, and how many characters follow at least.
const PREFIXES: [(&str, usize); 14] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghs_", 30),
    ("github_pat_", 30),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("sk-", 32),
    ("AIza", 30),
    ("npm_", 30),
];

pub(super) fn tokens(text: &str, found: &mut dyn FnMut(Range<usize>)) {
    jwts(text, found);
    bearers(text, found);
    for (prefix, least) in PREFIXES {
        for (start, _) in text.match_indices(prefix) {
            let tail =
                text.get(start + prefix.len()..).unwrap_or_default().bytes().take_while(|byte| is_token(*byte)).count();
            if tail >= least && is_edge(text, start) {
                found(start..start + prefix.len() + tail);
            }
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_edge(text: &str, start: usize) -> bool {
    start.checked_sub(1).and_then(|index| text.as_bytes().get(index)).is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

/// Three parts of base64url, the first of which is an object.
fn jwts(text: &str, found: &mut dyn FnMut(Range<usize>)) {
    for (start, _) in text.match_indices("eyJ") {
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.bytes().take_while(|byte| is_token(*byte) || *byte == b'.').count();
        let mut parts = rest.get(..length).unwrap_or_default().split('.');
        let [head, claims, signature] = [parts.next(), parts.next(), parts.next()].map(Option::unwrap_or_default);
        if head.len() >= 8 && claims.len() >= 4 && is_edge(text, start) {
            found(start..start + head.len() + claims.len() + signature.len() + 1 + usize::from(!signature.is_empty()));
        }
    }
}

/// What follows the scheme in a field of HTTP.
fn bearers(text: &str, found: &mut dyn FnMut(Range<usize>)) {
    for scheme in ["Bearer ", "bearer ", "BEARER ", "DPoP "] {
        for (at, _) in text.match_indices(scheme) {
            let start = at + scheme.len();
            let rest = text.get(start..).unwrap_or_default().bytes();
            let length = rest.take_while(|byte| is_token(*byte) || b"._~+/=".contains(byte)).count();
            if length >= 16 && is_edge(text, at) {
                found(start..start + length);
            }
        }
    }
}

/// From the first line of a private key in PEM to its last, or to the end of the text (RFC 7468 sections 10 and 11, and
/// what programs write besides).
pub(super) fn keys(text: &str, found: &mut dyn FnMut(Range<usize>)) {
    const MARK: &str = "PRIVATE KEY-----";
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find("-----BEGIN ")).map(|found| found + at) {
        let rest = text.get(start..).unwrap_or_default();
        let label = rest.get("-----BEGIN ".len()..).and_then(|label| label.split("-----").next()).unwrap_or_default();
        at = start + "-----BEGIN ".len();
        if !label.ends_with("PRIVATE KEY") && !label.ends_with("PRIVATE KEY BLOCK") {
            continue;
        }
        let end = rest.find("-----END ").and_then(|end| {
            let line = rest.get(end..)?;
            let close = line.get(9..)?.find("-----").map(|close| close + 14);
            Some(end + close.unwrap_or(line.len()).min(line.len()))
        });
        let end = start + end.unwrap_or(rest.len());
        found(start..end);
        at = end.max(start + MARK.len().min(rest.len()));
    }
}
