//! Decides who calls: keys, tokens, proofs, certificates, signatures, strictly, and why not.
//!
//! Pure: keys, secrets, time and randomness come in as values. Fetching keys of issuers and storing keys of consumers belong
//! to others; what has to be fetched, and when, is said here.
//!
//! The order in which a request is judged, each step before anything that costs more:
//! 1. where credentials stand, and that each stands once ([`credential`]), none in the address;
//! 2. whether the caller has to wait ([`failures`]);
//! 3. whether the issuer has keys that may be believed ([`issuer`]), and only then whether the token is known ([`verified`]);
//! 4. the credential itself ([`key`], [`jwt`], [`introspect`], [`certificate`], [`signature`]), then whether it was revoked
//!    ([`revocation`]);
//! 5. with every request, known token or not: what the token is bound to ([`dpop`]);
//! 6. what the methods come to together ([`principal`]), and what is said about it ([`outward`]).

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
pub mod password;
pub mod principal;
pub mod replay;
pub mod revocation;
pub mod signature;
mod strict_json;
pub mod verified;
pub mod web;

pub use jwt::{Algorithm, Check, JwtError, KeySet, Profile, Rules, Token};
pub use key::{KeyError, KeyText};
