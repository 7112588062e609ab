//! A circuit breaker: when most calls of an upstream fail, further ones would only wait, so they are refused at once until
//! trials show that it is well again. Time comes in; nothing here sleeps.

#[cfg(test)]
mod tests;

/// When to open and when to try again. Nought counts as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRules {
    /// Over how long failures are counted.
    pub window_ns: u64,
    /// Fewer calls than this within the window prove nothing.
    pub calls_min: u32,
    /// So many failures in a hundred calls open it.
    pub failed_percent: u8,
    /// How long it stays open the first time; each time that trials fail it doubles, up to `open_max_ns`.
    pub open_ns: u64,
    /// The longest that it stays open.
    pub open_max_ns: u64,
    /// So many trials at once while half open, and as many successes close it.
    pub trials: u32,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// No call passes.
    Open,
    /// A few calls pass, as trials.
    HalfOpen,
}

/// Leave to make a call. Its outcome must be told with [`Breaker::record`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the breaker waits for the outcome of each call"]
pub struct Trial {
    /// Calls that began before the breaker changed its state say nothing about the state after it.
    epoch: u64,
}

/// One upstream's breaker, of one worker.
#[derive(Clone, Debug)]
pub struct Breaker {
    rules: BreakerRules,
    state: BreakerState,
    epoch: u64,
    /// When the present window, or the present rest, began.
    since_ns: u64,
    calls: u32,
    failures: u32,
    trials_begun: u32,
    /// How often in a row it opened without closing.
    reopened: u32,
}

// === impl Breaker ===

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub const fn new(rules: BreakerRules) -> Self {
        let state = BreakerState::Closed;
        Self { rules, state, epoch: 0, since_ns: 0, calls: 0, failures: 0, trials_begun: 0, reopened: 0 }
    }

    /// Where it stands now.
    #[must_use]
    pub const fn state(&self) -> BreakerState {
        self.state
    }

    /// Whether a call may be made; if not, in how many nanoseconds to ask again.
    ///
    /// # Errors
    /// The time until the next trial, at least one nanosecond.
    pub fn admit(&mut self, now_ns: u64) -> Result<Trial, u64> {
        match self.state {
            BreakerState::Closed => {}
            BreakerState::Open => {
                let rest_ns = self.since_ns.saturating_add(self.rest_ns()).saturating_sub(now_ns);
                if rest_ns > 0 {
                    return Err(rest_ns);
                }
                self.enter(BreakerState::HalfOpen, now_ns);
            }
            BreakerState::HalfOpen => {
                // A trial whose outcome never came must not keep it half open for ever.
                let is_stale = now_ns.saturating_sub(self.since_ns) > self.rest_ns();
                if self.trials_begun >= self.rules.trials.max(1) && is_stale {
                    self.enter(BreakerState::HalfOpen, now_ns);
                }
            }
        }
        if self.state == BreakerState::HalfOpen {
            if self.trials_begun >= self.rules.trials.max(1) {
                let until_ns = self.since_ns.saturating_add(self.rest_ns());
                return Err(until_ns.saturating_sub(now_ns).max(1));
            }
            self.trials_begun = self.trials_begun.saturating_add(1);
        }
        Ok(Trial { epoch: self.epoch })
    }

    /// How a call ended.
    pub fn record(&mut self, trial: &Trial, failed: bool, now_ns: u64) {
        if trial.epoch != self.epoch {
            return;
        }
        match self.state {
            BreakerState::Closed => self.count(failed, now_ns),
            BreakerState::HalfOpen if failed => {
                self.reopened = self.reopened.saturating_add(1);
                self.enter(BreakerState::Open, now_ns);
            }
            BreakerState::HalfOpen => {
                self.calls = self.calls.saturating_add(1);
                if self.calls >= self.rules.trials.max(1) {
                    self.reopened = 0;
                    self.enter(BreakerState::Closed, now_ns);
                }
            }
            BreakerState::Open => {}
        }
    }

    fn count(&mut self, failed: bool, now_ns: u64) {
        if now_ns.saturating_sub(self.since_ns) >= self.rules.window_ns.max(1) {
            (self.since_ns, self.calls, self.failures) = (now_ns, 0, 0);
        }
        self.calls = self.calls.saturating_add(1);
        self.failures = self.failures.saturating_add(u32::from(failed));
        let percent = u64::from(self.failures).saturating_mul(100) / u64::from(self.calls.max(1));
        let many = percent >= u64::from(self.rules.failed_percent.max(1));
        if failed && many && self.calls >= self.rules.calls_min.max(1) {
            self.enter(BreakerState::Open, now_ns);
        }
    }

    fn enter(&mut self, state: BreakerState, now_ns: u64) {
        self.state = state;
        self.epoch = self.epoch.wrapping_add(1);
        self.since_ns = now_ns;
        (self.calls, self.failures, self.trials_begun) = (0, 0, 0);
    }

    fn rest_ns(&self) -> u64 {
        let factor = 1_u64.checked_shl(self.reopened).unwrap_or(u64::MAX);
        self.rules.open_ns.max(1).saturating_mul(factor).min(self.rules.open_max_ns.max(self.rules.open_ns).max(1))
    }
}
