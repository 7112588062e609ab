//! `gzip` made anew (RFC 1952), for a body that came coded and leaves as another one.

use crate::error::CodingError;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};

// LIMIT: bytes of room that are made at a time.
const ROOM_BYTES: usize = 4 * 1024;
/// Deflate, no flags, no time, the fastest level, an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// One member, piece by piece. Holds about 300 KiB.
#[derive(Debug)]
pub struct Encoder {
    deflate: Compress,
    sum: Crc,
    begun: bool,
}

// === impl Encoder ===

impl Default for Encoder {
    fn default() -> Self {
        Self { deflate: Compress::new(Compression::fast(), false), sum: Crc::new(), begun: false }
    }
}

impl Encoder {
    /// Appends a piece, all of which can be decoded at once: what goes on without an end is not held up.
    ///
    /// # Errors
    /// The library has none for input of any kind; what it says all the same is not passed over.
    pub fn write(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), CodingError> {
        self.run(data, FlushCompress::Sync, out)
    }

    /// Appends the last piece and the trailer.
    ///
    /// # Errors
    /// As of [`Encoder::write`].
    pub fn finish(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), CodingError> {
        self.run(data, FlushCompress::Finish, out)?;
        out.extend_from_slice(&self.sum.sum().to_le_bytes());
        out.extend_from_slice(&self.sum.amount().to_le_bytes());
        Ok(())
    }

    fn run(&mut self, mut data: &[u8], flush: FlushCompress, out: &mut Vec<u8>) -> Result<(), CodingError> {
        if !self.begun {
            out.extend_from_slice(&HEADER);
            self.begun = true;
        }
        self.sum.update(data);
        loop {
            out.reserve(ROOM_BYTES);
            let (read, written) = (self.deflate.total_in(), out.len());
            let status = self.deflate.compress_vec(data, out, flush).map_err(|_| CodingError::Malformed)?;
            let taken = usize::try_from(self.deflate.total_in().saturating_sub(read)).unwrap_or(usize::MAX);
            data = data.get(taken..).unwrap_or_default();
            let has_room = out.len() < out.capacity();
            match status {
                Status::StreamEnd => return Ok(()),
                // Room that is left says that there was nothing more to write.
                Status::Ok | Status::BufError if data.is_empty() && has_room && flush != FlushCompress::Finish => {
                    return Ok(());
                }
                Status::Ok | Status::BufError if taken == 0 && out.len() == written && has_room => {
                    return Err(CodingError::Malformed);
                }
                Status::Ok | Status::BufError => {}
            }
        }
    }
}
