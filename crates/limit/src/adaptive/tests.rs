//! The limit finds a made-up upstream's capacity, and loses it again when the upstream does.

use super::{Adaptive, AdaptiveRules, Outcome, Priority};

const RULES: AdaptiveRules = AdaptiveRules {
    limit_min: 2,
    limit_max: 200,
    slow_percent: 150,
    memory_ns: 10_000_000_000,
    decrease_every_ns: 20_000_000,
};
const ROUND_NS: u64 = 10_000_000;

/// As many as may run do, for so many rounds; more than `capacity` at once wait for each other.
fn drive(adaptive: &mut Adaptive, now_ns: &mut u64, rounds: u32, capacity: u32) {
    for _ in 0..rounds {
        let mut running = 0;
        while adaptive.begin(Priority::High) {
            running += 1;
        }
        let took_ns = if running <= capacity { ROUND_NS } else { ROUND_NS * u64::from(running) / u64::from(capacity) };
        *now_ns += took_ns;
        for _ in 0..running {
            adaptive.finish(Outcome::Answered(took_ns), *now_ns);
        }
        assert_eq!(adaptive.running(), 0);
    }
}

#[test]
fn it_finds_what_the_upstream_can_do_and_follows_it() {
    let (mut adaptive, mut now_ns) = (Adaptive::new(RULES), 0);
    drive(&mut adaptive, &mut now_ns, 500, 60);
    assert!((45..=95).contains(&adaptive.limit()), "{}", adaptive.limit());
    drive(&mut adaptive, &mut now_ns, 200, 20);
    assert!((12..=35).contains(&adaptive.limit()), "{}", adaptive.limit());
    drive(&mut adaptive, &mut now_ns, 500, 60);
    assert!((45..=95).contains(&adaptive.limit()), "{}", adaptive.limit());
}

#[test]
fn it_stays_between_its_bounds() {
    let (mut adaptive, mut now_ns) = (Adaptive::new(RULES), 0);
    drive(&mut adaptive, &mut now_ns, 1_000, u32::MAX);
    assert_eq!(adaptive.limit(), 200);
    for _ in 0..200 {
        now_ns += RULES.decrease_every_ns;
        assert!(adaptive.begin(Priority::High));
        adaptive.finish(Outcome::Overloaded, now_ns);
    }
    assert_eq!(adaptive.limit(), 2);
}

#[test]
fn one_bad_moment_counts_once_and_unused_room_does_not_grow() {
    let mut adaptive = Adaptive::new(RULES);
    let before = adaptive.limit();
    for _ in 0..10 {
        assert!(adaptive.begin(Priority::High));
    }
    for _ in 0..10 {
        adaptive.finish(Outcome::Overloaded, 1_000_000_000);
    }
    assert_eq!(adaptive.limit(), before * 9 / 10);
    let before = adaptive.limit();
    for step in 0..1_000 {
        assert!(adaptive.begin(Priority::High));
        adaptive.finish(Outcome::Answered(ROUND_NS), 2_000_000_000 + step);
    }
    assert_eq!(adaptive.limit(), before, "one at a time proves nothing about more");
}

#[test]
fn low_priority_is_shed_first() {
    let mut adaptive = Adaptive::new(RULES);
    assert_eq!(adaptive.limit(), 20);
    let mut admitted = |priority| {
        let mut count = 0;
        while adaptive.begin(priority) {
            count += 1;
        }
        count
    };
    assert_eq!(admitted(Priority::Low), 10);
    assert_eq!(admitted(Priority::Normal), 8);
    assert_eq!(admitted(Priority::High), 2);
}

#[test]
fn an_upstream_that_became_slower_for_good_is_not_squeezed_for_good() {
    let (mut adaptive, mut now_ns) = (Adaptive::new(RULES), 0);
    drive(&mut adaptive, &mut now_ns, 300, 60);
    for _ in 0..3_000 {
        let mut running = 0;
        while adaptive.begin(Priority::High) {
            running += 1;
        }
        now_ns += 3 * ROUND_NS;
        (0..running).for_each(|_| adaptive.finish(Outcome::Answered(3 * ROUND_NS), now_ns));
    }
    assert!(adaptive.limit() > 100, "{}", adaptive.limit());
}

#[test]
fn numbers_at_the_edge_do_not_panic() {
    let rules =
        AdaptiveRules { limit_min: 0, limit_max: 0, slow_percent: 0, memory_ns: 0, decrease_every_ns: u64::MAX };
    let mut adaptive = Adaptive::new(rules);
    adaptive.finish(Outcome::Answered(u64::MAX), u64::MAX);
    adaptive.finish(Outcome::Overloaded, 0);
    adaptive.finish(Outcome::Unknown, 0);
    assert!(adaptive.begin(Priority::Low), "one may always run");
    assert!(!adaptive.begin(Priority::High));
    let mut widest = Adaptive::new(AdaptiveRules { limit_min: u32::MAX, limit_max: 0, ..RULES });
    widest.finish(Outcome::Overloaded, 1);
    assert_eq!(widest.limit(), u32::MAX);
}
