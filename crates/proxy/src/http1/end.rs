//! What is left to do after an answer: the rest of a body that nobody wanted, and a close that does not destroy what
//! was just sent.

use super::Next;
use crate::carry::channel::Channel;
use crate::carry::relay::{self, Relay};
use crate::exchange::Exchange;
use crate::worker::Worker;
use portcullis_h1::Framing;
use std::future::poll_fn;
use std::task::{Poll, ready};
use std::time::Duration;

// LIMIT: bytes of an unwanted body that are read over to keep a connection.
const DISCARD_BYTES_MAX: u64 = 64 * 1024;
// LIMIT: bytes that are read over while a connection closes.
const LINGER_BYTES_MAX: usize = 256 * 1024;
/// How long a closing connection may take.
const LINGER: Duration = Duration::from_secs(2);

/// The body of a refused request as something to read over, if that is cheaper than a new connection.
pub(super) fn rest(exchange: &Exchange) -> Option<Relay> {
    // A client that waits to be told to continue sends nothing, or sends all: nobody can tell.
    match exchange.head.framing() {
        _ if exchange.head.expects_continue() => None,
        // Once the request has begun to leave, nobody knows how much of its body is gone.
        Framing::Length(bytes) if bytes > 0 && exchange.record.forwarded > 0 => None,
        Framing::Length(bytes) if bytes > DISCARD_BYTES_MAX => None,
        Framing::Chunked | Framing::UntilClose => None,
        framing @ (Framing::None | Framing::Length(_)) => Some(Relay::new(framing, false, u64::MAX)),
    }
}

/// Reads over the rest of a body.
pub(super) async fn discard(worker: &Worker, rest: &mut Relay, client: &mut Channel) -> Next {
    client.timer.set(&worker.timers, LINGER);
    client.set_patience(None);
    let carry = (&worker.timers, &worker.buffers);
    match poll_fn(|context| relay::poll_discard(rest, client, context, carry)).await {
        Ok(()) => Next::Request,
        Err(_) => Next::Close,
    }
}

/// Says goodbye; nothing of the client is on its way.
pub(super) async fn close(worker: &Worker, client: &mut Channel) {
    client.set_patience(None);
    client.timer.set(&worker.timers, LINGER);
    // The connection is over either way.
    drop(poll_fn(|context| client.poll_shutdown(context, &worker.timers)).await);
}

/// Ends our direction, then reads over what the client still sends, within limits: a socket that is closed with
/// unread bytes resets the connection, and the client loses the answer (RFC 9112 section 9.6).
pub(super) async fn close_slowly(worker: &Worker, client: &mut Channel) {
    close(worker, client).await;
    client.timer.set(&worker.timers, LINGER);
    let mut left = LINGER_BYTES_MAX;
    poll_fn(|context| {
        loop {
            client.input.consume(usize::MAX, &worker.buffers);
            match ready!(client.poll_fill(context, &worker.timers, &worker.buffers)) {
                Ok(count) if count > 0 && left > count => left -= count,
                Ok(_) | Err(_) => return Poll::Ready(()),
            }
        }
    })
    .await;
}
