//! What all workers know of one server together: whether checks found it well, whether it is ejected, how long it has
//! been there.
//!
//! Passive ejection: so many failures in a row and the server is left out for a while, longer with each time in a row.
//! Coming back it is on probation: the first failure ejects it again, and it warms up as one that was just added.

use portcullis_types::Millis;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

/// The full share of a server of weight 1, so that a tenth of it is still a whole number.
pub const WEIGHT_ONE: u32 = 100;

/// What a server that has just come gets at least, in hundredths.
const LEAST_SHARE: u64 = 10;

/// LIMIT: the factor by which repeated ejections grow.
const LONGER_MAX: u32 = 10;

/// What checks have found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// No check has ended yet, or there are none.
    Unknown,
    /// It passed.
    Up,
    /// It failed.
    Down,
}

/// Whether a server can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can.
    Well,
    /// It can, and gets less than its share for now.
    Warming,
    /// Requests failed; it is left out until then.
    Ejected(Millis),
    /// Checks failed.
    Down,
}

/// When a server is ejected, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ejection {
    /// Failures in a row.
    pub failures: u32,
    /// How long the first time.
    pub base_ms: Millis,
}

/// One server.
#[derive(Debug)]
pub struct Endpoint {
    checked: AtomicU8,
    passed: AtomicU32,
    missed: AtomicU32,
    failures: AtomicU32,
    ejections: AtomicU32,
    ejected_until: AtomicU64,
    /// Since when it warms up; 0 for one that was there from the start.
    warm_since: AtomicU64,
    /// Requests under way over all workers; counted where there is a limit.
    pub active: AtomicU64,
    /// Microseconds to the heads of answers, and how many, since they were last looked at; counted where servers are compared.
    waited_us: AtomicU64,
    answered: AtomicU64,
}

// === impl Endpoint ===

impl Endpoint {
    /// A server that has been there from the start (`since` 0), or since a moment.
    #[must_use]
    pub fn new(since: Millis) -> Self {
        Self {
            checked: AtomicU8::new(0),
            passed: AtomicU32::new(0),
            missed: AtomicU32::new(0),
            failures: AtomicU32::new(0),
            ejections: AtomicU32::new(0),
            ejected_until: AtomicU64::new(0),
            warm_since: AtomicU64::new(since),
            active: AtomicU64::new(0),
            waited_us: AtomicU64::new(0),
            answered: AtomicU64::new(0),
        }
    }

    /// Enters what a check found; `rise` passes in a row bring a server back, `fall` misses take it away. The first
    /// result of all counts at once. Says whether the standing changed.
    pub fn check(&self, passed: bool, (rise, fall): (u32, u32), now: Millis) -> bool {
        let before = self.checked();
        let (count, other) = if passed { (&self.passed, &self.missed) } else { (&self.missed, &self.passed) };
        other.store(0, Relaxed);
        let row = count.fetch_add(1, Relaxed).saturating_add(1);
        let enough = before == Checked::Unknown || row >= if passed { rise } else { fall };
        let after = if passed { Checked::Up } else { Checked::Down };
        if !enough || before == after {
            return false;
        }
        self.checked.store(if passed { 1 } else { 2 }, Relaxed);
        if passed && before == Checked::Down {
            self.warm_since.store(now.max(1), Relaxed);
            self.failures.store(0, Relaxed);
        }
        true
    }

    /// Forgets what checks found, for a server that is no longer checked.
    pub fn uncheck(&self) {
        self.checked.store(0, Relaxed);
    }

    /// What checks have found.
    pub fn checked(&self) -> Checked {
        match self.checked.load(Relaxed) {
            1 => Checked::Up,
            2 => Checked::Down,
            _ => Checked::Unknown,
        }
    }

    /// A request was answered.
    pub fn succeeded(&self, rules: &Ejection, now: Millis) {
        // Nothing is written while all is well: the line stays in every core's cache.
        if self.failures.load(Relaxed) != 0 {
            self.failures.store(0, Relaxed);
        }
        if self.ejections.load(Relaxed) != 0 && now.saturating_sub(self.ejected_until.load(Relaxed)) > rules.base_ms {
            self.ejections.store(0, Relaxed);
        }
    }

    /// A request failed. `may_eject` is asked only when it comes to that; says whether the server is ejected now.
    pub fn failed(&self, rules: &Ejection, now: Millis, may_eject: impl FnOnce() -> bool) -> bool {
        let row = self.failures.fetch_add(1, Relaxed).saturating_add(1);
        let on_probation = self.ejections.load(Relaxed) > 0;
        if self.is_ejected(now) || (row < rules.failures && !on_probation) || !may_eject() {
            return false;
        }
        self.eject(rules, now);
        true
    }

    /// Leaves the server out, longer with each time in a row.
    pub fn eject(&self, rules: &Ejection, now: Millis) {
        let times = self.ejections.load(Relaxed).saturating_add(1).min(LONGER_MAX);
        self.ejections.store(times, Relaxed);
        let until = now.saturating_add(rules.base_ms.saturating_mul(u64::from(times)));
        self.ejected_until.store(until, Relaxed);
        self.warm_since.store(until, Relaxed);
        self.failures.store(0, Relaxed);
    }

    /// An answer took so long.
    pub fn waited(&self, micros: u64) {
        self.waited_us.fetch_add(micros, Relaxed);
        self.answered.fetch_add(1, Relaxed);
    }

    /// The mean since the last look, if at least so many answers came; they are counted anew then.
    pub fn mean_us(&self, answers_min: u64) -> Option<u64> {
        if self.answered.load(Relaxed) < answers_min {
            return None;
        }
        let (waited, answered) = (self.waited_us.swap(0, Relaxed), self.answered.swap(0, Relaxed));
        waited.checked_div(answered)
    }

    /// Whether it is left out because requests failed.
    pub fn is_ejected(&self, now: Millis) -> bool {
        now < self.ejected_until.load(Relaxed)
    }

    /// Whether, and how, it can be asked.
    pub fn standing(&self, now: Millis, slow_start: Millis) -> Standing {
        let until = self.ejected_until.load(Relaxed);
        if self.checked() == Checked::Down {
            Standing::Down
        } else if now < until {
            Standing::Ejected(until)
        } else if self.share(now, slow_start) < WEIGHT_ONE {
            Standing::Warming
        } else {
            Standing::Well
        }
    }

    /// Its share of a weight of 1 while it warms up.
    pub fn share(&self, now: Millis, slow_start: Millis) -> u32 {
        match self.warm_since.load(Relaxed) {
            0 => WEIGHT_ONE,
            since => ramp(now.saturating_sub(since), slow_start),
        }
    }
}

/// The share of a server `age` after it came: from a tenth to all of it, in a straight line.
#[must_use]
pub fn ramp(age: Millis, slow_start: Millis) -> u32 {
    if age >= slow_start {
        return WEIGHT_ONE;
    }
    let share = age.saturating_mul(u64::from(WEIGHT_ONE)) / slow_start.max(1);
    u32::try_from(share.clamp(LEAST_SHARE, u64::from(WEIGHT_ONE))).unwrap_or(WEIGHT_ONE)
}

#[cfg(test)]
mod tests;
