//! How many requests an upstream can work on at once, found out by watching it: additive increase, multiplicative
//! decrease. Slow answers and failures make room smaller, quick ones make it larger while it is being used.

#[cfg(test)]
mod tests;

/// Between which bounds to look, and what counts as slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveRules {
    /// Never fewer at once; nought counts as one.
    pub limit_min: u32,
    /// Never more at once.
    pub limit_max: u32,
    /// An answer is slow when it takes more than so many hundredths of the quickest that was seen lately. At least 110.
    pub slow_percent: u32,
    /// How long the quickest answer is remembered before it is looked for again.
    pub memory_ns: u64,
    /// At most one decrease in this time, so that one bad moment counts once.
    pub decrease_every_ns: u64,
}

/// One upstream's limit, of one worker.
#[derive(Clone, Debug)]
pub struct Adaptive {
    rules: AdaptiveRules,
    /// In thousandths, so that it can grow by parts of one.
    limit_milli: u64,
    running: u32,
    quickest_ns: u64,
    /// The quickest since `memory_since_ns`; it takes over when the memory ends.
    quickest_next_ns: u64,
    memory_since_ns: u64,
    decreased_at_ns: Option<u64>,
}

/// How urgent a request is when there is not room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// May use half of the room.
    Low,
    /// May use nine tenths.
    Normal,
    /// May use all of it.
    High,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer came after so many nanoseconds.
    Answered(u64),
    /// It timed out, broke off, or the upstream said that it has too much to do.
    Overloaded,
    /// It ended for reasons that say nothing about the upstream, as when the client left.
    Unknown,
}

const MILLI: u64 = 1_000;
/// The room after a decrease, in thousandths of that before.
const DECREASE_MILLI: u64 = 900;

// === impl Adaptive ===

impl Adaptive {
    /// Starts in the middle of its bounds, nearer to the lower one.
    #[must_use]
    pub fn new(rules: AdaptiveRules) -> Self {
        let (low, high) = bounds(&rules);
        let limit_milli = low.saturating_mul(10).clamp(low, high);
        let none = u64::MAX;
        Self {
            rules,
            limit_milli,
            running: 0,
            quickest_ns: none,
            quickest_next_ns: none,
            memory_since_ns: 0,
            decreased_at_ns: None,
        }
    }

    /// How many may run at once now.
    #[must_use]
    pub fn limit(&self) -> u32 {
        u32::try_from(self.limit_milli / MILLI).unwrap_or(u32::MAX)
    }

    /// How many run.
    #[must_use]
    pub const fn running(&self) -> u32 {
        self.running
    }

    /// Whether one more may run. If so, [`Adaptive::finish`] must be told how it ended. One always may when none runs, or
    /// nothing would ever be learnt.
    #[must_use]
    pub fn begin(&mut self, priority: Priority) -> bool {
        let tenths = match priority {
            Priority::Low => 5,
            Priority::Normal => 9,
            Priority::High => 10,
        };
        let room = u64::from(self.limit()).saturating_mul(tenths).div_ceil(10);
        let admitted = u64::from(self.running) < room.max(1);
        self.running = self.running.saturating_add(u32::from(admitted));
        admitted
    }

    /// A request ended.
    pub fn finish(&mut self, outcome: Outcome, now_ns: u64) {
        let was_busy = u64::from(self.running).saturating_mul(2) >= u64::from(self.limit());
        self.running = self.running.saturating_sub(1);
        let took_ns = match outcome {
            Outcome::Answered(took_ns) => took_ns,
            Outcome::Overloaded => return self.decrease(now_ns),
            Outcome::Unknown => return,
        };
        self.remember(took_ns, now_ns);
        let slow_ns =
            u128::from(self.quickest_ns).saturating_mul(u128::from(self.rules.slow_percent.max(110))).div_ceil(100);
        if u128::from(took_ns) > slow_ns {
            self.decrease(now_ns);
        } else if was_busy {
            // One more per so many answers as may run: about one per round trip. A limit that nobody reaches proves
            // nothing and does not grow.
            let step = (MILLI.saturating_mul(MILLI) / self.limit_milli.max(1)).max(1);
            let (low, high) = bounds(&self.rules);
            self.limit_milli = self.limit_milli.saturating_add(step).clamp(low, high);
        }
    }

    fn decrease(&mut self, now_ns: u64) {
        let rested = |at: u64| now_ns.saturating_sub(at) >= self.rules.decrease_every_ns;
        if self.decreased_at_ns.is_none_or(rested) {
            let (low, high) = bounds(&self.rules);
            self.limit_milli = (self.limit_milli.saturating_mul(DECREASE_MILLI) / MILLI).clamp(low, high);
            self.decreased_at_ns = Some(now_ns);
        }
    }

    /// Keeps the quickest of the last one to two memories. If it were kept for ever, an upstream that has become slower
    /// for good would be squeezed for good.
    fn remember(&mut self, took_ns: u64, now_ns: u64) {
        if now_ns.saturating_sub(self.memory_since_ns) >= self.rules.memory_ns.max(1) {
            self.quickest_ns = self.quickest_next_ns;
            self.quickest_next_ns = u64::MAX;
            self.memory_since_ns = now_ns;
        }
        self.quickest_next_ns = self.quickest_next_ns.min(took_ns);
        self.quickest_ns = self.quickest_ns.min(took_ns);
    }
}

fn bounds(rules: &AdaptiveRules) -> (u64, u64) {
    let low = rules.limit_min.max(1);
    let high = rules.limit_max.max(low);
    (u64::from(low).saturating_mul(MILLI), u64::from(high).saturating_mul(MILLI))
}
