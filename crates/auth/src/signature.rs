//! Signatures over requests (RFC 9421) and digests of bodies (RFC 9530).

mod base;
mod digest;
mod fields;
mod verify;

#[cfg(test)]
mod tests;

pub use base::{Component, Message};
pub use digest::{DigestCheck, DigestError};
pub use verify::{SignatureAlgorithm, SignatureError, SignatureRules, Signed};

/// Any bytes as the fields that are read here; for fuzzing. What is read has one written form, which reads the same.
pub fn fuzz_fields(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = fields::dictionary(text);
    if let Some(members) = read.clone() {
        let written: Vec<String> = members.iter().map(|(key, member)| format!("{key}={}", member.write())).collect();
        assert_eq!(fields::dictionary(&written.join(", ")), read, "{text:?}");
    }
    let _checked = DigestCheck::parse(text).map(|check| check.finish());
}
