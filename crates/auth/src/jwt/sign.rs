//! Signing: the gateway's own tokens, and what it proves itself with to others. Only asymmetric, only two algorithms.

use super::algorithm::Algorithm;
use super::token::encode;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value, json};
use std::fmt;

/// A private key that signs, with the id under which its public half is published: its RFC 7638 thumbprint.
pub struct SigningKey {
    id: String,
    jwk: Value,
    pair: Pair,
}

enum Pair {
    Es256(Box<EcdsaKeyPair>),
    EdDsa(Box<Ed25519KeyPair>),
}

/// A key that cannot sign, or would not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignError;

// === impl SigningKey ===

impl SigningKey {
    /// Reads a private key in PKCS #8 form, P-256 or Ed25519.
    ///
    /// # Errors
    /// Any other key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, SignError> {
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
            return Self::of(Pair::Es256(Box::new(pair)));
        }
        Ed25519KeyPair::from_pkcs8(der).map_err(|_| SignError).and_then(|pair| Self::of(Pair::EdDsa(Box::new(pair))))
    }

    /// An Ed25519 key of 32 random bytes.
    ///
    /// # Errors
    /// When the library refuses it.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SignError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| SignError)?;
        Self::of(Pair::EdDsa(Box::new(pair)))
    }

    fn of(pair: Pair) -> Result<Self, SignError> {
        let (canonical, mut jwk) = match &pair {
            Pair::Es256(pair) => {
                let point = pair.public_key().as_ref().get(1..).ok_or(SignError)?;
                let (x, y) = point.split_at_checked(32).ok_or(SignError)?;
                let (x, y) = (encode(x), encode(y));
                let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
                (format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#), jwk)
            }
            Pair::EdDsa(pair) => {
                let x = encode(pair.public_key().as_ref());
                let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
                (format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#), jwk)
            }
        };
        let id = encode(digest(&SHA256, canonical.as_bytes()));
        let members = jwk.as_object_mut().ok_or(SignError)?;
        members.insert("kid".to_owned(), Value::from(id.as_str()));
        members.insert("use".to_owned(), Value::from("sig"));
        members.insert("alg".to_owned(), Value::from(pair.algorithm().name()));
        Ok(Self { id, jwk, pair })
    }

    /// The id in headers and in the published set.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The algorithm that it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.pair.algorithm()
    }

    /// The public half (RFC 7517).
    #[must_use]
    pub const fn public_jwk(&self) -> &Value {
        &self.jwk
    }

    /// A signed token of this type with these claims. `embed` puts the public key into the header, as DPoP wants it.
    ///
    /// # Errors
    /// When the library refuses to sign.
    pub fn sign(&self, kind: &str, claims: &Map<String, Value>, embed: bool) -> Result<String, SignError> {
        let mut header = json!({ "typ": kind, "alg": self.algorithm().name() });
        if let Some(members) = header.as_object_mut() {
            let (name, value) = if embed { ("jwk", self.jwk.clone()) } else { ("kid", Value::from(self.id.as_str())) };
            members.insert(name.to_owned(), value);
        }
        let claims = serde_json::to_string(claims).map_err(|_| SignError)?;
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims));
        let signature = encode(self.signature(signed.as_bytes())?);
        Ok(format!("{signed}.{signature}"))
    }

    /// A bare signature.
    ///
    /// # Errors
    /// When the library refuses to sign.
    pub fn signature(&self, bytes: &[u8]) -> Result<Vec<u8>, SignError> {
        match &self.pair {
            Pair::Es256(pair) => {
                pair.sign(&SystemRandom::new(), bytes).map(|it| it.as_ref().to_vec()).map_err(|_| SignError)
            }
            Pair::EdDsa(pair) => Ok(pair.sign(bytes).as_ref().to_vec()),
        }
    }
}

// === impl Pair ===

impl Pair {
    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256(_) => Algorithm::Es256,
            Self::EdDsa(_) => Algorithm::EdDsa,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.id)
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not a P-256 or Ed25519 key that can sign")
    }
}

impl std::error::Error for SignError {}
