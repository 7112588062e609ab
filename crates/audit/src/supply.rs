//! What the program is made of, and what is known against it: a list of its packages, advisories of RustSec and OSV, and which of
//! them are about a version that is in it. Nothing is read here; texts come in.

mod advisory;
mod known;
mod package;
mod sbom;
mod span;
mod toml;

#[cfg(test)]
mod tests;

pub use advisory::{Advisory, AdvisoryError, Entry, osv, rustsec};
pub use known::{Against, Known};
pub use package::{Origin, Package, PackagesError, packages};
pub use sbom::cyclonedx;
