//! What the fuzzer calls: any bytes as each thing that strangers send, and what must hold of it.

use crate::certificate::{ClientCertificate, NameRule};
use crate::credential::{QUERY_NAMES, authorization, in_query};
use crate::dpop::{Asked, Proof, ProofRules};
use crate::introspect::{Answer, AnswerRules};
use crate::issuer::Metadata;
use crate::jwt::{Algorithm, Compact, KeySet, Outcome, Profile, Rules, VerifyingKey, encode, explanation, verify};
use crate::key::{KeyRecord, KeyText, LeakScan};
use crate::replay::ReplayTable;
use crate::web::WebAddress;

#[cfg(test)]
mod tests;

const NOW: u64 = 1_800_000_000;

/// Bytes as a token and as a proof: never a panic, one text for one token, and an explanation that is the verdict.
pub fn token(bytes: &[u8]) {
    let _read = authorization(&[bytes]);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(compact) = Compact::split(text) {
        let signed = String::from_utf8_lossy(compact.signed);
        assert_eq!(format!("{signed}.{}", encode(&compact.signature)), text, "one text for one token");
        assert!(signed.ends_with(&format!(".{}", encode(&compact.payload))), "one text for one payload");
    }
    let rules = Rules {
        profile: Profile::Legacy,
        issuer: "https://idp.example.com".to_owned(),
        audiences: vec!["orders".to_owned()],
        algorithms: Algorithm::ALL.to_vec(),
        required_claims: Vec::new(),
        skew_seconds: 30,
    };
    let secret = VerifyingKey::secret(None, Algorithm::Hs256, b"0123456789abcdef0123456789abcdef".to_vec());
    let keys = KeySet::of(secret.into_iter().collect());
    let told = explanation(text, &[(&rules, &keys)], NOW);
    assert_eq!(told.token.is_some(), verify(text, &rules, &keys, NOW).is_ok());
    assert_eq!(told.token.is_some(), told.lines.iter().all(|line| line.outcome == Outcome::Passed));
    let Some(address) = WebAddress::of_request(true, "api.example.com", "/") else { return };
    let asked = Asked { method: "GET", address: &address, token: "t" };
    let proofs = ProofRules { algorithms: Algorithm::ALL.to_vec(), window_seconds: 60, skew_seconds: 5, nonces: None };
    let _proved = Proof::verify(&[text], &proofs, asked, &ReplayTable::new(8, [1; 32]), NOW);
}

/// Bytes as the text of a key, as a dump, as a query, as a stored record.
pub fn key(bytes: &[u8]) {
    let mut scan = LeakScan::new("pk");
    let mut found = Vec::new();
    for piece in bytes.chunks(7) {
        scan.feed(piece, &mut |key| found.push(key.reveal().to_owned()));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(key) = KeyText::parse("pk", text) {
            assert_eq!((key.reveal(), key.id()), (text, KeyText::id_of(key.number()).as_str()));
            assert_eq!(found, [text]);
        }
        let exposed = in_query("pk", QUERY_NAMES, text);
        assert!(found.len() != 1 || found.first().is_none_or(|key| key != text) || exposed.is_some());
    }
    if let Ok(record) = KeyRecord::decode(1, bytes) {
        assert_eq!(record.encode().as_deref(), Ok(bytes), "one form for one record");
    }
}

/// Bytes as what an issuer answers: keys, metadata, an introspection.
pub fn issuer(bytes: &[u8]) {
    if let Ok(set) = KeySet::from_json(bytes) {
        assert!(set.len() + set.left_out.len() <= 100);
        // Only public keys come from an issuer, and each has a name of its own making.
        assert!(set.iter().all(|key| key.thumbprint().is_some()));
    }
    if let Ok(metadata) = Metadata::parse("https://idp.example.com", &[], bytes) {
        assert!(WebAddress::parse(&metadata.jwks_uri).is_some_and(|address| address.secure && !address.is_loopback()));
    }
    let rules = AnswerRules {
        issuer: "https://idp.example.com".to_owned(),
        audiences: vec!["orders".to_owned()],
        audience_optional: false,
        skew_seconds: 30,
    };
    if let Ok(Answer::Active(token, until)) = Answer::parse(200, Some("application/json"), bytes, &rules, NOW) {
        assert!(token.claims.get("active") == Some(&serde_json::Value::Bool(true)));
        assert!(token.claims.contains_key("aud") && until.is_none_or(|until| until > NOW));
    }
}

/// Bytes as a client certificate.
pub fn certificate(bytes: &[u8]) {
    let Ok(certificate) = ClientCertificate::read(bytes) else { return };
    let rules = [NameRule::SanDns, NameRule::SanUri, NameRule::SanEmail, NameRule::CommonName];
    for rule in rules {
        if let Ok(name) = certificate.identify(&[rule], NOW) {
            assert!(!name.is_empty() && !name.contains('*') && !name.chars().any(char::is_control), "{name:?}");
        }
    }
}

/// Bytes as structured fields.
pub fn fields(bytes: &[u8]) {
    crate::signature::fuzz_fields(bytes);
}
