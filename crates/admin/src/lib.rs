//! The status listener and what operators see: life, readiness, metrics, and a page for every problem; the admin socket, over
//! which they ask for more; the listener of the console; and the one with the pages that developers read.
//!
//! It talks to the gateway through its handle only, and decides nothing about requests.

mod console;
mod html;
mod portal;
mod server;
mod site;
mod socket;
mod status;

pub use console::ConsoleListener;
pub use portal::Portal;
pub use server::ServerError;
pub use socket::{Admin, AdminError, AdminSocket};
pub use status::Status;
