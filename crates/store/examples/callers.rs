//! Callers for `cargo xtask bench identity`: tokens of an issuer with its key set, and stores with few and with many keys.
//!
//! usage: `callers FOLDER`; each line of the text files is a header field as a request carries it.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_auth::jwt::SigningKey;
use portcullis_auth::key::{ENTROPY_BYTES, KeyRecord, KeyText};
use portcullis_store::Home;
use serde_json::{Value, json};
use std::fs::{create_dir_all, write};
use std::path::Path;
use std::time::SystemTime;

type Failure = Box<dyn std::error::Error>;

/// Enough that each can be new in a run that lasts long enough to be measured.
const TOKENS: usize = 20_000;
/// Tokens that a gateway meets again and again.
const FEW_TOKENS: usize = 1_000;
const FEW_KEYS: usize = 10;
const MANY_KEYS: usize = 1_000_000;
/// Keys of the large store that are used.
const USED_KEYS: usize = 50_000;

fn main() -> Result<(), Failure> {
    let folder = std::env::args().nth(1).ok_or("usage: callers FOLDER")?;
    let folder = Path::new(&folder);
    create_dir_all(folder)?;
    tokens(folder)?;
    keys(folder, "few", FEW_KEYS)?;
    keys(folder, "many", MANY_KEYS)
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[expect(clippy::disallowed_methods, reason = "tokens are for today")]
fn now() -> Result<u64, Failure> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs())
}

fn claims(number: usize, audience: &str) -> Result<Value, Failure> {
    let now = now()?;
    Ok(json!({
        "iss": "https://idp.example.com", "aud": audience, "sub": format!("user-{number}"), "client_id": "bench",
        "jti": format!("t-{number}"), "iat": now, "exp": now + 86_400, "scope": "orders:read orders:write",
        "roles": ["agent"],
    }))
}

fn tokens(folder: &Path) -> Result<(), Failure> {
    let random = SystemRandom::new();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let rs256 = |number, audience| {
        let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": "rsa" }).to_string();
        let body = format!("{}.{}", encode(header), encode(claims(number, audience)?.to_string()));
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &random, body.as_bytes(), &mut signature)?;
        Ok::<_, Failure>(format!("{body}.{}", encode(signature)))
    };
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?;
    let p256 = SigningKey::from_pkcs8(der.as_ref())?;
    let es256 = |number| {
        let claims = claims(number, "orders")?;
        Ok::<_, Failure>(p256.sign("at+jwt", claims.as_object().ok_or("no claims")?, false)?)
    };
    // The public key is a sequence of two numbers, whose first has 256 bytes after nine of headers.
    let n = encode(rsa.public_key().as_ref().get(9..265).ok_or("a key of another size")?);
    let rsa_jwk = json!({ "kty": "RSA", "kid": "rsa", "alg": "RS256", "use": "sig", "n": n, "e": "AQAB" });
    write(folder.join("jwks.json"), json!({ "keys": [rsa_jwk, p256.public_jwk()] }).to_string())?;
    let line = |token: Result<String, Failure>| token.map(|token| format!("authorization: Bearer {token}\n"));
    let rs256_lines = (0..TOKENS).map(|number| line(rs256(number, "orders"))).collect::<Result<Vec<_>, _>>()?;
    write(folder.join("rs256.txt"), rs256_lines.concat())?;
    write(folder.join("rs256-few.txt"), rs256_lines.get(..FEW_TOKENS).unwrap_or_default().concat())?;
    let es256_lines = (0..TOKENS).map(|number| line(es256(number))).collect::<Result<String, _>>()?;
    write(folder.join("es256.txt"), es256_lines)?;
    // What must be refused: for somebody else, signed for another token, not signed.
    let (good, other) = (rs256(0, "orders")?, rs256(1, "orders")?);
    let (body, _) = good.rsplit_once('.').ok_or("no token")?;
    let (_, signature) = other.rsplit_once('.').ok_or("no token")?;
    let bad = [rs256(0, "billing"), Ok(format!("{body}.{signature}")), Ok(format!("{body}."))];
    write(folder.join("bad.txt"), bad.into_iter().map(line).collect::<Result<String, _>>()?)?;
    Ok(())
}

/// A store in a folder of its own, and those of its keys that are used.
fn keys(folder: &Path, name: &str, count: usize) -> Result<(), Failure> {
    let (store, peppers) = Home::new(folder.join(name)).open([7; 32])?;
    let mut entropy = [0; ENTROPY_BYTES];
    let (mut lines, mut records) = (Vec::new(), Vec::with_capacity(count));
    for number in 0..count {
        aws_lc_rs::rand::fill(&mut entropy)?;
        let key = KeyText::mint("pk", &entropy)?;
        let mut record = KeyRecord::new(&key, peppers.current(), &format!("consumer-{number}"), now()?);
        record.scopes = vec!["orders:read".to_owned()];
        records.push(record);
        if number.is_multiple_of((count / USED_KEYS).max(1)) {
            lines.push(format!("x-api-key: {}\n", key.reveal()));
        }
    }
    store.create(records)?;
    // As many lines of few keys as of many: what the client reads to send them is the same then.
    let lines: String = lines.iter().cycle().take(USED_KEYS).map(String::as_str).collect();
    write(folder.join(format!("keys-{name}.txt")), lines)?;
    Ok(())
}
