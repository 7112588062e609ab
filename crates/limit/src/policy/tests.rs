//! Limits that cannot be kept are refused; the others say what they are.

use super::{Kind, Policy, PolicyError, UNITS_MAX, Unit};
use crate::calendar::Period;
use crate::moment::NANOS_PER_S;

fn rate(units: u64, per_ns: u64, burst: u64) -> Kind {
    Kind::Rate { units, per_ns, burst }
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let quota = |offset_min| Kind::Quota { limit: 1, period: Period::Day, offset_min };
    for (name, kind, expected) in [
        ("", rate(1, 1, 1), PolicyError::Name),
        ("a\"b", rate(1, 1, 1), PolicyError::Name),
        ("a b", rate(1, 1, 1), PolicyError::Name),
        ("ä", rate(1, 1, 1), PolicyError::Name),
        ("a", rate(0, NANOS_PER_S, 1), PolicyError::Nought),
        ("a", rate(1, NANOS_PER_S, 0), PolicyError::Nought),
        ("a", Kind::Concurrency { limit: 0 }, PolicyError::Nought),
        ("a", Kind::Concurrency { limit: UNITS_MAX + 1 }, PolicyError::TooMuch),
        ("a", rate(1, 0, 1), PolicyError::Time),
        ("a", Kind::Window { limit: 1, width_ns: u64::MAX }, PolicyError::Time),
        ("a", rate(1, 3_600 * NANOS_PER_S, 10_000), PolicyError::TooSlow),
        ("a", quota(-721), PolicyError::Offset),
        ("a", quota(841), PolicyError::Offset),
    ] {
        assert_eq!(Policy::new(name, kind, Unit::Requests), Err(expected), "{name} {kind:?}");
    }
    assert_eq!(Policy::new(&"n".repeat(65), rate(1, 1, 1), Unit::Requests), Err(PolicyError::Name));
}

#[test]
fn the_window_of_a_rate_is_the_time_in_which_its_burst_comes_back() {
    for (kind, expected) in [
        (rate(20, NANOS_PER_S, 40), Some(2)),
        (rate(50, NANOS_PER_S, 1), Some(1)),
        (rate(3, NANOS_PER_S, 10), Some(4)),
        (Kind::Window { limit: 5, width_ns: 1 }, Some(1)),
        (Kind::Quota { limit: 5, period: Period::Hour, offset_min: 0 }, Some(3_600)),
        (Kind::Concurrency { limit: 5 }, None),
    ] {
        assert_eq!(Policy::new("p", kind, Unit::Requests).unwrap().window_s(), expected, "{kind:?}");
    }
}
