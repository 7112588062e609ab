//! The parts by themselves.

use crate::baseline::Baseline;
use crate::counts::Different;
use crate::event::mix;
use crate::table::Table;
use crate::{DAY, Finding, HOUR, Kind, Ladder, Rungs, Step, Who};

#[test]
fn a_baseline_follows_the_hour_and_forgets() {
    let mut baseline = Baseline::default();
    // Ten a minute from 9 to 10, none else.
    for day in 0..5 {
        for minute in day * DAY..(day + 1) * DAY {
            baseline.learn(minute, if minute / HOUR % 24 == 9 { 10.0 } else { 0.0 });
        }
    }
    let at = |hour: u64| 5 * DAY + hour * HOUR;
    assert!((baseline.usual(at(9)) - 10.0).abs() < 0.5, "{}", baseline.usual(at(9)));
    assert!(baseline.usual(at(8)) > 9.0, "the hour before is not a surprise");
    assert!(baseline.usual(at(3)) < 0.01);
    assert!(baseline.bound(at(9), 0.0) < 60.0 && baseline.bound(at(9), 0.0) > 20.0);
    // Three days of silence, told at once or minute by minute, come to the same.
    let mut slow = baseline.clone();
    (at(0)..at(0) + 3 * DAY).for_each(|minute| slow.learn(minute, 0.0));
    baseline.rest(at(0) - 1, at(0) + 3 * DAY);
    let (one, other) = (baseline.usual(at(9)), slow.usual(at(9)));
    assert!((one - other).abs() < 0.2 && one < 5.0, "{one} {other}");
}

#[test]
fn different_things_are_counted_roughly() {
    for count in [0u64, 1, 10, 50, 200, 500] {
        let mut different = Different::default();
        (0..count * 5).for_each(|number| different.note(mix(number % count.max(1))));
        let (found, real) = (different.count(), count as f32);
        assert!((found - real).abs() <= 2.0 + real * 0.15, "{found} instead of {real}");
    }
}

#[test]
fn whoever_was_not_seen_for_longest_makes_room() {
    let mut table: Table<u64> = Table::new(512);
    for name in 0..512 {
        *table.of(name, 1 + name).unwrap() = name;
    }
    assert_eq!(*table.of(0, 600).unwrap(), 0, "it is there, and seen again");
    // One more in its row: not the one that was just seen goes.
    *table.of(512, 601).unwrap() = 512;
    assert_eq!((*table.of(0, 602).unwrap(), *table.of(512, 602).unwrap()), (0, 512));
    assert_eq!(*table.of(64, 603).unwrap(), 0, "the oldest was forgotten");
}

#[test]
fn steps_go_up_with_findings_and_down_with_time() {
    let who = Who::Principal(1);
    let finding = |kind: Kind, at_ms| Finding { kind, who, at_ms, seen: 9.0, usual: 1.0, bound: 3.0, window_s: 60 };
    let rungs = Rungs::up_to(Step::Block);
    let mut ladder = Ladder::default();
    assert_eq!(ladder.note(&finding(Kind::NewClient, 0), &rungs), (Step::Observe, false));
    assert_eq!(ladder.note(&finding(Kind::Rate, 0), &rungs), (Step::Slow, true));
    assert_eq!(ladder.note(&finding(Kind::Sweep, 0), &rungs), (Step::Refuse, true));
    assert_eq!(ladder.note(&finding(Kind::Sequential, 0), &rungs), (Step::Block, true));
    assert_eq!(ladder.step(rungs.block_ms - 1, &rungs), Step::Block);
    // What is left of the points after the block says how it goes on.
    assert_eq!(ladder.step(rungs.block_ms, &rungs), Step::Observe);
    let mut ladder = Ladder::default();
    let exact = Rungs { points: [2, 4, 99], ..rungs };
    assert_eq!(ladder.note(&finding(Kind::Sequential, 0), &exact), (Step::Refuse, true));
    let end = ladder.until_ms(0, &exact);
    assert_eq!(end, exact.half_life_ms, "a step that was just reached holds until half of it is forgotten");
    assert_eq!((ladder.step(end - 1, &exact), ladder.step(end + 1, &exact)), (Step::Refuse, Step::Slow));
    let shy = Rungs::up_to(Step::Observe);
    let mut ladder = Ladder::default();
    for _ in 0..10 {
        assert_eq!(ladder.note(&finding(Kind::Sequential, 0), &shy), (Step::Observe, false), "nothing is done unasked");
    }
    ladder.pardon();
    assert_eq!(ladder.step(0, &rungs), Step::Observe);
}
