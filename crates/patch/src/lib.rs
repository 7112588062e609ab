//! What a bundle of the feed holds, and what its virtual patches say of a request.
//!
//! Pure: a bundle comes in as its text, a request as [`Asked`]. Who signed a bundle, which version is in force and what becomes of a
//! request that a patch is about are the business of others.
//!
//! A patch is written to close a hole, so that it matches rather too much than too little: names count in whatever case and with
//! brackets behind them, values as they come and once more unescaped, and a body that cannot be read is taken to be what it must not be.

mod bundle;
mod condition;
pub mod fuzz;
mod judge;
mod operator;
mod query;
mod status;
#[cfg(test)]
mod tests;

pub use bundle::{Action, BUNDLE_BYTES_CAP, Bundle, BundleError, Patch};
pub use condition::Step;
pub use judge::{Asked, Body, Fields, Held, Kind, Met, Part, Supposed, judge};
pub use status::Stage;
