//! JSON Web Tokens: RFC 7519 as RFC 8725 says to read it, access tokens as RFC 9068 says they are.
//!
//! An algorithm is a property of a key, never a wish of the token: the key is looked up first, and its algorithm must be
//! the one that the header names.

mod algorithm;
mod check;
mod explain;
mod jwk;
mod rules;
mod sign;
mod token;

#[cfg(test)]
pub(crate) mod tests;

pub use algorithm::Algorithm;
pub use check::{Check, JwtError};
pub use explain::{Explanation, Line, Outcome, claimed_issuer, explanation};
pub use jwk::{JwkError, KeySet, VerifyingKey, thumbprint_of};
pub(crate) use rules::audience_fits;
pub use rules::{Profile, Report, Rules, explain, verify};
pub use sign::{SignError, SigningKey};
pub use token::Token;
pub(crate) use token::{Compact, decode, encode, seconds, text};
