//! `gzip` (RFC 1952): one member, its header and its checks read by us. A second member is refused: RFC 1952 allows it, but
//! programs differ in whether they read on.

use crate::Step;
use crate::deflate::Inflate;
use crate::error::CodingError;
use flate2::Crc;

// LIMIT: bytes of a member's header, its file name and comment included.
const HEADER_BYTES_MAX: usize = 4096;
const TRAILER_BYTES: usize = 8;

const HAS_HEADER_CHECK: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;

/// One member. Holds about 44 KiB, and up to 4 KiB of header.
#[derive(Debug)]
pub(crate) struct Gzip {
    part: Part,
    /// The header or the trailer, as far as it has come.
    held: Vec<u8>,
    inflate: Inflate,
    sum: Crc,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Header,
    Body,
    Trailer,
    Done,
}

// === impl Gzip ===

impl Default for Gzip {
    fn default() -> Self {
        Self { part: Part::Header, held: Vec::new(), inflate: Inflate::new(false), sum: Crc::new() }
    }
}

impl Gzip {
    pub(crate) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, CodingError> {
        match self.part {
            Part::Header => self.header(input),
            Part::Body => {
                let step = self.inflate.step(input, out)?;
                self.sum.update(out.get(..step.produced).unwrap_or_default());
                if self.inflate.is_done() {
                    self.part = Part::Trailer;
                }
                Ok(step)
            }
            Part::Trailer => self.trailer(input),
            Part::Done => Ok(Step::default()),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.part == Part::Done
    }

    /// Byte by byte: a header is short, and where it ends is known only at its end.
    fn header(&mut self, input: &[u8]) -> Result<Step, CodingError> {
        for (index, byte) in input.iter().enumerate() {
            self.held.push(*byte);
            if header_ends(&self.held)? {
                self.held.clear();
                self.part = Part::Body;
                return Ok(Step { consumed: index + 1, produced: 0 });
            }
            if self.held.len() >= HEADER_BYTES_MAX {
                return Err(CodingError::Malformed);
            }
        }
        Ok(Step { consumed: input.len(), produced: 0 })
    }

    fn trailer(&mut self, input: &[u8]) -> Result<Step, CodingError> {
        let taken = input.len().min(TRAILER_BYTES.saturating_sub(self.held.len()));
        self.held.extend_from_slice(input.get(..taken).unwrap_or_default());
        if let [a, b, c, d, e, f, g, h] = *self.held.as_slice() {
            let fits = u32::from_le_bytes([a, b, c, d]) == self.sum.sum()
                && u32::from_le_bytes([e, f, g, h]) == self.sum.amount();
            if !fits {
                return Err(CodingError::Malformed);
            }
            self.part = Part::Done;
        }
        Ok(Step { consumed: taken, produced: 0 })
    }
}

/// Whether these bytes are a whole header (RFC 1952 section 2.3).
fn header_ends(bytes: &[u8]) -> Result<bool, CodingError> {
    let fixed = [0x1f, 0x8b, 8];
    if bytes.iter().zip(fixed).any(|(have, want)| *have != want) {
        return Err(CodingError::Malformed);
    }
    let Some(flags) = bytes.get(3).copied() else { return Ok(false) };
    if flags & RESERVED != 0 {
        return Err(CodingError::Malformed);
    }
    let mut at = 10;
    if flags & HAS_EXTRA != 0 {
        let (Some(low), Some(high)) = (bytes.get(at), bytes.get(at + 1)) else { return Ok(false) };
        at += 2 + usize::from(u16::from_le_bytes([*low, *high]));
    }
    for text in [HAS_NAME, HAS_COMMENT] {
        if flags & text != 0 {
            let Some(rest) = bytes.get(at..) else { return Ok(false) };
            let Some(end) = rest.iter().position(|byte| *byte == 0) else { return Ok(false) };
            at += end + 1;
        }
    }
    if flags & HAS_HEADER_CHECK != 0 {
        let (Some(low), Some(high)) = (bytes.get(at), bytes.get(at + 1)) else { return Ok(false) };
        let mut sum = Crc::new();
        sum.update(bytes.get(..at).unwrap_or_default());
        if sum.sum() & 0xffff != u32::from(u16::from_le_bytes([*low, *high])) {
            return Err(CodingError::Malformed);
        }
        at += 2;
    }
    Ok(bytes.len() >= at)
}
