//! What is said outwards, in rows.

use super::{IdentityTokens, Offer, Resource, challenges};
use crate::jwt::{Algorithm, KeySet, Profile, Rules, SigningKey, verify};
use crate::principal::{Principal, Scheme};
use portcullis_types::Reason;
use serde_json::json;

const NOW: u64 = 1_800_000_000;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn p256() -> SigningKey {
    use aws_lc_rs::{rand::SystemRandom, signature::ECDSA_P256_SHA256_FIXED_SIGNING, signature::EcdsaKeyPair};
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    SigningKey::from_pkcs8(der.as_ref()).unwrap()
}

fn principal() -> Principal {
    Principal {
        scheme: Scheme::Jwt,
        id: "ada".to_owned(),
        username: Some("Ada".to_owned()),
        credential: "jti-1".to_owned(),
        issuer: Some("https://idp.example.com".to_owned()),
        scopes: vec!["a".to_owned(), "b".to_owned()],
        roles: vec!["clerk".to_owned()],
        claims: serde_json::Map::new(),
        expires_at: None,
    }
}

/// What an API behind the gateway checks, with the set that it has.
fn accepted(token: &str, set: &serde_json::Value, audience: &str, now: u64) -> bool {
    let rules = Rules {
        profile: Profile::Legacy,
        issuer: "https://gateway.example".to_owned(),
        audiences: vec![audience.to_owned()],
        algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
        required_claims: Vec::new(),
        skew_seconds: 0,
    };
    // The type is ours alone, so that no statement is ever taken for an access token.
    assert!(verify(token, &rules, &KeySet::default(), now).is_err());
    let parts: Vec<&str> = token.split('.').collect();
    let header = String::from_utf8(crate::jwt::decode(parts[0]).unwrap()).unwrap();
    assert!(header.contains(r#""typ":"identity+jwt""#), "{header}");
    let keys = KeySet::from_json(set.to_string().as_bytes()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&crate::jwt::decode(parts[1]).unwrap()).unwrap();
    let signed = format!("{}.{}", parts[0], parts[1]);
    let signature = crate::jwt::decode(parts[2]).unwrap();
    let kid = serde_json::from_str::<serde_json::Value>(&header).unwrap()["kid"].clone();
    let one = keys.iter().filter(|key| key.id() == kid.as_str()).any(|key| {
        [Algorithm::Es256, Algorithm::EdDsa]
            .into_iter()
            .any(|algorithm| key.allows(algorithm) && key.verifies(algorithm, signed.as_bytes(), &signature))
    });
    one && claims["aud"] == audience && claims["exp"].as_u64().unwrap() > now
}

#[test]
fn statements_survive_a_rotation() {
    let turns = NOW + 10;
    let tokens = |keys| IdentityTokens::new("https://gateway.example".to_owned(), keys).unwrap();
    let old = tokens(vec![(turns, key(2)), (NOW - 5, p256())]);
    let early = old.key_set(NOW);
    let first = old.issue(&principal(), "orders", "r-1", NOW).unwrap();
    assert!(accepted(&first, &early, "orders", NOW + 59));
    assert!(!accepted(&first, &early, "orders", NOW + 60), "sixty seconds");
    assert!(!accepted(&first, &early, "billing", NOW), "for one API");
    let second = old.issue(&principal(), "orders", "r-2", turns).unwrap();
    let kid = |token: &str| token.split('.').next().unwrap().to_owned();
    assert_ne!(kid(&first), kid(&second), "another key signs");
    assert!(accepted(&second, &early, "orders", turns), "who fetched the set before the rotation knows the key");
    assert!(accepted(&first, &old.key_set(turns), "orders", turns), "and the old one is still published");
    assert_eq!(old.key_set(turns + 3599)["keys"].as_array().unwrap().len(), 2);
    assert_eq!(old.key_set(turns + 3600)["keys"].as_array().unwrap().len(), 1);
    let mut new = tokens(vec![(0, key(9)), (u64::MAX, key(2))]);
    new.inherit(&old, NOW);
    assert_eq!(new.key_set(NOW)["keys"].as_array().unwrap().len(), 3, "the key of before is published, each one once");
    assert!(accepted(&first, &new.key_set(NOW), "orders", NOW));
    assert!(!accepted(&first, &new.key_set(NOW + 3600), "orders", NOW));
    let third = new.issue(&principal(), "orders", "r-3", NOW + 1).unwrap();
    assert!(accepted(&third, &new.key_set(NOW), "orders", NOW + 1));
    for seed in 10..60 {
        let mut newer = tokens(vec![(0, key(seed))]);
        newer.inherit(&new, NOW + 20);
        new = newer;
    }
    assert_eq!(new.key_set(NOW + 20)["keys"].as_array().unwrap().len(), 9, "bounded");
    let published = new.key_set(NOW).to_string();
    assert!(!published.contains("\"d\""), "{published}");
    assert!(SigningKey::from_pkcs8(b"nonsense").is_err());
    assert!(IdentityTokens::new(String::new(), Vec::new()).is_none());
}

#[test]
fn challenges_say_what_is_wanted() {
    let offer = Offer {
        realm: "or\"ders\n".to_owned(),
        schemes: vec![Scheme::Jwt, Scheme::ApiKey],
        key_field: "X-API-Key".to_owned(),
        scopes: vec!["read".to_owned()],
        proof_algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
        proofs_only: false,
        metadata: Some("https://api.example.com/.well-known/oauth-protected-resource".to_owned()),
    };
    let metadata = r#"resource_metadata="https://api.example.com/.well-known/oauth-protected-resource""#;
    let realm = r#"realm="or\"ders""#;
    let key = format!(r#"ApiKey {realm}, header="X-API-Key""#);
    let bare = |scheme: &str, more: &str| format!("{scheme} {realm}, {more}{metadata}");
    let algs = r#"algs="ES256 EdDSA", "#;
    assert_eq!(
        challenges(&offer, Reason::MissingCredential),
        [bare("Bearer", r#"scope="read", "#), bare("DPoP", algs), key.clone()]
    );
    let described =
        |error: &str, reason: Reason| format!(r#"error="{error}", error_description="{}", "#, reason.title());
    let expired = described("invalid_token", Reason::ExpiredToken);
    assert_eq!(
        challenges(&offer, Reason::ExpiredToken),
        [bare("Bearer", &format!(r#"{expired}scope="read", "#)), bare("DPoP", algs), key]
    );
    for (reason, error) in [
        (Reason::NonceRequired, "use_dpop_nonce"),
        (Reason::InvalidProof, "invalid_dpop_proof"),
        (Reason::InsufficientBinding, "invalid_token"),
    ] {
        let dpop = challenges(&offer, reason).into_iter().nth(1).unwrap();
        assert_eq!(dpop, bare("DPoP", &format!("{algs}{}", described(error, reason))));
    }
    for schemes in [vec![Scheme::Certificate], vec![Scheme::Signature], vec![]] {
        let offer = Offer { schemes, ..Offer::default() };
        assert_eq!(challenges(&offer, Reason::MissingCredential).len(), 1);
    }
}

#[test]
fn an_api_describes_itself() {
    let resource = Resource {
        resource: "https://api.example.com/orders".to_owned(),
        authorization_servers: vec!["https://idp.example.com".to_owned()],
        proof_algorithms: vec![Algorithm::Es256],
        ..Resource::default()
    };
    assert_eq!(
        resource.document(),
        json!({
            "resource": "https://api.example.com/orders",
            "authorization_servers": ["https://idp.example.com"],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": ["ES256"],
            "dpop_bound_access_tokens_required": false,
        })
    );
    assert_eq!(Resource::path("/orders/"), "/.well-known/oauth-protected-resource/orders");
    assert_eq!(Resource::path("/"), "/.well-known/oauth-protected-resource");
}

#[test]
fn where_only_bound_tokens_are_accepted_no_other_challenge_is_made() {
    let proof_algorithms = vec![Algorithm::Es256];
    let offer = Offer { schemes: vec![Scheme::Jwt], proof_algorithms, proofs_only: true, ..Offer::default() };
    for (reason, error) in [
        (Reason::MissingCredential, None),
        (Reason::ExpiredToken, Some("invalid_token")),
        (Reason::InvalidProof, Some("invalid_dpop_proof")),
        (Reason::NonceRequired, Some("use_dpop_nonce")),
    ] {
        let all = challenges(&offer, reason);
        assert!(all.len() == 1 && all[0].starts_with("DPoP "), "{all:?}");
        let said = error.map(|error| format!("error=\"{error}\""));
        assert_eq!(all[0].contains("error="), said.is_some(), "{all:?}");
        assert!(said.is_none_or(|said| all[0].contains(&said)), "{all:?}");
    }
}
