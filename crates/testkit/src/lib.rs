//! What the tests of Portcullis share: a gateway in a box, upstreams that misbehave on purpose, a client that sends
//! any bytes, certificates, a reader of access records, and seeded chance.
//!
//! Nothing here is shipped. It states facts and panics where they do not hold, always with what it saw; nothing waits
//! without a deadline.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests state facts, and measure them with the machine's own clock"
)]

pub mod answer;
pub mod certificates;
pub mod client;
pub mod deadline;
pub mod dice;
pub mod frames;
pub mod fuzz;
pub mod gateway;
pub mod histogram;
pub mod load;
pub mod mail_server;
pub mod maxmind;
pub mod moody;
pub mod records;
pub mod sarif;
pub mod scratch;
pub mod store_server;
pub mod suite;
pub mod syslog_server;
pub mod upstream;

pub use answer::Answer;
pub use client::Client;
pub use dice::Dice;
pub use gateway::Gatehouse;
pub use load::Load;
pub use mail_server::MailServer;
pub use moody::MoodyUpstream;
pub use store_server::{StoreKind, StoreServer};
pub use syslog_server::SyslogServer;
pub use upstream::{FakeUpstream, Heard, Talk};
