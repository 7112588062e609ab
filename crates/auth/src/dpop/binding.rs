//! What a token is bound to, and whether the caller has that.

use crate::jwt::{Token, decode};
use crate::principal::Failure;
use portcullis_types::Reason;
use serde_json::Value;

/// How a token came, and what came with it.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// Whether the scheme was `DPoP`, not `Bearer`.
    pub as_dpop: bool,
    /// The thumbprint of the key of a verified proof.
    pub proof: Option<&'a str>,
    /// The SHA-256 of the client's certificate (DER), if the connection has one.
    pub certificate: Option<&'a [u8; 32]>,
}

/// What the `cnf` of a token (RFC 7800) demands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// `jkt`: the thumbprint of a key that has to sign each request.
    pub key: Option<String>,
    /// `x5t#S256`: the hash of a certificate.
    pub certificate: Option<[u8; 32]>,
}

// === impl Bound ===

impl Bound {
    /// Reads what a token is bound to. A binding that nobody here can check is a refusal, and so is an empty one.
    ///
    /// # Errors
    /// A `cnf` that is not understood whole.
    pub fn of(token: &Token) -> Result<Self, Failure> {
        let strange = Failure { reason: Reason::InsufficientBinding, detail: "the token's cnf is not understood" };
        let mut bound = Self::default();
        let members = match token.claims.get("cnf") {
            None => return Ok(bound),
            Some(Value::Object(members)) if !members.is_empty() => members,
            Some(_) => return Err(strange),
        };
        for (name, value) in members {
            let value = value.as_str().ok_or(strange)?;
            let hash: [u8; 32] = decode(value).and_then(|bytes| bytes.try_into().ok()).ok_or(strange)?;
            match name.as_str() {
                "jkt" => bound.key = Some(value.to_owned()),
                "x5t#S256" => bound.certificate = Some(hash),
                _ => return Err(strange),
            }
        }
        Ok(bound)
    }

    /// Whether the caller has what the token is bound to.
    ///
    /// # Errors
    /// What he has not.
    pub fn admits(&self, presented: Presented<'_>) -> Result<(), Failure> {
        let refuse = |detail| Err(Failure { reason: Reason::InsufficientBinding, detail });
        match (&self.key, presented.as_dpop) {
            (None, false) => {}
            (None, true) => return refuse("a token that is bound to no key came as DPoP"),
            // RFC 9449 section 7.1: a bound token sent as Bearer is a stolen one.
            (Some(_), false) => return refuse("a token that is bound to a key came as Bearer"),
            (Some(key), true) if presented.proof != Some(key) => {
                return refuse("the proof was made with another key than the token is bound to");
            }
            (Some(_), true) => {}
        }
        match (&self.certificate, presented.certificate) {
            (None, _) => Ok(()),
            (Some(_), None) => refuse("a token that is bound to a certificate came without one"),
            (Some(wanted), Some(shown)) if wanted == shown => Ok(()),
            (Some(_), Some(_)) => refuse("the token is bound to another certificate"),
        }
    }
}
