//! Decides which server of several is asked, when one is left out for a while, and whether a request may be sent again.
//!
//! Pure: time, chance and what became of requests come in as values. What all workers know of a server together lives in an
//! [`Endpoint`] of atomics; nothing here waits, locks or opens a connection.

mod choose;
mod endpoint;
mod outlier;
mod retry;

pub use choose::{Member, Policy, RoundRobin, hash, hash_with, least_request, rendezvous, two_choices};
pub use endpoint::{Checked, Ejection, Endpoint, Standing, WEIGHT_ONE, ramp};
pub use outlier::{Mean, is_outlier};
pub use retry::{Backoff, Budget};
