//! Attacks on tokens in rows, and the vectors of Wycheproof.

mod attacks;
mod vectors;

use super::{Algorithm, KeySet, Profile, Rules, VerifyingKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub(crate) const NOW: u64 = 1_800_000_000;
const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// A verifier of HS256 tokens, so that rows can sign what they like.
pub(crate) fn setting() -> (Rules, KeySet) {
    let rules = Rules {
        profile: Profile::Rfc9068,
        issuer: "https://idp.example.com".to_owned(),
        audiences: vec!["orders".to_owned()],
        algorithms: vec![Algorithm::Hs256],
        required_claims: Vec::new(),
        skew_seconds: 30,
    };
    let key = VerifyingKey::secret(Some("k1".to_owned()), Algorithm::Hs256, SECRET.to_vec()).unwrap();
    (rules, KeySet::of(vec![key]))
}

pub(crate) fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// Header and claims as they are given, signed with the secret.
pub(crate) fn signed(header: &str, claims: &str) -> String {
    signed_parts(&encode(header), &encode(claims))
}

pub(crate) fn signed_parts(header: &str, claims: &str) -> String {
    let body = format!("{header}.{claims}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), body.as_bytes());
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

pub(crate) const HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt","kid":"k1"}"#;

/// The claims of a good token, with `change` put in at the end or instead of the member that it names.
pub(crate) fn claims(change: &str) -> String {
    let good = [
        ("iss", r#""https://idp.example.com""#),
        ("aud", r#""orders""#),
        ("sub", r#""ada""#),
        ("client_id", r#""app""#),
        ("jti", r#""1""#),
        ("iat", "1799999990"),
        ("exp", "1800000600"),
    ];
    let name = change.split('"').nth(1).unwrap_or_default();
    let kept = good.iter().filter(|(have, _)| *have != name).map(|(name, value)| format!("\"{name}\":{value}"));
    let removed = change.ends_with(":-");
    let members: Vec<String> = kept.chain((!change.is_empty() && !removed).then(|| change.to_owned())).collect();
    format!("{{{}}}", members.join(","))
}
