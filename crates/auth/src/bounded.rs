//! A table of fixed size for what may be forgotten: verdicts, answers. Full means that something is forgotten, the expired
//! first, then what was not asked for lately.

use std::fmt;

const WAYS: usize = 8;

/// Entries by a keyed hash, in groups of eight, so that a look-up is a few comparisons whatever the size, and nobody who
/// does not know the hash's key can choose who shares a group with whom.
pub(crate) struct Table<V> {
    groups: Box<[[Option<Entry<V>>; WAYS]]>,
    filled: usize,
}

struct Entry<V> {
    key: [u8; 32],
    until: u64,
    asked: bool,
    value: V,
}

/// A hash of parts under a key; lengths go in, so that no two lists of parts run together.
pub(crate) fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in parts {
        hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes()).update(part);
    }
    *hasher.finalize().as_bytes()
}

/// The leading 64 bits of a hash.
pub(crate) fn leading(hash: &[u8; 32]) -> u64 {
    hash.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

// === impl Table ===

impl<V> Table<V> {
    /// A table of at least this many entries; its memory is taken at once.
    pub(crate) fn new(entries: usize) -> Self {
        let groups = entries.div_ceil(WAYS).max(1);
        Self { groups: (0..groups).map(|_| std::array::from_fn(|_| None)).collect(), filled: 0 }
    }

    /// The value of a key, if it is there and its time is not over.
    pub(crate) fn find(&mut self, key: &[u8; 32], now: u64) -> Option<&V> {
        let entry = self.group(key)?.iter_mut().flatten().find(|entry| entry.key == *key)?;
        entry.asked = true;
        (now < entry.until).then_some(&entry.value)
    }

    /// Keeps a value until a time.
    pub(crate) fn keep(&mut self, key: [u8; 32], until: u64, value: V, now: u64) {
        if now >= until {
            return;
        }
        let Some(group) = self.group(&key) else { return };
        let same = group.iter().position(|slot| slot.as_ref().is_some_and(|entry| entry.key == key));
        let over = || group.iter().position(|slot| slot.as_ref().is_none_or(|entry| now >= entry.until));
        let unasked = || group.iter().position(|slot| slot.as_ref().is_none_or(|entry| !entry.asked));
        let place = same.or_else(over).or_else(unasked);
        if place.is_none() {
            group.iter_mut().flatten().for_each(|entry| entry.asked = false);
        }
        // All were asked for: chance decides, and the others have to be asked for again to stay.
        let place = place.unwrap_or_else(|| usize::from(key.last().copied().unwrap_or(0)) % WAYS);
        let Some(slot) = group.get_mut(place) else { return };
        let fresh = slot.replace(Entry { key, until, asked: false, value }).is_none();
        self.filled += usize::from(fresh);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        if self.filled > 0 {
            self.groups.iter_mut().flatten().for_each(|slot| *slot = None);
            self.filled = 0;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.filled
    }

    fn group(&mut self, key: &[u8; 32]) -> Option<&mut [Option<Entry<V>>; WAYS]> {
        let count = u64::try_from(self.groups.len()).ok()?;
        let at = leading(key).checked_rem(count)?;
        self.groups.get_mut(usize::try_from(at).ok()?)
    }
}

impl<V> fmt::Debug for Table<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Table({} of {})", self.filled, self.groups.len() * WAYS)
    }
}

#[cfg(test)]
mod tests {
    use super::{Table, keyed};

    fn key(number: u64) -> [u8; 32] {
        keyed(&[1; 32], &[&number.to_le_bytes()])
    }

    #[test]
    fn it_never_grows_and_never_outlives() {
        let mut table = Table::new(64);
        for number in 0..10_000 {
            table.keep(key(number), number + 10, number, number);
            assert_eq!(table.find(&key(number), number + 9), Some(&number));
            assert_eq!(table.find(&key(number), number + 10), None);
            assert!(table.len() <= 64);
        }
        table.keep(key(1), 5, 1, 5);
        assert_eq!(table.find(&key(1), 0), None, "what is over is not kept");
        table.clear();
        assert_eq!((table.len(), table.find(&key(9_999), 0)), (0, None));
    }

    #[test]
    fn what_is_asked_for_stays_before_what_is_not() {
        let mut table = Table::new(8);
        for number in 0..8 {
            table.keep(key(number), 100, number, 0);
        }
        assert!(table.find(&key(3), 0).is_some());
        for number in 8..15 {
            table.keep(key(number), 100, number, 0);
        }
        assert!(table.find(&key(3), 0).is_some());
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(keyed(&[1; 32], &[b"ab", b"c"]), keyed(&[1; 32], &[b"a", b"bc"]));
        assert_ne!(keyed(&[1; 32], &[b"a"]), keyed(&[2; 32], &[b"a"]));
    }
}
