//! Takes an answer's body in before any of it leaves, for whoever has to see all of it, or its beginning.

use crate::carry::channel::{Broken, Channel};
use crate::carry::relay::{Relay, Stopped};
use crate::pipeline::Stop;
use crate::worker::Worker;
use portcullis_h1::BodyError;
use portcullis_types::{Fault, FaultKind};
use std::future::poll_fn;
use std::task::Poll;

/// The two ways of bodies through an exchange.
#[derive(Debug)]
pub(super) struct Ways<'w> {
    pub(super) client: &'w mut Channel,
    pub(super) upstream: &'w mut Channel,
    pub(super) upload: &'w mut Relay,
    pub(super) download: &'w mut Relay,
}

/// How much of a body is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// All of it.
    Whole,
    /// As much as was asked for, and more is to come.
    Part,
    /// Too much is held already.
    NoRoom,
}

/// Takes the answer's body in, up to `bytes_max` bytes or a little more. The request's body goes on meanwhile.
pub(super) async fn take_in(worker: &Worker, bytes_max: u64, ways: &mut Ways<'_>) -> Result<Taken, Stop> {
    let Ways { client, upstream, upload, download } = ways;
    // An error that was looked at before, or what a contract only reports on, is here already.
    if download.is_held() && download.has_arrived() {
        return Ok(Taken::Whole);
    }
    if download.is_held() && u64::try_from(download.held().len()).is_ok_and(|held| held > bytes_max) {
        return Ok(Taken::Part);
    }
    download.hold(bytes_max, worker.rooms.room());
    let carry = (&worker.timers, &worker.buffers);
    let mut uploading = true;
    let outcome = poll_fn(|context| {
        if upstream.timer.expired(carry.0, context) {
            return Poll::Ready(Err(Stopped::Source(Broken::Late)));
        }
        if uploading && let Poll::Ready(sent) = upload.poll(client, upstream, context, carry) {
            uploading = false;
            if sent.is_err() {
                upload.abandon();
            }
        }
        match download.poll_hold(upstream, context, carry) {
            Poll::Pending if client.timer.is_cut(carry.0, context) => Poll::Ready(Err(Stopped::Source(Broken::Late))),
            Poll::Pending if upload.is_finished() && client.is_gone(context, carry.1) => {
                Poll::Ready(Err(Stopped::Sink(Broken::Late)))
            }
            outcome @ (Poll::Ready(_) | Poll::Pending) => outcome,
        }
    });
    match outcome.await {
        Ok(()) => Ok(Taken::Whole),
        Err(Stopped::Body(BodyError::TooLarge)) => Ok(Taken::Part),
        Err(Stopped::NoRoom) => Ok(Taken::NoRoom),
        Err(Stopped::Sink(_)) => Err(Stop::Gone),
        Err(Stopped::Source(Broken::Late)) => {
            Err(Fault::new(FaultKind::Timeout, "the answer was not complete in time").into())
        }
        Err(stopped) => Err(Fault::new(FaultKind::Truncated, format!("within the answer: {stopped}")).into()),
    }
}
