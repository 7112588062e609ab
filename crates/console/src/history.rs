//! The last five minutes, second by second: how many requests, what became of them, how long they took.

use portcullis_proxy::Totals;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// LIMIT: seconds that are remembered.
pub(crate) const SECONDS: usize = 300;

/// What happened within one second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Second {
    pub(crate) served: u64,
    pub(crate) refused: u64,
    /// Failed, truncated or left by the client.
    pub(crate) failed: u64,
    total: Vec<u64>,
    gateway: Vec<u64>,
}

/// The last seconds.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    before: Option<Totals>,
    seconds: VecDeque<Second>,
}

// === impl History ===

impl History {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the counts of this second.
    pub(crate) fn sample(&self, now: Totals) {
        let mut kept = self.kept();
        if let Some(before) = kept.before.replace(now.clone()) {
            let more = |outcome: &str| {
                let count = |totals: &Totals| totals.outcomes.get(outcome).copied().unwrap_or(0);
                count(&now).saturating_sub(count(&before))
            };
            let grown = |now: &[u64], before: &[u64]| {
                now.iter().zip(before).map(|(now, before)| now.saturating_sub(*before)).collect()
            };
            kept.seconds.push_back(Second {
                served: more("served") + more("answered"),
                refused: more("refused"),
                failed: more("failed") + more("truncated") + more("gone"),
                total: grown(&now.total, &before.total),
                gateway: grown(&now.gateway, &before.gateway),
            });
            let surplus = kept.seconds.len().saturating_sub(SECONDS);
            kept.seconds.drain(..surplus);
        }
    }

    /// The last seconds, the oldest first.
    pub(crate) fn last(&self, count: usize) -> Vec<Second> {
        let kept = self.kept();
        let older = kept.seconds.len().saturating_sub(count);
        kept.seconds.iter().skip(older).cloned().collect()
    }
}

/// Below which bound so many of a thousand requests stayed, in microseconds: of the whole time and of the gateway's own. `None`
/// without requests, or where it took longer than there are bounds for.
pub(crate) fn quantile(seconds: &[Second], permille: u64) -> (Option<u64>, Option<u64>) {
    let of = |pick: fn(&Second) -> &[u64]| {
        let mut sums = vec![0_u64; Totals::BOUNDS_US.len() + 1];
        for second in seconds {
            sums.iter_mut().zip(pick(second)).for_each(|(sum, count)| *sum += count);
        }
        let all: u64 = sums.iter().sum();
        let wanted = (all * permille).div_ceil(1000);
        let mut below = 0;
        let place = sums.iter().position(|count| {
            below += count;
            below >= wanted && wanted > 0
        });
        place.and_then(|place| Totals::BOUNDS_US.get(place)).copied()
    };
    (of(|second| &second.total), of(|second| &second.gateway))
}

#[cfg(test)]
mod tests {
    use super::{History, SECONDS, quantile};
    use portcullis_proxy::Totals;

    fn totals(served: u64, refused: u64, fast: u64, slow: u64) -> Totals {
        let mut total = vec![0; Totals::BOUNDS_US.len() + 1];
        (total[0], total[3]) = (fast, slow);
        Totals {
            outcomes: [("served", served), ("refused", refused)].into(),
            gateway: total.clone(),
            total,
            connections: 0,
        }
    }

    #[test]
    fn seconds_are_what_counts_grow_by() {
        let history = History::default();
        history.sample(totals(10, 0, 10, 0));
        assert!(history.last(10).is_empty(), "what was before the first look is nothing of a second");
        history.sample(totals(13, 1, 13, 1));
        history.sample(totals(13, 1, 13, 1));
        let last = history.last(10);
        assert_eq!((last[0].served, last[0].refused, last[1].served), (3, 1, 0));
        assert_eq!(quantile(&last, 500), (Some(50), Some(50)));
        assert_eq!(quantile(&last, 990), (Some(500), Some(500)));
        assert_eq!(quantile(&[], 500), (None, None));
        (0..2 * SECONDS).for_each(|_| history.sample(totals(20, 2, 20, 2)));
        assert_eq!(history.last(usize::MAX).len(), SECONDS);
    }
}
