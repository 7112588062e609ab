//! The fuzz targets with fixed seeds, on stable Rust, in every run.

use crate::jwt::SigningKey;
use crate::jwt::tests::{HEADER, claims, signed};
use crate::key::{ENTROPY_BYTES, KeyRecord, KeyText, Pepper};
use rcgen::{CertificateParams, KeyPair};
use serde_json::json;

const ROUNDS: u64 = 3_000;

/// Seeds as they are, then with pieces changed, doubled, cut and mixed.
fn run(target: fn(&[u8]), seeds: &[Vec<u8>]) {
    let mut dice = 0x9e37_79b9_7f4a_7c15u64;
    let mut roll = |most: usize| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        usize::try_from(dice % 1_000_003).unwrap() % most.max(1)
    };
    seeds.iter().for_each(|seed| target(seed));
    for _ in 0..ROUNDS {
        let mut bytes = seeds[roll(seeds.len())].clone();
        for _ in 0..=roll(4) {
            let at = roll(bytes.len() + 1);
            let other = &seeds[roll(seeds.len())];
            let from = roll(other.len() + 1);
            let piece = &other[from..(from + roll(12)).min(other.len())];
            match roll(5) {
                0 => bytes.truncate(at),
                1 => drop(bytes.splice(at..(at + roll(8)).min(bytes.len()), [])),
                2 => drop(bytes.splice(at..at, piece.iter().copied())),
                3 => drop(bytes.splice(at..(at + piece.len()).min(bytes.len()), piece.iter().copied())),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = u8::try_from(roll(256)).unwrap();
                    }
                }
            }
        }
        target(&bytes);
    }
}

fn bytes(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[test]
fn fuzz_smoke_token() {
    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    let proof =
        json!({ "jti": "1", "htm": "GET", "htu": "https://api.example.com/", "iat": 1_800_000_000, "ath": "x" });
    let proof = key.sign("dpop+jwt", proof.as_object().unwrap(), true).unwrap();
    run(super::token, &bytes(&[&signed(HEADER, &claims("")), &proof, "Bearer a.b.c", "..", ""]));
}

#[test]
fn fuzz_smoke_key() {
    let key = KeyText::mint("pk", &[3; ENTROPY_BYTES]).unwrap();
    let record = KeyRecord { scopes: vec!["a".to_owned()], ..KeyRecord::new(&key, &Pepper::new(1, [1; 32]), "ada", 1) };
    let mut seeds = bytes(&[key.reveal(), &format!("x={}&access_token=1", key.reveal()), "pk_", "%70k_"]);
    seeds.push(record.encode().unwrap());
    run(super::key, &seeds);
}

#[test]
fn fuzz_smoke_issuer() {
    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    let seeds = [
        json!({ "keys": [key.public_jwk(), { "kty": "RSA", "n": "AQAB", "e": "AQAB" }] }),
        json!({ "issuer": "https://idp.example.com", "jwks_uri": "https://idp.example.com/jwks" }),
        json!({ "active": true, "aud": ["orders"], "exp": 1_800_000_100, "sub": "ada", "cnf": { "jkt": "x" } }),
    ];
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.to_string().into_bytes()).collect();
    run(super::issuer, &seeds);
}

#[test]
fn fuzz_smoke_certificate() {
    let names = vec!["a.example".to_owned(), "192.0.2.1".to_owned()];
    let params = CertificateParams::new(names).unwrap();
    let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
    run(super::certificate, &[der, vec![0x30, 0x80]]);
}

#[test]
fn fuzz_smoke_fields() {
    run(
        super::fields,
        &bytes(&[
            r#"s=("@method" "x-a";bs "@query-param";name="a\"b");created=1618884473;keyid="k";nonce="n""#,
            "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:, b=?0, c;d=-12, e=tok/en",
        ]),
    );
}
