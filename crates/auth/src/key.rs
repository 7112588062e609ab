//! API keys: `<prefix>_<id>_<secret>_<checksum>`.
//!
//! The id finds the record, the secret proves the holder, the checksum tells a typing error or a made-up key from a real
//! one before anything is looked up. What is stored is a keyed hash: a stolen table opens nothing without its key.

mod base62;
mod leak;
mod record;
mod stored;
mod text;
mod wish;

#[cfg(test)]
mod tests;

pub use leak::LeakScan;
pub use record::{Door, KeyDigest, KeyRecord, Pepper, Peppers, Refused};
pub use stored::{RecordError, StoredKey, Texts};
pub use text::{ENTROPY_BYTES, KeyError, KeyText};
pub use wish::KeyWish;
