//! A limit as it was configured, checked: what is counted, how much of it, over which time.

use crate::calendar::Period;
use crate::moment::{NANOS_PER_S, seconds_up};
use crate::rule::Rule;

#[cfg(test)]
mod tests;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// One per request.
    Requests,
    /// Bytes of content.
    ContentBytes,
    /// What an operation, the contract or the answer says it costs.
    Cost,
}

/// How it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `units` per `per_ns`, evenly, with up to `burst` at once: the virtual scheduling form of the generic cell rate
    /// algorithm (ITU-T I.371, annex A). Over any interval of d: at most `burst` + `units` · d / `per_ns`.
    Rate {
        /// How many come back per `per_ns`.
        units: u64,
        /// The time in which `units` come back.
        per_ns: u64,
        /// How many can be saved up.
        burst: u64,
    },
    /// At most `limit` over the last `width_ns`, where the window before the present one counts as if its units had been
    /// spread evenly. Over any interval of d ≤ `width_ns`: at most `limit` · (1 + d / `width_ns`); with steady callers,
    /// `limit`.
    Window {
        /// How many fit into a window.
        limit: u64,
        /// How long a window is.
        width_ns: u64,
    },
    /// `limit` per calendar period. Never more than `limit` within one.
    Quota {
        /// How many per period.
        limit: u64,
        /// Which period.
        period: Period,
        /// Minutes that the stated time zone is ahead of UTC, −720 to 840.
        offset_min: i16,
    },
    /// At most `limit` at the same time.
    Concurrency {
        /// How many permits there are.
        limit: u64,
    },
}

/// A checked limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    name: String,
    kind: Kind,
    unit: Unit,
    shadow: bool,
    pub(crate) rule: Rule,
}

/// Why a limit cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// The name is empty, longer than 64 bytes, or has something other than letters, digits, `-`, `_` and `.`.
    Name,
    /// Limit, burst or rate is nought: that is a closed route, which has a setting of its own.
    Nought,
    /// Limit, burst or rate is above 999,999,999,999,999, the largest integer of a structured field (RFC 9651).
    TooMuch,
    /// The time is nought or above a year.
    Time,
    /// The offset is not one that the world uses: −12 to +14 hours.
    Offset,
    /// One unit takes longer to come back than a year.
    TooSlow,
}

/// LIMIT: names go onto the wire with every answer.
const NAME_BYTES_MAX: usize = 64;
/// LIMIT: integers of structured fields have at most 15 digits (RFC 9651 section 3.3.1).
pub(crate) const UNITS_MAX: u64 = 999_999_999_999_999;
/// LIMIT: a year, so that sums of times stay far from overflowing.
const TIME_NS_MAX: u64 = 366 * 86_400 * NANOS_PER_S;
const OFFSET_MIN_RANGE: std::ops::RangeInclusive<i16> = -720..=840;

// === impl Policy ===

impl Policy {
    /// Checks a limit.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn new(name: &str, kind: Kind, unit: Unit) -> Result<Self, PolicyError> {
        let named = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !named {
            return Err(PolicyError::Name);
        }
        let amounts = match kind {
            Kind::Rate { units, burst, .. } => [units, burst],
            Kind::Window { limit, .. } | Kind::Quota { limit, .. } | Kind::Concurrency { limit } => [limit; 2],
        };
        if amounts.contains(&0) {
            return Err(PolicyError::Nought);
        }
        if amounts.iter().any(|amount| *amount > UNITS_MAX) {
            return Err(PolicyError::TooMuch);
        }
        match kind {
            Kind::Rate { per_ns: time_ns, .. } | Kind::Window { width_ns: time_ns, .. } => {
                if !(1..=TIME_NS_MAX).contains(&time_ns) {
                    return Err(PolicyError::Time);
                }
            }
            Kind::Quota { offset_min, .. } if !OFFSET_MIN_RANGE.contains(&offset_min) => {
                return Err(PolicyError::Offset);
            }
            Kind::Quota { .. } | Kind::Concurrency { .. } => {}
        }
        let rule = Rule::new(kind);
        if rule.slowest_ns() > TIME_NS_MAX {
            return Err(PolicyError::TooSlow);
        }
        Ok(Self { name: name.to_owned(), kind, unit, shadow: false, rule })
    }

    /// The same limit in shadow: it counts and says what it would have refused, and refuses nothing.
    #[must_use]
    pub fn shadow(mut self) -> Self {
        self.shadow = true;
        self
    }

    /// Its name on the wire.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it counts.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What it counts.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// Whether it only watches.
    #[must_use]
    pub const fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// The most that can be had at once: burst, limit or number of permits.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        match self.kind {
            Kind::Rate { burst: limit, .. }
            | Kind::Window { limit, .. }
            | Kind::Quota { limit, .. }
            | Kind::Concurrency { limit } => limit,
        }
    }

    /// The time window in whole seconds, at least one; none for permits. For a rate it is the time in which a spent burst
    /// comes back.
    #[must_use]
    pub fn window_s(&self) -> Option<u64> {
        match self.kind {
            Kind::Rate { units, per_ns, burst } => {
                let whole_ns = u128::from(burst).saturating_mul(u128::from(per_ns)).div_ceil(u128::from(units));
                Some(seconds_up(u64::try_from(whole_ns).unwrap_or(u64::MAX)).max(1))
            }
            Kind::Window { width_ns, .. } => Some(seconds_up(width_ns).max(1)),
            Kind::Quota { period, .. } => Some(period.seconds()),
            Kind::Concurrency { .. } => None,
        }
    }
}

// === impl PolicyError ===

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Name => "the name must be 1 to 64 letters, digits, `-`, `_` or `.`",
            Self::Nought => "a limit of nought lets nobody in; close the route instead",
            Self::TooMuch => "the limit is above 999999999999999",
            Self::Time => "the time must be above nought and at most a year",
            Self::Offset => "the offset must lie between -12:00 and +14:00",
            Self::TooSlow => "the burst would take longer than a year to come back",
        })
    }
}

impl std::error::Error for PolicyError {}
