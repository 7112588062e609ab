//! What is done about what is unusual.

use portcullis_anomaly::{Bounds, Kind, Places, Rungs};
use std::sync::Arc;
use std::time::Duration;

/// How requests are watched.
#[derive(Debug, Clone, PartialEq)]
pub struct AnomaliesPlan {
    /// Whether findings of a kind are told at all, in the order of [`Kind::ALL`].
    pub told: [bool; Kind::ALL.len()],
    /// What follows from them.
    pub rungs: Rungs,
    /// How long a request waits of somebody who is slowed down.
    pub delay: Duration,
    /// How many are remembered.
    pub bounds: Bounds,
    /// In which country an address is, where a file says so.
    pub countries: Option<Arc<Places>>,
    /// Which network announces an address, where a file says so.
    pub networks: Option<Arc<Places>>,
}

/// Points are whole numbers, so that a plan equals itself.
impl Eq for AnomaliesPlan {}
