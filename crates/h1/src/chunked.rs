//! The chunked coding (RFC 9112 section 7.1), byte by byte where it frames and in one piece where it is data.
//!
//! Extensions are read and dropped; trailers are checked and kept for whoever forwards them.

use crate::body::Part;
use crate::request::is_token;
use crate::{BodyError, Known, claims_identity};

// LIMIT: extension bytes of one chunk.
const EXTENSION_BYTES_MAX: u32 = 256;
// LIMIT: bytes of the trailer section.
pub(crate) const TRAILER_BYTES_MAX: usize = 8 * 1024;
// LIMIT: framing overhead. A body whose framing outweighs its data by more than this is an attack on our time.
const OVERHEAD_BYTES_MAX: u64 = 64 * 1024;

#[derive(Clone, Debug, Default)]
pub(crate) struct Chunked {
    state: State,
    left: u64,
    extension_bytes: u32,
    framing_bytes: u64,
    data_bytes: u64,
    trailers: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the first digit of a size.
    #[default]
    SizeStart,
    Size,
    Extension,
    SizeLineFeed,
    Data,
    DataCarriageReturn,
    DataLineFeed,
    Trailer,
}

// === impl Chunked ===

impl Chunked {
    pub(crate) fn next(&mut self, buffer: &[u8]) -> Result<Part, BodyError> {
        let mut used = 0;
        while let Some(&byte) = buffer.get(used) {
            match self.state {
                State::Data => {
                    let available = (buffer.len() - used) as u64;
                    let take = usize::try_from(self.left.min(available)).unwrap_or(usize::MAX);
                    self.left -= take as u64;
                    self.data_bytes += take as u64;
                    if self.left == 0 {
                        self.state = State::DataCarriageReturn;
                    }
                    return Ok(Part::Data(used..used + take));
                }
                State::Trailer => {
                    let rest = buffer.get(used..).unwrap_or_default();
                    return Ok(match self.trailer(rest)? {
                        (length, true) => Part::End(used + length),
                        (length, false) => Part::More(used + length),
                    });
                }
                State::SizeStart
                | State::Size
                | State::Extension
                | State::SizeLineFeed
                | State::DataCarriageReturn
                | State::DataLineFeed => self.frame(byte)?,
            }
            used += 1;
        }
        Ok(Part::More(used))
    }

    fn frame(&mut self, byte: u8) -> Result<(), BodyError> {
        self.framing_bytes += 1;
        if self.framing_bytes > OVERHEAD_BYTES_MAX + self.data_bytes {
            return Err(BodyError::TooSmallChunks);
        }
        self.state = match (self.state, byte) {
            (State::SizeStart | State::Size, digit) if digit.is_ascii_hexdigit() => {
                self.left = append(self.left, digit)?;
                State::Size
            }
            (State::Size, b'\r') | (State::Extension, b'\r') => State::SizeLineFeed,
            (State::Size, b';') => State::Extension,
            (State::Extension, byte) => self.extension(byte)?,
            (State::SizeStart | State::Size, b'\n') => return Err(BodyError::ChunkLineEnd),
            (State::SizeStart | State::Size, _) => return Err(BodyError::ChunkSize),
            (State::SizeLineFeed, b'\n') => {
                self.extension_bytes = 0;
                if self.left == 0 { State::Trailer } else { State::Data }
            }
            (State::SizeLineFeed, _) => return Err(BodyError::ChunkLineEnd),
            (State::DataCarriageReturn, b'\r') => State::DataLineFeed,
            (State::DataLineFeed, b'\n') => State::SizeStart,
            (State::DataCarriageReturn | State::DataLineFeed, _) => return Err(BodyError::ChunkEnd),
            (state @ (State::Data | State::Trailer), _) => state,
        };
        Ok(())
    }

    fn extension(&mut self, byte: u8) -> Result<State, BodyError> {
        self.extension_bytes += 1;
        if self.extension_bytes > EXTENSION_BYTES_MAX {
            return Err(BodyError::ChunkExtensionTooLong);
        }
        match byte {
            b'\n' => Err(BodyError::ChunkLineEnd),
            b'\t' | 0x20..=0x7e | 0x80.. => Ok(State::Extension),
            _ => Err(BodyError::ChunkExtension),
        }
    }

    /// Takes trailer bytes; says how many and whether the empty line was among them.
    fn trailer(&mut self, bytes: &[u8]) -> Result<(usize, bool), BodyError> {
        let mut used = 0;
        for &byte in bytes {
            used += 1;
            if self.trailers.len() >= TRAILER_BYTES_MAX {
                return Err(BodyError::TrailerTooLarge);
            }
            self.trailers.push(byte);
            if byte != b'\n' {
                continue;
            }
            let Some(line) = last_line(&self.trailers) else {
                return Err(BodyError::TrailerMalformed);
            };
            if line.is_empty() {
                let whole = self.trailers.len() - 2;
                self.trailers.truncate(whole);
                return Ok((used, true));
            }
            check_trailer(line)?;
        }
        Ok((used, false))
    }

    pub(crate) fn into_trailers(self) -> Vec<u8> {
        self.trailers
    }
}

/// The line that the last byte, a line feed, ends; `None` without a carriage return before it.
fn last_line(bytes: &[u8]) -> Option<&[u8]> {
    let line = bytes.strip_suffix(b"\r\n")?;
    let start = line.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    line.get(start..)
}

pub(crate) fn check_trailer(line: &[u8]) -> Result<(), BodyError> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(BodyError::TrailerMalformed)?;
    let (name, value) = line.split_at(colon);
    let clean = |byte: &u8| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..);
    if !is_token(name) || !value.iter().all(clean) {
        return Err(BodyError::TrailerMalformed);
    }
    let forbidden = [Known::of(name), Known::imitated_by(name)].iter().any(|known| known.is_forbidden_in_trailers());
    if forbidden || claims_identity(name) { Err(BodyError::TrailerForbidden) } else { Ok(()) }
}

/// Appends a hexadecimal digit. Sizes end well below 2^63, so that sums of them cannot overflow.
fn append(size: u64, digit: u8) -> Result<u64, BodyError> {
    let value = match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => return Err(BodyError::ChunkSize),
    };
    if size >> 56 != 0 {
        return Err(BodyError::ChunkSizeOverflow);
    }
    Ok(size << 4 | u64::from(value))
}
