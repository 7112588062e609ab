//! API keys: `<prefix>_<id>_<secret>_<checksum>`.
//!
//! The id finds the record, the secret proves the holder, the checksum tells a typing error or a made-up key from a real
//! one before anything is looked up. What is stored is a keyed hash: a stolen table opens nothing without its key.

mod base62;
mod record;
mod text;

#[cfg(test)]
mod tests;

pub use record::{KeyDigest, KeyRecord, Pepper, Refused};
pub use text::{ENTROPY_BYTES, KeyError, KeyText, find_all};
