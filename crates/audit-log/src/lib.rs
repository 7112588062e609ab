//! Who changed what and when, so that nobody can change the answer unseen.
//!
//! A log is a folder. Its segments are text files to which lines are only ever added, each `HASH PAYLOAD`: the payload is
//! one JSON object, and the hash is SHA-256 over the hash of the line before and the payload, so that every line vouches
//! for all lines before it (Haber and Stornetta, "How to time-stamp a digital document", 1991). Each addition ends
//! with a checkpoint, an Ed25519 signature over the chain so far. A small file beside the segments, the head, says how
//! far the log goes, so that a log that was cut off does not pass for a shorter one.
//!
//! What this proves: nothing before a checkpoint was changed by anybody without the key. Whoever can write all files can
//! put an older copy of the whole folder in place; that is found with an anchor kept elsewhere ([`Anchor`]).
//!
//! Several processes may add to one log; each addition holds the lock of the head.

mod anchor;
mod entry;
mod error;
mod folder;
mod head;
mod key;
mod line;
mod log;
mod report;
mod verify;
mod walk;

#[cfg(test)]
mod tests;

pub use anchor::Anchor;
pub use entry::{Entry, Record};
pub use error::AuditLogError;
pub use key::{PublicKey, SealKey};
pub use log::AuditLog;
pub use report::{Damage, DamageKind, Report};
pub use verify::{Expected, verify};

/// LIMIT: bytes of a payload.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
/// LIMIT: bytes of a segment, after which another is begun; one addition may reach beyond it.
pub const SEGMENT_BYTES_MAX: u64 = 8 * 1024 * 1024;
