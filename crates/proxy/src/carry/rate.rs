//! How slow a peer may be on average. A pause is bounded by patience; a byte within each pause is bounded here.
//!
//! Time is counted only while we wait for nobody but the peer. It is a credit: it begins with the grace, waiting uses
//! it up, and each byte earns what it may take at the least rate, up to the grace again. Nothing is measured per read
//! but two numbers, and nothing runs by itself: the end of the credit is one more deadline.

use portcullis_config::plan::PacePlan;
use portcullis_types::Millis;

const NEVER: Millis = Millis::MAX;

/// Both directions of one conversation; without rates it demands nothing.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    input: Credit,
    output: Credit,
    grace: Millis,
}

#[derive(Debug, Default)]
struct Credit {
    /// Bytes a second; 0 demands nothing.
    rate: u64,
    left: Millis,
    /// Since when we wait.
    since: Option<Millis>,
}

// === impl Pace ===

impl Pace {
    pub(crate) fn new(plan: &PacePlan) -> Self {
        let grace = Millis::try_from(plan.grace.as_millis()).unwrap_or(NEVER);
        let credit = |rate| Credit { rate, left: grace, since: None };
        Self { input: credit(plan.body_rate), output: credit(plan.send_rate), grace }
    }

    /// A new message, a new grace.
    pub(crate) fn begin(&mut self) {
        for credit in [&mut self.input, &mut self.output] {
            (credit.left, credit.since) = (self.grace, None);
        }
    }

    /// So many bytes of the peer came.
    pub(crate) fn came(&mut self, now: Millis, bytes: usize) {
        self.input.earn(now, bytes as u64, self.grace);
    }

    /// So many bytes were taken by the peer.
    pub(crate) fn left(&mut self, now: Millis, bytes: u64) {
        if bytes > 0 {
            self.output.earn(now, bytes, self.grace);
        }
    }

    /// Its bytes are waited for; until when.
    pub(crate) fn awaits(&mut self, now: Millis) -> Millis {
        self.input.wait(now)
    }

    /// Bytes wait for it; until when.
    pub(crate) fn offers(&mut self, now: Millis) -> Millis {
        self.output.wait(now)
    }

    pub(crate) fn is_too_slow(&self, now: Millis) -> bool {
        self.input.is_used_up(now) || self.output.is_used_up(now)
    }
}

// === impl Credit ===

impl Credit {
    fn earn(&mut self, now: Millis, bytes: u64, grace: Millis) {
        let Some(since) = self.since.take() else { return };
        let earned = bytes.saturating_mul(1000).checked_div(self.rate).unwrap_or(grace);
        let used = now.saturating_sub(since);
        self.left = self.left.saturating_sub(used).saturating_add(earned).min(grace);
    }

    fn wait(&mut self, now: Millis) -> Millis {
        if self.rate == 0 {
            return NEVER;
        }
        self.since.get_or_insert(now).saturating_add(self.left)
    }

    fn is_used_up(&self, now: Millis) -> bool {
        self.rate > 0 && self.since.is_some_and(|since| now.saturating_sub(since) >= self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use portcullis_config::plan::PacePlan;
    use std::time::Duration;

    /// Waits so long for so many bytes, again and again; after how many milliseconds it was too slow.
    fn broken_after(pause: u64, bytes: usize) -> Option<u64> {
        let plan = PacePlan { body_rate: 100, send_rate: 100, grace: Duration::from_secs(10) };
        let mut pace = Pace::new(&plan);
        let mut now = 0;
        while now < 1_000_000 {
            let due = pace.awaits(now);
            if due <= now + pause {
                assert!(pace.is_too_slow(due));
                return Some(due);
            }
            now += pause;
            assert!(!pace.is_too_slow(now));
            pace.came(now, bytes);
            // Time that we do not wait costs nothing.
            now += 5_000;
        }
        None
    }

    #[test]
    fn only_the_average_counts() {
        for (pause, bytes, broken) in [
            (1_000, 100, None),
            (1_000, 1_000_000, None),
            (9_000, 900, None),
            // Each second costs 990 ms; the eleventh wait is the last one, after ten idle times of 5 s.
            (1_000, 1, Some(60_100)),
            (10_000, 1_000_000, Some(10_000)),
        ] {
            assert_eq!(broken_after(pause, bytes), broken, "{bytes} bytes every {pause} ms");
        }
    }

    #[test]
    fn without_rates_nothing_is_demanded() {
        let mut pace = Pace::default();
        assert_eq!(pace.awaits(7), u64::MAX);
        assert!(!pace.is_too_slow(u64::MAX));
    }
}
