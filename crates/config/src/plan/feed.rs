//! Where bundles of virtual patches and rules come from, and whom they are believed.

use super::Endpoint;
use portcullis_patch::Stage;
use std::path::PathBuf;
use std::time::Duration;

/// The feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPlan {
    /// The public keys (Ed25519) that sign.
    pub keys: Vec<[u8; 32]>,
    /// How many of them have to have signed a bundle.
    pub threshold: usize,
    /// Where bundles come from by themselves; `None` where only commands bring them.
    pub source: Option<FeedSource>,
    /// How far such bundles go.
    pub stage: Stage,
    /// Bytes of the longest bundle.
    pub bytes_max: u64,
}

/// Where bundles come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedSource {
    /// A file that changes.
    File(PathBuf),
    /// An address that is asked this often.
    Address(Box<Endpoint>, Duration),
}
