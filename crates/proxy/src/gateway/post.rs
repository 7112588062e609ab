//! What the owner of the gateway asks of its workers, and how it knows that they are well. Workers look ten times a
//! second; nothing here is on the path of a request.

use crate::worker::Bound;
use portcullis_types::Millis;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Between the owner and one worker.
#[derive(Debug, Default)]
pub(crate) struct Post {
    /// Bound by what one reload adds between two looks.
    orders: Mutex<Vec<Bound>>,
    /// When the worker looked last.
    seen: AtomicU64,
}

// === impl Post ===

impl Post {
    /// The worker accepts on these from its next look on.
    pub(super) fn open(&self, socket: Bound) {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).push(socket);
    }

    /// What is new; whoever asks is alive.
    pub(crate) fn collect(&self, now: Millis) -> Vec<Bound> {
        self.seen.store(now, Ordering::Relaxed);
        std::mem::take(&mut *self.orders.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the worker has looked since that moment.
    pub(super) fn looked_since(&self, moment: Millis) -> bool {
        self.seen.load(Ordering::Relaxed) >= moment
    }
}
