//! The arithmetic of one account: a single word of state, so that an atomic can hold it.
//!
//! Nought is the word of an account that nobody has touched; `BUSY` is never a state. Amounts in here are quanta: one unit
//! each, unless the limit is so large that units would not fit into the word or be finer than the clock.

use crate::calendar::Period;
use crate::moment::{Moment, NANOS_PER_S};
use crate::policy::Kind;

mod lease;
mod quota;
mod rate;
mod window;

#[cfg(test)]
mod tests;

/// The mark of a slot that is changing its owner.
pub(crate) const BUSY: u64 = u64::MAX;

/// How one limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    form: Form,
    /// The most that can be had at once, in quanta.
    limit_quanta: u64,
    /// Units per quantum.
    quantum: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Rate {
        emission_ns: u64,
    },
    Window {
        width_ns: u64,
    },
    Quota {
        period: Period,
        offset_min: i16,
    },
    Concurrency,
    /// Held in advance of a store; `renews` where what is held belongs to no window or period.
    Lease {
        debt_ns: u64,
        renews: bool,
    },
}

/// LIMIT: a rate's finest step is a microsecond, so that rounding it up to nanoseconds costs at most one in a thousand.
const QUANTA_PER_S_MAX: u128 = 1_000_000;

// === impl Rule ===

impl Rule {
    /// `kind` has been checked: nothing in it is nought.
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Rate { units, per_ns, burst } => {
                let per_s =
                    u128::from(units).saturating_mul(u128::from(NANOS_PER_S)).div_ceil(u128::from(per_ns.max(1)));
                // No coarser than the burst, or there would be none.
                let quantum =
                    u64::try_from(per_s.div_ceil(QUANTA_PER_S_MAX)).unwrap_or(u64::MAX).clamp(1, burst.max(1));
                let emission_ns =
                    u128::from(per_ns).saturating_mul(u128::from(quantum)).div_ceil(u128::from(units.max(1)));
                let emission_ns = u64::try_from(emission_ns).unwrap_or(u64::MAX);
                Self { form: Form::Rate { emission_ns }, limit_quanta: burst / quantum, quantum }
            }
            Kind::Window { limit, width_ns } => Self::scaled(Form::Window { width_ns }, limit, window::COUNT_MAX),
            Kind::Quota { limit, period, offset_min } => {
                Self::scaled(Form::Quota { period, offset_min }, limit, quota::COUNT_MAX)
            }
            Kind::Concurrency { limit } => Self { form: Form::Concurrency, limit_quanta: limit, quantum: 1 },
        }
    }

    fn scaled(form: Form, limit: u64, count_max: u64) -> Self {
        // Half of what fits, so that a debt of one more limit fits as well.
        let quantum = limit.div_ceil(count_max / 2).max(1);
        Self { form, limit_quanta: limit / quantum, quantum }
    }

    /// What one gateway holds of accounts under this rule, when they are in a store.
    pub(crate) fn leased(&self) -> Self {
        let debt_ns = match self.form {
            Form::Quota { period, .. } => period.seconds().saturating_mul(NANOS_PER_S),
            Form::Rate { .. } | Form::Window { .. } | Form::Concurrency | Form::Lease { .. } => {
                self.slowest_ns().saturating_mul(2)
            }
        };
        let renews = matches!(self.form, Form::Rate { .. });
        Self::scaled(Form::Lease { debt_ns, renews }, self.limit_quanta.saturating_mul(self.quantum), lease::COUNT_MAX)
    }

    pub(crate) const fn quantum(&self) -> u64 {
        self.quantum
    }

    pub(crate) const fn limit_quanta(&self) -> u64 {
        self.limit_quanta
    }

    pub(crate) const fn is_lease(&self) -> bool {
        matches!(self.form, Form::Lease { .. })
    }

    /// How much of a lease is owed instead of held.
    pub(crate) fn owed(&self, word: u64, now: Moment) -> u64 {
        if self.is_lease() { lease::owed(word, now.nanos) } else { 0 }
    }

    /// The word of a lease after more came, which counts until `until_ns`.
    pub(crate) fn granted(&self, word: u64, now: Moment, quanta: u64, until_ns: u64) -> u64 {
        match self.form {
            Form::Lease { renews, .. } => lease::granted(word, now.nanos, until_ns, renews, self.limit_quanta, quanta),
            Form::Rate { .. } | Form::Window { .. } | Form::Quota { .. } | Form::Concurrency => word,
        }
    }

    pub(crate) const fn is_concurrency(&self) -> bool {
        matches!(self.form, Form::Concurrency)
    }

    /// The longest time that the account can need to become full again, calendar apart.
    pub(crate) fn slowest_ns(&self) -> u64 {
        match self.form {
            Form::Rate { emission_ns } => emission_ns.saturating_mul(self.limit_quanta),
            Form::Window { width_ns } => width_ns,
            Form::Lease { debt_ns, .. } => debt_ns,
            Form::Quota { .. } | Form::Concurrency => 0,
        }
    }

    /// How much is there now.
    #[inline]
    pub(crate) fn room(&self, word: u64, now: Moment) -> u64 {
        match self.form {
            Form::Rate { emission_ns } => rate::room(word, now.nanos, emission_ns, self.limit_quanta),
            Form::Window { width_ns } => self.limit_quanta.saturating_sub(window::used(word, now.nanos, width_ns)),
            Form::Quota { period, offset_min } => {
                self.limit_quanta.saturating_sub(quota::used(word, period.index(now.unix_s, offset_min)))
            }
            Form::Concurrency => self.limit_quanta.saturating_sub(word),
            Form::Lease { .. } => lease::room(word, now.nanos),
        }
    }

    /// The word after a charge, whether there was room or not. Debt ends at one whole limit, so that one answer can keep
    /// its caller out for no longer than the limit takes to come back twice.
    #[inline]
    pub(crate) fn charged(&self, word: u64, now: Moment, quanta: u64) -> u64 {
        match self.form {
            Form::Rate { emission_ns } => rate::charged(word, now.nanos, emission_ns, self.limit_quanta, quanta),
            Form::Window { width_ns } => window::charged(word, now.nanos, width_ns, self.limit_quanta, quanta),
            Form::Quota { period, offset_min } => {
                quota::charged(word, period.index(now.unix_s, offset_min), self.limit_quanta, quanta)
            }
            Form::Concurrency => word.saturating_add(quanta).min(BUSY - 1),
            Form::Lease { debt_ns, .. } => lease::charged(word, now.nanos, debt_ns, self.limit_quanta, quanta),
        }
    }

    /// The word after `quanta` were given back.
    #[inline]
    pub(crate) fn credited(&self, word: u64, now: Moment, quanta: u64) -> u64 {
        match self.form {
            Form::Rate { emission_ns } => word.saturating_sub(emission_ns.saturating_mul(quanta)),
            Form::Window { width_ns } => window::credited(word, now.nanos, width_ns, quanta),
            Form::Quota { period, offset_min } => quota::credited(word, period.index(now.unix_s, offset_min), quanta),
            Form::Concurrency => word.saturating_sub(quanta),
            Form::Lease { .. } => lease::credited(word, now.nanos, self.limit_quanta, quanta),
        }
    }

    /// Whether the account is as good as new, so that forgetting it changes nothing.
    pub(crate) fn is_full(&self, word: u64, now: Moment) -> bool {
        match self.form {
            Form::Rate { .. } => word <= now.nanos,
            Form::Window { width_ns } => window::is_full(word, now.nanos, width_ns),
            Form::Quota { period, offset_min } => quota::used(word, period.index(now.unix_s, offset_min)) == 0,
            Form::Concurrency => word == 0,
            Form::Lease { .. } => lease::is_empty(word, now.nanos),
        }
    }

    /// In how many nanoseconds `quanta` will be there if nobody else asks; none where nobody can know.
    pub(crate) fn wait_ns(&self, word: u64, now: Moment, quanta: u64) -> Option<u64> {
        match self.form {
            Form::Rate { emission_ns } => Some(rate::wait_ns(word, now.nanos, emission_ns, self.limit_quanta, quanta)),
            Form::Window { width_ns } => Some(window::wait_ns(word, now.nanos, width_ns, self.limit_quanta, quanta)),
            Form::Quota { period, offset_min } => {
                let left_s = period.left_s(now.unix_s, offset_min);
                Some(if self.room(word, now) >= quanta { 0 } else { left_s.saturating_mul(NANOS_PER_S) })
            }
            Form::Concurrency | Form::Lease { .. } => None,
        }
    }

    /// The time within which no more than what is there can be had (the effective window of the RateLimit field).
    pub(crate) fn reset_ns(&self, word: u64, now: Moment) -> Option<u64> {
        match self.form {
            Form::Quota { period, offset_min } => {
                Some(period.left_s(now.unix_s, offset_min).saturating_mul(NANOS_PER_S))
            }
            Form::Rate { emission_ns: full_ns } | Form::Window { width_ns: full_ns } => {
                let room = self.room(word, now);
                if room < self.limit_quanta { self.wait_ns(word, now, room.saturating_add(1)) } else { Some(full_ns) }
            }
            Form::Concurrency | Form::Lease { .. } => None,
        }
    }

    /// What was taken in advance may be spent while this stays the same. It ties a share to the window or period that it
    /// was charged to, so that it cannot be carried into the next one.
    #[inline]
    pub(crate) fn era(&self, now: Moment) -> u64 {
        match self.form {
            // A share of a rate stays good for about the time in which a new one would have come back.
            Form::Rate { emission_ns } => now.nanos / emission_ns.saturating_mul(self.limit_quanta).max(1),
            Form::Window { width_ns } => now.nanos / width_ns.max(1),
            Form::Quota { period, offset_min } => period.index(now.unix_s, offset_min),
            Form::Concurrency | Form::Lease { .. } => 0,
        }
    }
    /// The era, where somebody needs it.
    #[inline]
    pub(crate) fn era_if(&self, needed: bool, now: Moment) -> u64 {
        if needed { self.era(now) } else { 0 }
    }
}
