//! `receive`: the body, within bounds. What no stage has to look at is streamed.

use super::Stop;
use super::charge::Admitted;
use super::forward;
use super::route::{Announced, Routed};
use crate::carry::channel::{Broken, Channel};
use crate::carry::relay::{Leaving, Relay};
use crate::exchange::Connection;
use crate::worker::Worker;
use portcullis_h1::{Framing, Version};
use portcullis_types::{Reason, Refusal, Stage};
use std::future::poll_fn;

/// Proof that the body is bounded, with the reader that enforces it.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    routed: Routed<'a>,
    upload: Relay,
}

// === impl Received ===

impl<'a> Received<'a> {
    pub(super) fn into_parts(self) -> (Routed<'a>, Relay) {
        (self.routed, self.upload)
    }

    /// Refuses a body that is longer than can be held back, before it is sent.
    fn limit(&self, bytes_max: u64) -> Result<(), Stop> {
        match self.routed.request.head.framing() {
            Framing::Length(bytes) if bytes > bytes_max => Err(too_large().into()),
            Framing::None | Framing::Length(_) | Framing::Chunked | Framing::UntilClose => Ok(()),
        }
    }
}

/// Bounds the body, and tells a client that waits for that to send it.
pub(super) async fn receive<'a>(
    before: Admitted<'a>,
    worker: &Worker,
    connection: &Connection,
    client: &mut Channel,
) -> Result<Received<'a>, Stop> {
    let mut received = bound(before)?;
    let announced = received.routed.announced.take();
    if let Some(announced) = &announced {
        received.limit(announced.bytes_max)?;
    }
    if received.routed.request.head.expects_continue() {
        match client.stream() {
            Some(stream) => stream.go_on(),
            None => client.output.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n"),
        }
        client.set_patience(Some(connection.settings.limits.body_idle_timeout));
        let flushed = poll_fn(|context| client.poll_flush(context, &worker.timers)).await;
        flushed.map_err(|_: Broken| Stop::Gone)?;
    }
    match announced {
        Some(announced) => hold(received, *announced, worker, connection, client).await,
        None => Ok(received),
    }
}

/// Takes in a body that a signature covers, and lets it go on only if it is the one that was signed: what is acted upon
/// before its end is known must be nobody else's.
async fn hold<'a>(
    mut received: Received<'a>,
    mut announced: Announced,
    worker: &Worker,
    connection: &Connection,
    client: &mut Channel,
) -> Result<Received<'a>, Stop> {
    client.set_patience(Some(connection.settings.limits.body_idle_timeout));
    let upload = &mut received.upload;
    upload.hold(announced.bytes_max);
    let carry = (&worker.timers, &worker.buffers);
    let held = poll_fn(|context| upload.poll_hold(client, context, carry)).await;
    held.map_err(forward::stop)?;
    client.timer.clear();
    announced.check.update(upload.held());
    announced.check.finish().map_err(|error| {
        let reason = Reason::DigestMismatch;
        // All of it has been read, so that nothing is left to be read over.
        Refusal::new(Stage::Receive, reason, reason.page().caller).private(error.to_string()).closing()
    })?;
    Ok(received)
}

/// Bounds the body by what its head says of it, and while it arrives.
pub(super) fn bound(before: Admitted<'_>) -> Result<Received<'_>, Stop> {
    let routed = before.into_inner().into_inner().into_routed();
    let framing = routed.request.head.framing();
    let bytes_max = routed.route().body_bytes;
    if matches!(framing, Framing::Length(bytes) if bytes > bytes_max) {
        return Err(too_large().into());
    }
    let upload = Relay::new(arriving(framing, routed.request.head.version()), Leaving::Bare, bytes_max);
    Ok(Received { routed, upload })
}

/// How a body arrives: on a stream, only the stream's end ends it, whatever length was declared.
fn arriving(framing: Framing, version: Version) -> Framing {
    match (version, framing) {
        (Version::Http2, Framing::Length(_) | Framing::Chunked) => Framing::UntilClose,
        (_, framing) => framing,
    }
}

/// A body over its limit; nothing after it on the connection can be told apart.
pub(super) fn too_large() -> Refusal {
    Refusal::new(Stage::Receive, Reason::BodyTooLarge, "the body exceeds what this operation accepts").closing()
}
