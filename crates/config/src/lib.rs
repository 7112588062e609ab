//! Files into a checked plan, and mistakes into messages: all of them in one run, each with a line and a fix.
//!
//! `read` and `tree` turn YAML into nodes that know their place, `recover` turns nodes into the types in `file`, `check`
//! turns those into a `Plan`. Knows neither sockets nor tokio.

mod cases;
mod check;
mod diagnostic;
mod file;
mod fuzz;
mod init;
mod loaded;
pub mod plan;
mod policy;
mod read;
mod recover;
mod reference;
mod scalar;
mod schema;
mod sources;
mod texts;
mod tree;
mod values;

pub use cases::{AccessCaller, AccessCase, access_cases};
pub use diagnostic::{Diagnostic, Failure};
pub use fuzz::fuzz_load;
pub use init::init;
pub use loaded::{Loaded, load, load_text};
pub use plan::Plan;
pub use policy::{PolicyLine, RouteRow, effective_policy, routes};
pub use reference::reference;
pub use schema::schema;
pub use values::{Environment, ValueSource};
