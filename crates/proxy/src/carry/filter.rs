//! What happens to the bytes of an answer between arriving and leaving: codings undone, values masked, and `gzip` made anew.

use portcullis_coding::{Coding, CodingError, Decoder, Encoder, Limits};
use portcullis_mask::{MaskError, Masker};
use std::fmt;

// LIMIT: bytes that are decoded at a time.
const ROOM_BYTES: usize = 16 * 1024;
/// An answer may be as long as it likes, as long as it is no bomb: it passes, and is never held.
const LIMITS: Limits =
    Limits { output_bytes_max: u64::MAX, ratio_max: 100, grace_bytes: 64 << 10, window_bytes_max: 8 << 20 };

/// Undoes the codings of a body and masks it.
#[derive(Debug)]
pub(crate) struct Filter {
    decoder: Option<Undoing>,
    pub(crate) masker: Masker,
    /// What may leave.
    ready: Vec<u8>,
    /// What codes it anew, and what of it is coded.
    encoder: Option<Box<Encoder>>,
    coded: Vec<u8>,
    /// Whether there was any body.
    begun: bool,
}

#[derive(Debug)]
struct Undoing {
    decoder: Decoder,
    /// What has arrived and is not decoded, and where it begins.
    waiting: Vec<u8>,
    at: usize,
    /// Whether the decoder may have more to give.
    gives: bool,
    room: Box<[u8]>,
}

/// Why a body cannot be masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Coding(CodingError),
    Mask(MaskError),
}

// === impl Filter ===

impl Filter {
    /// `recodes` where a body that came coded is to leave in `gzip`.
    pub(crate) fn new(codings: &[Coding], masker: Masker, recodes: bool) -> Result<Self, Unreadable> {
        let decoder = match codings {
            [] => None,
            codings => Some(Undoing {
                decoder: Decoder::new(codings, LIMITS)?,
                waiting: Vec::new(),
                at: 0,
                gives: false,
                room: vec![0; ROOM_BYTES].into(),
            }),
        };
        let encoder = (recodes && decoder.is_some()).then(Box::default);
        Ok(Self { decoder, masker, ready: Vec::new(), encoder, coded: Vec::new(), begun: false })
    }

    /// Whether what leaves is in `gzip`.
    pub(crate) fn recodes(&self) -> bool {
        self.encoder.is_some()
    }

    /// Takes what has arrived.
    pub(crate) fn take(&mut self, data: &[u8]) -> Result<(), Unreadable> {
        self.begun |= !data.is_empty();
        match &mut self.decoder {
            None => self.masker.feed(data, &mut self.ready)?,
            Some(undoing) => {
                undoing.waiting.drain(..undoing.at.min(undoing.waiting.len()));
                undoing.at = 0;
                undoing.waiting.extend_from_slice(data);
            }
        }
        Ok(())
    }

    /// Whether more can be had without more input.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.ready.is_empty()
            || self.decoder.as_ref().is_some_and(|undoing| undoing.gives || undoing.at < undoing.waiting.len())
    }

    /// A part of what may leave.
    pub(crate) fn give(&mut self, leave: impl FnOnce(&[u8])) -> Result<(), Unreadable> {
        if self.ready.is_empty()
            && let Some(undoing) = &mut self.decoder
        {
            let waiting = undoing.waiting.get(undoing.at..).unwrap_or_default();
            let step = undoing.decoder.step(waiting, &mut undoing.room)?;
            undoing.at += step.consumed;
            undoing.gives = step.produced > 0;
            if step.consumed == 0 && step.produced == 0 && undoing.at < undoing.waiting.len() {
                // With input and room something moves, or there is something behind the end.
                return Err(Unreadable::Coding(CodingError::Truncated));
            }
            self.masker.feed(undoing.room.get(..step.produced).unwrap_or_default(), &mut self.ready)?;
        }
        self.leave(leave)
    }

    /// The end of the body, and the last that may leave.
    pub(crate) fn end(&mut self, leave: impl FnOnce(&[u8])) -> Result<(), Unreadable> {
        if self.begun {
            if let Some(undoing) = &self.decoder {
                undoing.decoder.finish()?;
            }
            self.masker.finish(&mut self.ready)?;
        }
        if let Some(encoder) = &mut self.encoder {
            encoder.finish(&self.ready, &mut self.coded)?;
            self.ready.clear();
            leave(&self.coded);
            return Ok(());
        }
        self.leave(leave)
    }

    fn leave(&mut self, leave: impl FnOnce(&[u8])) -> Result<(), Unreadable> {
        if self.ready.is_empty() {
            return Ok(());
        }
        match &mut self.encoder {
            None => leave(&self.ready),
            Some(encoder) => {
                self.coded.clear();
                encoder.write(&self.ready, &mut self.coded)?;
                leave(&self.coded);
                self.coded.clear();
            }
        }
        self.ready.clear();
        Ok(())
    }
}

impl From<CodingError> for Unreadable {
    fn from(error: CodingError) -> Self {
        Self::Coding(error)
    }
}

impl From<MaskError> for Unreadable {
    fn from(error: MaskError) -> Self {
        Self::Mask(error)
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coding(error) => error.fmt(formatter),
            Self::Mask(error) => error.fmt(formatter),
        }
    }
}
