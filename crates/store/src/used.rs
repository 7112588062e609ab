//! When keys were last used, to the hour: noted by each worker for itself, written in batches.

use std::collections::HashMap;

/// Coarse on purpose: it tells an unused key from a used one, and a busy key costs one write an hour.
const STEP_SECONDS: u64 = 3600;
// LIMIT: keys that a worker notes between two batches; more are noted when they are used again after the next one.
const NOTED_MAX: usize = 65_536;

/// What one worker has noted.
#[derive(Debug, Default)]
pub struct LastUsed {
    /// The step in which each key was used last, and whether that is still to be written.
    noted: HashMap<u64, (u64, bool)>,
}

// === impl LastUsed ===

impl LastUsed {
    /// Notes that a key was used.
    pub fn note(&mut self, id: u64, now: u64) {
        let step = now / STEP_SECONDS;
        if self.noted.len() >= NOTED_MAX && !self.noted.contains_key(&id) {
            return;
        }
        let entry = self.noted.entry(id).or_insert((0, false));
        if entry.0 < step {
            *entry = (step, true);
        }
    }

    /// What is to be written, as ids and seconds since 1970. What is of an earlier hour is forgotten with it.
    pub fn take(&mut self, now: u64) -> Vec<(u64, u64)> {
        let due = self.noted.iter_mut().filter(|(_, (_, unwritten))| *unwritten);
        let batch = due.map(|(id, entry)| {
            entry.1 = false;
            (*id, entry.0 * STEP_SECONDS)
        });
        let batch = batch.collect();
        let full = self.noted.len() >= NOTED_MAX;
        self.noted.retain(|_, (step, _)| !full && *step >= now / STEP_SECONDS);
        batch
    }
}
