//! Every check that a token goes through, by name and in order. A verdict is the first one that failed.

use portcullis_types::Reason;
use std::fmt;

macro_rules! checks {
    ($($name:ident = $code:literal $text:literal,)+) => {
        /// One check of a token, in the order in which they are made.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Check { $(#[doc = $text] $name,)+ }

        impl Check {
            /// Every check, in order.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The stable name in records and reports.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What the record says where it does not hold.
            #[must_use]
            pub const fn failure(self) -> &'static str {
                match self { $(Self::$name => concat!($code, ": it does not hold that ", $text),)+ }
            }

            /// What has to hold.
            #[must_use]
            pub const fn demand(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

checks! {
    Size = "size" "the token is not longer than its limit",
    Form = "form" "three parts in base64url without padding, separated by dots",
    Header = "header" "the header is one JSON object without repeated members",
    Critical = "crit" "the header names no critical extension",
    Compression = "zip" "the header asks for no compression",
    Encoding = "b64" "the payload is encoded (no `b64: false`)",
    Type = "typ" "the type is the one that the profile wants",
    AlgorithmKnown = "alg" "the algorithm is a known signature algorithm; `none` is not one",
    AlgorithmAllowed = "alg_allowed" "the algorithm is on the issuer's list",
    Claims = "claims" "the claims are one JSON object without repeated members",
    Issuer = "iss" "the issuer is the configured one",
    KeyFound = "kid" "the issuer has a key of this id for this algorithm",
    Signature = "signature" "the signature is the key's",
    Audience = "aud" "the audience names this API",
    Expiry = "exp" "the token has an expiry, and it has not passed",
    NotBefore = "nbf" "the token is valid already",
    IssuedAt = "iat" "the token was issued, and not in the future",
    Subject = "sub" "the subject is there and not empty",
    Client = "client_id" "the client is there where the profile wants one",
    TokenId = "jti" "the token's id is there where the profile wants one",
    Required = "required" "every claim that the configuration requires is there",
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JwtError(pub Check);

// === impl JwtError ===

impl JwtError {
    /// What the caller is told. Only a token that is good but for its time is told so: its signature was verified before.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self.0 {
            Check::Expiry => Reason::ExpiredToken,
            Check::Size
            | Check::Form
            | Check::Header
            | Check::Critical
            | Check::Compression
            | Check::Encoding
            | Check::Type
            | Check::AlgorithmKnown
            | Check::AlgorithmAllowed
            | Check::Claims
            | Check::Issuer
            | Check::KeyFound
            | Check::Signature
            | Check::Audience
            | Check::NotBefore
            | Check::IssuedAt
            | Check::Subject
            | Check::Client
            | Check::TokenId
            | Check::Required => Reason::InvalidToken,
        }
    }
}

impl fmt::Display for JwtError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: it does not hold that {}", self.0.code(), self.0.demand())
    }
}

impl std::error::Error for JwtError {}
