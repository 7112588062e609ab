//! A body on its way from one channel to another: decoded, bounded, framed anew.

use super::buffer::Buffers;
use super::channel::{Broken, Channel};
use super::filter::{Filter, Unreadable};
use super::room::{Full, Room};
use super::tap::Tap;
use super::timer::Timers;
use portcullis_h1::{Body, BodyError, Framing, Part, write};
use std::task::{Context, Poll, ready};

// LIMIT: what of a kept body is put into the output at once.
const PIECE_BYTES: usize = 64 * 1024;

/// One direction of a conversation.
#[derive(Debug, Default)]
pub(crate) struct Relay {
    body: Body,
    leaving: Leaving,
    bytes_max: u64,
    finished: bool,
    abandoned: bool,
    /// What has passed, where the body may have to leave again.
    kept: Option<Box<Kept>>,
    /// What changes the body on its way.
    filter: Option<Box<Filter>>,
    /// All has arrived, and the filter may have something left.
    ended: bool,
    /// Who learns from it.
    tap: Option<Box<Tap>>,
}

/// Data that has passed and may have to pass once more.
#[derive(Debug, Default)]
struct Kept {
    data: Vec<u8>,
    // LIMIT: a body that turns out to be longer is not kept.
    bytes_max: u64,
    /// From where on it is to leave before anything else.
    again: Option<usize>,
    /// Whether all of it arrives before any of it leaves, and the memory that it may take then.
    room: Option<Room>,
}

/// How a body leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Its bytes stand alone: their number has been said, or the end of the connection ends them.
    #[default]
    Bare,
    /// In chunks.
    Chunked,
    /// On a stream of its own, whose end ends it.
    Stream,
}

/// Why a body stopped on its way.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// What arrived is no body, or more than allowed.
    Body(BodyError),
    /// Too much is held already.
    NoRoom,
    /// What arrived cannot be masked.
    Unreadable(Unreadable),
    /// The side it came from broke.
    Source(Broken),
    /// The side it goes to broke.
    Sink(Broken),
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Body(error) => error.fmt(formatter),
            Self::NoRoom => formatter.write_str("too much is held"),
            Self::Unreadable(why) => why.fmt(formatter),
            Self::Source(broken) | Self::Sink(broken) => broken.fmt(formatter),
        }
    }
}

// === impl Kept ===

impl Kept {
    /// Adds data, and says whether there was room for it.
    fn take_in(&mut self, data: &[u8]) -> Result<(), Full> {
        let length = self.data.len().saturating_add(data.len());
        let mut outcome = Ok(());
        if let Some(room) = &mut self.room
            && length > self.data.capacity()
        {
            // As it will grow.
            let capacity = length.max(self.data.capacity().saturating_mul(2));
            outcome = room.grow_to(capacity);
            let capacity = if outcome.is_ok() { capacity } else { length };
            self.data.reserve_exact(capacity - self.data.len());
        }
        self.data.extend_from_slice(data);
        outcome
    }
}

// === impl Leaving ===

impl Leaving {
    /// Appends data in the form in which it leaves.
    fn data(self, data: &[u8], sink: &mut Channel) {
        if self == Self::Chunked {
            write::chunk_start(data.len(), &mut sink.output);
            sink.output.extend_from_slice(data);
            sink.output.extend_from_slice(write::CHUNK_END);
        } else {
            sink.output.extend_from_slice(data);
        }
    }
}

// === impl Relay ===

impl Relay {
    /// A body of `framing`, sent on as `leaving` says, of at most `bytes_max` bytes.
    pub(crate) fn new(framing: Framing, leaving: Leaving, bytes_max: u64) -> Self {
        let body = Body::new(framing);
        // A chunked body that is empty still needs its last chunk, and a stream its end; without one, nothing is left.
        let finished = body.is_done() && leaving == Leaving::Bare;
        Self { body, leaving, bytes_max, finished, abandoned: false, kept: None, tap: None, filter: None, ended: false }
    }

    /// Changes how the body leaves, before any of it has.
    pub(crate) fn leave(&mut self, leaving: Leaving) {
        self.leaving = leaving;
        let again = self.kept.as_ref().is_some_and(|kept| kept.again.is_some());
        self.finished = self.body.is_done() && leaving == Leaving::Bare && !again;
    }

    /// Lets the body pass through a filter.
    pub(crate) fn set_filter(&mut self, filter: Box<Filter>) {
        self.filter = Some(filter);
    }

    pub(crate) fn take_filter(&mut self) -> Option<Box<Filter>> {
        self.filter.take()
    }

    /// Shows a copy of what passes to somebody.
    pub(crate) fn tap(&mut self, tap: Option<Box<Tap>>) {
        self.tap = tap;
    }

    /// Keeps up to so many bytes of what passes, so that the body can leave once more.
    pub(crate) fn keep(&mut self, bytes_max: u64) {
        if !self.finished && self.kept.is_none() {
            self.kept = Some(Box::new(Kept { data: Vec::new(), bytes_max, again: None, room: None }));
        }
    }

    /// Takes the whole body in, of at most `bytes_max` bytes, and lets nothing of it leave yet. What is held already stays.
    pub(crate) fn hold(&mut self, bytes_max: u64, room: Room) {
        let bytes_max = bytes_max.min(self.bytes_max);
        if let Some(kept) = self.kept.as_mut().filter(|kept| kept.room.is_some()) {
            kept.bytes_max = kept.bytes_max.max(bytes_max);
            return;
        }
        self.kept = Some(Box::new(Kept { data: Vec::new(), bytes_max, again: Some(0), room: Some(room) }));
    }

    /// Whether all of it was taken in before any of it may leave.
    pub(crate) fn is_held(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.room.is_some())
    }

    /// Whether nothing of it is still to come.
    pub(crate) fn has_arrived(&self) -> bool {
        self.body.is_done()
    }

    /// What has been taken in.
    pub(crate) fn held(&self) -> &[u8] {
        self.kept.as_ref().map(|kept| kept.data.as_slice()).unwrap_or_default()
    }

    /// Holds a body that is there already.
    pub(crate) fn put_in(&mut self, body: &[u8], room: Room) {
        self.hold(self.bytes_max, room);
        self.put_back(body.to_vec());
    }

    /// Lends what has been taken in; until [`Relay::put_back`], nothing can leave.
    pub(crate) fn lend(&mut self) -> Vec<u8> {
        self.kept.as_mut().map(|kept| std::mem::take(&mut kept.data)).unwrap_or_default()
    }

    /// Takes back what was lent.
    pub(crate) fn put_back(&mut self, data: Vec<u8>) {
        if let Some(kept) = &mut self.kept {
            kept.data = data;
        }
    }

    /// Forgets what has left and need not leave again.
    pub(crate) fn forgetting(mut self) -> Self {
        self.kept = self.kept.filter(|_| !self.finished);
        self
    }

    /// Takes in what there is, until the body has ended.
    pub(crate) fn poll_hold(
        &mut self,
        source: &mut Channel,
        context: &mut Context<'_>,
        (timers, buffers): (&Timers, &Buffers),
    ) -> Poll<Result<(), Stopped>> {
        while !self.body.is_done() {
            let input = source.input.bytes();
            match self.body.next(input).map_err(Stopped::Body)? {
                Part::Data(range) => {
                    // What is too much is taken in as well, so that it could still go on.
                    let kept = self.kept.get_or_insert_default();
                    let outcome = kept.take_in(input.get(range.clone()).unwrap_or_default());
                    source.input.consume(range.end, buffers);
                    outcome.map_err(|Full| Stopped::NoRoom)?;
                    if self.body.received() > kept.bytes_max {
                        return Poll::Ready(Err(Stopped::Body(BodyError::TooLarge)));
                    }
                }
                Part::End(count) => source.input.consume(count, buffers),
                Part::More(count) => {
                    source.input.consume(count, buffers);
                    match ready!(source.poll_fill(context, timers, buffers)) {
                        Ok(0) => self.body.closed().map_err(Stopped::Body)?,
                        Ok(_) => {}
                        Err(broken) => return Poll::Ready(Err(Stopped::Source(broken))),
                    }
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Whether all that has passed could leave once more.
    pub(crate) fn can_restart(&self) -> bool {
        self.kept.is_some() || self.body.received() == 0
    }

    /// Lets the body leave from its beginning, by another way.
    pub(crate) fn restart(&mut self) {
        (self.finished, self.abandoned, self.ended) = (false, false, false);
        if let Some(kept) = &mut self.kept {
            kept.again = (kept.room.is_some() || !kept.data.is_empty()).then_some(0);
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether the whole body has arrived and gone on.
    pub(crate) fn is_whole(&self) -> bool {
        self.finished && !self.abandoned
    }

    /// Gives the body up; what follows it on the source cannot be told apart any more.
    pub(crate) fn abandon(&mut self) {
        self.finished = true;
        self.abandoned = true;
    }

    /// Data bytes so far.
    pub(crate) fn received(&self) -> u64 {
        self.body.received()
    }

    /// Moves what can be moved, until the body has ended and the sink's output is empty.
    pub(crate) fn poll(
        &mut self,
        source: &mut Channel,
        sink: &mut Channel,
        context: &mut Context<'_>,
        (timers, buffers): (&Timers, &Buffers),
    ) -> Poll<Result<(), Stopped>> {
        while self.kept.as_ref().is_some_and(|kept| kept.again.is_some()) {
            if sink.is_full() {
                ready!(sink.poll_flush(context, timers)).map_err(Stopped::Sink)?;
            }
            self.leave_again(source, sink)?;
        }
        while !self.finished {
            if sink.is_full() {
                ready!(sink.poll_flush(context, timers)).map_err(Stopped::Sink)?;
            }
            if let Some(filter) = self.filter.as_mut().filter(|filter| filter.is_waiting()) {
                filter.give(|data| self.leaving.data(data, sink)).map_err(Stopped::Unreadable)?;
                continue;
            }
            if self.ended {
                self.finish(source, sink)?;
                continue;
            }
            let needs_more = self.step(source, sink, buffers)?;
            if !needs_more {
                continue;
            }
            // What is ready leaves before more is waited for; a slow sink does not stop the reading until it is full.
            if let Poll::Ready(outcome) = sink.poll_flush(context, timers) {
                outcome.map_err(Stopped::Sink)?;
            }
            match ready!(source.poll_fill(context, timers, buffers)) {
                Ok(0) => {
                    self.body.closed().map_err(Stopped::Body)?;
                    self.end(source, sink)?;
                }
                Ok(_) => {}
                Err(broken) => return Poll::Ready(Err(Stopped::Source(broken))),
            }
        }
        ready!(sink.poll_flush(context, timers)).map_err(Stopped::Sink)?;
        if self.leaving == Leaving::Stream && !self.abandoned {
            sink.end().map_err(Stopped::Sink)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Takes one part of the source's input; says whether more of it is needed.
    fn step(&mut self, source: &mut Channel, sink: &mut Channel, buffers: &Buffers) -> Result<bool, Stopped> {
        let input = source.input.bytes();
        match self.body.next(input).map_err(Stopped::Body)? {
            Part::Data(range) => {
                if self.body.received() > self.bytes_max {
                    return Err(Stopped::Body(BodyError::TooLarge));
                }
                let data = input.get(range.clone()).unwrap_or_default();
                match &mut self.filter {
                    Some(filter) => filter.take(data).map_err(Stopped::Unreadable)?,
                    None => self.leaving.data(data, sink),
                }
                self.tap.iter_mut().for_each(|tap| tap.take(data));
                if let Some(kept) = &mut self.kept {
                    if self.body.received() > kept.bytes_max {
                        self.kept = None;
                    } else {
                        kept.data.extend_from_slice(data);
                    }
                }
                source.input.consume(range.end, buffers);
                if self.body.is_done() {
                    self.end(source, sink)?;
                }
                Ok(false)
            }
            Part::More(count) => {
                source.input.consume(count, buffers);
                Ok(true)
            }
            Part::End(count) => {
                source.input.consume(count, buffers);
                self.end(source, sink)?;
                Ok(false)
            }
        }
    }

    /// A piece of what has passed already, once more.
    fn leave_again(&mut self, source: &mut Channel, sink: &mut Channel) -> Result<(), Stopped> {
        if let Some(kept) = &mut self.kept
            && let Some(at) = kept.again
        {
            let end = at.saturating_add(PIECE_BYTES).min(kept.data.len());
            let piece = kept.data.get(at..end).unwrap_or_default();
            if !piece.is_empty() {
                match &mut self.filter {
                    Some(filter) => filter.take(piece).map_err(Stopped::Unreadable)?,
                    None => self.leaving.data(piece, sink),
                }
                // What was held until it was judged is told as what passes is.
                self.tap.iter_mut().for_each(|tap| tap.take(piece));
            }
            kept.again = (end < kept.data.len()).then_some(end);
            if kept.again.is_some() {
                return Ok(());
            }
        }
        if self.body.is_done() { self.end(source, sink) } else { Ok(()) }
    }

    /// All has arrived; a filter may still have something to give.
    fn end(&mut self, source: &mut Channel, sink: &mut Channel) -> Result<(), Stopped> {
        self.ended = true;
        if self.filter.is_some() { Ok(()) } else { self.finish(source, sink) }
    }

    /// The last of the body: trailers go along where the way out has a place for them.
    fn finish(&mut self, source: &mut Channel, sink: &mut Channel) -> Result<(), Stopped> {
        self.finished = true;
        let masked = match &mut self.filter {
            Some(filter) => {
                filter.end(|data| self.leaving.data(data, sink)).map_err(Stopped::Unreadable)?;
                true
            }
            None => false,
        };
        self.tap.take().into_iter().for_each(|tap| tap.end());
        if self.leaving == Leaving::Bare {
            return Ok(());
        }
        let own = source.take_trailers().map_err(Stopped::Body)?;
        // What stands behind a body speaks of it as it was.
        let trailers = match own.as_slice() {
            _ if masked => &[],
            [] => self.body.trailers(),
            own => own,
        };
        if !own.is_empty() {
            // Trailers of a stream come once.
            self.kept = None;
        }
        if self.leaving == Leaving::Chunked {
            sink.output.extend_from_slice(write::LAST_CHUNK);
            sink.output.extend_from_slice(trailers);
            sink.output.extend_from_slice(b"\r\n");
        } else if let Some(stream) = sink.stream() {
            stream.set_ending(trailers);
        }
        Ok(())
    }
}

/// Reads and drops what is left of a body, so that the next message can be told apart.
pub(crate) fn poll_discard(
    body: &mut Relay,
    source: &mut Channel,
    context: &mut Context<'_>,
    (timers, buffers): (&Timers, &Buffers),
) -> Poll<Result<(), Stopped>> {
    loop {
        let input = source.input.bytes();
        match body.body.next(input).map_err(Stopped::Body)? {
            Part::Data(range) => source.input.consume(range.end, buffers),
            Part::End(count) => {
                source.input.consume(count, buffers);
                return Poll::Ready(Ok(()));
            }
            Part::More(count) => {
                source.input.consume(count, buffers);
                match ready!(source.poll_fill(context, timers, buffers)) {
                    Ok(0) => return Poll::Ready(Err(Stopped::Body(BodyError::Truncated))),
                    Ok(_) => {}
                    Err(broken) => return Poll::Ready(Err(Stopped::Source(broken))),
                }
            }
        }
        if body.body.is_done() {
            return Poll::Ready(Ok(()));
        }
    }
}
