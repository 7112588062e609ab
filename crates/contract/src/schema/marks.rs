//! Which members or items something has looked at: what `unevaluatedProperties` and `unevaluatedItems` ask for.

/// Bits that need no memory of their own up to 64.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    first: u64,
    more: Vec<u64>,
}

/// What was looked at in one object or array.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    bits: Bits,
    /// All of them.
    pub(super) all: bool,
    /// None of several ways fits, so that it cannot be said which members belong.
    pub(super) blurred: bool,
}

// === impl Bits ===

impl Bits {
    pub(super) fn set(&mut self, index: usize) {
        let Some(beyond) = index.checked_sub(64) else {
            self.first |= 1 << index;
            return;
        };
        let word = beyond / 64;
        if self.more.len() <= word {
            self.more.resize(word + 1, 0);
        }
        if let Some(word) = self.more.get_mut(word) {
            *word |= 1 << (beyond % 64);
        }
    }

    pub(super) fn has(&self, index: usize) -> bool {
        match index.checked_sub(64) {
            None => self.first >> index & 1 == 1,
            Some(beyond) => self.more.get(beyond / 64).is_some_and(|word| word >> (beyond % 64) & 1 == 1),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.first |= other.first;
        if self.more.len() < other.more.len() {
            self.more.resize(other.more.len(), 0);
        }
        self.more.iter_mut().zip(&other.more).for_each(|(word, more)| *word |= more);
    }
}

// === impl Marks ===

impl Marks {
    pub(super) fn set(&mut self, index: usize) {
        self.bits.set(index);
    }

    pub(super) fn has(&self, index: usize) -> bool {
        self.all || self.bits.has(index)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.bits.merge(&other.bits);
        self.all |= other.all;
        self.blurred |= other.blurred;
    }
}

#[cfg(test)]
mod tests {
    use super::Marks;

    #[test]
    fn marks_are_kept_and_merged() {
        let (mut one, mut other) = (Marks::default(), Marks::default());
        [0, 63, 64, 200].iter().for_each(|index| one.set(*index));
        other.set(1_000);
        other.merge(&one);
        for (index, expected) in
            [(0, true), (1, false), (63, true), (64, true), (65, false), (200, true), (1_000, true)]
        {
            assert_eq!(other.has(index), expected, "{index}");
        }
        assert!(!one.has(1_000) && !one.has(9_999));
    }
}
