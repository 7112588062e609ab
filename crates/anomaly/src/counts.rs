//! Counts that begin anew with each minute, and counts of different things in little room.

use crate::event::mix;

/// Bits of a set.
const BITS: u16 = 512;
const WORDS: usize = 8;

/// How many different things there were, roughly (linear counting; Whang, Vander-Zanden, Taylor, 1990).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Different([u64; WORDS]);

// === impl Different ===

impl Different {
    pub(crate) fn note(&mut self, name: u64) {
        let bit = mix(name) % u64::from(BITS);
        if let Some(word) = usize::try_from(bit / 64).ok().and_then(|word| self.0.get_mut(word)) {
            *word |= 1 << (bit % 64);
        }
    }

    /// Within a few of a hundred up to 500; no more than 3,200 however many there were.
    pub(crate) fn count(&self) -> f32 {
        let free: u32 = self.0.iter().map(|word| word.count_zeros()).sum();
        let (free, bits) = (f32::from(u16::try_from(free).unwrap_or(BITS).max(1)), f32::from(BITS));
        -bits * (free / bits).ln()
    }
}
