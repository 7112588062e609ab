//! How often one account may change something: each change is a line of the audit log, which is kept for ever.

use crate::problem::Problem;
use portcullis_types::Millis;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

// LIMIT: changes of one account in an hour.
const CHANGES_MAX: u32 = 60;
const HOUR_MS: Millis = 60 * 60 * 1000;
// LIMIT: accounts whose changes are counted; beyond it all are let go whose hour is over.
const ACCOUNTS_MAX: usize = 10_000;

/// By account, when its hour began and how often it has changed something since.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<HashMap<Arc<str>, (Millis, u32)>>);

// === impl Pace ===

impl Pace {
    #[cfg(test)]
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Counts a change; refused if there are too many.
    pub(super) fn step(&self, account: &Arc<str>, now: Millis) -> Result<(), Problem> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |begun: Millis| now.saturating_sub(begun) >= HOUR_MS;
        if all.len() >= ACCOUNTS_MAX && !all.contains_key(account) {
            all.retain(|_, (begun, _)| !is_over(*begun));
            if all.len() >= ACCOUNTS_MAX {
                return Err(Problem::busy());
            }
        }
        let (begun, count) = all.entry(Arc::clone(account)).or_insert((now, 0));
        if is_over(*begun) {
            (*begun, *count) = (now, 0);
        }
        if *count >= CHANGES_MAX {
            let left_ms = HOUR_MS.saturating_sub(now.saturating_sub(*begun));
            return Err(Problem::too_many_changes(left_ms.div_ceil(1000)));
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{CHANGES_MAX, HOUR_MS, Pace};
    use std::sync::Arc;

    #[test]
    fn each_account_has_its_own_hour() {
        let (pace, a, b): (_, Arc<str>, Arc<str>) = (Pace::default(), "a".into(), "b".into());
        for _ in 0..CHANGES_MAX {
            pace.step(&a, 1_000).unwrap();
        }
        let refused = pace.step(&a, 2_000).unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.retry_after), (429, Some(3_599)));
        pace.step(&b, 2_000).unwrap();
        pace.step(&a, 1_000 + HOUR_MS).unwrap();
    }
}
