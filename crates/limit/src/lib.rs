//! Decides whether a caller has budget, and says how much is left and when there is more.
//!
//! Pure: time comes in as a [`Moment`], callers as a [`Key`]. Accounts live in a [`Ledger`] that all workers share through
//! atomics; each worker's [`Limiter`] takes a little in advance, so that most decisions touch nothing shared. It knows
//! neither a store nor sockets nor what a request looks like.

pub mod adaptive;
pub mod breaker;
mod calendar;
mod decision;
pub mod fields;
mod key;
mod ledger;
mod limiter;
mod moment;
mod policy;
mod problem;
mod rule;
mod share;
mod siphash;

pub use adaptive::{Adaptive, AdaptiveRules, Outcome, Priority};
pub use breaker::{Breaker, BreakerRules, BreakerState, Trial};
pub use calendar::Period;
pub use decision::{Decision, Permit, Verdict};
pub use key::{Key, KeyHasher, KeyWriter, Prefixes};
pub use ledger::Ledger;
pub use limiter::{ASKS_MAX, Ask, Limiter};
pub use moment::Moment;
pub use policy::{Kind, Policy, PolicyError, Unit};
pub use problem::ProblemType;
