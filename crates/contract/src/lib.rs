//! Decides whether a message fits its contract, and says why not.
//!
//! Pure: documents and bodies come in as bytes, other files through a closure. It knows neither sockets nor our configuration.

pub mod fuzz;
pub mod json;
pub mod schema;
mod text;
mod tree;

pub use tree::{Diagnostic, Severity};
