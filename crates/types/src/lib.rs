//! Words that every crate of Portcullis shares.
//!
//! It decides what a request's canonical target is and what every refusal is called; it knows neither
//! the files that users write nor anything asynchronous.

pub mod civil;
pub mod clock;
pub mod fault;
pub mod id;
pub mod markup;
pub mod network;
pub mod outline;
pub mod percent;
pub mod reason;
pub mod refusal;
pub mod secret;
pub mod segment;
pub mod siphash;
pub mod stage;
pub mod target;

pub use clock::{Clock, Millis};
pub use fault::{Fault, FaultKind};
pub use network::{Network, NetworkError};
pub use outline::Outline;
pub use reason::Reason;
pub use refusal::{Refusal, Violation};
pub use secret::Secret;
pub use stage::Stage;
pub use target::{CanonicalTarget, TargetError, fuzz_target};
