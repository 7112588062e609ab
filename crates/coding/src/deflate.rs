//! `deflate`: the zlib format with its checksum (RFC 1950), or bare DEFLATE (RFC 1951), as servers send both.
//!
//! The first two bytes tell: a zlib header is a multiple of 31 whose low four bits are 8, and a bare stream whose first
//! byte ends so would begin with a stored block whose padding is not zero, which no encoder writes.

use crate::Step;
use crate::error::CodingError;
use crate::wall::behind;
use flate2::{Decompress, FlushDecompress, Status};

/// A bare or a wrapped stream. Holds about 44 KiB.
#[derive(Debug, Default)]
pub(crate) struct Deflate {
    start: Vec<u8>,
    inflate: Option<Inflate>,
}

/// DEFLATE itself; its window is 32 KiB by definition.
#[derive(Debug)]
pub(crate) struct Inflate {
    state: Decompress,
    done: bool,
}

// === impl Deflate ===

impl Deflate {
    pub(crate) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, CodingError> {
        if let Some(inflate) = &mut self.inflate {
            // What told the formats apart is fed first.
            if self.start.is_empty() {
                return inflate.step(input, out);
            }
            let step = inflate.step(&self.start, out)?;
            self.start.drain(..step.consumed.min(self.start.len()));
            // Not even two bytes moved: there is no room for output.
            return Ok(Step { consumed: 0, produced: step.produced });
        }
        let taken = input.len().min(2 - self.start.len().min(2));
        self.start.extend_from_slice(input.get(..taken).unwrap_or_default());
        if let [first, second] = *self.start.as_slice() {
            let is_zlib = first & 0x0f == 8 && (u16::from(first) << 8 | u16::from(second)) % 31 == 0;
            let mut inflate = Inflate::new(is_zlib);
            let step = inflate.step(&self.start, &mut [])?;
            self.start.drain(..step.consumed.min(self.start.len()));
            self.inflate = Some(inflate);
        }
        Ok(Step { consumed: taken, produced: 0 })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.start.is_empty() && self.inflate.as_ref().is_some_and(|inflate| inflate.done)
    }
}

// === impl Inflate ===

impl Inflate {
    pub(crate) fn new(zlib: bool) -> Self {
        Self { state: Decompress::new(zlib), done: false }
    }

    pub(crate) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, CodingError> {
        let before = (self.state.total_in(), self.state.total_out());
        let status =
            behind(|| self.state.decompress(input, out, FlushDecompress::None).map_err(|_| CodingError::Malformed))?;
        self.done = match status {
            Status::StreamEnd => true,
            Status::Ok | Status::BufError => false,
        };
        let moved = |now: u64, then: u64| usize::try_from(now.saturating_sub(then)).unwrap_or(0);
        Ok(Step { consumed: moved(self.state.total_in(), before.0), produced: moved(self.state.total_out(), before.1) })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done
    }
}
