//! TLS towards clients: protocol versions, certificates by name, certificates of clients, development certificates.

pub(crate) mod client;
pub(crate) mod expiry;
pub(crate) mod files;
pub(crate) mod self_signed;
pub(crate) mod server;
