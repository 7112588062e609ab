//! Whether a body is the one that was announced (`Content-Digest`, RFC 9530), piece by piece as it comes.

use super::fields::{Bare, Item, Member, dictionary};
use aws_lc_rs::digest::{Context, SHA256, SHA512};
use std::fmt;

/// A body on its way, with the digests that it has to have.
#[derive(Clone)]
pub struct DigestCheck(Vec<(Context, Vec<u8>)>);

/// Why a body does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestError {
    /// The field is not well-formed.
    Malformed,
    /// It names neither sha-256 nor sha-512.
    NoAlgorithm,
    /// The body is another one.
    Mismatch,
}

// === impl DigestCheck ===

impl DigestCheck {
    /// Reads the field; its lines are joined with commas. Every algorithm that is known has to fit; others are passed over,
    /// as section 2 says, but one known has to be there.
    ///
    /// # Errors
    /// A field that proves nothing.
    pub fn parse(field: &str) -> Result<Self, DigestError> {
        let mut checks = Vec::new();
        for (name, member) in dictionary(field).ok_or(DigestError::Malformed)? {
            let algorithm = match name.as_str() {
                "sha-256" => &SHA256,
                "sha-512" => &SHA512,
                _ => continue,
            };
            match member {
                Member::Item(Item { bare: Bare::Bytes(bytes), .. }) if bytes.len() == algorithm.output_len() => {
                    checks.push((Context::new(algorithm), bytes));
                }
                Member::Item(_) | Member::List(..) => return Err(DigestError::Malformed),
            }
        }
        if checks.is_empty() { Err(DigestError::NoAlgorithm) } else { Ok(Self(checks)) }
    }

    /// Takes the next piece of the body.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.iter_mut().for_each(|(context, _)| context.update(piece));
    }

    /// Whether the body was the announced one.
    ///
    /// # Errors
    /// When it was not.
    pub fn finish(self) -> Result<(), DigestError> {
        let fits = self.0.into_iter().all(|(context, wanted)| context.finish().as_ref() == wanted);
        if fits { Ok(()) } else { Err(DigestError::Mismatch) }
    }
}

impl fmt::Debug for DigestCheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DigestCheck({})", self.0.len())
    }
}

// === impl DigestError ===

impl fmt::Display for DigestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "the Content-Digest field is not well-formed",
            Self::NoAlgorithm => "the Content-Digest field names neither sha-256 nor sha-512",
            Self::Mismatch => "the body is not the one that Content-Digest names",
        })
    }
}

impl std::error::Error for DigestError {}
