//! The signature algorithms that are known here, and what verifies each.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{self, EcdsaVerificationAlgorithm, EdDSAParameters, RsaParameters};

/// A signature algorithm of RFC 7518 or RFC 8037. `none` is not one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// Ed25519.
    EdDsa,
}

/// What kind of key an algorithm needs; a key has one kind, so that one of another can never be used for it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verifier {
    Hmac(hmac::Algorithm),
    Rsa(&'static RsaParameters),
    Ecdsa(&'static EcdsaVerificationAlgorithm),
    Ed25519(&'static EdDSAParameters),
}

// === impl Algorithm ===

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 13] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
    ];

    /// The name in headers and keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of this name; names differ by case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Whether whoever can verify can also sign.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// The shortest secret that RFC 7518 section 3.2 allows, in bytes.
    pub(super) const fn secret_bytes_min(self) -> usize {
        match self {
            Self::Hs384 => 48,
            Self::Hs512 => 64,
            Self::Hs256
            | Self::Rs256
            | Self::Rs384
            | Self::Rs512
            | Self::Ps256
            | Self::Ps384
            | Self::Ps512
            | Self::Es256
            | Self::Es384
            | Self::Es512
            | Self::EdDsa => 32,
        }
    }

    pub(super) fn verifier(self) -> Verifier {
        match self {
            Self::Hs256 => Verifier::Hmac(hmac::HMAC_SHA256),
            Self::Hs384 => Verifier::Hmac(hmac::HMAC_SHA384),
            Self::Hs512 => Verifier::Hmac(hmac::HMAC_SHA512),
            Self::Rs256 => Verifier::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Verifier::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Verifier::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Verifier::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Verifier::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Verifier::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
            Self::Es256 => Verifier::Ecdsa(&signature::ECDSA_P256_SHA256_FIXED),
            Self::Es384 => Verifier::Ecdsa(&signature::ECDSA_P384_SHA384_FIXED),
            Self::Es512 => Verifier::Ecdsa(&signature::ECDSA_P521_SHA512_FIXED),
            Self::EdDsa => Verifier::Ed25519(&signature::ED25519),
        }
    }
}
