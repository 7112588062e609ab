//! What the engine is shown: heads as plain borrowed bytes, so that any HTTP implementation can call it.

use std::net::IpAddr;

/// A header field: name and value as received.
pub type Field<'a> = (&'a [u8], &'a [u8]);

/// The head of a request.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method as received.
    pub method: &'a [u8],
    /// The target exactly as received: inspection has to see what was sent, not what it was turned into.
    pub target: &'a [u8],
    /// The protocol as the request line states it, e.g. `HTTP/1.1`.
    pub protocol: &'a [u8],
    /// The fields in order.
    pub headers: &'a [Field<'a>],
    /// The peer's address and port.
    pub peer: (IpAddr, u16),
    /// The request's id: what sampling draws from, so it must not be chosen by the client.
    pub unique_id: &'a str,
}

/// The head of a response.
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead<'a> {
    /// The status code.
    pub status: u16,
    /// The protocol, e.g. `HTTP/1.1`.
    pub protocol: &'a [u8],
    /// The fields in order.
    pub headers: &'a [Field<'a>],
}
