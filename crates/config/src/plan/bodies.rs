//! Bodies that stages look into, checked.

use portcullis_contract::json;

/// What the body of a request may be where a stage looks into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodiesPlan {
    /// Bytes of a body as it is sent: all of it is held before any of it goes on.
    pub held_bytes: u64,
    /// Bytes of a body once its content codings are undone.
    pub decoded_bytes: u64,
    /// What JSON may be made of.
    pub json: json::Limits,
    /// Whether bodies that say that they are JSON have to be JSON that all programs read in the same way, though nothing else asks
    /// for it.
    pub strict_json: bool,
}

// === impl BodiesPlan ===

impl Default for BodiesPlan {
    fn default() -> Self {
        Self { held_bytes: 1 << 20, decoded_bytes: 10 << 20, json: json::Limits::default(), strict_json: false }
    }
}
