//! Carries bytes between a client and an upstream: sockets, buffers, deadlines, and bodies on their way.

pub(crate) mod buffer;
pub(crate) mod channel;
pub(crate) mod filter;
pub(crate) mod rate;
pub(crate) mod relay;
pub(crate) mod room;
pub(crate) mod socket;
pub(crate) mod stream;
pub(crate) mod tap;
pub(crate) mod timer;
pub(crate) mod websocket;
