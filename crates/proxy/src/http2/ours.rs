//! Counts the streams that we reset, by the code that the client is told, as the frames pass: what the library refuses by
//! itself (more streams than allowed, heads that are none) shows nowhere else.

const FRAME_HEAD_BYTES: usize = 9;
/// With the code that follows the head of an `RST_STREAM`.
const RESET_BYTES: usize = FRAME_HEAD_BYTES + 4;
const RST_STREAM: u8 = 0x3;

/// Codes with a name of their own; all others are one (RFC 9113 section 7).
pub(crate) const CODES: [&str; 6] =
    ["protocol_error", "refused_stream", "cancel", "enhance_your_calm", "internal_error", "other"];

/// The frames that leave.
#[derive(Debug, Default)]
pub(crate) struct Ours {
    head: [u8; RESET_BYTES],
    have: usize,
    /// Bytes of a payload that nobody looks at.
    skip: usize,
}

// === impl Ours ===

impl Ours {
    /// Takes note of bytes that leave; `reset` is told the place in [`CODES`] of each stream's end.
    pub(crate) fn sent(&mut self, mut bytes: &[u8], mut reset: impl FnMut(usize)) {
        loop {
            let skip = self.skip.min(bytes.len());
            self.skip -= skip;
            bytes = bytes.get(skip..).unwrap_or_default();
            if bytes.is_empty() {
                return;
            }
            let wanted = if self.is_reset() { RESET_BYTES } else { FRAME_HEAD_BYTES };
            let (part, rest) = bytes.split_at((wanted - self.have).min(bytes.len()));
            if let Some(slot) = self.head.get_mut(self.have..self.have + part.len()) {
                slot.copy_from_slice(part);
            }
            self.have += part.len();
            bytes = rest;
            if self.have == RESET_BYTES {
                reset(self.code());
                self.have = 0;
            } else if self.have == FRAME_HEAD_BYTES && !self.is_reset() {
                let [a, b, c, ..] = self.head;
                self.skip = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                self.have = 0;
            }
        }
    }

    fn is_reset(&self) -> bool {
        let [_, _, _, kind, ..] = self.head;
        self.have >= FRAME_HEAD_BYTES && kind == RST_STREAM
    }

    fn code(&self) -> usize {
        let [.., a, b, c, d] = self.head;
        match u32::from_be_bytes([a, b, c, d]) {
            0x1 => 0,
            0x7 => 1,
            0x8 => 2,
            0xb => 3,
            0x2 => 4,
            _ => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CODES, Ours};

    #[test]
    fn resets_are_found_between_other_frames_and_across_writes() {
        let data = [&[0, 0, 5, 0, 1, 0, 0, 0, 1][..], &[3; 5]].concat();
        let reset = |code: u8| vec![0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, code];
        let settings = vec![0, 0, 0, 4, 1, 0, 0, 0, 0];
        let bytes = [data.clone(), reset(7), settings, reset(1), reset(0x63), data, reset(8)].concat();
        for size in 1..bytes.len() {
            let (mut ours, mut found) = (Ours::default(), Vec::new());
            for part in bytes.chunks(size) {
                ours.sent(part, |code| found.push(CODES[code]));
            }
            assert_eq!(found, ["refused_stream", "protocol_error", "other", "cancel"], "in pieces of {size}");
        }
    }
}
