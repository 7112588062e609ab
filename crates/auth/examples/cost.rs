//! What identity costs: tokens verified anew and found again, keys, proofs, signatures.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_auth::dpop::{Asked, Proof, ProofRules};
use portcullis_auth::jwt::{Algorithm, KeySet, Profile, Rules, SigningKey, verify};
use portcullis_auth::key::{Door, ENTROPY_BYTES, KeyRecord, KeyText, Pepper, Peppers, StoredKey};
use portcullis_auth::replay::ReplayTable;
use portcullis_auth::verified::{Validity, VerifiedTokens};
use portcullis_auth::web::WebAddress;
use serde_json::{Map, Value, json};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

const NOW: u64 = 1_800_000_000;

#[expect(clippy::disallowed_methods, reason = "a measurement reads the machine's clock")]
#[expect(clippy::print_stdout, reason = "a measurement prints its figures")]
fn report(name: &str, rounds: u32, mut work: impl FnMut() -> bool) -> Result<(), Failure> {
    // The best of several runs: other work on the machine only ever adds.
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..rounds {
            if !black_box(work()) {
                return Err(format!("{name}: refused").into());
            }
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(rounds));
    }
    println!("{name:<44} {:>9.2} µs", best / 1000.0);
    Ok(())
}

fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": "https://idp.example.com", "aud": "orders", "sub": "ada", "client_id": "app", "jti": "1",
        "iat": NOW, "exp": NOW + 600, "scope": "orders:read orders:write", "roles": ["clerk"],
    });
    claims.as_object().cloned().unwrap_or_default()
}

fn rules() -> Rules {
    Rules {
        profile: Profile::Rfc9068,
        issuer: "https://idp.example.com".to_owned(),
        audiences: vec!["orders".to_owned()],
        algorithms: vec![Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa],
        required_claims: Vec::new(),
        skew_seconds: 30,
    }
}

fn set(jwk: &Value) -> Result<KeySet, Failure> {
    KeySet::from_json(json!({ "keys": [jwk] }).to_string().as_bytes()).map_err(|error| format!("{error:?}").into())
}

/// A token with RS256; the product itself never signs with it.
fn rsa() -> Result<(String, KeySet), Failure> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": "r" }).to_string();
    let body = format!("{}.{}", encode(header.as_bytes()), encode(serde_json::to_string(&claims())?.as_bytes()));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), body.as_bytes(), &mut signature)?;
    // The public key is a sequence of two numbers, whose first has 256 bytes after nine of headers.
    let n = encode(pair.public_key().as_ref().get(9..265).ok_or("a key of another size")?);
    let jwk = json!({ "kty": "RSA", "kid": "r", "alg": "RS256", "n": n, "e": "AQAB" });
    Ok((format!("{body}.{}", encode(&signature)), set(&jwk)?))
}

fn main() -> Result<(), Failure> {
    let rules = rules();
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
    let (p256, edwards) = (SigningKey::from_pkcs8(der.as_ref())?, SigningKey::from_seed(&[7; 32])?);
    let (rs256, rs_keys) = rsa()?;
    let (es256, es_keys) = (p256.sign("at+jwt", &claims(), false)?, set(p256.public_jwk())?);
    let (eddsa, ed_keys) = (edwards.sign("at+jwt", &claims(), false)?, set(edwards.public_jwk())?);
    report("RS256 (2048 bits), verified anew", 2_000, || verify(&rs256, &rules, &rs_keys, NOW).is_ok())?;
    report("ES256, verified anew", 2_000, || verify(&es256, &rules, &es_keys, NOW).is_ok())?;
    report("EdDSA, verified anew", 2_000, || verify(&eddsa, &rules, &ed_keys, NOW).is_ok())?;
    let mut cache = VerifiedTokens::new(10_000, [1; 32]);
    let token = verify(&rs256, &rules, &rs_keys, NOW)?;
    let digest = cache.digest("corp", &rs256);
    cache.find(&digest, 1, NOW);
    cache.keep(digest, 1, Validity::of(&token, &rules), Arc::new(token), NOW);
    report("RS256, found in the cache", 200_000, || {
        let digest = cache.digest("corp", &rs256);
        cache.find(&digest, 1, NOW).is_some()
    })?;
    let (key, pepper) = (KeyText::mint("pk", &[9; ENTROPY_BYTES])?, Pepper::new(1, [7; 32]));
    let record = KeyRecord::new(&key, &pepper, "ada", NOW).encode()?;
    let peppers = Peppers::new(pepper, Vec::new());
    let door = Door { api: "orders", address: "192.0.2.1".parse()?, now: NOW };
    report("API key, read and verified", 200_000, || {
        let text = KeyText::parse("pk", key.reveal());
        text.is_ok_and(|key| StoredKey::read(&record).is_ok_and(|stored| stored.admits(&peppers, &key, door).is_ok()))
    })?;
    proof(&p256)
}

fn proof(key: &SigningKey) -> Result<(), Failure> {
    let address = WebAddress::of_request(true, "api.example.com", "/orders/7").ok_or("no address")?;
    let token = "a.b.c";
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    let rules = ProofRules { algorithms: vec![Algorithm::Es256], window_seconds: 60, skew_seconds: 5, nonces: None };
    let replays = ReplayTable::new(100_000, [3; 32]);
    let mut proofs = Vec::new();
    for id in 0..10_000 {
        let claims = json!({
            "jti": id.to_string(), "htm": "GET", "htu": "https://api.example.com/orders/7", "iat": NOW,
            "ath": URL_SAFE_NO_PAD.encode(hash),
        });
        proofs.push(key.sign("dpop+jwt", claims.as_object().ok_or("no claims")?, true)?);
    }
    let mut next = proofs.iter();
    report("DPoP proof with ES256, replay table included", 2_000, || {
        let asked = Asked { method: "GET", address: &address, token };
        next.next().is_some_and(|text| Proof::verify(&[text], &rules, asked, &replays, NOW).is_ok())
    })
}
