//! What is done about what is unusual.

use portcullis_anomaly::{Bounds, Kind, Rungs};
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
}

/// Points are whole numbers, so that a plan equals itself.
impl Eq for AnomaliesPlan {}
