//! A table of a fixed size, whose slots are found by number. Whoever was not seen for longest in its row makes room.

/// Slots that a name can be in.
const WAYS: usize = 8;

/// A table of rows of eight slots each.
#[derive(Debug)]
pub(crate) struct Table<T> {
    slots: Vec<Slot<T>>,
    rows: u64,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    name: u64,
    /// The minute in which it was seen last; 0 is never.
    seen: u64,
    value: T,
}

// === impl Table ===

impl<T: Default + Clone> Table<T> {
    /// With room for as many names, rounded up to a row.
    pub(crate) fn new(names: usize) -> Self {
        let rows = names.div_ceil(WAYS).max(1);
        let empty = Slot { name: 0, seen: 0, value: T::default() };
        Self { slots: vec![empty; rows * WAYS], rows: rows as u64 }
    }

    /// What is known of a name, which is made room for if it is new. `minute` counts from 1.
    pub(crate) fn of(&mut self, name: u64, minute: u64) -> Option<&mut T> {
        let row = usize::try_from(name % self.rows).ok()? * WAYS;
        let ways = self.slots.get_mut(row..row + WAYS)?;
        let at = match ways.iter().position(|slot| slot.seen > 0 && slot.name == name) {
            Some(at) => at,
            None => {
                let oldest = ways.iter().enumerate().min_by_key(|(_, slot)| slot.seen).map(|(at, _)| at)?;
                *ways.get_mut(oldest)? = Slot { name, seen: 0, value: T::default() };
                oldest
            }
        };
        let slot = ways.get_mut(at)?;
        slot.seen = minute.max(1);
        Some(&mut slot.value)
    }

    /// Bytes that it takes, however full it is.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot<T>>()
    }
}
