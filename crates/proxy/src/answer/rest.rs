//! The rest of a body that nobody wants: whether to read over it.

use crate::carry::relay::{Leaving, Relay};
use crate::exchange::Exchange;
use portcullis_h1::Framing;

// LIMIT: bytes of an unwanted body that are read over to keep a connection.
const DISCARD_BYTES_MAX: u64 = 64 * 1024;

/// The body of a refused request as something to read over, if that is cheaper than a new connection.
pub(super) fn of(exchange: &Exchange) -> Option<Relay> {
    // A client that waits to be told to continue sends nothing, or sends all: nobody can tell.
    match exchange.head.framing() {
        _ if exchange.record.body_read => Some(Relay::new(Framing::None, Leaving::Bare, u64::MAX)),
        _ if exchange.head.expects_continue() => None,
        // Once the request has begun to leave, nobody knows how much of its body is gone.
        Framing::Length(bytes) if bytes > 0 && exchange.record.forwarded > 0 => None,
        Framing::Length(bytes) if bytes > DISCARD_BYTES_MAX => None,
        Framing::Chunked | Framing::UntilClose => None,
        framing @ (Framing::None | Framing::Length(_)) => Some(Relay::new(framing, Leaving::Bare, u64::MAX)),
    }
}
