//! Seeded random numbers for tests, mutations and benchmarks: the same seed gives the same run. Not for secrets.

/// A small generator (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

// === impl Random ===

impl Random {
    /// A generator that always starts the same way for the same seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next sixty-four bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 if the bound is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        usize::try_from(self.next_u64().checked_rem(bound).unwrap_or(0)).unwrap_or(0)
    }

    /// One element of a list that isn't empty.
    ///
    /// # Panics
    /// Never for lists with an element; an empty list is a mistake of the caller and yields a panic in tests.
    #[allow(clippy::expect_used, reason = "tests and benchmarks only; an empty list is a mistake of the test")]
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let at = self.below(list.len());
        list.get(at).expect("a list to pick from has elements")
    }
}
