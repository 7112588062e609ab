//! Time as the product sees it: injected, so that tests can turn it.
//!
//! The monotonic clock orders and bounds; the wall clock is only for records and certificates.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Milliseconds on the monotonic clock since the process's [`Clock`] was made.
pub type Millis = u64;

/// The one source of time. Cheap to clone; all clones agree.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { epoch: Instant },
    Manual { nanos: Arc<AtomicU64>, wall_epoch: SystemTime },
}

// === impl Clock ===

impl Clock {
    /// The machine's own clocks.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn system() -> Self {
        Self(Source::System { epoch: Instant::now() })
    }

    /// A clock that stands still until [`Clock::advance`] turns it; its wall time starts at `wall_epoch`.
    #[must_use]
    pub fn manual(wall_epoch: SystemTime) -> Self {
        Self(Source::Manual { nanos: Arc::new(AtomicU64::new(0)), wall_epoch })
    }

    /// Turns a manual clock forward; the machine's clock does not listen.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual { nanos, .. } = &self.0 {
            nanos.fetch_add(saturating_nanos(by), Ordering::Relaxed);
        }
    }

    /// Nanoseconds since this clock was made, never going back.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn nanos(&self) -> u64 {
        match &self.0 {
            Source::System { epoch } => saturating_nanos(Instant::now().saturating_duration_since(*epoch)),
            Source::Manual { nanos, .. } => nanos.load(Ordering::Relaxed),
        }
    }

    /// Milliseconds since this clock was made, never going back.
    #[must_use]
    pub fn millis(&self) -> Millis {
        self.nanos() / 1_000_000
    }

    /// The time of day, which may jump.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn wall(&self) -> SystemTime {
        match &self.0 {
            Source::System { .. } => SystemTime::now(),
            Source::Manual { nanos, wall_epoch } => *wall_epoch + Duration::from_nanos(nanos.load(Ordering::Relaxed)),
        }
    }
}

fn saturating_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
