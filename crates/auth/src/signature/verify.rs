//! One signature of a request: which key it names, and every check of it.

use super::base::{Component, Message, base};
use super::fields::{Bare, Item, Member, Parameters, dictionary, write_list};
use crate::jwt::{Algorithm, VerifyingKey};
use crate::replay::{ReplayTable, Use};
use portcullis_types::Reason;
use std::fmt;

// LIMIT: bytes of a nonce.
const NONCE_BYTES_MAX: usize = 256;

/// A signature algorithm (section 3.3) that is accepted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// Edwards curve 25519.
    Ed25519,
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256Sha256,
    /// RSASSA-PSS with SHA-512.
    RsaPssSha512,
    /// HMAC with SHA-256.
    HmacSha256,
}

/// What signatures have to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureRules {
    /// The components that have to be covered, in written form. With a body, `"content-digest"` is one of them anyway.
    pub required: Vec<Component>,
    /// How old a signature may be, in seconds; at most an hour.
    pub window_seconds: u64,
    /// How far in the future its time may be.
    pub skew_seconds: u64,
    /// Whether a nonce has to be there, so that nobody can send the request again.
    pub nonce: bool,
    /// The `tag` of the application, if it has one; signatures with another one are passed over.
    pub tag: Option<String>,
}

/// The signature that a request carries, before anything in it is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    items: Vec<Item>,
    parameters: Parameters,
    signature: Vec<u8>,
    key_id: String,
}

/// Why a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureError {
    /// There is none.
    Missing,
    /// Its fields are not well-formed, or do not belong together.
    Malformed,
    /// There are several, and nothing says which one counts.
    Several,
    /// It names no key.
    NoKey,
    /// It names another algorithm than its key's.
    Algorithm,
    /// A required component is not covered.
    Coverage,
    /// A covered component is unknown here, missing, ambiguous or doubled.
    Component,
    /// It was not made with the key, or over another request.
    Signature,
    /// It is too old, from the future, or says not when it was made.
    Time,
    /// There is no nonce.
    Nonce,
    /// It was used before.
    Replay,
    /// Nobody can tell whether it was used before: 503.
    NoRoom,
}

// === impl SignatureAlgorithm ===

impl SignatureAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::Ed25519, Self::EcdsaP256Sha256, Self::RsaPssSha512, Self::HmacSha256];

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::RsaPssSha512 => "rsa-pss-sha512",
            Self::HmacSha256 => "hmac-sha256",
        }
    }

    /// The algorithm of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    const fn of_key(self) -> Algorithm {
        match self {
            Self::Ed25519 => Algorithm::EdDsa,
            Self::EcdsaP256Sha256 => Algorithm::Es256,
            Self::RsaPssSha512 => Algorithm::Ps512,
            Self::HmacSha256 => Algorithm::Hs256,
        }
    }
}

// === impl Signed ===

impl Signed {
    /// Finds the signature that counts.
    ///
    /// # Errors
    /// Why there is none.
    pub fn find(message: &Message<'_>, rules: &SignatureRules) -> Result<Self, SignatureError> {
        let inputs = field(message, "signature-input")?;
        let mut signatures = field(message, "signature")?;
        let mut found = None;
        for (label, member) in inputs {
            let Member::List(items, parameters) = member else { return Err(SignatureError::Malformed) };
            let tag = text(&parameters, "tag")?;
            if rules.tag.is_some() && rules.tag.as_deref() != tag {
                continue;
            }
            if found.replace((label, items, parameters)).is_some() {
                return Err(SignatureError::Several);
            }
        }
        let (label, items, parameters) = found.ok_or(SignatureError::Missing)?;
        let at = signatures.iter().position(|(have, _)| *have == label).ok_or(SignatureError::Malformed)?;
        let signature = match signatures.swap_remove(at).1 {
            Member::Item(Item { bare: Bare::Bytes(bytes), .. }) => bytes,
            Member::Item(_) | Member::List(..) => return Err(SignatureError::Malformed),
        };
        let key_id = text(&parameters, "keyid")?.filter(|id| !id.is_empty()).ok_or(SignatureError::NoKey)?.to_owned();
        Ok(Self { items, parameters, signature, key_id })
    }

    /// The name of the key, for looking it up; not believed yet.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Verifies the signature with the key of its id.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify(
        &self,
        message: &Message<'_>,
        rules: &SignatureRules,
        key: (SignatureAlgorithm, &VerifyingKey),
        replays: &ReplayTable,
        now: u64,
    ) -> Result<(), SignatureError> {
        let (algorithm, key) = key;
        if text(&self.parameters, "alg")?.is_some_and(|name| name != algorithm.name())
            || !key.allows(algorithm.of_key())
        {
            return Err(SignatureError::Algorithm);
        }
        self.covers(message, rules)?;
        let until = self.times(rules, now)?;
        let nonce = text(&self.parameters, "nonce")?.filter(|nonce| !nonce.is_empty());
        if nonce.is_some_and(|nonce| nonce.len() > NONCE_BYTES_MAX) || (rules.nonce && nonce.is_none()) {
            return Err(SignatureError::Nonce);
        }
        let line = write_list(&self.items, &self.parameters);
        let signed = base(message, &self.items, &line).ok_or(SignatureError::Component)?;
        if !key.verifies(algorithm.of_key(), &signed, &self.signature) {
            return Err(SignatureError::Signature);
        }
        // Last, so that nothing but good signatures takes room.
        let Some(nonce) = nonce else { return Ok(()) };
        match replays.admit(&[b"signature", self.key_id.as_bytes(), nonce.as_bytes()], until, now) {
            Use::First => Ok(()),
            Use::Replay => Err(SignatureError::Replay),
            Use::NoRoom => Err(SignatureError::NoRoom),
        }
    }

    fn covers(&self, message: &Message<'_>, rules: &SignatureRules) -> Result<(), SignatureError> {
        let covered: Vec<String> = self.items.iter().map(Item::write).collect();
        let body = message.has_body.then_some("\"content-digest\"");
        let mut required = rules.required.iter().map(String::as_str).chain(body);
        if required.all(|wanted| covered.iter().any(|have| have == wanted)) {
            Ok(())
        } else {
            Err(SignatureError::Coverage)
        }
    }

    /// Until when the signature could be used.
    fn times(&self, rules: &SignatureRules, now: u64) -> Result<u64, SignatureError> {
        let time = |name: &str| match find(&self.parameters, name) {
            None => Ok(None),
            Some(Bare::Integer(value)) => u64::try_from(*value).map(Some).map_err(|_| SignatureError::Time),
            Some(Bare::Text(_) | Bare::Token(_) | Bare::Bytes(_) | Bare::Boolean(_)) => Err(SignatureError::Time),
        };
        let created = time("created")?.ok_or(SignatureError::Time)?;
        let oldest = created.saturating_add(rules.window_seconds);
        let end = time("expires")?.map_or(oldest, |expires| expires.min(oldest));
        if created > now.saturating_add(rules.skew_seconds) || now > end {
            return Err(SignatureError::Time);
        }
        Ok(end.saturating_add(1))
    }
}

fn find<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a Bare> {
    parameters.iter().find(|(have, _)| have == name).map(|(_, value)| value)
}

fn text<'a>(parameters: &'a Parameters, name: &str) -> Result<Option<&'a str>, SignatureError> {
    match find(parameters, name) {
        None => Ok(None),
        Some(value) => value.text().map(Some).ok_or(SignatureError::Malformed),
    }
}

fn field(message: &Message<'_>, name: &str) -> Result<Vec<(String, Member)>, SignatureError> {
    let lines = message.fields.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
    let lines: Vec<&[u8]> = lines.collect();
    if lines.is_empty() {
        return Err(SignatureError::Missing);
    }
    let joined = lines.join(&b", "[..]);
    std::str::from_utf8(&joined).ok().and_then(dictionary).ok_or(SignatureError::Malformed)
}

// === impl SignatureError ===

impl SignatureError {
    /// What the caller is told.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Missing => Reason::MissingCredential,
            Self::Several => Reason::AmbiguousCredential,
            Self::NoRoom => Reason::IdentityOverloaded,
            Self::Malformed
            | Self::NoKey
            | Self::Algorithm
            | Self::Coverage
            | Self::Component
            | Self::Signature
            | Self::Time
            | Self::Nonce
            | Self::Replay => Reason::InvalidSignature,
        }
    }

    /// What the record says.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Missing => "there is no signature",
            Self::Malformed => "the signature's fields are not well-formed",
            Self::Several => "there are several signatures",
            Self::NoKey => "the signature names no key",
            Self::Algorithm => "the signature names another algorithm than its key's",
            Self::Coverage => "a required component is not signed",
            Self::Component => "a signed component is unknown, missing, ambiguous or doubled",
            Self::Signature => "the signature is not the key's, or over another request",
            Self::Time => "the signature is too old, from the future, or without a time",
            Self::Nonce => "the signature has no usable nonce",
            Self::Replay => "the signature was used before",
            Self::NoRoom => "there is no room to remember the signature",
        }
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.detail())
    }
}

impl std::error::Error for SignatureError {}
