//! What somebody wants a key to be, before there is one.

use super::{KeyRecord, KeyText, Pepper};
use crate::network::Network;

/// What a new key is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyWish {
    /// Who holds it.
    pub consumer: String,
    /// His name; his id without one.
    pub username: Option<String>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// As whom.
    pub roles: Vec<String>,
    /// The APIs that it is for; empty means all.
    pub apis: Vec<String>,
    /// The networks that it may come from; empty means all.
    pub networks: Vec<Network>,
    /// In how many seconds it ends; `None` never does.
    pub expires_in_s: Option<u64>,
}

// === impl KeyWish ===

impl KeyWish {
    /// The record of a key that is as wished.
    #[must_use]
    pub fn record(&self, key: &KeyText, pepper: &Pepper, now: u64) -> KeyRecord {
        KeyRecord {
            username: self.username.clone().unwrap_or_else(|| self.consumer.clone()),
            scopes: self.scopes.clone(),
            roles: self.roles.clone(),
            apis: self.apis.clone(),
            networks: self.networks.clone(),
            expires_at: self.expires_in_s.map(|seconds| now.saturating_add(seconds)),
            ..KeyRecord::new(key, pepper, &self.consumer, now)
        }
    }
}
