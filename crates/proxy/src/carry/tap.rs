//! A copy of a body's bytes for whoever learns from it, within a bound; the body itself passes as it comes.

use crate::ownership::Lesson;

/// What has passed so far.
#[derive(Debug)]
pub(crate) struct Tap {
    lesson: Lesson,
    data: Vec<u8>,
    // LIMIT: of a body that turns out to be longer nothing is kept.
    bytes_max: usize,
    is_over: bool,
}

// === impl Tap ===

impl Tap {
    pub(crate) fn new((lesson, bytes_max): (Lesson, usize)) -> Box<Self> {
        Box::new(Self { lesson, data: Vec::new(), bytes_max, is_over: false })
    }

    pub(super) fn take(&mut self, data: &[u8]) {
        if self.is_over || self.data.len().saturating_add(data.len()) > self.bytes_max {
            (self.is_over, self.data) = (true, Vec::new());
            return;
        }
        self.data.extend_from_slice(data);
    }

    /// The body has ended, and its last bytes have not left yet: what it shows may be asked for as soon as it is read.
    pub(super) fn end(&self) {
        if !self.is_over {
            self.lesson.learn(&self.data);
        }
    }
}
