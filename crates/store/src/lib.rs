//! Keys of consumers, revocations of tokens and accounts of developers, kept on disk and served from memory.
//!
//! A request never touches the disk: each process holds a [`Mirror`] of what is stored and asks only that. The file may
//! be open in several processes at once, the command line beside the running gateway: every change has a number, and
//! [`Mirror::refresh`] takes over what came after the one it knows. Who changes the store in the gateway's own process
//! refreshes at once; what another process changed is seen at the next poll, which costs one small read.

mod accounts;
mod calls;
mod disk;
mod error;
mod home;
mod index;
mod mirror;
mod peppers;
mod signing;
mod used;

#[cfg(test)]
mod tests;

pub use accounts::{Account, Application, Decision, KeyRequest, OwnKey};
pub use calls::{Caller, Callers, Calls};
pub use disk::{Listed, Store};
pub use error::StoreError;
pub use home::Home;
pub use index::Index;
pub use mirror::{Found, Mirror, Refreshed};
pub use peppers::PepperFile;
pub use signing::SigningFile;
pub use used::LastUsed;
