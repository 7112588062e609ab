//! The fields that tell a caller about its limits: `RateLimit-Policy` and `RateLimit` of
//! draft-ietf-httpapi-ratelimit-headers-11 (structured fields, RFC 9651), and the older `X-RateLimit-*`.
//!
//! Everything that is written comes from the configuration and from counts; nothing from the client.

use crate::decision::Decision;
use crate::key::Key;
use crate::policy::{Kind, Policy, UNITS_MAX, Unit};

#[cfg(test)]
mod tests;

/// One limit of a request with what it said.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The limit.
    pub policy: &'a Policy,
    /// What it said.
    pub decision: &'a Decision,
    /// Whose account, where callers are to tell their partitions apart (`pk`). Half of a keyed hash: it says nothing
    /// about the caller.
    pub partition: Option<Key>,
}

/// Adds the items of `RateLimit-Policy` (section 3): `"name";q=100;w=60`. Limits in shadow are not told. Writes nothing,
/// and so no field, if there is none to tell.
pub fn write_rate_limit_policy<'a>(out: &mut Vec<u8>, told: impl IntoIterator<Item = Told<'a>>) {
    each(out, told, |out, told| {
        write_parameter(out, "q", told.policy.limit());
        match (told.policy.kind(), told.policy.unit()) {
            (Kind::Concurrency { .. }, _) => out.extend_from_slice(b";qu=\"concurrent-requests\""),
            (_, Unit::ContentBytes) => out.extend_from_slice(b";qu=\"content-bytes\""),
            // Not a registered unit (section 10.3), so it goes into a parameter of our own, which others may skip.
            (_, Unit::Cost) => out.extend_from_slice(b";portcullis-unit=\"cost\""),
            (_, Unit::Requests) => {}
        }
        if let Some(window_s) = told.policy.window_s() {
            write_parameter(out, "w", window_s);
        }
    });
}

/// Adds the items of `RateLimit` (section 4): `"name";r=50;t=30`.
pub fn write_rate_limit<'a>(out: &mut Vec<u8>, told: impl IntoIterator<Item = Told<'a>>) {
    each(out, told, |out, told| {
        write_parameter(out, "r", told.decision.remaining);
        if let Some(reset_s) = told.decision.reset_s {
            write_parameter(out, "t", reset_s);
        }
    });
}

/// What the three fields of the older custom say; they can tell of one limit only, so it is the one that is nearest to
/// its end: the one that refused for longest, or the one with the smallest part left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Legacy {
    /// `X-RateLimit-Limit`.
    pub limit: u64,
    /// `X-RateLimit-Remaining`.
    pub remaining: u64,
    /// `X-RateLimit-Reset`, in seconds from now.
    pub reset_s: u64,
}

// === impl Legacy ===

impl Legacy {
    /// None if there is nothing to tell. Limits on requests at the same time are not told.
    #[must_use]
    pub fn of<'a>(told: impl IntoIterator<Item = Told<'a>>) -> Option<Self> {
        // Of requests at the same time it would say that none is left while this one runs, and clients would wait.
        let counts =
            |told: &Told<'_>| !told.policy.is_shadow() && !matches!(told.policy.kind(), Kind::Concurrency { .. });
        let nearest = told.into_iter().filter(counts).min_by_key(|told| {
            let Decision { has_room, limit, remaining, retry_after_s, .. } = *told.decision;
            let part = u128::from(remaining).saturating_mul(1_000_000) / u128::from(limit.max(1));
            (has_room, std::cmp::Reverse(retry_after_s), part)
        })?;
        let Decision { limit, remaining, reset_s, .. } = *nearest.decision;
        Some(Self { limit, remaining, reset_s: reset_s.unwrap_or(0) })
    }
}

fn each<'a>(
    out: &mut Vec<u8>,
    told: impl IntoIterator<Item = Told<'a>>,
    mut parameters: impl FnMut(&mut Vec<u8>, &Told<'a>),
) {
    let start = out.len();
    for told in told.into_iter().filter(|told| !told.policy.is_shadow()) {
        if out.len() > start {
            out.extend_from_slice(b", ");
        }
        // INVARIANT: a policy's name holds nothing that a string of structured fields would have to escape.
        out.push(b'"');
        out.extend_from_slice(told.policy.name().as_bytes());
        out.push(b'"');
        parameters(out, &told);
        if let Some(key) = told.partition {
            out.extend_from_slice(b";pk=:");
            write_base64(out, key);
            out.push(b':');
        }
    }
}

fn write_parameter(out: &mut Vec<u8>, name: &str, value: u64) {
    out.push(b';');
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    write_number(out, value.min(UNITS_MAX));
}

/// Digits without the machinery of formatting, since every answer has several.
fn write_number(out: &mut Vec<u8>, mut value: u64) {
    let start = out.len();
    loop {
        out.push(b'0'.saturating_add(u8::try_from(value % 10).unwrap_or(0)));
        value /= 10;
        if value == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

/// The upper 72 bits of a key: twelve characters of base64 (RFC 4648 section 4) without padding to spare.
fn write_base64(out: &mut Vec<u8>, key: Key) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for step in 1..=12_u32 {
        let sextet = usize::try_from((key.bits() >> 128_u32.saturating_sub(6 * step)) & 63).unwrap_or(0);
        out.push(ALPHABET.get(sextet).copied().unwrap_or(b'A'));
    }
}
