//! Health and ejection over time.

use super::{Checked, Ejection, Endpoint, Standing, WEIGHT_ONE, ramp};
use proptest::prelude::{any, prop, proptest};

const RULES: Ejection = Ejection { failures: 3, base_ms: 1_000 };

#[test]
fn failures_in_a_row_eject_longer_each_time() {
    let endpoint = Endpoint::new(0);
    let mut now = 10;
    for _ in 0..2 {
        assert!(!endpoint.failed(&RULES, now, || true));
    }
    endpoint.succeeded(&RULES, now);
    for last in [false, false, true] {
        assert_eq!(endpoint.failed(&RULES, now, || true), last, "a success starts the row anew");
    }
    for times in 1..=12 {
        let long = 1_000 * times.min(10);
        assert_eq!(endpoint.standing(now, 0), Standing::Ejected(now + long));
        assert!(!endpoint.failed(&RULES, now, || true), "it is ejected already");
        now += long;
        assert_eq!(endpoint.standing(now, 0), Standing::Well);
        assert!(endpoint.failed(&RULES, now, || true), "one failure on probation is enough");
    }
    now += 10_000;
    endpoint.succeeded(&RULES, now + 1_001);
    assert!(!endpoint.failed(&RULES, now + 1_001, || true), "the probation is over");
}

#[test]
fn who_may_not_be_ejected_is_not() {
    let endpoint = Endpoint::new(0);
    for _ in 0..10 {
        assert!(!endpoint.failed(&RULES, 5, || false));
    }
    assert_eq!(endpoint.standing(5, 0), Standing::Well);
    assert!(endpoint.failed(&RULES, 6, || true), "it is as soon as it may");
}

#[test]
fn checks_need_a_row_and_the_first_counts_at_once() {
    let endpoint = Endpoint::new(0);
    assert_eq!(endpoint.checked(), Checked::Unknown);
    assert!(endpoint.check(false, (2, 3), 1));
    assert_eq!(endpoint.standing(1, 0), Standing::Down);
    assert!(!endpoint.check(true, (2, 3), 2) && endpoint.check(true, (2, 3), 5));
    assert_eq!(endpoint.standing(6, 1_000), Standing::Warming, "it comes back slowly");
    assert_eq!(endpoint.standing(1_005, 1_000), Standing::Well);
    for (passed, changed) in
        [(false, false), (false, false), (true, false), (false, false), (false, false), (false, true)]
    {
        assert_eq!(endpoint.check(passed, (2, 3), 2_000), changed);
    }
}

#[test]
fn shares_grow_in_a_straight_line() {
    for (age, share) in [(0, 10), (999, 10), (1_000, 10), (5_000, 50), (9_999, 99), (10_000, 100), (u64::MAX, 100)] {
        assert_eq!(ramp(age, 10_000), share, "{age}");
    }
    assert_eq!(ramp(0, 0), WEIGHT_ONE, "without a slow start there is none");
    assert_eq!(Endpoint::new(0).share(0, 10_000), WEIGHT_ONE, "what was there from the start is warm");
}

proptest! {
    #[test]
    fn nobody_is_lost_for_ever(events in prop::collection::vec((any::<bool>(), 0u64..3_000), 0..200)) {
        let endpoint = Endpoint::new(0);
        let mut now = 1;
        for (good, later) in events {
            now += later;
            if good { endpoint.succeeded(&RULES, now) } else { endpoint.failed(&RULES, now, || true); }
        }
        assert!(!endpoint.is_ejected(now + 10 * RULES.base_ms), "ten times the first ejection is the longest");
    }
}
