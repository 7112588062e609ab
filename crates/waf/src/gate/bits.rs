//! A set of gated rules.

/// LIMIT: words of a set; rules beyond 384 run without a gate.
const WORDS: usize = 6;

/// Up to 384 rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bits([u64; WORDS]);

// === impl Bits ===

impl Bits {
    pub(crate) const NONE: Self = Self([0; WORDS]);
    pub(super) const CAPACITY: usize = WORDS * 64;
    pub(super) const WORDS: usize = WORDS;

    pub(super) fn insert(&mut self, at: usize) {
        crate::rule::insert(&mut self.0, at);
    }

    pub(super) fn remove(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word &= !(1 << (at % 64));
        }
    }

    pub(crate) fn contains(&self, at: usize) -> bool {
        crate::rule::contains(&self.0, at)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().fold(0, |all, w| all | w) == 0
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|word| crate::bytes::index(word.count_ones())).sum()
    }

    pub(crate) fn or(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// Adds the rules of the first words of a set.
    pub(super) fn or_words(&mut self, words: &[u64]) {
        for (word, more) in self.0.iter_mut().zip(words) {
            *word |= more;
        }
    }

    /// Keeps the rules that `keep` says yes to.
    pub(super) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        for (at, word) in self.0.iter_mut().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                let bit = crate::bytes::index(rest.trailing_zeros());
                if !keep(at * 64 + bit) {
                    *word &= !(1 << bit);
                }
                rest &= rest - 1;
            }
        }
    }

    pub(super) fn and(mut self, other: &Self) -> Self {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word &= more;
        }
        self
    }

    pub(super) fn without(mut self, other: &Self) -> Self {
        for (word, less) in self.0.iter_mut().zip(&other.0) {
            *word &= !less;
        }
        self
    }
}
