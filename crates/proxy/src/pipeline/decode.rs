//! What a head says about a body, and the body with its content codings undone.

use crate::carry::room::{Full, Room};
use portcullis_coding::{Coding, CodingError, Decoder, Limits};
use portcullis_contract::Reading;
use portcullis_h1::{Fields, Known};

/// Bytes that decoding gives at a time, at least.
const STEP_BYTES: usize = 8 * 1024;

/// What the head says about a body.
#[derive(Debug)]
pub(crate) struct Said {
    codings: Vec<Coding>,
    reading: Option<Reading>,
}

// === impl Said ===

impl Said {
    /// What can be told before the body is there, so that one that cannot be read is refused before it is sent.
    pub(crate) fn of(fields: Fields<'_>) -> Result<Self, CodingError> {
        let mut codings = Vec::new();
        for line in fields.iter().filter(|line| line.name.eq_ignore_ascii_case(b"content-encoding")) {
            codings.extend(Coding::list(line.value)?);
        }
        Ok(Self { codings, reading: content_type(fields).and_then(Reading::of) })
    }

    /// Whether it comes without a content coding.
    pub(crate) fn is_plain(&self) -> bool {
        self.codings.is_empty()
    }

    /// The codings, in the order in which they were applied.
    pub(crate) fn codings(&self) -> &[Coding] {
        &self.codings
    }

    /// What its media type makes of it.
    pub(crate) fn reading(&self) -> Option<Reading> {
        self.reading
    }
}

/// Said twice, it says nothing.
pub(crate) fn content_type(fields: Fields<'_>) -> Option<&str> {
    fields.only(Known::ContentType).and_then(|value| std::str::from_utf8(value).ok())
}

/// A whole body with its codings undone, within limits and the room that there is; `None` for an error is that there is none.
pub(crate) fn decoded(
    said: &Said,
    sent: &[u8],
    limits: Limits,
    room: &mut Room,
) -> Result<Vec<u8>, Option<CodingError>> {
    decoded_till(said, (sent, true), usize::MAX, limits, room)
}

/// The same for a body of which only the beginning may be there, or is wanted: at least `wanted` bytes if there are so many.
pub(crate) fn decoded_till(
    said: &Said,
    (sent, is_whole): (&[u8], bool),
    wanted: usize,
    limits: Limits,
    room: &mut Room,
) -> Result<Vec<u8>, Option<CodingError>> {
    let mut decoder = Decoder::new(&said.codings, limits)?;
    let mut out = Vec::new();
    let (mut at, mut length) = (0, 0);
    while length < wanted {
        if out.len() < length + STEP_BYTES {
            let grown = (out.len().saturating_mul(2)).max(length + STEP_BYTES);
            room.grow_by(grown - out.len()).map_err(|Full| None)?;
            out.reserve_exact(grown - out.len());
            out.resize(grown, 0);
        }
        let (input, free) = (sent.get(at..).unwrap_or_default(), out.get_mut(length..).unwrap_or_default());
        let step = decoder.step(input, free)?;
        at += step.consumed;
        length += step.produced;
        if step.produced == 0 && (step.consumed == 0 || at == sent.len()) {
            break;
        }
    }
    if length < wanted && is_whole {
        if at == sent.len() {
            decoder.finish()?
        } else {
            return Err(Some(CodingError::TrailingBytes));
        }
    }
    out.truncate(length);
    Ok(out)
}
