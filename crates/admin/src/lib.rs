//! The status listener and what operators see: life, readiness, metrics, and a page for every problem.
//!
//! It talks to the gateway through its handle only, and decides nothing about requests.

mod html;
mod site;
mod status;

pub use status::{Status, StatusError};
