//! Input buffers: borrowed from the worker while bytes are in them, given back when they are empty.
//!
//! An idle connection holds none, which is most of what it does not cost.

use std::cell::RefCell;
use std::rc::Rc;

/// One TLS record and its overhead fit.
pub(crate) const BUFFER_BYTES: usize = 16 * 1024 + 512;
// LIMIT: buffers that a worker keeps for the next reader.
const SPARE_MAX: usize = 256;

/// A worker's spare buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffers(Rc<RefCell<Vec<Vec<u8>>>>);

/// Bytes that arrived and are not used up. It grows only where a whole head has to fit.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

// === impl Buffers ===

impl Buffers {
    fn take(&self) -> Vec<u8> {
        self.0.borrow_mut().pop().unwrap_or_else(|| vec![0; BUFFER_BYTES])
    }

    fn put(&self, buffer: Vec<u8>) {
        let mut spare = self.0.borrow_mut();
        if buffer.len() == BUFFER_BYTES && spare.len() < SPARE_MAX {
            spare.push(buffer);
        }
    }
}

// === impl Input ===

impl Input {
    /// What has arrived and is not used up.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Room for at least one more byte: a fresh buffer, the space in front moved to the end, or more memory.
    /// What bounds the growth is the caller's limit on a head.
    pub(crate) fn room(&mut self, buffers: &Buffers) -> &mut [u8] {
        if self.bytes.is_empty() {
            self.bytes = buffers.take();
        }
        if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            } else {
                self.bytes.resize(self.bytes.len() * 2, 0);
            }
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// `count` bytes of the room have been filled.
    pub(crate) fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    /// `count` bytes are used up.
    pub(crate) fn consume(&mut self, count: usize, buffers: &Buffers) {
        self.start = self.start.saturating_add(count).min(self.end);
        if self.start == self.end {
            self.release(buffers);
        }
    }

    /// Gives the buffer back if nothing is in it.
    pub(crate) fn release(&mut self, buffers: &Buffers) {
        if self.start == self.end && !self.bytes.is_empty() {
            buffers.put(std::mem::take(&mut self.bytes));
            (self.start, self.end) = (0, 0);
        }
    }
}
