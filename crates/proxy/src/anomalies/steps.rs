//! What is done about whom: a small table that one thread writes and every request may read, without a lock.

use portcullis_anomaly::Step;
use std::sync::atomic::{AtomicU64, Ordering};

// LIMIT: callers and addresses about whom something is done at a time. Beyond it the mildest step in a row makes room.
const ROWS: usize = 512;
const WAYS: usize = 8;

/// The table.
#[derive(Debug)]
pub(super) struct Steps {
    rows: Box<[[Entry; WAYS]]>,
    /// Entries that are not empty.
    taken: AtomicU64,
}

/// A name, and the step in the two lowest bits above which stands the moment in milliseconds at which it ends. An empty word is
/// no step.
#[derive(Debug, Default)]
struct Entry {
    name: AtomicU64,
    word: AtomicU64,
}

// === impl Steps ===

impl Default for Steps {
    fn default() -> Self {
        Self { rows: (0..ROWS).map(|_| Default::default()).collect(), taken: AtomicU64::new(0) }
    }
}

impl Steps {
    /// Whether nothing is done about anybody.
    pub(super) fn is_empty(&self) -> bool {
        self.taken.load(Ordering::Relaxed) == 0
    }

    /// What is done about somebody, and until when.
    pub(super) fn of(&self, name: u64, now_ms: u64) -> (Step, u64) {
        let held = self.row(name).iter().find_map(|entry| entry.read(name)).map(unpack);
        held.filter(|(_, until)| now_ms < *until).unwrap_or_default()
    }

    /// Sets what is done. Only one thread may call this, and the one that removes.
    pub(super) fn set(&self, name: u64, step: Step, until_ms: u64) {
        if step == Step::Observe {
            return self.remove(name);
        }
        let row = self.row(name);
        let own = row.iter().find(|entry| entry.name.load(Ordering::Acquire) == name);
        let free = || row.iter().find(|entry| entry.name.load(Ordering::Acquire) == 0);
        let mildest = || row.iter().min_by_key(|entry| unpack(entry.word.load(Ordering::Acquire)));
        let Some(entry) = own.or_else(free).or_else(mildest) else { return };
        if entry.name.load(Ordering::Acquire) == 0 {
            self.taken.fetch_add(1, Ordering::Relaxed);
        }
        // In this order, so that no reader takes one name's step for another's.
        entry.word.store(0, Ordering::Release);
        entry.name.store(name, Ordering::Release);
        entry.word.store(until_ms << 2 | step as u64, Ordering::Release);
    }

    /// Nothing is done any more about somebody.
    pub(super) fn remove(&self, name: u64) {
        let own = self.row(name).iter().find(|entry| name != 0 && entry.name.load(Ordering::Acquire) == name);
        if let Some(entry) = own {
            entry.word.store(0, Ordering::Release);
            entry.name.store(0, Ordering::Release);
            self.taken.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How often each step is in force.
    pub(super) fn count(&self, now_ms: u64) -> [u64; Step::ALL.len()] {
        let mut counts = [0; Step::ALL.len()];
        for entry in self.rows.iter().flatten() {
            let (step, until) = unpack(entry.word.load(Ordering::Acquire));
            if let Some(count) = counts.get_mut(step as usize).filter(|_| step > Step::Observe && now_ms < until) {
                *count += 1;
            }
        }
        counts
    }

    fn row(&self, name: u64) -> &[Entry] {
        let row = usize::try_from(name % ROWS as u64).unwrap_or(0);
        self.rows.get(row).map_or(&[], <[Entry; WAYS]>::as_slice)
    }
}

// === impl Entry ===

impl Entry {
    /// The word, if the entry is this name's before and after it was read.
    fn read(&self, name: u64) -> Option<u64> {
        let is_its = || self.name.load(Ordering::Acquire) == name;
        let word = is_its().then(|| self.word.load(Ordering::Acquire))?;
        is_its().then_some(word)
    }
}

fn unpack(word: u64) -> (Step, u64) {
    let step = match word & 3 {
        0 => Step::Observe,
        1 => Step::Slow,
        2 => Step::Refuse,
        _ => Step::Block,
    };
    (step, word >> 2)
}

#[cfg(test)]
mod tests {
    use super::{ROWS, Steps, WAYS};
    use portcullis_anomaly::Step;

    #[test]
    fn a_step_ends_by_itself_and_can_be_taken_back() {
        let steps = Steps::default();
        assert!(steps.is_empty());
        steps.set(7, Step::Refuse, 1_000);
        assert_eq!((steps.of(7, 999), steps.of(7, 1_000)), ((Step::Refuse, 1_000), (Step::Observe, 0)));
        assert_eq!(steps.of(8, 0), (Step::Observe, 0), "nobody else");
        assert_eq!(steps.count(0), [0, 0, 1, 0]);
        steps.set(7, Step::Block, 2_000);
        assert_eq!(steps.of(7, 1_500), (Step::Block, 2_000), "one entry for each");
        steps.remove(7);
        assert!(steps.is_empty());
        assert_eq!(steps.of(7, 0), (Step::Observe, 0));
    }

    #[test]
    fn the_mildest_makes_room() {
        let steps = Steps::default();
        let name = |number: usize| (number * ROWS + 5) as u64;
        for number in 0..WAYS {
            steps.set(name(number), if number == 3 { Step::Slow } else { Step::Block }, 1_000);
        }
        steps.set(name(WAYS), Step::Block, 1_000);
        assert_eq!(steps.of(name(3), 0), (Step::Observe, 0));
        assert_eq!(steps.count(0), [0, 0, 0, WAYS as u64]);
    }
}
