//! The arithmetic of single accounts, row by row and against plain counting.

use super::{BUSY, Rule};
use crate::calendar::Period;
use crate::moment::{Moment, NANOS_PER_S};
use crate::policy::{Kind, UNITS_MAX};
use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use std::collections::VecDeque;

const MS: u64 = 1_000_000;

fn at(nanos: u64) -> Moment {
    Moment { nanos, unix_s: 1_700_000_000 + nanos / NANOS_PER_S }
}

/// Takes one unit at each moment; true where there was room.
fn ones(kind: Kind, moments_ns: &[u64]) -> Vec<bool> {
    let (rule, mut word) = (Rule::new(kind), 0);
    let mut take = |nanos: &u64| {
        let has_room = rule.room(word, at(*nanos)) > 0;
        if has_room {
            word = rule.charged(word, at(*nanos), 1);
        }
        has_room
    };
    moments_ns.iter().map(&mut take).collect()
}

#[test]
fn a_rate_lets_its_burst_pass_and_then_one_by_one() {
    let kind = Kind::Rate { units: 10, per_ns: NANOS_PER_S, burst: 3 };
    let moments = [5 * MS, 5 * MS, 5 * MS, 5 * MS, 104 * MS, 105 * MS, 106 * MS, 204 * MS, 205 * MS];
    assert_eq!(ones(kind, &moments), [true, true, true, false, false, true, false, false, true]);
    let kind = Kind::Rate { units: 3, per_ns: NANOS_PER_S, burst: 3 };
    assert_eq!(ones(kind, &[0; 4]), [true, true, true, false], "a step that is no whole number of nanoseconds");
}

#[test]
fn a_window_forgets_gradually() {
    let kind = Kind::Window { limit: 4, width_ns: 100 };
    // Four at the end of a window; then a quarter comes back with each quarter of the next.
    let moments = [199, 199, 199, 199, 199, 200, 224, 225, 225, 250, 250, 299, 300];
    let expected = [true, true, true, true, false, false, false, true, false, true, false, true, true];
    assert_eq!(ones(kind, &moments), expected);
    assert_eq!(
        ones(kind, &[0, 0, 0, 0, 200, 200, 200, 200, 200]),
        [true, true, true, true, true, true, true, true, false]
    );
}

#[test]
fn a_quota_is_given_anew_each_period_and_a_clock_set_back_resets_nothing() {
    let rule = Rule::new(Kind::Quota { limit: 2, period: Period::Hour, offset_min: 0 });
    let hour = |number: u64| Moment { nanos: 0, unix_s: number * 3_600 };
    let word = rule.charged(0, hour(500_000), 2);
    assert_eq!(rule.room(word, hour(500_000)), 0);
    assert_eq!(rule.room(word, hour(500_001)), 2);
    assert_eq!(rule.room(word, hour(499_999)), 0);
    assert!(!rule.is_full(word, hour(499_999)));
    assert!(rule.is_full(word, hour(500_001)));
    let late = rule.charged(rule.charged(word, hour(500_001), 1), hour(500_000), 1);
    assert_eq!(rule.room(late, hour(500_001)), 0, "a charge by a late clock counts in the later period");
}

#[test]
fn debt_ends_at_one_limit() {
    for kind in
        [Kind::Rate { units: 10, per_ns: NANOS_PER_S, burst: 10 }, Kind::Window { limit: 10, width_ns: NANOS_PER_S }]
    {
        let rule = Rule::new(kind);
        let word = rule.charged(0, at(0), 1_000_000);
        assert_eq!(rule.room(word, at(0)), 0, "{kind:?}");
        assert!(rule.room(word, at(3 * NANOS_PER_S)) > 0, "{kind:?}");
    }
}

#[test]
fn large_limits_keep_their_size_to_a_thousandth() {
    for kind in [
        Kind::Rate { units: 3_000_000_000, per_ns: NANOS_PER_S, burst: 1_000_000_000 },
        Kind::Window { limit: 1_000_000_000, width_ns: NANOS_PER_S },
        Kind::Quota { limit: UNITS_MAX, period: Period::Month, offset_min: 0 },
    ] {
        let rule = Rule::new(kind);
        let limit = match kind {
            Kind::Rate { burst: limit, .. } | Kind::Window { limit, .. } | Kind::Quota { limit, .. } => limit,
            Kind::Concurrency { .. } => 0,
        };
        let kept = rule.limit_quanta() * rule.quantum();
        assert!(kept <= limit && kept > limit - limit / 1_000, "{kind:?}: {kept}");
        let spent = rule.charged(0, at(0), rule.limit_quanta());
        assert_eq!(rule.room(spent, at(0)), 0, "{kind:?}");
    }
    let rule = Rule::new(Kind::Rate { units: 3_000_000_000, per_ns: NANOS_PER_S, burst: 1_000_000_000 });
    let spent = rule.charged(0, at(0), rule.limit_quanta());
    let back = rule.room(spent, at(NANOS_PER_S / 10)) * rule.quantum();
    assert!((299_000_000..=300_000_000).contains(&back), "{back}");
}

fn kinds() -> impl Strategy<Value = Kind> {
    let rate =
        (1..50_u64, 1..5_000_u64, 1..50_u64).prop_map(|(units, per_ns, burst)| Kind::Rate { units, per_ns, burst });
    let window = (1..50_u64, 1..5_000_u64).prop_map(|(limit, width_ns)| Kind::Window { limit, width_ns });
    prop_oneof![rate, window]
}

proptest! {
    /// What the documentation of `Kind` promises for every interval, counted plainly.
    #[test]
    fn no_interval_exceeds_its_bound(kind in kinds(), steps in proptest::collection::vec((0..400_u64, 1..4_u64), 1..200)) {
        let (rule, mut word, mut now) = (Rule::new(kind), 0, 7);
        let mut admitted: VecDeque<(u64, u64)> = VecDeque::new();
        for (step, need) in steps {
            now += step;
            if rule.room(word, at(now)) < need {
                continue;
            }
            word = rule.charged(word, at(now), need);
            admitted.push_back((now, need));
            let mut sum = 0;
            for (then, units) in admitted.iter().rev() {
                sum += units;
                let long = u128::from(now - then);
                let (bound, enough) = match kind {
                    Kind::Rate { units, per_ns, burst } => {
                        (u128::from(burst) * u128::from(per_ns) + u128::from(units) * long, u128::from(per_ns))
                    }
                    Kind::Window { width_ns, .. } if long > u128::from(width_ns) => continue,
                    Kind::Window { limit, width_ns } => (u128::from(limit) * (u128::from(width_ns) + long), u128::from(width_ns)),
                    Kind::Quota { .. } | Kind::Concurrency { .. } => continue,
                };
                assert!(u128::from(sum) * enough <= bound, "{sum} within {long} ns");
            }
        }
    }

    /// After the wait that was told there is room; a nanosecond before there was not.
    #[test]
    fn the_wait_is_exact(kind in kinds(), steps in proptest::collection::vec((0..400_u64, 1..4_u64), 1..60), need in 1..50_u64) {
        let (rule, mut word, mut now) = (Rule::new(kind), 0, 7);
        for (step, units) in steps {
            now += step;
            word = rule.charged(word, at(now), units.min(rule.room(word, at(now))));
        }
        let need = need.min(rule.limit_quanta());
        let wait_ns = rule.wait_ns(word, at(now), need).unwrap();
        assert!(rule.room(word, at(now + wait_ns)) >= need, "wait {wait_ns}");
        assert!(wait_ns == 0 || rule.room(word, at(now + wait_ns - 1)) < need, "wait {wait_ns}");
    }

    /// Whatever the word and the moment, nothing panics, nothing becomes the mark, and full means full.
    #[test]
    fn any_word_at_any_moment(word in any::<u64>(), nanos in any::<u64>(), unix_s in any::<u64>(), quanta in any::<u64>(), limit in 1..=UNITS_MAX, time_ns in 1..1_000_000_000_000_u64) {
        let now = Moment { nanos, unix_s };
        for kind in [
            Kind::Rate { units: limit, per_ns: time_ns, burst: limit },
            Kind::Window { limit, width_ns: time_ns },
            Kind::Quota { limit, period: Period::Month, offset_min: -720 },
            Kind::Concurrency { limit },
        ] {
            let rule = Rule::new(kind);
            let word = word.min(BUSY - 1);
            assert!(rule.charged(word, now, quanta) < BUSY, "{kind:?}");
            assert!(rule.credited(word, now, quanta) < BUSY, "{kind:?}");
            assert!(!rule.is_full(word, now) || rule.room(word, now) == rule.limit_quanta(), "{kind:?}");
            assert!(rule.is_full(0, now), "{kind:?}");
            let told = (rule.wait_ns(word, now, quanta), rule.reset_ns(word, now), rule.era(now));
            assert!(told.0.is_some() || rule.is_concurrency());
        }
    }
}
