//! A total outage brings no storm of retries.

use super::{Backoff, Budget};
use proptest::prelude::{any, prop, proptest};

#[test]
fn an_outage_is_asked_for_little_more() {
    for percent in [0, 10, 20, 100] {
        let mut budget = Budget::new(percent);
        let mut retries = 0;
        for _ in 0..1_000 {
            budget.asked();
            retries += u32::from(budget.take()) + u32::from(budget.take());
        }
        let stock = if percent == 0 { 0 } else { 10 };
        assert!(retries <= 10 * percent + stock && retries >= 10 * percent, "{percent}: {retries}");
    }
}

proptest! {
    #[test]
    fn retries_stay_within_the_budget(percent in 0u32..=100, events in prop::collection::vec(any::<bool>(), 0..500)) {
        let mut budget = Budget::new(percent);
        let (mut asked, mut taken) = (0u32, 0u32);
        for first in events {
            if first { budget.asked(); asked += 1 } else { taken += u32::from(budget.take()) }
            assert!(taken * 100 <= asked * percent + 1_000);
        }
    }

    #[test]
    fn pauses_grow_and_stay_below_their_limit(number in 1u32..100, random: u64) {
        let backoff = Backoff { base_ms: 25, max_ms: 250 };
        let pause = backoff.pause(number, random);
        let full = if number < 5 { 25 << (number - 1) } else { 250 }.min(250);
        assert!(pause >= full / 2 && pause <= full, "{number}: {pause}");
    }
}
