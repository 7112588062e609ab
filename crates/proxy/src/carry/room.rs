//! The memory that a worker's held bodies share: who holds takes from it, and what cannot be taken is refused.

use std::cell::Cell;
use std::rc::Rc;

// LIMIT: bytes of bodies that a worker holds at once, encoded, decoded and read. Only the account knows of all of them.
const HELD_BYTES_MAX: u64 = 256 << 20;

/// A worker's account of held bodies.
#[derive(Clone, Debug)]
pub(crate) struct Rooms(Rc<Account>);

#[derive(Debug)]
struct Account {
    taken: Cell<u64>,
    bytes_max: u64,
}

/// What one body holds; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    rooms: Rooms,
    bytes: u64,
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

// === impl Rooms ===

impl Default for Rooms {
    fn default() -> Self {
        Self(Rc::new(Account { taken: Cell::new(0), bytes_max: HELD_BYTES_MAX }))
    }
}

impl Rooms {
    /// Room for nothing yet.
    pub(crate) fn room(&self) -> Room {
        Room { rooms: self.clone(), bytes: 0 }
    }
}

// === impl Room ===

impl Room {
    /// Another room of the same worker.
    pub(crate) fn sibling(&self) -> Self {
        self.rooms.room()
    }

    /// Makes room for `bytes` in all.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<(), Full> {
        let more = u64::try_from(bytes).map_err(|_| Full)?.saturating_sub(self.bytes);
        let account = &self.rooms.0;
        let taken = account.taken.get().saturating_add(more);
        if taken > account.bytes_max {
            return Err(Full);
        }
        account.taken.set(taken);
        self.bytes += more;
        Ok(())
    }

    /// Makes room for `bytes` more.
    pub(crate) fn grow_by(&mut self, bytes: usize) -> Result<(), Full> {
        let held = usize::try_from(self.bytes).map_err(|_| Full)?;
        self.grow_to(held.saturating_add(bytes))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let taken = &self.rooms.0.taken;
        taken.set(taken.get().saturating_sub(self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, Full, Rooms};
    use std::cell::Cell;
    use std::rc::Rc;

    #[test]
    fn what_is_held_is_bounded_and_given_back() {
        let rooms = Rooms(Rc::new(Account { taken: Cell::new(0), bytes_max: 100 }));
        let mut first = rooms.room();
        assert_eq!((first.grow_to(60), first.grow_to(50)), (Ok(()), Ok(())), "it holds the more of both");
        let mut second = rooms.room();
        assert_eq!(second.grow_by(41), Err(Full));
        assert_eq!(second.grow_by(40), Ok(()));
        assert_eq!(first.grow_by(1), Err(Full));
        drop(first);
        assert_eq!(second.grow_by(60), Ok(()));
        assert_eq!(rooms.0.taken.get(), 100);
        drop(second);
        assert_eq!(rooms.0.taken.get(), 0);
    }
}
