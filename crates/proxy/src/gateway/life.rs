//! What ends, and when: a listener that a reload removed, the gateway that was asked to stop.

use portcullis_types::Millis;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// One listener from its bind to its last connection, over all workers.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// Open connections.
    pub(crate) open: AtomicU64,
    /// 0 while it accepts; else when its connections no longer wait for their clients.
    until: AtomicU64,
}

/// The end of the gateway in two steps: while it leaves it is not ready and still serves; then it drains.
#[derive(Debug, Default)]
pub(crate) struct Leaving {
    /// 0 while serving; else when it stops accepting.
    from: AtomicU64,
    /// When open requests are cut off. Set before `from`.
    until: AtomicU64,
    /// Connections that were.
    cut: AtomicU64,
    /// Whether somebody else serves on at the same address, so that nothing has to be hurried.
    gentle: AtomicBool,
}

// === impl Life ===

impl Life {
    /// No more connections; those that are open end after their request.
    pub(crate) fn end(&self, until: Millis) {
        self.until.store(until.max(1), Ordering::Relaxed);
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.until.load(Ordering::Relaxed) != 0
    }

    /// Whether the time of its connections is up.
    pub(crate) fn has_ended(&self, now: Millis) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        until != 0 && now >= until
    }
}

// === impl Leaving ===

impl Leaving {
    /// The first call counts: a second one must not prolong what the first began.
    pub(crate) fn begin(&self, from: Millis, until: Millis) {
        let first = |now: u64| (now == 0).then_some(until.max(1));
        if self.until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, first).is_ok() {
            self.from.store(from.max(1), Ordering::Release);
        }
    }

    /// The same for a gateway that has a successor: connections without a request under way may stay, until they have made one more.
    pub(crate) fn begin_gently(&self, from: Millis, until: Millis) {
        // Before anybody sees that the end has begun.
        self.gentle.store(!self.has_begun(), Ordering::Release);
        self.begin(from, until);
    }

    pub(crate) fn is_gentle(&self) -> bool {
        self.gentle.load(Ordering::Acquire)
    }

    /// Whether new requests are no longer welcome.
    pub(crate) fn has_begun(&self) -> bool {
        self.from.load(Ordering::Acquire) != 0
    }

    /// Whether connections are no longer accepted. The clock is asked only once the end has begun.
    pub(crate) fn is_draining(&self, now: impl Fn() -> Millis) -> bool {
        let from = self.from.load(Ordering::Acquire);
        from != 0 && now() >= from
    }

    /// When open requests are cut off; `None` before the end has begun.
    pub(crate) fn ends_at(&self) -> Option<Millis> {
        self.has_begun().then(|| self.until.load(Ordering::Relaxed))
    }

    /// Whether open requests are cut off.
    pub(crate) fn is_over(&self, now: Millis) -> bool {
        now >= self.until.load(Ordering::Relaxed)
    }

    /// Notes that a worker cuts so many connections off.
    pub(crate) fn cut(&self, connections: u64) {
        self.cut.fetch_add(connections, Ordering::Relaxed);
    }

    pub(crate) fn cut_off(&self) -> u64 {
        self.cut.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Leaving, Life};

    #[test]
    fn the_end_has_two_steps_and_begins_once() {
        let leaving = Leaving::default();
        assert!(!leaving.has_begun() && !leaving.is_draining(|| 1_000_000));
        leaving.begin(100, 300);
        leaving.begin(1_000, 2_000);
        assert!(leaving.has_begun());
        assert!(!leaving.is_draining(|| 99) && leaving.is_draining(|| 100));
        assert!(!leaving.is_over(299) && leaving.is_over(300));
    }

    #[test]
    fn a_listener_lives_until_it_is_ended() {
        let life = Life::default();
        assert!(!life.is_ending() && !life.has_ended(u64::MAX));
        life.end(50);
        assert!(life.is_ending() && !life.has_ended(49) && life.has_ended(50));
    }
}
