//! A body as it is read: how many bytes of the buffer belong to it, which of them are data, and when it ends.

use crate::chunked::Chunked;
use crate::{BodyError, Framing};
use std::ops::Range;

/// The reading side of one body.
#[derive(Clone, Debug, Default)]
pub struct Body {
    state: State,
    /// Data bytes so far.
    received: u64,
    trailers: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Done,
    Length(u64),
    Chunked(Box<Chunked>),
    UntilClose,
}

/// What a look at the buffer found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// These bytes of the buffer are data; the buffer is used up to the range's end.
    Data(Range<usize>),
    /// The buffer is used up to here and more bytes are needed.
    More(usize),
    /// The body ended; the buffer is used up to here. What follows belongs to the next message.
    End(usize),
}

// === impl Body ===

impl Body {
    /// Starts reading a body of this framing.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(bytes) => State::Length(bytes),
            Framing::Chunked => State::Chunked(Box::default()),
            Framing::UntilClose => State::UntilClose,
        };
        Self { state, received: 0, trailers: Vec::new() }
    }

    /// Looks at the buffer once. Call again with what is left of it until it says `More` or `End`.
    ///
    /// # Errors
    /// The rule that the body breaks; nothing after that can be told apart any more.
    pub fn next(&mut self, buffer: &[u8]) -> Result<Part, BodyError> {
        let part = match &mut self.state {
            State::Done => Part::End(0),
            _ if buffer.is_empty() => Part::More(0),
            State::Length(left) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                *left -= take as u64;
                Part::Data(0..take)
            }
            State::Chunked(chunked) => chunked.next(buffer)?,
            State::UntilClose => Part::Data(0..buffer.len()),
        };
        if let Part::Data(range) = &part {
            self.received += range.len() as u64;
        }
        let ended = matches!(part, Part::End(_)) || matches!(self.state, State::Length(0));
        if ended && let State::Chunked(chunked) = std::mem::take(&mut self.state) {
            self.trailers = chunked.into_trailers();
        }
        Ok(part)
    }

    /// The connection closed: the end of some bodies, a broken one for the others.
    ///
    /// # Errors
    /// [`BodyError::Truncated`] where more was promised.
    pub fn closed(&mut self) -> Result<(), BodyError> {
        match self.state {
            State::Done => Ok(()),
            State::UntilClose => {
                self.state = State::Done;
                Ok(())
            }
            State::Length(_) | State::Chunked(_) => Err(BodyError::Truncated),
        }
    }

    /// Whether the whole body has been read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Data bytes read so far, framing left out.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes still to come, where they are known.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        match self.state {
            State::Done => Some(0),
            State::Length(left) => Some(left),
            State::Chunked(_) | State::UntilClose => None,
        }
    }

    /// The trailer lines of a chunked body that has ended, as raw bytes without the empty line.
    #[must_use]
    pub fn trailers(&self) -> &[u8] {
        &self.trailers
    }
}
