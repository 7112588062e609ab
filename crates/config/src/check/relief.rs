//! What relieves an upstream as a whole: ranges, and priorities that nobody asks about.

use portcullis_limit::{AdaptiveRules, BreakerRules, Priority};

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{Adaptive, Breaker, Urgency, defaults};
use crate::plan::UpstreamPlan;
use crate::scalar::{Count, Period};
use crate::tree::At;

const LEAST: Period = Period::millis(10);
const LONGEST: Period = Period::seconds(60 * 60);
/// How long the quickest answer is remembered.
const MEMORY_NS: u64 = 60_000_000_000;
/// One bad moment counts once.
const DECREASE_EVERY_NS: u64 = 100_000_000;

impl Check<'_> {
    pub(super) fn breaker(&mut self, written: &Breaker, at: &At<'_>) -> BreakerRules {
        let open = written.open.unwrap_or(defaults::BREAKER_OPEN);
        let max_open = written.max_open.unwrap_or_else(|| defaults::BREAKER_MAX_OPEN.max(open));
        if max_open < open {
            let at = at.key("max_open");
            let diagnostic =
                self.wrong(&at, "contradiction", format!("`max_open` is less than `open`, which is {open}"));
            self.reject(&at, diagnostic.help("raise `max_open`, or lower `open`"));
        }
        let (calls, percent) = (written.calls, written.failed_percent);
        BreakerRules {
            window_ns: self.nanos(at, "window", written.window.unwrap_or(defaults::BREAKER_WINDOW)),
            calls_min: self.counted(at, "calls", calls.unwrap_or(defaults::BREAKER_CALLS), (1, defaults::MAX_CALLS)),
            failed_percent: u8::try_from(self.counted(
                at,
                "failed_percent",
                percent.unwrap_or(defaults::BREAKER_PERCENT),
                (1, 100),
            ))
            .unwrap_or(100),
            open_ns: self.nanos(at, "open", open),
            open_max_ns: self.nanos(at, "max_open", max_open),
            trials: self.counted(
                at,
                "trials",
                written.trials.unwrap_or(defaults::BREAKER_TRIALS),
                (1, defaults::MAX_CALLS),
            ),
        }
    }

    pub(super) fn adaptive(&mut self, written: &Adaptive, at: &At<'_>) -> AdaptiveRules {
        let range = (1, defaults::MAX_CALLS);
        let min = self.counted(at, "min", written.min.unwrap_or(defaults::ADAPTIVE_MIN), range);
        let max = written.max.unwrap_or(Count(defaults::ADAPTIVE_MAX.0.max(u64::from(min))));
        let max = self.counted(at, "max", max, range);
        if max < min {
            let at = at.key("max");
            let diagnostic = self.wrong(&at, "contradiction", format!("`max` is less than `min`, which is {min}"));
            self.reject(&at, diagnostic.help("raise `max`, or lower `min`"));
        }
        let slow = written.slow_percent.unwrap_or(defaults::ADAPTIVE_SLOW);
        AdaptiveRules {
            limit_min: min,
            limit_max: max,
            slow_percent: self.counted(at, "slow_percent", slow, (110, 10_000)),
            memory_ns: MEMORY_NS,
            decrease_every_ns: DECREASE_EVERY_NS,
        }
    }

    pub(super) fn priority(&mut self, at: &At<'_>, written: Option<Urgency>, upstream: &UpstreamPlan) -> Priority {
        if written.is_some() && upstream.pool.adaptive.is_none() {
            let at = at.key("priority");
            let message = "`priority` has no effect: nobody is refused in favour of others without `adaptive`";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(&at, diagnostic.help("write `adaptive: {}` in the upstream, or remove it"));
        }
        match written {
            Some(Urgency::Low) => Priority::Low,
            None | Some(Urgency::Normal) => Priority::Normal,
            Some(Urgency::High) => Priority::High,
        }
    }

    fn counted(&mut self, at: &At<'_>, name: &str, value: Count, range: (u64, u64)) -> u32 {
        let value = self.within(&at.key(name), value.0, range, |value| value.to_string());
        u32::try_from(value).unwrap_or(u32::MAX)
    }

    fn nanos(&mut self, at: &At<'_>, name: &str, value: Period) -> u64 {
        let value = self.period(&at.key(name), value, (LEAST, LONGEST));
        u64::try_from(value.as_nanos()).unwrap_or(u64::MAX)
    }
}
