//! Finds the end of a head without reading a byte twice, however slowly the bytes arrive.

use crate::HeadError;

/// Remembers how far a growing buffer has been searched for the empty line that ends a head.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeadScan {
    seen: usize,
    line_start: usize,
}

// === impl HeadScan ===

impl HeadScan {
    /// The length of the head including its empty line, or `None` while it is incomplete.
    ///
    /// `bytes` must start where the head starts and only ever grow between calls.
    ///
    /// # Errors
    /// At once, where a line ends without a carriage return or the head exceeds `head_bytes_max`.
    pub fn find(&mut self, bytes: &[u8], head_bytes_max: usize) -> Result<Option<usize>, HeadError> {
        let Some(fresh) = bytes.get(self.seen..) else {
            return Ok(None);
        };
        for offset in memchr::memchr_iter(b'\n', fresh) {
            let at = self.seen + offset;
            if at == 0 || bytes.get(at - 1) != Some(&b'\r') {
                return Err(HeadError::BareLineFeed);
            }
            // Lines before the first one are skipped by the caller, so that an empty line here ends the head.
            if at == self.line_start + 1 {
                let length = at + 1;
                return if length > head_bytes_max { Err(HeadError::HeadTooLarge) } else { Ok(Some(length)) };
            }
            self.line_start = at + 1;
        }
        self.seen = bytes.len();
        if bytes.len() > head_bytes_max { Err(HeadError::HeadTooLarge) } else { Ok(None) }
    }
}
