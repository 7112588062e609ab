//! Decides whether a message fits its contract, an OpenAPI document, and says why not.
//!
//! Pure: documents and bodies come in as bytes, other files through a closure. It knows neither sockets nor our configuration.

pub mod diff;
pub mod document;
pub mod fuzz;
pub mod graphql;
pub mod json;
pub mod lint;
mod media;
pub mod message;
mod parameter;
pub mod sample;
pub mod schema;
mod text;
mod tree;
mod xml;

pub use diff::diff;
pub use document::{Contract, Loaded, Need, Operation, Options, Scheme, Security, follow, load, plain};
pub use lint::lint;
pub use media::{Reading, is_foreign_charset};
pub use message::{Body, Bounds, Fits, KnownField, Objection, Part, Refused, Reply, Request};
pub use parameter::Location;
pub use parameter::decoded_name;
pub use sample::{Sample, samples};
pub use schema::Stranger;
pub use tree::{Diagnostic, Severity};
