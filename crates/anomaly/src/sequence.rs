//! In which order operations are called, by everybody: how surprising a step is.

use crate::event::mix;

/// LIMIT: counters of steps, and of operations. Steps that fall together are less surprising than they are, never more.
const STEPS: usize = 1 << 16;
const FROM: usize = 1 << 12;
/// Steps after which all counts are halved, so that old ways are forgotten.
const HALVED_AT: u32 = 1 << 22;
/// Steps from an operation before it says anything.
const KNOWN_MIN: u32 = 200;

/// Counts of steps from one operation to another.
#[derive(Debug)]
pub(crate) struct Steps {
    steps: Vec<u32>,
    from: Vec<u32>,
    total: u32,
}

/// What a principal did last, and how surprising its steps have been.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Walk {
    last: u64,
    /// Bits of surprise of the last steps, and of all, in averages that forget.
    recent: f32,
    usual: f32,
    /// Steps that each has seen.
    count: u32,
    settled: u32,
    minute: u64,
}

/// The recent average, the usual one, and what would be too much.
pub(crate) type Surprise = (f32, f32, f32);

/// Steps over which surprise is averaged, and those that are needed.
const RECENT: f32 = 12.0;
const USUAL: f32 = 2000.0;
const STEPS_MIN: u32 = 12;
/// Minutes without a call after which a walk begins anew.
const PAUSE: u64 = 30;
/// Bits more than usual that are too much.
const BITS_MORE: f32 = 3.5;

// === impl Steps ===

impl Steps {
    pub(crate) fn new() -> Self {
        Self { steps: vec![0; STEPS], from: vec![0; FROM], total: 0 }
    }

    /// Takes in a step of a principal; what it means if it is too surprising.
    pub(crate) fn see(&mut self, walk: &mut Walk, operation: u64, minute: u64) -> Option<Surprise> {
        if minute.saturating_sub(walk.minute) > PAUSE {
            // Somebody comes back, and does not go on where he was.
            *walk = Walk { usual: walk.usual, settled: walk.settled, ..Walk::default() };
        }
        walk.minute = minute;
        let last = std::mem::replace(&mut walk.last, operation);
        if last == 0 {
            return None;
        }
        let bits = self.step(last, operation)?;
        walk.count = walk.count.saturating_add(1);
        walk.recent += (bits - walk.recent) / RECENT.min(walk.count as f32);
        let bound = walk.usual.max(1.0) + BITS_MORE;
        let much = walk.count >= STEPS_MIN && walk.recent > bound;
        // What was too much is not learned from.
        if !much {
            walk.settled = walk.settled.saturating_add(1);
            walk.usual += (bits - walk.usual) / USUAL.min(walk.settled as f32);
        }
        much.then_some((walk.recent, walk.usual, bound))
    }

    /// How many bits of surprise a step has, before it is counted.
    fn step(&mut self, from: u64, to: u64) -> Option<f32> {
        let place = usize::try_from(mix(from) % FROM as u64).ok()?;
        let count = self.from.get_mut(place)?;
        let before = *count;
        *count = count.saturating_add(1);
        let place = usize::try_from(mix(mix(from) ^ to) % STEPS as u64).ok()?;
        let steps = self.steps.get_mut(place)?;
        // Half a step more than there were: nothing is impossible.
        let share = (*steps as f32 + 0.5) / (before as f32 + 1.0);
        *steps = steps.saturating_add(1);
        self.total += 1;
        if self.total >= HALVED_AT {
            self.total /= 2;
            self.steps.iter_mut().chain(&mut self.from).for_each(|count| *count /= 2);
        }
        (before >= KNOWN_MIN).then(|| -share.min(1.0).log2())
    }

    pub(crate) fn bytes(&self) -> usize {
        (self.steps.len() + self.from.len()) * size_of::<u32>()
    }
}
