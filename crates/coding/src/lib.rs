//! Undoes content codings (RFC 9110 section 8.4): bytes in, bytes out, within limits on output, ratio and window; and
//! makes `gzip` anew.
//!
//! What programs read in different ways is refused: several gzip members or zstd frames in one body, what follows the
//! end of a stream, optional checks that do not fit. A decoder holds no more than the bounds that stand at its parts.

mod brotli;
mod deflate;
mod encode;
mod error;
mod fuzz;
mod gzip;
mod layer;
mod limits;
mod wall;
mod zstd;

#[cfg(test)]
mod tests;

pub use encode::Encoder;
pub use error::CodingError;
pub use fuzz::fuzz_coding;
pub use limits::Limits;

use layer::Layer;
use limits::Account;

// LIMIT: codings on one body. No honest server stacks more than one; two is what the field's history explains.
const CODINGS_MAX: usize = 2;
// LIMIT: bytes between two stacked codings.
const BETWEEN_BYTES: usize = 16 * 1024;
// LIMIT: bytes of a `Content-Encoding` field that are looked at.
const FIELD_BYTES_MAX: usize = 256;

/// A content coding that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// `gzip`, also written `x-gzip` (RFC 1952).
    Gzip,
    /// `deflate`: the zlib format (RFC 1950), or bare DEFLATE (RFC 1951), which servers send under the same name.
    Deflate,
    /// `br` (RFC 7932).
    Br,
    /// `zstd` (RFC 8878).
    Zstd,
}

/// What one step has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that are used up.
    pub consumed: usize,
    /// Bytes of the output that are written.
    pub produced: usize,
}

/// Undoes the codings of one body, piece by piece.
#[derive(Debug)]
pub struct Decoder {
    /// Outermost first: the order in which codings are undone.
    layers: Vec<Layer>,
    /// What each layer has given so far.
    accounts: Vec<Account>,
    between: Box<[u8]>,
    /// Which part of `between` waits for the inner layer.
    waiting: (usize, usize),
    limits: Limits,
    taken: u64,
    failed: Option<CodingError>,
}

// === impl Coding ===

impl Coding {
    /// The codings that a `Content-Encoding` field lists, in the order in which they were applied; `identity` and empty
    /// members are none.
    ///
    /// # Errors
    /// A name that is not known, and more codings than two.
    pub fn list(field: &[u8]) -> Result<Vec<Self>, CodingError> {
        if field.len() > FIELD_BYTES_MAX {
            return Err(CodingError::UnknownCoding);
        }
        let mut codings = Vec::new();
        for member in field.split(|byte| *byte == b',') {
            let name = member.trim_ascii();
            if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
                continue;
            }
            if codings.len() == CODINGS_MAX {
                return Err(CodingError::UnknownCoding);
            }
            codings.push(Self::of(name).ok_or(CodingError::UnknownCoding)?);
        }
        Ok(codings)
    }

    /// The coding of this name, in any case (RFC 9110 section 8.4.1).
    #[must_use]
    pub fn of(name: &[u8]) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("gzip") || is("x-gzip") {
            Some(Self::Gzip)
        } else if is("deflate") {
            Some(Self::Deflate)
        } else if is("br") {
            Some(Self::Br)
        } else if is("zstd") {
            Some(Self::Zstd)
        } else {
            None
        }
    }
}

// === impl Decoder ===

impl Decoder {
    /// A decoder for what these codings, in the order in which they were applied, have made of a body.
    ///
    /// # Errors
    /// More codings than two.
    pub fn new(codings: &[Coding], limits: Limits) -> Result<Self, CodingError> {
        if codings.len() > CODINGS_MAX {
            return Err(CodingError::UnknownCoding);
        }
        let layers: Vec<Layer> = codings.iter().rev().map(|coding| Layer::new(*coding, &limits)).collect();
        let between = if layers.len() > 1 { vec![0; BETWEEN_BYTES].into() } else { Box::default() };
        let accounts = layers.iter().map(|_| Account::default()).collect();
        Ok(Self { layers, accounts, between, waiting: (0, 0), limits, taken: 0, failed: None })
    }

    /// Uses up some of `input` and fills some of `out`. Where neither moves, more input is needed (or more room: an
    /// empty `out` is filled by nothing). Call it again with the rest until `consumed` is all and `produced` is 0.
    ///
    /// # Errors
    /// What is wrong with the bytes, or which limit they meet; the decoder gives the same error ever after.
    pub fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, CodingError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let outcome = self.try_step(input, out);
        self.failed = outcome.err();
        outcome
    }

    /// To be called after the last byte of the body.
    ///
    /// # Errors
    /// A stream that is not at its end.
    pub fn finish(&self) -> Result<(), CodingError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let left = self.waiting.0 < self.waiting.1;
        if left || !self.layers.iter().all(Layer::is_done) { Err(CodingError::Truncated) } else { Ok(()) }
    }

    /// Bytes that have come out.
    #[must_use]
    pub fn produced(&self) -> u64 {
        self.accounts.last().map_or(self.taken, Account::produced)
    }

    fn try_step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, CodingError> {
        match self.layers.len() {
            0 => self.copy(input, out),
            1 => self.outer(input, out),
            _ => self.stacked(input, out),
        }
    }

    fn copy(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, CodingError> {
        let count = input.len().min(out.len());
        if let (Some(from), Some(to)) = (input.get(..count), out.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.taken += count as u64;
        if self.taken > self.limits.output_bytes_max {
            return Err(CodingError::TooLarge);
        }
        Ok(Step { consumed: count, produced: count })
    }

    /// The first layer alone.
    fn outer(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, CodingError> {
        let (Some(layer), Some(account)) = (self.layers.first_mut(), self.accounts.first_mut()) else {
            return Ok(Step::default());
        };
        let step = layer.step(input, out)?;
        self.taken += step.consumed as u64;
        account.add(step.produced, self.taken, &self.limits)?;
        Ok(step)
    }

    fn stacked(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, CodingError> {
        let mut done = Step::default();
        loop {
            let moved = self.inner(out.get_mut(done.produced..).unwrap_or_default())?;
            done.produced += moved.produced;
            if moved != Step::default() {
                continue;
            }
            if self.waiting.0 < self.waiting.1 {
                // The inner layer wants room.
                return Ok(done);
            }
            let mut between = std::mem::take(&mut self.between);
            let step = self.outer(input.get(done.consumed..).unwrap_or_default(), &mut between);
            self.between = between;
            let step = step?;
            done.consumed += step.consumed;
            self.waiting = (0, step.produced);
            if step == Step::default() {
                return Ok(done);
            }
        }
    }

    /// Feeds the second layer with what the first one has given.
    fn inner(&mut self, out: &mut [u8]) -> Result<Step, CodingError> {
        let (Some(layer), Some(account)) = (self.layers.get_mut(1), self.accounts.get_mut(1)) else {
            return Ok(Step::default());
        };
        let step = layer.step(self.between.get(self.waiting.0..self.waiting.1).unwrap_or_default(), out)?;
        self.waiting.0 += step.consumed;
        account.add(step.produced, self.taken, &self.limits)?;
        Ok(step)
    }
}
