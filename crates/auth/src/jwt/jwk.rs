//! Keys of issuers (RFC 7517): each is bound to one algorithm when it is read, and weak ones are not read at all.

use super::algorithm::{Algorithm, Verifier};
use super::token::{decode, encode, text};
use crate::strict_json;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents, VerificationAlgorithm};
use serde_json::{Map, Value};
use std::fmt;

// LIMIT: keys of one issuer.
const KEYS_MAX: usize = 100;
// LIMIT: bytes of a key set.
const SET_BYTES_MAX: usize = 256 * 1024;
/// RSA moduli, in bits: shorter ones can be factored, longer ones cost too much to check.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The keys of an issuer.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
    /// Keys that were left out, by position, and why.
    pub left_out: Vec<(usize, JwkError)>,
}

/// One key and the algorithms that it may verify; usually one.
#[derive(Clone)]
pub struct VerifyingKey {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Secret(Vec<u8>),
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// The uncompressed point, or the 32 bytes of an Ed25519 key, read once: a point that is not on its curve is found then.
    Point(Box<ParsedPublicKey>),
}

/// Why a key is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwkError {
    /// Not an object, or a member stands twice.
    Malformed,
    /// Its use or its operations are not verification.
    NotForVerifying,
    /// A kind, curve or algorithm that is unknown here.
    Unknown,
    /// The algorithm does not belong to the kind of key.
    Mismatch,
    /// Shorter than its algorithm needs, or an exponent that is unsafe.
    Weak,
    /// A secret among public keys: whoever published it gave it away.
    SecretInPublicSet,
    /// A private key among public keys.
    PrivateInPublicSet,
}

/// The bytes of a thumbprint as people write it: 43 letters of base64url (RFC 7638).
#[must_use]
pub fn thumbprint_of(text: &str) -> Option<[u8; 32]> {
    decode(text)?.try_into().ok()
}

// === impl KeySet ===

impl KeySet {
    /// Reads the key set that an issuer publishes. Keys that cannot be used are left out and named; a set of more keys
    /// than an issuer can need, or without an array of keys, is no set.
    ///
    /// # Errors
    /// What makes the whole document unusable.
    pub fn from_json(bytes: &[u8]) -> Result<Self, JwkError> {
        if bytes.len() > SET_BYTES_MAX {
            return Err(JwkError::Malformed);
        }
        let document = strict_json::object(bytes).ok_or(JwkError::Malformed)?;
        let keys = document.get("keys").and_then(Value::as_array).ok_or(JwkError::Malformed)?;
        if keys.len() > KEYS_MAX {
            return Err(JwkError::Malformed);
        }
        let mut set = Self::default();
        for (position, key) in keys.iter().enumerate() {
            match key.as_object().ok_or(JwkError::Malformed).and_then(VerifyingKey::public) {
                Ok(key) => set.keys.push(key),
                Err(error) => set.left_out.push((position, error)),
            }
        }
        Ok(set)
    }

    /// A set of keys that were read one by one.
    #[must_use]
    pub fn of(keys: Vec<VerifyingKey>) -> Self {
        Self { keys, left_out: Vec::new() }
    }

    /// How many keys can be used.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key can be used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys in order.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// Leaves out the keys that `keep` does not want.
    pub fn retain(&mut self, keep: impl FnMut(&VerifyingKey) -> bool) {
        self.keys.retain(keep);
    }

    /// The keys that a token may have been signed with: those of its `kid`, or, where it names none, all that have its
    /// algorithm. A `kid` only chooses; it is never a path, a query or a URL.
    pub(super) fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter().filter(move |key| key.allows(algorithm) && (kid.is_none() || kid == key.id.as_deref()))
    }
}

// === impl VerifyingKey ===

impl VerifyingKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// Why it is not used.
    pub fn public(jwk: &Map<String, Value>) -> Result<Self, JwkError> {
        if text(jwk, "kty") == Some("oct") {
            return Err(JwkError::SecretInPublicSet);
        }
        if ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|name| jwk.contains_key(*name)) {
            return Err(JwkError::PrivateInPublicSet);
        }
        for_verifying(jwk)?;
        let (material, algorithms) = match text(jwk, "kty") {
            Some("RSA") => (rsa(jwk)?, rsa_algorithms(jwk)?),
            Some("EC") => ec(jwk)?,
            Some("OKP") => okp(jwk)?,
            Some(_) | None => return Err(JwkError::Unknown),
        };
        Ok(Self { id: text(jwk, "kid").map(str::to_owned), algorithms, material })
    }

    /// A named secret for one HMAC algorithm. It never comes from a key set that an issuer publishes.
    ///
    /// # Errors
    /// A secret shorter than the algorithm needs, and algorithms that take none.
    pub fn secret(id: Option<String>, algorithm: Algorithm, secret: Vec<u8>) -> Result<Self, JwkError> {
        if !algorithm.is_symmetric() {
            return Err(JwkError::Mismatch);
        }
        let blank = secret.iter().all(|byte| *byte == 0);
        if secret.len() < algorithm.secret_bytes_min() || blank {
            return Err(JwkError::Weak);
        }
        Ok(Self { id, algorithms: vec![algorithm], material: Material::Secret(secret) })
    }

    /// The name that the issuer gave it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The SHA-256 thumbprint of a public key (RFC 7638); a secret has none, for who knows it could try secrets out.
    #[must_use]
    pub fn thumbprint(&self) -> Option<[u8; 32]> {
        let curve = match self.algorithms.first()? {
            Algorithm::Es256 => "P-256",
            Algorithm::Es384 => "P-384",
            Algorithm::Es512 => "P-521",
            Algorithm::EdDsa => "Ed25519",
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => return None,
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512 => "",
        };
        let canonical = match &self.material {
            Material::Secret(_) => return None,
            Material::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
            Material::Point(point) if curve == "Ed25519" => {
                format!(r#"{{"crv":"{curve}","kty":"OKP","x":"{}"}}"#, encode(ParsedPublicKey::as_ref(point)))
            }
            Material::Point(point) => {
                let coordinates = ParsedPublicKey::as_ref(point).get(1..)?;
                let (x, y) = coordinates.split_at_checked(coordinates.len() / 2)?;
                format!(r#"{{"crv":"{curve}","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))
            }
        };
        digest(&SHA256, canonical.as_bytes()).as_ref().try_into().ok()
    }

    /// Whether the key is bound to this algorithm.
    #[must_use]
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether `signature` over `signed` was made with this key's other half. Constant time for secrets.
    pub(crate) fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        if !self.allows(algorithm) {
            return false;
        }
        match (algorithm.verifier(), &self.material) {
            (Verifier::Hmac(hash), Material::Secret(secret)) => {
                hmac::verify(&hmac::Key::new(hash, secret), signed, signature).is_ok()
            }
            (Verifier::Rsa(parameters), Material::Rsa { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, signed, signature).is_ok()
            }
            // An algorithm that is not the one the key was read for was sorted out above.
            (Verifier::Ecdsa(_) | Verifier::Ed25519(_), Material::Point(point)) => {
                point.verify_sig(signed, signature).is_ok()
            }
            (Verifier::Hmac(_), Material::Rsa { .. } | Material::Point(_))
            | (Verifier::Rsa(_), Material::Secret(_) | Material::Point(_))
            | (Verifier::Ecdsa(_) | Verifier::Ed25519(_), Material::Secret(_) | Material::Rsa { .. }) => false,
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The material may be a secret.
        let mut shown = formatter.debug_struct("VerifyingKey");
        shown.field("id", &self.id).field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

fn for_verifying(jwk: &Map<String, Value>) -> Result<(), JwkError> {
    if jwk.get("use").is_some_and(|value| value.as_str() != Some("sig")) {
        return Err(JwkError::NotForVerifying);
    }
    match jwk.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|name| name.as_str() == Some("verify")) => Ok(()),
        Some(_) => Err(JwkError::NotForVerifying),
    }
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, JwkError> {
    text(jwk, name).and_then(decode).ok_or(JwkError::Malformed)
}

fn rsa(jwk: &Map<String, Value>) -> Result<Material, JwkError> {
    // Leading zeros are no part of a number: RFC 7518 section 2 forbids them, and two thumbprints of one key would differ.
    let number = |name| bytes(jwk, name).map(|all| all.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<u8>>());
    let (n, e) = (number("n")?, number("e")?);
    let top = n.first().copied().ok_or(JwkError::Malformed)?;
    let bits = n.len() * 8 - top.leading_zeros() as usize;
    let exponent = e.iter().try_fold(0u64, |sum, byte| Some(sum.checked_mul(256)? + u64::from(*byte)));
    // Small exponents forge signatures where padding is checked loosely, and even ones are no RSA.
    let safe = exponent.is_some_and(|e| (65_537..1 << 33).contains(&e) && e % 2 == 1);
    if RSA_BITS.contains(&bits) && safe { Ok(Material::Rsa { n, e }) } else { Err(JwkError::Weak) }
}

/// The algorithm that the key names, else PKCS #1 and PSS with SHA-256 and up: the issuer's list narrows it further.
fn rsa_algorithms(jwk: &Map<String, Value>) -> Result<Vec<Algorithm>, JwkError> {
    use Algorithm::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    let all = vec![Rs256, Rs384, Rs512, Ps256, Ps384, Ps512];
    named(jwk, &all).map(|one| one.map_or(all, |one| vec![one]))
}

fn named(jwk: &Map<String, Value>, fitting: &[Algorithm]) -> Result<Option<Algorithm>, JwkError> {
    let Some(value) = jwk.get("alg") else { return Ok(None) };
    let algorithm = value.as_str().and_then(Algorithm::from_name).ok_or(JwkError::Unknown)?;
    if fitting.contains(&algorithm) { Ok(Some(algorithm)) } else { Err(JwkError::Mismatch) }
}

fn ec(jwk: &Map<String, Value>) -> Result<(Material, Vec<Algorithm>), JwkError> {
    let (algorithm, size) = match text(jwk, "crv") {
        Some("P-256") => (Algorithm::Es256, 32),
        Some("P-384") => (Algorithm::Es384, 48),
        Some("P-521") => (Algorithm::Es512, 66),
        Some(_) | None => return Err(JwkError::Unknown),
    };
    named(jwk, &[algorithm])?;
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    if x.len() != size || y.len() != size {
        return Err(JwkError::Malformed);
    }
    let mut point = vec![4];
    point.extend_from_slice(&x);
    point.extend_from_slice(&y);
    Ok((point_of(algorithm, &point)?, vec![algorithm]))
}

fn okp(jwk: &Map<String, Value>) -> Result<(Material, Vec<Algorithm>), JwkError> {
    if text(jwk, "crv") != Some("Ed25519") {
        return Err(JwkError::Unknown);
    }
    named(jwk, &[Algorithm::EdDsa])?;
    let point = bytes(jwk, "x")?;
    if point.len() != 32 {
        return Err(JwkError::Malformed);
    }
    Ok((point_of(Algorithm::EdDsa, &point)?, vec![Algorithm::EdDsa]))
}

fn point_of(algorithm: Algorithm, point: &[u8]) -> Result<Material, JwkError> {
    let curve: &'static dyn VerificationAlgorithm = match algorithm.verifier() {
        Verifier::Ecdsa(curve) => curve,
        Verifier::Ed25519(parameters) => parameters,
        Verifier::Hmac(_) | Verifier::Rsa(_) => return Err(JwkError::Mismatch),
    };
    let parsed = ParsedPublicKey::new(curve, point).map_err(|_| JwkError::Malformed)?;
    Ok(Material::Point(Box::new(parsed)))
}
