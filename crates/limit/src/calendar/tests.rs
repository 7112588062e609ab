//! The calendar against known dates, and against itself for four centuries.

use super::{DAY_S, Period, days_of_months, months_of_days};

#[test]
fn known_moments() {
    // 2024-02-29T23:30:00Z, in a leap year.
    let leap = 1_709_249_400;
    for (period, offset_min, index, left_s) in [
        (Period::Hour, 0, 474_791, 1_800),
        (Period::Day, 0, 19_782, 1_800),
        (Period::Month, 0, 54 * 12 + 1, 1_800),
        // In Berlin the first of March is half an hour old.
        (Period::Month, 60, 54 * 12 + 2, 31 * DAY_S - 1_800),
        (Period::Day, 60, 19_783, DAY_S - 1_800),
        // In Kathmandu hours end at a quarter.
        (Period::Hour, 345, 474_797, 2_700),
        (Period::Month, -720, 54 * 12 + 1, 1_800 + 12 * 3_600),
    ] {
        assert_eq!(period.index(leap, offset_min), index, "{period:?} {offset_min}");
        assert_eq!(period.left_s(leap, offset_min), left_s, "{period:?} {offset_min}");
    }
}

#[test]
fn months_follow_each_other_without_a_gap_for_four_centuries() {
    let mut first = 0;
    for month in 0..400 * 12 {
        assert_eq!(days_of_months(month), first);
        let year = 1970 + month / 12;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month % 12 {
            1 if leap => 29,
            1 => 28,
            3 | 5 | 8 | 10 => 30,
            _ => 31,
        };
        assert_eq!(months_of_days(first), month);
        assert_eq!(months_of_days(first + days - 1), month);
        first += days;
    }
}

#[test]
fn the_edges_of_time_do_not_panic() {
    for unix_s in [0, 1, DAY_S, u64::MAX / 2, u64::MAX] {
        for offset_min in [i16::MIN, -720, 0, 840, i16::MAX] {
            for period in [Period::Hour, Period::Day, Period::Month] {
                let left_s = period.left_s(unix_s, offset_min);
                assert!((1..=period.seconds()).contains(&left_s), "{period:?} {unix_s} {offset_min}: {left_s}");
            }
        }
    }
}
