//! One DPoP proof: every check of RFC 9449 section 4.3, and the replay table last.

use super::nonce::Nonces;
use crate::jwt::{Algorithm, Compact, VerifyingKey, decode, encode, seconds, text};
use crate::replay::{ReplayTable, Use};
use crate::strict_json;
use crate::web::WebAddress;
use aws_lc_rs::digest::{SHA256, digest};
use portcullis_types::Reason;
use serde_json::{Map, Value};
use std::fmt;

// LIMIT: bytes of a proof; one is smaller than a token.
const PROOF_BYTES_MAX: usize = 8 * 1024;
// LIMIT: bytes of a proof's id.
const ID_BYTES_MAX: usize = 256;

/// What proofs have to be.
#[derive(Clone, Debug, Default)]
pub struct ProofRules {
    /// The algorithms that are accepted; none of them symmetric.
    pub algorithms: Vec<Algorithm>,
    /// How old a proof may be, in seconds; at most an hour.
    pub window_seconds: u64,
    /// How far in the future its time may be.
    pub skew_seconds: u64,
    /// Whether proofs need a nonce of ours.
    pub nonces: Option<Nonces>,
}

/// The request that a proof is for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The method, exactly.
    pub method: &'a str,
    /// The address.
    pub address: &'a WebAddress,
    /// The access token that came with the proof.
    pub token: &'a str,
}

/// A proof that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The thumbprint of its key, to be compared with the token's `cnf.jkt`.
    pub thumbprint: String,
}

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DpopError {
    /// None.
    Missing,
    /// More than one.
    Several,
    /// Not a token of the right form and type.
    Malformed,
    /// An algorithm that is not accepted.
    Algorithm,
    /// No key in the header, a private one, a weak one.
    Key,
    /// The signature is not the key's.
    Signature,
    /// A claim is missing or of another type.
    Claims,
    /// For another method.
    Method,
    /// For another address.
    Address,
    /// For another token.
    Token,
    /// Too old, or from the future.
    Time,
    /// Without a good nonce; the answer carries one.
    Nonce,
    /// Used before.
    Replay,
    /// Nobody can tell whether it was used before: 503.
    NoRoom,
}

// === impl Proof ===

impl Proof {
    /// Verifies the proof in a request's `DPoP` fields, of which there has to be exactly one.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(
        fields: &[&str],
        rules: &ProofRules,
        asked: Asked<'_>,
        replays: &ReplayTable,
        now: u64,
    ) -> Result<Self, DpopError> {
        let field = match fields {
            [] => return Err(DpopError::Missing),
            [one] => *one,
            [_, _, ..] => return Err(DpopError::Several),
        };
        if field.len() > PROOF_BYTES_MAX {
            return Err(DpopError::Malformed);
        }
        let compact = Compact::split(field).map_err(|_| DpopError::Malformed)?;
        let key = key_of(&compact, rules)?;
        let claims = strict_json::object(&compact.payload).ok_or(DpopError::Claims)?;
        let (id, issued_at) = judge(&claims, rules, asked, now)?;
        let print = key.thumbprint().ok_or(DpopError::Key)?;
        // Last, so that nothing but good proofs takes room. It is kept for as long as the proof could be used again.
        let until = issued_at.max(now).saturating_add(rules.window_seconds).saturating_add(1);
        match replays.admit(&[b"dpop", &print, id.as_bytes()], until, now) {
            Use::First => Ok(Self { thumbprint: encode(print) }),
            Use::Replay => Err(DpopError::Replay),
            Use::NoRoom => Err(DpopError::NoRoom),
        }
    }
}

/// The key that the header brings, once it has proved to be the one that signed. Here, other than with tokens, the key is
/// the caller's own: what it proves is that the token's holder made this request.
fn key_of(compact: &Compact<'_>, rules: &ProofRules) -> Result<VerifyingKey, DpopError> {
    let header = &compact.header;
    if ["crit", "b64", "zip"].iter().any(|name| header.contains_key(*name)) || text(header, "typ") != Some("dpop+jwt") {
        return Err(DpopError::Malformed);
    }
    let algorithm = text(header, "alg").and_then(Algorithm::from_name).ok_or(DpopError::Algorithm)?;
    if algorithm.is_symmetric() || !rules.algorithms.contains(&algorithm) {
        return Err(DpopError::Algorithm);
    }
    let jwk = header.get("jwk").and_then(Value::as_object).ok_or(DpopError::Key)?;
    let key = VerifyingKey::public(jwk).ok().filter(|key| key.allows(algorithm)).ok_or(DpopError::Key)?;
    if key.verifies(algorithm, compact.signed, &compact.signature) { Ok(key) } else { Err(DpopError::Signature) }
}

fn judge<'a>(
    claims: &'a Map<String, Value>,
    rules: &ProofRules,
    asked: Asked<'_>,
    now: u64,
) -> Result<(&'a str, u64), DpopError> {
    let id = text(claims, "jti").filter(|id| !id.is_empty() && id.len() <= ID_BYTES_MAX).ok_or(DpopError::Claims)?;
    let method = text(claims, "htm").ok_or(DpopError::Claims)?;
    let address = text(claims, "htu").ok_or(DpopError::Claims)?;
    let issued_at = claims.get("iat").and_then(seconds).ok_or(DpopError::Claims)?;
    let hash = text(claims, "ath").and_then(decode).ok_or(DpopError::Claims)?;
    if method != asked.method {
        return Err(DpopError::Method);
    }
    if !WebAddress::parse(address).is_some_and(|address| address.same_place(asked.address)) {
        return Err(DpopError::Address);
    }
    if hash != digest(&SHA256, asked.token.as_bytes()).as_ref() {
        return Err(DpopError::Token);
    }
    let young = issued_at.saturating_add(rules.window_seconds) >= now;
    if !young || issued_at > now.saturating_add(rules.skew_seconds) {
        return Err(DpopError::Time);
    }
    if let Some(nonces) = &rules.nonces
        && !text(claims, "nonce").is_some_and(|nonce| nonces.knows(nonce, now))
    {
        return Err(DpopError::Nonce);
    }
    Ok((id, issued_at))
}

// === impl DpopError ===

impl DpopError {
    /// What the caller is told.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Nonce => Reason::NonceRequired,
            Self::NoRoom => Reason::IdentityOverloaded,
            Self::Missing => Reason::InsufficientBinding,
            Self::Several
            | Self::Malformed
            | Self::Algorithm
            | Self::Key
            | Self::Signature
            | Self::Claims
            | Self::Method
            | Self::Address
            | Self::Token
            | Self::Time
            | Self::Replay => Reason::InvalidProof,
        }
    }

    /// What the record says.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Missing => "there is no DPoP field",
            Self::Several => "there are several DPoP fields",
            Self::Malformed => "the proof is not a token of type dpop+jwt",
            Self::Algorithm => "the proof's algorithm is not accepted",
            Self::Key => "the proof brings no usable public key",
            Self::Signature => "the proof's signature is not its key's",
            Self::Claims => "a claim of the proof is missing or of another type",
            Self::Method => "the proof is for another method",
            Self::Address => "the proof is for another address",
            Self::Token => "the proof is for another token",
            Self::Time => "the proof is too old or from the future",
            Self::Nonce => "the proof has no good nonce",
            Self::Replay => "the proof was used before",
            Self::NoRoom => "there is no room to remember the proof",
        }
    }
}

impl fmt::Display for DpopError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.detail())
    }
}

impl std::error::Error for DpopError {}
