//! Tokens that only their holder can use: by a proof of possession (RFC 9449), or by a certificate (RFC 8705).

mod binding;
mod nonce;
mod proof;

#[cfg(test)]
mod tests;

pub use binding::{Bound, Presented};
pub use nonce::Nonces;
pub use proof::{Asked, DpopError, Proof, ProofRules};
