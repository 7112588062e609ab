//! Decides whether a caller has budget, and says how much is left and when there is more.
//!
//! Pure: time comes in as a [`Moment`], callers as a [`Key`]. Accounts live in a [`Ledger`] that all workers share through
//! atomics; each worker's [`Limiter`] takes a little in advance, so that most decisions touch nothing shared. It knows
//! neither a store nor sockets nor what a request looks like.
//!
//! # What holds over all workers
//! With N workers, each holds at most 1 / (16 · N) of a limit in advance ([`Ledger::excess_max`]):
//!
//! - a rate admits over any interval at most its burst, what came back in it, and a sixteenth of the burst; nothing on top
//!   with one worker or with a burst below 16 · N;
//! - a window admits what its kind says ([`Kind::Window`]) and a quota its limit, both without any excess: what is held
//!   ends with the window or period that it was charged to;
//! - permits are exact;
//! - a caller that always asks gets at least seven eighths of its limit, and at least half of an even share through each
//!   worker when it asks all of them alike.
//!
//! `limiter/simulation.rs` checks this with ten thousand seeds. A rate above a million units a second, a window above
//! 8,388,607 units and a quota above 8,796,093,022,206 count in quanta of several units, rounded to the strict side; what
//! is left of a quantum stays in the worker's hands and counts as held.

pub mod adaptive;
mod branch;
pub mod breaker;
mod calendar;
mod decision;
pub mod fields;
mod key;
mod ledger;
mod limiter;
mod moment;
mod peers;
mod policy;
mod problem;
mod rule;
mod share;
mod store;

pub use adaptive::{Adaptive, AdaptiveRules, Outcome, Priority};
pub use branch::Supply;
pub use breaker::{Breaker, BreakerRules, BreakerState, Trial};
pub use calendar::Period;
pub use decision::{Decision, Permit, Verdict};
pub use key::{Key, KeyHasher, KeyWriter, Prefixes};
pub use ledger::Ledger;
pub use limiter::{ASKS_MAX, Ask, Limiter};
pub use moment::Moment;
pub use peers::Peers;
pub use policy::{Kind, Policy, PolicyError, Unit};
pub use problem::ProblemType;
pub use store::{StoreAnswer, StoreAsk};
