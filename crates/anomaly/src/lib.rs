//! What is unusual for a caller, by numbers that can be told.
//!
//! A [`Watcher`] is shown every request once it has ended and compares it with what is usual: for its principal, for the
//! principal's operation, for its address, for everybody. Usual is what was counted before, by the hour of the day, in averages
//! that forget (EWMA; Roberts, "Control chart tests based on geometric moving averages", 1959). There is no training run:
//! whoever is new is judged by fixed bounds only until enough is known. Each [`Finding`] has the numbers that made it.
//!
//! [`Places`] says where an address is, by a file that somebody else has made.
//!
//! Pure: no clock, no files, no threads. Names come in as 64-bit numbers, which the caller makes with a secret key, so that
//! nobody can choose two names that fall together. Memory is fixed: tables have a size, and whoever was not seen for longest
//! makes room.

mod baseline;
mod counts;
mod event;
mod finding;
pub mod fuzz;
mod ladder;
mod pair;
mod places;
mod sequence;
mod spread;
mod subject;
mod table;
mod watcher;

#[cfg(test)]
mod tests;

pub use event::{Event, Object};
pub use finding::{Finding, Kind, Who};
pub use ladder::{Ladder, Rungs, Step};
pub use places::{PLACES_BYTES_MAX, Places, PlacesError, Wanted};
pub use watcher::{Bounds, Watcher};

/// A minute, the grain of all counts, in milliseconds.
pub(crate) const MINUTE_MS: u64 = 60_000;
/// Minutes of an hour and of a day.
pub(crate) const HOUR: u64 = 60;
pub(crate) const DAY: u64 = 24 * HOUR;
