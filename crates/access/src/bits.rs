//! Sets of names as bits: what a caller holds and what a rule asks for are compared without looking at a name again.

/// Words of a set.
const WORDS: usize = 4;

// LIMIT: different names that the rules of one operation may speak of.
pub(crate) const BITS: usize = WORDS * 64;

/// A set of at most [`BITS`] names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits([u64; WORDS]);

// === impl Bits ===

impl Bits {
    /// Puts a name in; false where there is no room for its number.
    pub(crate) fn insert(&mut self, index: usize) -> bool {
        match self.0.get_mut(index / 64) {
            Some(word) => {
                *word |= 1 << (index % 64);
                true
            }
            None => false,
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(crate) fn intersects(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).any(|(word, with)| word & with != 0)
    }

    /// Whether everything in `other` is here as well.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(word, asked)| word & asked == asked)
    }
}

#[cfg(test)]
mod tests {
    use super::{BITS, Bits};

    fn of(all: &[usize]) -> Bits {
        let mut bits = Bits::default();
        for index in all {
            assert!(bits.insert(*index));
        }
        bits
    }

    #[test]
    fn sets() {
        assert!(of(&[]).is_empty() && !of(&[255]).is_empty());
        assert!(of(&[1, 64, 255]).covers(&of(&[64, 255])) && !of(&[1]).covers(&of(&[1, 2])));
        assert!(of(&[1, 200]).intersects(&of(&[200])) && !of(&[1]).intersects(&of(&[])));
        assert!(of(&[]).covers(&of(&[])) && !Bits::default().insert(BITS));
    }
}
