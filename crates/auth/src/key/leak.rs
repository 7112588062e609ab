//! Finds keys of ours in a dump of any size: a log, a paste, the history of a repository.

use super::text::{KeyText, length_of};

/// Looks through a dump piece by piece. It keeps no more of it than one key is long.
#[derive(Debug)]
pub struct LeakScan {
    prefix: String,
    /// The end of what was fed, in which a key may have begun.
    tail: Vec<u8>,
}

// === impl LeakScan ===

impl LeakScan {
    /// Looks for keys of this prefix.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), tail: Vec::new() }
    }

    /// Takes the next piece; every key that ends in it is handed over, as often as it stands there. Each is checked, so
    /// that none is reported that merely looks like one.
    pub fn feed(&mut self, piece: &[u8], found: &mut dyn FnMut(KeyText)) {
        let length = length_of(&self.prefix);
        // Pieces are cut, so that the copy of one is bounded whatever is fed.
        for part in piece.chunks(64 * 1024) {
            self.tail.extend_from_slice(part);
            for window in self.tail.windows(length) {
                if window.starts_with(self.prefix.as_bytes()) {
                    let key = std::str::from_utf8(window).ok().and_then(|text| KeyText::parse(&self.prefix, text).ok());
                    key.into_iter().for_each(&mut *found);
                }
            }
            // A whole window was looked at where it stood, so that one byte less than a key is kept.
            let seen = self.tail.len().saturating_sub(length - 1);
            self.tail.drain(..seen);
        }
    }
}
