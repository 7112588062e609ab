//! What a gateway knows of those that share its limits: how many live, and whether the store between them answers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Written by whoever talks to the store, read by those who decide.
#[derive(Debug)]
pub struct Peers {
    /// This gateway included.
    live: AtomicU64,
    least: u64,
    away: AtomicBool,
    /// Decisions that were made without the store.
    alone: AtomicU64,
}

/// LIMIT: gateways that share limits; more count as so many, which a store could not serve.
const LIVE_MAX: u64 = 4_096;

// === impl Peers ===

impl Peers {
    /// At least `least` gateways, and a store that has not answered yet.
    #[must_use]
    pub fn new(least: u64) -> Self {
        let least = least.clamp(1, LIVE_MAX);
        Self { live: AtomicU64::new(least), least, away: AtomicBool::new(true), alone: AtomicU64::new(0) }
    }

    /// How many gateways share each limit.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.live.load(Ordering::Relaxed)
    }

    /// The store counted so many.
    pub fn count(&self, live: u64) {
        self.live.store(live.clamp(self.least, LIVE_MAX), Ordering::Relaxed);
    }

    /// Whether the store is not asked, because it does not answer.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Says whether the store answers.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    /// Decisions that this gateway made by its share alone.
    #[must_use]
    pub fn alone(&self) -> u64 {
        self.alone.load(Ordering::Relaxed)
    }

    pub(crate) fn note_alone(&self) {
        self.alone.fetch_add(1, Ordering::Relaxed);
    }
}
