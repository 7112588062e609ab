//! Policies in the language Cedar (cedarpolicy.com): read from texts, checked against what a gateway's operations can say, and
//! asked about a request. What their answers come to is decided elsewhere.
//!
//! A crate of its own, because it is a wall: no type of the library behind it is seen outside. Pure: texts, values and the
//! time come in as values. A policy that cannot be evaluated is an error, never a silent no.

mod check;
mod condition;
mod judge;
mod mention;
mod pattern;
mod read;
#[cfg(test)]
mod tests;
mod world;

pub use judge::{Hearing, Judge, Unusable};
pub use read::{Mistake, POLICIES_MAX, Place, Policies, Principals, Statement};
pub use world::{Action, Kind, Shape, Unclear, Value, Values, World};
