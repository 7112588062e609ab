//! A table of fixed size for what may be forgotten: verdicts, answers. Full means that something is forgotten, the expired
//! first, then what was not asked for lately.

use portcullis_types::siphash::SipHash;
use std::fmt;

const WAYS: usize = 8;

/// What an entry is kept under: a keyed hash, of which nothing leaves the process.
pub type Digest = [u8; 16];

/// Entries by a keyed hash, in groups of eight, so that a look-up is a few comparisons whatever the size, and nobody who
/// does not know the hash's key can choose who shares a group with whom.
pub(crate) struct Table<V> {
    groups: Box<[Group<V>]>,
    filled: usize,
}

struct Group<V> {
    /// The second half of each key, side by side, so that a look-up touches no entry but the one that it finds.
    marks: [u64; WAYS],
    entries: [Option<Entry<V>>; WAYS],
}

struct Entry<V> {
    key: Digest,
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

/// The same for what is looked up in memory with each request, in half the time (a token of 812 bytes: 0.48 µs, where BLAKE3,
/// which is made for long inputs, takes 0.98). Both are as hard to foresee for whoever does not know the key.
pub(crate) fn digest(key: &[u8; 32], parts: &[&[u8]]) -> Digest {
    let (k0, k1) = halves(key);
    let mut hash = SipHash::new(k0, k1);
    for part in parts {
        hash.write(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.write(part);
    }
    hash.finish().to_le_bytes()
}

/// The first and the second 64 bits.
pub(crate) fn halves(bytes: &[u8]) -> (u64, u64) {
    let mut words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    (words.next().unwrap_or(0), words.next().unwrap_or(0))
}

// === impl Table ===

impl<V> Table<V> {
    /// A table of at least this many entries; its memory is taken at once.
    pub(crate) fn new(entries: usize) -> Self {
        let groups = entries.div_ceil(WAYS).max(1);
        let empty = |_| Group { marks: [0; WAYS], entries: std::array::from_fn(|_| None) };
        Self { groups: (0..groups).map(empty).collect(), filled: 0 }
    }

    /// The value of a key, if it is there and its time is not over.
    pub(crate) fn find(&mut self, key: &Digest, now: u64) -> Option<&V> {
        let (_, mark) = halves(key);
        let Group { marks, entries } = self.group(key)?;
        let mut like = marks.iter().zip(entries).filter(|(one, _)| **one == mark).filter_map(|(_, slot)| slot.as_mut());
        let entry = like.find(|entry| entry.key == *key)?;
        entry.asked = true;
        (now < entry.until).then_some(&entry.value)
    }

    /// Keeps a value until a time.
    pub(crate) fn keep(&mut self, key: Digest, until: u64, value: V, now: u64) {
        if now >= until {
            return;
        }
        let (_, mark) = halves(&key);
        let Some(Group { marks, entries: group }) = self.group(&key) else { return };
        let same = group.iter().position(|slot| slot.as_ref().is_some_and(|entry| entry.key == key));
        let over = || group.iter().position(|slot| slot.as_ref().is_none_or(|entry| now >= entry.until));
        let unasked = || group.iter().position(|slot| slot.as_ref().is_none_or(|entry| !entry.asked));
        let place = same.or_else(over).or_else(unasked);
        if place.is_none() {
            group.iter_mut().flatten().for_each(|entry| entry.asked = false);
        }
        // All were asked for: chance decides, and the others have to be asked for again to stay.
        let place = place.unwrap_or_else(|| usize::from(key.last().copied().unwrap_or(0)) % WAYS);
        let (Some(slot), Some(marked)) = (group.get_mut(place), marks.get_mut(place)) else { return };
        *marked = mark;
        let fresh = slot.replace(Entry { key, until, asked: false, value }).is_none();
        self.filled += usize::from(fresh);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        if self.filled > 0 {
            self.groups.iter_mut().flat_map(|group| &mut group.entries).for_each(|slot| *slot = None);
            self.filled = 0;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.filled
    }

    fn group(&mut self, key: &Digest) -> Option<&mut Group<V>> {
        let count = u64::try_from(self.groups.len()).ok()?;
        let at = halves(key).0.checked_rem(count)?;
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
    use super::{Digest, Table, digest, keyed};

    fn key(number: u64) -> Digest {
        digest(&[1; 32], &[&number.to_le_bytes()])
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
        assert_ne!(digest(&[1; 32], &[b"ab", b"c"]), digest(&[1; 32], &[b"a", b"bc"]));
        assert_ne!(digest(&[1; 32], &[b"a"]), digest(&[2; 32], &[b"a"]));
    }
}
