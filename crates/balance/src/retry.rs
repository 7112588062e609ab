//! Whether a request may be sent again, and after how long: a budget, so that an outage is not answered with more
//! requests, and a pause by chance, so that they do not all come at once.

use portcullis_types::Millis;

/// One retry, in the unit of the budget.
const RETRY: u64 = 100;
/// LIMIT: retries that may be saved up.
const SAVED_MAX: u64 = 10 * RETRY;

/// How much may be asked again: a percentage of what is asked, and a little in stock for those who are rarely asked.
#[derive(Clone, Debug)]
pub struct Budget {
    saved: u64,
    percent: u64,
}

/// Pauses before retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Before the first one.
    pub base_ms: Millis,
    /// At most.
    pub max_ms: Millis,
}

// === impl Budget ===

impl Budget {
    /// A full stock of ten retries, none if the percentage is 0.
    #[must_use]
    pub fn new(percent: u32) -> Self {
        Self { saved: if percent == 0 { 0 } else { SAVED_MAX }, percent: u64::from(percent) }
    }

    /// The percentage that it was made with.
    #[must_use]
    pub fn percent(&self) -> u64 {
        self.percent
    }

    /// A request is asked for the first time.
    pub fn asked(&mut self) {
        self.saved = self.saved.saturating_add(self.percent).min(SAVED_MAX);
    }

    /// Takes one retry, if there is one.
    pub fn take(&mut self) -> bool {
        let left = self.saved.checked_sub(RETRY);
        self.saved = left.unwrap_or(self.saved);
        left.is_some()
    }
}

// === impl Backoff ===

impl Backoff {
    /// The pause before retry `number`, from 1: doubled each time, and somewhere between a half and all of that.
    #[must_use]
    pub fn pause(&self, number: u32, random: u64) -> Millis {
        let factor = 1u64.checked_shl(number.saturating_sub(1)).unwrap_or(u64::MAX);
        let full = self.base_ms.saturating_mul(factor).min(self.max_ms);
        let half = full / 2;
        half.saturating_add(random % full.saturating_sub(half).saturating_add(1))
    }
}

#[cfg(test)]
mod tests;
