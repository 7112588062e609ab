//! One side of a conversation: a socket, what arrived, what waits to leave, and a deadline.

use super::buffer::{Buffers, Input};
use super::rate::Pace;
use super::socket::Socket;
use super::stream::Stream;
use super::timer::{NEVER, Timer, Timers};
use portcullis_config::plan::PacePlan;
use portcullis_h1::BodyError;
use portcullis_types::Millis;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

/// Output beyond this waits for the peer before more is read for it.
pub(crate) const OUTPUT_HIGH_BYTES: usize = 64 * 1024;
/// The same for one of many streams on a connection, which may all have a slow reader.
const STREAM_HIGH_BYTES: usize = 16 * 1024;
// LIMIT: input of a peer that is kept while it is not its turn; beyond it, nothing more is read.
const AHEAD_BYTES_MAX: usize = 16 * 1024;
// LIMIT: memory kept for the next output of the same conversation; a whole read and its frame fit.
const OUTPUT_KEEP_BYTES: usize = 20 * 1024;

// LIMIT: output memory of a connection between two messages: the head of an ordinary one, so that it need not be asked
// for with each.
const REST_KEEP_BYTES: usize = 2 * 1024;
/// Output memory that a message begins with.
const OUTPUT_FIRST_BYTES: usize = 1024;

/// A connection as the carriers of messages see it.
#[derive(Debug)]
pub(crate) struct Channel {
    socket: Socket,
    pub(crate) input: Input,
    pub(crate) output: Vec<u8>,
    written: usize,
    pub(crate) timer: Timer,
    /// How long the peer may make no progress, counted anew with every wait; `None` is a deadline that stands.
    patience: Option<Duration>,
    /// When even a peer that makes progress has had its time.
    due: Millis,
    /// Whether the last read or write found the peer not ready, so that its patience is being counted.
    waiting: (bool, bool),
    /// How slow the peer may be on average.
    pace: Pace,
    pub(crate) sent: u64,
}

/// Why a channel stopped.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The deadline passed.
    Late,
    /// Progress was made, but too little of it.
    Slow,
    /// The system said so.
    Io(io::Error),
}

// === impl Channel ===

impl Channel {
    pub(crate) fn new(socket: Socket, timer: Timer) -> Self {
        Self {
            socket,
            input: Input::default(),
            output: Vec::with_capacity(OUTPUT_FIRST_BYTES),
            written: 0,
            timer,
            patience: None,
            due: NEVER,
            waiting: (false, false),
            pace: Pace::default(),
            sent: 0,
        }
    }

    /// The stream behind it, if it is one of many on a connection.
    pub(crate) fn stream(&mut self) -> Option<&mut Stream> {
        self.socket.as_stream()
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.socket.is_stream()
    }

    /// The socket, and what has been read from it and not been used.
    pub(crate) fn into_parts(self) -> (Socket, Vec<u8>) {
        (self.socket, self.input.bytes().to_vec())
    }

    /// Forgets an answer of which nothing has left since `sent` was so much; says whether another can be given.
    pub(crate) fn take_back(&mut self, sent: u64) -> bool {
        let untouched = self.sent == sent && self.socket.as_stream().is_none_or(Stream::take_back);
        if untouched {
            self.output.clear();
        }
        untouched
    }

    /// Ends our direction of a stream; where messages are framed by themselves, nothing is left to do.
    pub(crate) fn end(&mut self) -> Result<(), Broken> {
        self.socket.as_stream().map_or(Ok(()), Stream::end).map_err(Broken::Io)
    }

    /// The trailer lines that came after the body of a stream.
    pub(crate) fn take_trailers(&mut self) -> Result<Vec<u8>, BodyError> {
        self.socket.as_stream().map_or_else(|| Ok(Vec::new()), Stream::take_trailers)
    }

    /// Reads once into the input. `Ready(Ok(0))` is the end.
    pub(crate) fn poll_fill(
        &mut self,
        context: &mut Context<'_>,
        timers: &Timers,
        buffers: &Buffers,
    ) -> Poll<Result<usize, Broken>> {
        let room = self.input.room(buffers);
        match self.socket.poll_read(context, room) {
            Poll::Ready(Ok(count)) => {
                self.input.filled(count);
                self.waiting.0 = false;
                self.pace.came(timers.now(), count);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(Broken::Io(error))),
            Poll::Pending => {
                self.input.release(buffers);
                if !std::mem::replace(&mut self.waiting.0, true) {
                    let pace = self.pace.awaits(timers.now());
                    self.be_patient(timers, pace);
                }
                self.wait(timers, context)
            }
        }
    }

    /// Whether the peer has gone while nothing is asked of it. What it says meanwhile is kept, within a bound; no
    /// deadline is looked at.
    pub(crate) fn is_gone(&mut self, context: &mut Context<'_>, buffers: &Buffers) -> bool {
        if let Some(stream) = self.socket.as_stream() {
            return stream.is_gone(context);
        }
        while self.input.bytes().len() < AHEAD_BYTES_MAX {
            let room = self.input.room(buffers);
            match self.socket.poll_read(context, room) {
                Poll::Ready(Ok(0) | Err(_)) => return true,
                Poll::Ready(Ok(count)) => self.input.filled(count),
                Poll::Pending => {
                    self.input.release(buffers);
                    return false;
                }
            }
        }
        false
    }

    /// Writes until the output is empty.
    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>, timers: &Timers) -> Poll<Result<(), Broken>> {
        let sent_before = self.sent;
        let outcome = self.poll_write_out(context);
        self.pace.left(timers.now(), self.sent - sent_before);
        match outcome {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(Broken::Io(error))),
            Poll::Pending => {
                if !std::mem::replace(&mut self.waiting.1, true) {
                    let pace = self.pace.offers(timers.now());
                    self.be_patient(timers, pace);
                }
                self.wait(timers, context)
            }
        }
    }

    /// From now on the peer may make no progress for so long; `None` leaves the deadline to the timer.
    pub(crate) fn set_patience(&mut self, patience: Option<Duration>) {
        self.patience = patience;
        self.waiting = (false, false);
        self.pace.begin();
    }

    /// How slow the peer may be on average, wherever we have to be patient with it; `None` demands nothing.
    pub(crate) fn set_pace(&mut self, plan: Option<&PacePlan>) {
        self.pace = plan.map(Pace::new).unwrap_or_default();
    }

    /// From now on even progress does not carry the peer beyond `due`; [`NEVER`] takes that back.
    pub(crate) fn set_due(&mut self, due: Millis) {
        self.due = due;
    }

    /// Gives back what a conversation that has ended does not need.
    pub(crate) fn rest(&mut self) {
        if self.output.is_empty() && self.output.capacity() > REST_KEEP_BYTES {
            self.output = Vec::new();
        }
    }

    /// Starts counting the peer's time anew; `pace` is when its average will be too low.
    fn be_patient(&self, timers: &Timers, pace: Millis) {
        if let Some(patience) = self.patience {
            self.timer.set_at(timers.after(patience).min(self.due).min(pace));
        }
    }

    fn wait<T>(&self, timers: &Timers, context: &Context<'_>) -> Poll<Result<T, Broken>> {
        if self.patience.is_some() && self.pace.is_too_slow(timers.now()) {
            return Poll::Ready(Err(Broken::Slow));
        }
        if self.timer.expired(timers, context) { Poll::Ready(Err(Broken::Late)) } else { Poll::Pending }
    }

    fn poll_write_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.output.get(self.written..).filter(|rest| !rest.is_empty()) {
            let Poll::Ready(outcome) = self.socket.poll_write(context, rest) else {
                self.forget_written();
                return Poll::Pending;
            };
            let count = outcome?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
            self.sent += count as u64;
            self.waiting.1 = false;
        }
        self.output.clear();
        self.written = 0;
        if self.output.capacity() > OUTPUT_KEEP_BYTES {
            self.output = Vec::new();
        }
        self.socket.poll_flush(context)
    }

    /// Output that never runs empty must not keep what has left.
    fn forget_written(&mut self) {
        if self.written >= OUTPUT_HIGH_BYTES {
            self.output.drain(..self.written.min(self.output.len()));
            self.written = 0;
        }
    }

    /// Whether so much waits to leave that no more should be read for it.
    pub(crate) fn is_full(&self) -> bool {
        let high = if self.socket.is_stream() { STREAM_HIGH_BYTES } else { OUTPUT_HIGH_BYTES };
        self.output.len() - self.written >= high
    }

    /// Makes the coming close a reset: what was sent is not whole, and nothing else would tell.
    pub(crate) fn break_off(&mut self) {
        self.socket.break_off();
    }

    pub(crate) fn poll_shutdown(&mut self, context: &mut Context<'_>, timers: &Timers) -> Poll<Result<(), Broken>> {
        match self.socket.poll_shutdown(context) {
            Poll::Ready(outcome) => Poll::Ready(outcome.map_err(Broken::Io)),
            Poll::Pending if self.timer.expired(timers, context) => Poll::Ready(Err(Broken::Late)),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Late => formatter.write_str("the deadline passed"),
            Self::Slow => formatter.write_str("the other side is too slow"),
            Self::Io(error) => error.fmt(formatter),
        }
    }
}
