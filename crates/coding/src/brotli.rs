//! `br` (RFC 7932). The window is read from the first byte by us, before anything is allocated for it.

use crate::Step;
use crate::error::CodingError;
use crate::wall::behind;
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use std::fmt;

/// One stream. Holds the window that the stream asks for and at most 4 MiB of code tables (256 codes of each of three
/// kinds, 1,080 entries of four bytes, and their maps).
pub(crate) struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    window_bytes_max: u64,
    begun: bool,
    done: bool,
}

// === impl Brotli ===

impl fmt::Debug for Brotli {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Brotli").field("begun", &self.begun).field("done", &self.done).finish_non_exhaustive()
    }
}

impl Brotli {
    pub(crate) fn new(window_bytes_max: u64) -> Self {
        // The strict one knows no windows beyond the 16 MiB of the RFC.
        let state =
            BrotliState::new_strict(StandardAlloc::default(), StandardAlloc::default(), StandardAlloc::default());
        Self { state: Box::new(state), window_bytes_max, begun: false, done: false }
    }

    pub(crate) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, CodingError> {
        if !self.begun {
            let Some(first) = input.first() else { return Ok(Step::default()) };
            if window_bytes(*first).ok_or(CodingError::Malformed)? > self.window_bytes_max {
                return Err(CodingError::TooLarge);
            }
            self.begun = true;
        }
        let (mut available_in, mut consumed) = (input.len(), 0);
        let (mut available_out, mut produced, mut total) = (out.len(), 0, 0);
        let state = &mut *self.state;
        let result = behind(|| {
            Ok(BrotliDecompressStream(
                &mut available_in,
                &mut consumed,
                input,
                &mut available_out,
                &mut produced,
                out,
                &mut total,
                state,
            ))
        })?;
        match result {
            BrotliResult::ResultSuccess => self.done = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
            BrotliResult::ResultFailure => return Err(CodingError::Malformed),
        }
        Ok(Step { consumed, produced })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done
    }
}

/// The window that a stream's first byte asks for; `None` for the one code that RFC 7932 section 9.1 leaves out.
fn window_bytes(first: u8) -> Option<u64> {
    let bits = match (first & 1, first >> 1 & 7, first >> 4 & 7) {
        (0, _, _) => 16,
        (_, 0, 0) => 17,
        (_, 0, 1) => return None,
        (_, 0, low) => 8 + low,
        (_, high, _) => 17 + high,
    };
    Some(1 << bits)
}
