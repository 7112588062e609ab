//! Every key in memory, found in the same time whether there are ten or a million.
//!
//! Ids are random, so that their leading bits spread them evenly over shards. A shard is immutable: one sorted array of
//! ids and one arena of records in their binary form. A change builds one shard anew and swaps it in, so that a reader
//! never waits and never sees half of it. A key costs its record and 16 bytes.

use arc_swap::ArcSwap;
use portcullis_auth::key::{RecordError, StoredKey};
use std::sync::Arc;

const SHARD_BITS: u32 = 12;
const SHARDS: usize = 1 << SHARD_BITS;
// LIMIT: slots that are looked at around the place where an id should be.
const STEPS_MAX: usize = 32;

/// The keys of a process.
#[derive(Debug)]
pub struct Index {
    shards: Box<[ArcSwap<Shard>]>,
}

/// Keys whose ids begin with the same bits.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    /// Sorted by id, each with where its record ends.
    slots: Box<[Slot]>,
    arena: Box<[u8]>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    id: u64,
    end: u32,
}

// === impl Index ===

impl Default for Index {
    fn default() -> Self {
        let empty = Arc::new(Shard::default());
        Self { shards: (0..SHARDS).map(|_| ArcSwap::from(Arc::clone(&empty))).collect() }
    }
}

impl Index {
    /// Puts `keys` in place of everything. Records that cannot be read are an error: a key that is left out silently would
    /// look like one that never was.
    ///
    /// # Errors
    /// The first record that is none; the index is unchanged then.
    pub fn load(&self, mut keys: Vec<(u64, Vec<u8>)>) -> Result<(), RecordError> {
        for (_, record) in &keys {
            StoredKey::read(record)?;
        }
        keys.sort_unstable_by_key(|(id, _)| *id);
        keys.dedup_by_key(|(id, _)| *id);
        let mut rest = keys.as_slice();
        for (position, shard) in self.shards.iter().enumerate() {
            let count = rest.partition_point(|(id, _)| shard_of(*id) <= position);
            let (own, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            shard.store(Arc::new(Shard::of(own.iter().map(|(id, record)| (*id, record.as_slice())))));
            rest = later;
        }
        Ok(())
    }

    /// Puts a record in place of the one of this id, or takes that one out. Changes are made by one thread at a time.
    ///
    /// # Errors
    /// A record that is none.
    pub fn set(&self, id: u64, record: Option<&[u8]>) -> Result<(), RecordError> {
        if let Some(record) = record {
            StoredKey::read(record)?;
        }
        let Some(shard) = self.shards.get(shard_of(id)) else { return Ok(()) };
        let old = shard.load_full();
        let before = old.iter().filter(|(have, _)| *have < id);
        let after = old.iter().filter(|(have, _)| *have > id);
        shard.store(Arc::new(Shard::of(before.chain(record.map(|record| (id, record))).chain(after))));
        Ok(())
    }

    /// Looks at the record of an id, if there is one.
    pub fn with<R>(&self, id: u64, look: impl FnOnce(StoredKey<'_>) -> R) -> Option<R> {
        let shard = self.shards.get(shard_of(id))?.load();
        let record = shard.find(id)?;
        StoredKey::read(record).ok().map(look)
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.load().slots.len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let shard = |shard: &ArcSwap<Shard>| {
            let shard = shard.load();
            size_of::<ArcSwap<Shard>>() + size_of::<Shard>() + shard.slots.len() * size_of::<Slot>() + shard.arena.len()
        };
        self.shards.iter().map(shard).sum()
    }
}

fn shard_of(id: u64) -> usize {
    usize::try_from(id >> (64 - SHARD_BITS)).unwrap_or(0)
}

// === impl Shard ===

impl Shard {
    /// A shard of sorted keys.
    fn of<'a>(keys: impl Iterator<Item = (u64, &'a [u8])>) -> Self {
        let (mut slots, mut arena) = (Vec::new(), Vec::new());
        for (id, record) in keys {
            arena.extend_from_slice(record);
            // Four GiB in one of 4096 shards would be 2^36 keys; a shard that has no more room finds the key no more.
            let Ok(end) = u32::try_from(arena.len()) else { break };
            slots.push(Slot { id, end });
        }
        Self { slots: slots.into_boxed_slice(), arena: arena.into_boxed_slice() }
    }

    fn find(&self, id: u64) -> Option<&[u8]> {
        self.record(self.position(id)?)
    }

    /// Random ids lie where their value says, give or take a few slots: looking there first touches one or two lines of
    /// memory where halving touches one a step. Ids that are not random are found by halving.
    fn position(&self, id: u64) -> Option<usize> {
        let spread = u128::from(id << SHARD_BITS) * (self.slots.len() as u128);
        let guess = usize::try_from(spread >> 64).ok()?;
        let (before, after) = self.slots.split_at_checked(guess)?;
        let near = if after.first().is_some_and(|slot| slot.id <= id) {
            after.iter().take(STEPS_MAX).position(|slot| slot.id == id).map(|step| guess + step)
        } else {
            before.iter().rev().take(STEPS_MAX).position(|slot| slot.id == id).map(|step| guess - 1 - step)
        };
        near.or_else(|| self.slots.binary_search_by_key(&id, |slot| slot.id).ok())
    }

    fn record(&self, at: usize) -> Option<&[u8]> {
        let start = at.checked_sub(1).and_then(|before| self.slots.get(before)).map_or(0, |slot| slot.end);
        self.arena.get(usize::try_from(start).ok()?..usize::try_from(self.slots.get(at)?.end).ok()?)
    }

    fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.slots.iter().enumerate().filter_map(|(at, slot)| Some((slot.id, self.record(at)?)))
    }
}
