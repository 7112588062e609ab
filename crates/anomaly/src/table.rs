//! A table of a fixed size, whose memory is taken page by page as it fills, and whose slots are found by number. Whoever was not seen for longest in its row makes room.

/// Slots that a name can be in.
const WAYS: usize = 8;
/// Rows whose memory is taken at once.
const PAGE_ROWS: usize = 64;

/// A table of rows of eight slots each.
#[derive(Debug)]
pub(crate) struct Table<T> {
    /// `None` until a name falls into it.
    pages: Vec<Option<Box<[Slot<T>]>>>,
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
    /// With room for as many names, rounded up to a page.
    pub(crate) fn new(names: usize) -> Self {
        let pages = names.div_ceil(WAYS * PAGE_ROWS).max(1);
        Self { pages: (0..pages).map(|_| None).collect(), rows: (pages * PAGE_ROWS) as u64 }
    }

    /// What is known of a name, which is made room for if it is new. `minute` counts from 1.
    pub(crate) fn of(&mut self, name: u64, minute: u64) -> Option<&mut T> {
        let row = usize::try_from(name % self.rows).ok()?;
        let empty = || vec![Slot { name: 0, seen: 0, value: T::default() }; WAYS * PAGE_ROWS].into_boxed_slice();
        let page = self.pages.get_mut(row / PAGE_ROWS)?.get_or_insert_with(empty);
        let row = row % PAGE_ROWS * WAYS;
        let ways = page.get_mut(row..row + WAYS)?;
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

    /// Bytes that it takes once it is full.
    pub(crate) fn bytes(&self) -> usize {
        self.pages.len() * PAGE_ROWS * WAYS * size_of::<Slot<T>>()
    }
}
