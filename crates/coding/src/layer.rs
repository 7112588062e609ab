//! One coding undone. The same for all: what comes after the end is refused, and an error is final.

use crate::brotli::Brotli;
use crate::deflate::Deflate;
use crate::error::CodingError;
use crate::gzip::Gzip;
use crate::limits::Limits;
use crate::zstd::Zstd;
use crate::{Coding, Step};

/// A decoder of one coding.
#[derive(Debug)]
pub(crate) enum Layer {
    Gzip(Box<Gzip>),
    Deflate(Box<Deflate>),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
}

// === impl Layer ===

impl Layer {
    pub(crate) fn new(coding: Coding, limits: &Limits) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip(Box::default()),
            Coding::Deflate => Self::Deflate(Box::default()),
            Coding::Br => Self::Brotli(Box::new(Brotli::new(limits.window_bytes_max))),
            Coding::Zstd => Self::Zstd(Box::new(Zstd::new(limits.window_bytes_max))),
        }
    }

    /// Uses up input and fills output as far as both go.
    pub(crate) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, CodingError> {
        let mut done = Step::default();
        loop {
            let rest = input.get(done.consumed..).unwrap_or_default();
            if self.is_done() {
                return if rest.is_empty() { Ok(done) } else { Err(CodingError::TrailingBytes) };
            }
            let step = self.once(rest, out.get_mut(done.produced..).unwrap_or_default())?;
            done.consumed += step.consumed;
            done.produced += step.produced;
            if step == Step::default() && !self.is_done() {
                return Ok(done);
            }
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Gzip(gzip) => gzip.is_done(),
            Self::Deflate(deflate) => deflate.is_done(),
            Self::Brotli(brotli) => brotli.is_done(),
            Self::Zstd(zstd) => zstd.is_done(),
        }
    }

    fn once(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, CodingError> {
        match self {
            Self::Gzip(gzip) => gzip.step(input, out),
            Self::Deflate(deflate) => deflate.step(input, out),
            Self::Brotli(brotli) => brotli.step(input, out),
            Self::Zstd(zstd) => zstd.step(input, out),
        }
    }
}
