//! What is left to do after an answer: the rest of a body that nobody wanted, and a close that does not destroy what
//! was just sent.

use crate::carry::channel::Channel;
use crate::carry::relay::{self, Relay};
use crate::carry::socket::LINGER_BYTES_MAX;
use crate::worker::Worker;
use std::future::poll_fn;
use std::task::{Poll, ready};
use std::time::Duration;

/// How long a closing connection may take.
const LINGER: Duration = Duration::from_secs(2);

/// Reads over the rest of a body; says whether the next message can be told apart.
pub(super) async fn discard(worker: &Worker, rest: &mut Relay, client: &mut Channel) -> bool {
    client.timer.set(&worker.timers, LINGER);
    client.set_patience(None);
    let carry = (&worker.timers, &worker.buffers);
    poll_fn(|context| relay::poll_discard(rest, client, context, carry)).await.is_ok()
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
