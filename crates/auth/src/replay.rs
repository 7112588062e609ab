//! Whether something that may be used once is being used again: the ids of DPoP proofs, the nonces of signatures.
//!
//! One table serves all cores, or a proof could be used once on each. It is an array of atomic numbers: no lock, no wait, no
//! growth. Where there is no room for an id, its request is refused: a replay that nobody can rule out is one.

use crate::bounded::{halves, keyed};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

const WAYS: usize = 8;
/// A slot holds 40 bits of the hash and 24 bits of the second in which it ends.
const TIME_BITS: u32 = 24;
const TIME_MASK: u64 = (1 << TIME_BITS) - 1;
// LIMIT: seconds for which an id can be kept.
const KEPT_SECONDS_MAX: u64 = 7200;

/// What the table says about an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The first use; every other one until its end is a replay.
    First,
    /// It was used, or is being used by somebody else right now.
    Replay,
    /// There is no room to remember it.
    NoRoom,
}

/// The ids in use.
pub struct ReplayTable {
    key: [u8; 32],
    groups: Box<[[AtomicU64; WAYS]]>,
}

// === impl ReplayTable ===

impl ReplayTable {
    /// A table for this many ids at once, 16 bytes each, under a random key that makes its groups unforeseeable.
    #[must_use]
    pub fn new(ids: usize, key: [u8; 32]) -> Self {
        // Half full, two groups to choose from: an id finds no room about once in a million times.
        let groups = ids.saturating_mul(2).div_ceil(WAYS).max(2);
        Self { key, groups: (0..groups).map(|_| std::array::from_fn(|_| AtomicU64::new(0))).collect() }
    }

    /// Uses an id, named by its parts, until a time. Both times are seconds since 1970.
    #[must_use]
    pub fn admit(&self, parts: &[&[u8]], until: u64, now: u64) -> Use {
        if until.saturating_sub(now) > KEPT_SECONDS_MAX {
            return Use::NoRoom;
        }
        let hash = keyed(&self.key, parts);
        let Some([one, other]) = self.groups_of(&hash) else { return Use::NoRoom };
        let print = halves(&hash).0 >> TIME_BITS << TIME_BITS;
        let mine = print | (until.max(now.saturating_add(1)) & TIME_MASK);
        let slots = || one.iter().chain(other);
        let same = |value: u64| value & !TIME_MASK == print && is_live(value, now);
        if slots().any(|slot| same(slot.load(SeqCst))) {
            return Use::Replay;
        }
        let taken = match self.take(one, other, mine, now) {
            Ok(taken) => taken,
            Err(refused) => return refused,
        };
        // Somebody else may have come in between. Both wrote before they look again, so that at least one of them sees the
        // other; whoever sees one gives up. An id used twice in the same microsecond may be refused twice, never admitted
        // twice.
        if slots().any(|slot| !std::ptr::eq(slot, taken) && same(slot.load(SeqCst))) { Use::Replay } else { Use::First }
    }

    /// Writes into a free slot of the emptier group. Who comes for the same id at the same time mostly wants the same slot:
    /// then one of them gets it, and the other one sees for whom it was taken.
    fn take<'a>(&self, one: &'a Group, other: &'a Group, mine: u64, now: u64) -> Result<&'a AtomicU64, Use> {
        let live = |group: &Group| group.iter().filter(|slot| is_live(slot.load(SeqCst), now)).count();
        let order = if live(one) <= live(other) { [one, other] } else { [other, one] };
        for slot in order.into_iter().flatten() {
            let value = slot.load(SeqCst);
            if is_live(value, now) {
                continue;
            }
            match slot.compare_exchange(value, mine, SeqCst, SeqCst) {
                Ok(_) => return Ok(slot),
                Err(theirs) if theirs & !TIME_MASK == mine & !TIME_MASK => return Err(Use::Replay),
                Err(_) => {}
            }
        }
        Err(Use::NoRoom)
    }

    fn groups_of(&self, hash: &[u8; 32]) -> Option<[&Group; 2]> {
        let count = u64::try_from(self.groups.len()).ok()?;
        let [_, first, second, _] = hash.as_chunks::<8>().0 else { return None };
        let first = u64::from_le_bytes(*first).checked_rem(count)?;
        // Never the same group twice.
        let step = u64::from_le_bytes(*second).checked_rem(count.checked_sub(1)?)?;
        let second = (first + 1 + step).checked_rem(count)?;
        let group = |at: u64| self.groups.get(usize::try_from(at).ok()?);
        Some([group(first)?, group(second)?])
    }
}

type Group = [AtomicU64; WAYS];

/// Whether a slot's time is not over. Seconds are compared modulo 194 days; a slot that nobody wrote for so long looks alive
/// for two hours, which costs room and nothing else.
fn is_live(value: u64, now: u64) -> bool {
    let left = (value & TIME_MASK).wrapping_sub(now) & TIME_MASK;
    value != 0 && left > 0 && left <= KEPT_SECONDS_MAX
}

impl std::fmt::Debug for ReplayTable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "ReplayTable({})", self.groups.len() * WAYS)
    }
}

#[cfg(test)]
mod tests {
    use super::{ReplayTable, Use};
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn an_id_is_used_once_until_its_end() {
        let table = ReplayTable::new(1000, [1; 32]);
        let id: &[&[u8]] = &[b"key", b"jti"];
        assert_eq!(table.admit(id, NOW + 60, NOW), Use::First);
        assert_eq!(table.admit(id, NOW + 60, NOW), Use::Replay);
        assert_eq!(table.admit(id, NOW + 90, NOW + 59), Use::Replay);
        assert_eq!(table.admit(&[b"key", b"other"], NOW + 60, NOW), Use::First);
        assert_eq!(table.admit(&[b"ke", b"yjti"], NOW + 60, NOW), Use::First);
        assert_eq!(table.admit(id, NOW + 120, NOW + 60), Use::First, "the proof's own time is over by then");
        assert_eq!(table.admit(&[b"x"], NOW + 7201, NOW), Use::NoRoom);
        // A time that is over already is kept for this second all the same.
        assert_eq!(table.admit(&[b"y"], NOW, NOW), Use::First);
        assert_eq!(table.admit(&[b"y"], NOW, NOW), Use::Replay);
    }

    #[test]
    fn a_full_table_refuses_and_has_room_again_later() {
        let table = ReplayTable::new(100, [2; 32]);
        let mut refused = 0;
        for number in 0..1000u32 {
            match table.admit(&[&number.to_le_bytes()], NOW + 60, NOW) {
                Use::First => {}
                Use::NoRoom => refused += 1,
                Use::Replay => panic!("{number} was never used"),
            }
        }
        assert!((800..=900).contains(&refused), "{refused} of 1000 found no room among 200");
        assert_eq!(table.admit(&[&0u32.to_le_bytes()], NOW + 60, NOW), Use::Replay, "nothing was pushed out");
        assert_eq!(table.admit(&[b"later"], NOW + 120, NOW + 60), Use::First);
    }

    #[test]
    fn as_many_ids_as_it_is_made_for_find_room() {
        let table = ReplayTable::new(100_000, [3; 32]);
        let room = (0..100_000u32).filter(|n| table.admit(&[&n.to_le_bytes()], NOW + 60, NOW) == Use::First).count();
        assert!(room >= 99_990, "{room}");
    }

    /// Two threads meet before each id, so that some of them come to it in the same instant.
    #[test]
    fn two_cores_never_admit_the_same() {
        const IDS: u32 = 20_000;
        let table = ReplayTable::new(20_000, [4; 32]);
        let arrived = AtomicU32::new(0);
        let run = || {
            let meet = |id: u32| {
                arrived.fetch_add(1, SeqCst);
                for spins in 0.. {
                    if arrived.load(SeqCst) >= 2 * (id + 1) {
                        break;
                    }
                    // The other thread may not be running at all.
                    if spins > 1000 {
                        std::thread::yield_now();
                    }
                }
            };
            let admit = |id: u32| {
                meet(id);
                table.admit(&[&id.to_le_bytes()], NOW + 60, NOW) == Use::First
            };
            (0..IDS).map(admit).collect::<Vec<_>>()
        };
        let (mine, theirs) = std::thread::scope(|scope| {
            let other = scope.spawn(run);
            (run(), other.join().unwrap())
        });
        let both = mine.iter().zip(&theirs).filter(|(mine, theirs)| **mine && **theirs).count();
        assert_eq!(both, 0, "admitted twice");
        let neither = mine.iter().zip(&theirs).filter(|(mine, theirs)| !**mine && !**theirs).count();
        assert!(neither < IDS as usize, "somebody gets through");
    }
}
