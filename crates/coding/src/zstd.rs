//! `zstd` (RFC 8878): one frame. The frame's header and the blocks' are read by us: the window is known before anything is
//! allocated for it, and the decoder sees whole blocks only. Skippable frames, dictionaries and a second frame are refused.

use crate::Step;
use crate::error::CodingError;
use crate::wall::behind;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::fmt;
use std::io::Read as _;

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
// LIMIT: bytes of a block (RFC 8878 section 3.1.1.2.4), encoded or decoded.
const BLOCK_BYTES_MAX: usize = 128 * 1024;
const BLOCK_HEADER_BYTES: usize = 3;
const CHECKSUM_BYTES: usize = 4;

/// One frame. Holds the window that the frame asks for, one encoded and two decoded blocks, and the tables of a block
/// (below 1 MiB).
pub(crate) struct Zstd {
    decoder: Box<FrameDecoder>,
    window_bytes_max: u64,
    /// The frame's header or a block, as far as it has come.
    held: Vec<u8>,
    part: Part,
    has_checksum: bool,
    /// The size that the header states, and what has come out.
    stated: Option<u64>,
    produced: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Header,
    Block,
    /// All blocks are decoded; what the window holds is still to be given out.
    Rest,
    Done,
}

/// What a frame's header says.
struct Header {
    bytes: usize,
    window: u64,
    stated: Option<u64>,
    has_checksum: bool,
}

// === impl Zstd ===

impl fmt::Debug for Zstd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Zstd").field("part", &self.part).finish_non_exhaustive()
    }
}

impl Zstd {
    pub(crate) fn new(window_bytes_max: u64) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(window_bytes_max);
        Self {
            decoder: Box::new(decoder),
            window_bytes_max,
            held: Vec::new(),
            part: Part::Header,
            has_checksum: false,
            stated: None,
            produced: 0,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.part == Part::Done
    }

    pub(crate) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, CodingError> {
        match self.part {
            Part::Header => self.header(input),
            Part::Block | Part::Rest => {
                // What is decoded goes out first, so that no more than one block waits beyond the window.
                let produced = behind(|| self.decoder.read(out).map_err(|_| CodingError::Malformed))?;
                if produced > 0 {
                    self.produced = self.produced.saturating_add(produced as u64);
                    return Ok(Step { consumed: 0, produced });
                }
                if self.part == Part::Block {
                    return if self.decoder.can_collect() > 0 { Ok(Step::default()) } else { self.block(input) };
                }
                if self.decoder.can_collect() == 0 {
                    self.check()?;
                    self.part = Part::Done;
                }
                Ok(Step::default())
            }
            Part::Done => Ok(Step::default()),
        }
    }

    fn header(&mut self, input: &[u8]) -> Result<Step, CodingError> {
        for (index, byte) in input.iter().enumerate() {
            self.held.push(*byte);
            let Some(header) = header(&self.held)? else { continue };
            if self.held.len() < header.bytes {
                continue;
            }
            if header.window > self.window_bytes_max {
                return Err(CodingError::TooLarge);
            }
            self.has_checksum = header.has_checksum;
            self.stated = header.stated;
            behind(|| self.decoder.init(self.held.as_slice()).map_err(|_| CodingError::Malformed))?;
            self.held.clear();
            self.part = Part::Block;
            return Ok(Step { consumed: index + 1, produced: 0 });
        }
        Ok(Step { consumed: input.len(), produced: 0 })
    }

    /// Collects a block, and the frame's checksum after the last one; then decodes it.
    fn block(&mut self, input: &[u8]) -> Result<Step, CodingError> {
        let mut consumed = 0;
        loop {
            let needed = self.needed()?;
            let missing = needed.saturating_sub(self.held.len());
            if missing == 0 && needed > BLOCK_HEADER_BYTES {
                break;
            }
            let rest = input.get(consumed..).unwrap_or_default();
            let taken = rest.len().min(missing);
            self.held.extend_from_slice(rest.get(..taken).unwrap_or_default());
            consumed += taken;
            if taken < missing {
                return Ok(Step { consumed, produced: 0 });
            }
            // An empty last block without a checksum is its header alone.
            if self.held.len() == BLOCK_HEADER_BYTES && self.needed()? == BLOCK_HEADER_BYTES {
                break;
            }
        }
        let finished = behind(|| {
            let mut source = self.held.as_slice();
            let strategy = BlockDecodingStrategy::UptoBlocks(1);
            let finished = self.decoder.decode_blocks(&mut source, strategy).map_err(|_| CodingError::Malformed)?;
            if source.is_empty() { Ok(finished) } else { Err(CodingError::Malformed) }
        })?;
        self.held.clear();
        if finished {
            self.part = Part::Rest;
        }
        // A block without output moves nothing, but its bytes do.
        Ok(Step { consumed, produced: 0 })
    }

    /// Bytes of the block that has begun, as far as they are known.
    fn needed(&self) -> Result<usize, CodingError> {
        let [a, b, c, ..] = *self.held.as_slice() else { return Ok(BLOCK_HEADER_BYTES) };
        let word = u32::from_le_bytes([a, b, c, 0]);
        let size = usize::try_from(word >> 3).unwrap_or(usize::MAX);
        let content = match word >> 1 & 3 {
            0 | 2 => size,
            // One byte, repeated.
            1 => 1,
            _ => return Err(CodingError::Malformed),
        };
        if size > BLOCK_BYTES_MAX {
            return Err(CodingError::Malformed);
        }
        let checksum = if word & 1 == 1 && self.has_checksum { CHECKSUM_BYTES } else { 0 };
        Ok(BLOCK_HEADER_BYTES + content + checksum)
    }

    /// The decoder itself compares neither the size nor the checksum.
    fn check(&self) -> Result<(), CodingError> {
        let sum = self.decoder.get_checksum_from_data();
        let differs = sum.is_some() && sum != self.decoder.get_calculated_checksum();
        if differs || self.stated.is_some_and(|stated| stated != self.produced) {
            return Err(CodingError::Malformed);
        }
        Ok(())
    }
}

/// A frame's header (RFC 8878 section 3.1.1.1), once enough of it has come to know its length.
fn header(bytes: &[u8]) -> Result<Option<Header>, CodingError> {
    if bytes.iter().zip(MAGIC).any(|(have, want)| *have != want) {
        return Err(CodingError::Malformed);
    }
    let Some(descriptor) = bytes.get(4).copied() else { return Ok(None) };
    let single = descriptor & 0x20 != 0;
    // A reserved bit, or a dictionary that nobody has agreed on.
    if descriptor & 0x08 != 0 || descriptor & 0x03 != 0 {
        return Err(CodingError::Malformed);
    }
    let size_bytes = match descriptor >> 6 {
        0 => usize::from(single),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    let window_byte = usize::from(!single);
    let total = 5 + window_byte + size_bytes;
    if bytes.len() < total {
        return Ok(None);
    }
    let size = bytes.get(5 + window_byte..total).unwrap_or_default();
    let size = size.iter().rev().fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
    let size = if size_bytes == 2 { size + 256 } else { size };
    let window = if single {
        size
    } else {
        let byte = u64::from(bytes.get(5).copied().unwrap_or(0));
        let base = 1u64 << (10 + (byte >> 3));
        base + base / 8 * (byte & 7)
    };
    Ok(Some(Header {
        bytes: total,
        window,
        stated: (size_bytes > 0).then_some(size),
        has_checksum: descriptor & 0x04 != 0,
    }))
}
