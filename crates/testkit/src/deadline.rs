//! Waiting for something to become true, never longer than a deadline.

use std::time::{Duration, Instant};

/// How long anything in a test may take, unless it says otherwise.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// A moment after which a test gives up.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

// === impl Deadline ===

impl Deadline {
    /// A moment `after` from now.
    #[must_use]
    pub fn after(after: Duration) -> Self {
        Self(Instant::now() + after)
    }

    /// What is left, at least a millisecond, so that it can be given to a socket; `None` when it has passed.
    #[must_use]
    pub fn left(self) -> Option<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| left.max(Duration::from_millis(1)))
    }
}

impl Default for Deadline {
    fn default() -> Self {
        Self::after(DEADLINE)
    }
}

/// Looks again and again until there is something, and panics naming `what` when the time is up.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Deadline::default();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(deadline.left().is_some(), "not within {DEADLINE:?}: {what}");
        // SLEEP: files and counters cannot be waited for; the deadline above is what ends the wait.
        std::thread::sleep(Duration::from_millis(5));
    }
}
