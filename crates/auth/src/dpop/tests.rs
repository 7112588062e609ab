//! Proofs in rows: a good one, and each way to be none.

use super::{Asked, Bound, DpopError, Nonces, Presented, Proof, ProofRules};
use crate::jwt::{Algorithm, SigningKey, Token, encode};
use crate::replay::ReplayTable;
use crate::web::WebAddress;
use aws_lc_rs::digest::{SHA256, digest};
use portcullis_types::Reason;
use serde_json::{Map, Value, json};

const NOW: u64 = 1_800_000_000;
const TOKEN: &str = "the.access.token";

fn rules() -> ProofRules {
    ProofRules {
        algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
        window_seconds: 60,
        skew_seconds: 5,
        nonces: None,
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32]).unwrap()
}

/// The claims of a good proof with `change` over them; a null removes a member.
fn claims(change: Value) -> Map<String, Value> {
    let mut claims = json!({
        "jti": "1", "htm": "GET", "htu": "https://api.example.com/orders/7", "iat": NOW,
        "ath": encode(digest(&SHA256, TOKEN.as_bytes())),
    });
    let members = claims.as_object_mut().unwrap();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    members.clone()
}

fn with_header(header: &str, change: Value) -> String {
    let body = format!("{}.{}", encode(header), encode(serde_json::to_string(&claims(change)).unwrap()));
    format!("{body}.{}", encode(key().signature(body.as_bytes()).unwrap()))
}

fn check(fields: &[&str], rules: &ProofRules) -> Result<Proof, DpopError> {
    let address = WebAddress::of_request(true, "api.example.com", "/orders/7").unwrap();
    let asked = Asked { method: "GET", address: &address, token: TOKEN };
    let replays = ReplayTable::new(100, [1; 32]);
    Proof::verify(fields, rules, asked, &replays, NOW)
}

#[test]
fn claims_of_proofs() {
    let sign = |change: Value| key().sign("dpop+jwt", &claims(change), true).unwrap();
    let proof = check(&[&sign(json!({}))], &rules()).unwrap();
    assert_eq!(proof.thumbprint, key().id());
    for (change, error) in [
        (json!({ "jti": null }), DpopError::Claims),
        (json!({ "jti": "" }), DpopError::Claims),
        (json!({ "jti": 1 }), DpopError::Claims),
        (json!({ "jti": "x".repeat(257) }), DpopError::Claims),
        (json!({ "htm": null }), DpopError::Claims),
        (json!({ "htm": "get" }), DpopError::Method),
        (json!({ "htm": "POST" }), DpopError::Method),
        (json!({ "htu": null }), DpopError::Claims),
        (json!({ "htu": "https://api.example.com/orders/8" }), DpopError::Address),
        (json!({ "htu": "http://api.example.com/orders/7" }), DpopError::Address),
        (json!({ "htu": "https://api.example.com:444/orders/7" }), DpopError::Address),
        (json!({ "htu": "https://evil.example/orders/7" }), DpopError::Address),
        (json!({ "htu": "https://api.example.com/x/../orders/7" }), DpopError::Address),
        (json!({ "htu": "/orders/7" }), DpopError::Address),
        (json!({ "iat": null }), DpopError::Claims),
        (json!({ "iat": "1800000000" }), DpopError::Claims),
        (json!({ "iat": NOW - 61 }), DpopError::Time),
        (json!({ "iat": NOW + 6 }), DpopError::Time),
        (json!({ "ath": null }), DpopError::Claims),
        (json!({ "ath": encode(digest(&SHA256, b"another")) }), DpopError::Token),
        (json!({ "ath": TOKEN }), DpopError::Claims),
    ] {
        assert_eq!(check(&[&sign(change.clone())], &rules()), Err(error), "{change}");
    }
    for change in [
        json!({ "htu": "HTTPS://API.example.com:443/orders/7?x=1#y" }),
        json!({ "htu": "https://api.example.com/%6frders/7" }),
        json!({ "iat": NOW - 60 }),
        json!({ "iat": NOW + 5 }),
        json!({ "more": [1] }),
    ] {
        assert!(check(&[&sign(change.clone())], &rules()).is_ok(), "{change}");
    }
}

#[test]
fn headers_and_forms_of_proofs() {
    let jwk = key().public_jwk().to_string();
    let private = jwk.replacen('{', r#"{"d":"AAAA","#, 1);
    let other = SigningKey::from_seed(&[8; 32]).unwrap().public_jwk().to_string();
    let good = with_header(&format!(r#"{{"typ":"dpop+jwt","alg":"EdDSA","jwk":{jwk}}}"#), json!({}));
    assert!(check(&[&good], &rules()).is_ok());
    assert_eq!(check(&[], &rules()), Err(DpopError::Missing));
    assert_eq!(check(&[&good, &good], &rules()), Err(DpopError::Several));
    assert_eq!(check(&[&format!("{good}, {good}")], &rules()), Err(DpopError::Malformed));
    assert_eq!(check(&[""], &rules()), Err(DpopError::Malformed));
    assert_eq!(check(&[&"a".repeat(9000)], &rules()), Err(DpopError::Malformed));
    for (header, error) in [
        (format!(r#"{{"alg":"EdDSA","jwk":{jwk}}}"#), DpopError::Malformed),
        (format!(r#"{{"typ":"JWT","alg":"EdDSA","jwk":{jwk}}}"#), DpopError::Malformed),
        (format!(r#"{{"typ":"at+jwt","alg":"EdDSA","jwk":{jwk}}}"#), DpopError::Malformed),
        (format!(r#"{{"typ":"dpop+jwt","alg":"EdDSA","crit":["jwk"],"jwk":{jwk}}}"#), DpopError::Malformed),
        (format!(r#"{{"typ":"dpop+jwt","alg":"EdDSA","alg":"EdDSA","jwk":{jwk}}}"#), DpopError::Malformed),
        (format!(r#"{{"typ":"dpop+jwt","alg":"none","jwk":{jwk}}}"#), DpopError::Algorithm),
        (format!(r#"{{"typ":"dpop+jwt","alg":"HS256","jwk":{jwk}}}"#), DpopError::Algorithm),
        (format!(r#"{{"typ":"dpop+jwt","alg":"RS256","jwk":{jwk}}}"#), DpopError::Algorithm),
        (format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#), DpopError::Key),
        (r#"{"typ":"dpop+jwt","alg":"EdDSA"}"#.to_owned(), DpopError::Key),
        (r#"{"typ":"dpop+jwt","alg":"EdDSA","jwk":{"kty":"oct","k":"AAAA"}}"#.to_owned(), DpopError::Key),
        (format!(r#"{{"typ":"dpop+jwt","alg":"EdDSA","jwk":{private}}}"#), DpopError::Key),
        (format!(r#"{{"typ":"dpop+jwt","alg":"EdDSA","jwk":{other}}}"#), DpopError::Signature),
    ] {
        assert_eq!(check(&[&with_header(&header, json!({}))], &rules()), Err(error), "{header}");
    }
    let symmetric = ProofRules { algorithms: vec![Algorithm::Hs256], ..rules() };
    let header = format!(r#"{{"typ":"dpop+jwt","alg":"HS256","jwk":{jwk}}}"#);
    assert_eq!(check(&[&with_header(&header, json!({}))], &symmetric), Err(DpopError::Algorithm));
}

#[test]
fn a_proof_is_used_once() {
    let address = WebAddress::of_request(true, "api.example.com", "/orders/7").unwrap();
    let asked = Asked { method: "GET", address: &address, token: TOKEN };
    let replays = ReplayTable::new(100, [1; 32]);
    let sign = |id: &str, iat: u64| key().sign("dpop+jwt", &claims(json!({ "jti": id, "iat": iat })), true).unwrap();
    let (proof, early) = (sign("1", NOW), sign("2", NOW + 5));
    let verify = |text: &str, now| Proof::verify(&[text], &rules(), asked, &replays, now).err();
    assert_eq!(verify(&proof, NOW), None);
    assert_eq!(verify(&early, NOW), None);
    for now in NOW..=NOW + 60 {
        assert_eq!(verify(&proof, now), Some(DpopError::Replay), "{now}");
    }
    // As long as its time allows a proof to be used, its use is remembered.
    for now in NOW..=NOW + 65 {
        assert_eq!(verify(&early, now), Some(DpopError::Replay), "{now}");
    }
    assert_eq!(verify(&proof, NOW + 61), Some(DpopError::Time));
    assert_eq!(verify(&early, NOW + 66), Some(DpopError::Time));
    let full = ReplayTable::new(1, [1; 32]);
    let outcomes: Vec<_> =
        (0..40).map(|id| Proof::verify(&[&sign(&id.to_string(), NOW)], &rules(), asked, &full, NOW).err()).collect();
    assert_eq!(outcomes.last(), Some(&Some(DpopError::NoRoom)));
    assert_eq!(DpopError::NoRoom.reason().status(), 503);
}

#[test]
fn nonces_are_ours_and_fresh() {
    let nonces = Nonces::new([4; 32], 300);
    let nonce = nonces.issue(NOW - 300);
    assert!(nonces.knows(&nonce, NOW));
    for (text, now) in [
        (nonce.as_str(), NOW + 1),
        (nonce.as_str(), NOW - 301),
        (&Nonces::new([5; 32], 300).issue(NOW), NOW),
        (&nonce[1..], NOW),
        ("", NOW),
        (&format!("{nonce}A"), NOW),
    ] {
        assert!(!nonces.knows(text, now), "{text} {now}");
    }
    let strict = ProofRules { nonces: Some(nonces.clone()), ..rules() };
    let sign = |change: Value| key().sign("dpop+jwt", &claims(change), true).unwrap();
    assert_eq!(check(&[&sign(json!({}))], &strict), Err(DpopError::Nonce));
    assert_eq!(check(&[&sign(json!({ "nonce": "made up" }))], &strict), Err(DpopError::Nonce));
    assert!(check(&[&sign(json!({ "nonce": nonces.issue(NOW) }))], &strict).is_ok());
}

#[test]
fn bound_tokens_need_what_they_are_bound_to() {
    let print = encode([9u8; 32]);
    let other = encode([8u8; 32]);
    let token = |cnf: Value| Token { header: Map::new(), claims: json!({ "cnf": cnf }).as_object().unwrap().clone() };
    let unbound = Token { header: Map::new(), claims: Map::new() };
    let bearer = Presented { as_dpop: false, proof: None, certificate: None };
    let dpop = Presented { as_dpop: true, proof: Some(&print), certificate: None };
    let with_certificate = |presented| Presented { certificate: Some(&[9; 32]), ..presented };
    for (token, presented, good) in [
        (unbound.clone(), bearer, true),
        (unbound.clone(), with_certificate(bearer), true),
        (unbound, dpop, false),
        (token(json!({ "jkt": print })), bearer, false),
        (token(json!({ "jkt": print })), dpop, true),
        (token(json!({ "jkt": other })), dpop, false),
        (token(json!({ "jkt": print })), Presented { proof: None, ..dpop }, false),
        (token(json!({ "x5t#S256": print })), bearer, false),
        (token(json!({ "x5t#S256": print })), with_certificate(bearer), true),
        (token(json!({ "x5t#S256": other })), with_certificate(bearer), false),
        (token(json!({ "x5t#S256": print })), with_certificate(dpop), false),
        (token(json!({ "x5t#S256": print, "jkt": print })), with_certificate(dpop), true),
        (token(json!({ "x5t#S256": print, "jkt": print })), dpop, false),
    ] {
        let outcome = Bound::of(&token).and_then(|bound| bound.admits(presented));
        assert_eq!(outcome.is_ok(), good, "{:?} {presented:?}", token.claims);
        assert!(outcome.err().is_none_or(|failure| failure.reason == Reason::InsufficientBinding));
    }
    for cnf in [
        json!({}),
        json!(null),
        json!("x"),
        json!({ "kid": "1" }),
        json!({ "jwk": {} }),
        json!({ "jkt": 1 }),
        json!({ "jkt": "short" }),
        json!({ "x5t#S256": "" }),
        json!({ "jkt": print, "x5u": "https://evil.example" }),
    ] {
        assert!(Bound::of(&token(cnf.clone())).is_err(), "{cnf}");
    }
}
