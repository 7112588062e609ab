//! Decides who calls: keys, tokens, proofs, certificates, signatures, strictly, and why not.
//!
//! Pure: keys, secrets, time and randomness come in as values. Fetching keys of issuers and storing keys of consumers belong
//! to others; what has to be fetched, and when, is said here.

mod bounded;
pub mod certificate;
pub mod credential;
pub mod dpop;
pub mod failures;
pub mod fuzz;
pub mod introspect;
pub mod issuer;
pub mod jwt;
pub mod key;
pub mod network;
pub mod outward;
pub mod principal;
pub mod replay;
pub mod revocation;
pub mod signature;
mod strict_json;
pub mod verified;
pub mod web;

pub use jwt::{Algorithm, Check, JwtError, KeySet, Profile, Rules, Token};
pub use key::{KeyError, KeyText};
