//! The status listener and what operators see: life, readiness, metrics, and a page for every problem; and the admin
//! socket, over which they ask for more.
//!
//! It talks to the gateway through its handle only, and decides nothing about requests.

mod html;
mod site;
mod socket;
mod status;

pub use socket::{Admin, AdminError, AdminSocket, Order, Orders, Reloaded};
pub use status::{Status, StatusError};
