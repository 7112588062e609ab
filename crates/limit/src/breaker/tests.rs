//! The breaker's states, turned by hand.

use super::{Breaker, BreakerRules, BreakerState};

const RULES: BreakerRules =
    BreakerRules { window_ns: 1_000, calls_min: 10, failed_percent: 50, open_ns: 100, open_max_ns: 300, trials: 2 };

fn call(breaker: &mut Breaker, failed: bool, now_ns: u64) {
    let trial = breaker.admit(now_ns).unwrap();
    breaker.record(&trial, failed, now_ns);
}

/// A breaker that opened at 10.
fn open() -> Breaker {
    let mut breaker = Breaker::new(RULES);
    for now_ns in 1..=10 {
        call(&mut breaker, true, now_ns);
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

#[test]
fn few_calls_prove_nothing_and_few_failures_neither() {
    let mut breaker = Breaker::new(RULES);
    for now_ns in 0..9 {
        call(&mut breaker, true, now_ns);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    let mut breaker = Breaker::new(RULES);
    for now_ns in 0..1_000 {
        call(&mut breaker, now_ns % 3 == 2, now_ns);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn failures_of_another_window_are_forgotten() {
    let mut breaker = Breaker::new(RULES);
    for now_ns in 0..9 {
        call(&mut breaker, true, now_ns);
    }
    call(&mut breaker, true, 2_000);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn open_refuses_and_says_for_how_long() {
    let mut breaker = open();
    assert_eq!(breaker.admit(10), Err(100));
    assert_eq!(breaker.admit(109), Err(1));
    assert!(breaker.admit(110).is_ok());
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

#[test]
fn trials_are_few_and_close_it_when_they_succeed() {
    let mut breaker = open();
    let first = breaker.admit(110).unwrap();
    let second = breaker.admit(110).unwrap();
    assert_eq!(breaker.admit(110), Err(100), "no third trial");
    breaker.record(&first, false, 120);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker.record(&second, false, 120);
    assert_eq!(breaker.state(), BreakerState::Closed);
    call(&mut breaker, true, 121);
    assert_eq!(breaker.state(), BreakerState::Closed, "it begins anew");
}

#[test]
fn a_failed_trial_opens_it_for_twice_as_long_up_to_a_limit() {
    let mut breaker = open();
    let mut now_ns = 10;
    for rest_ns in [100, 200, 300, 300] {
        assert_eq!(breaker.admit(now_ns), Err(rest_ns));
        now_ns += rest_ns;
        call(&mut breaker, true, now_ns);
        assert_eq!(breaker.state(), BreakerState::Open);
    }
}

#[test]
fn outcomes_from_before_do_not_count() {
    let mut breaker = Breaker::new(RULES);
    let old = breaker.admit(0).unwrap();
    for now_ns in 1..=10 {
        call(&mut breaker, true, now_ns);
    }
    let trial = breaker.admit(110).unwrap();
    breaker.record(&old, true, 111);
    assert_eq!(breaker.state(), BreakerState::HalfOpen, "a call that began while closed says nothing now");
    breaker.record(&trial, false, 112);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

#[test]
fn lost_trials_do_not_keep_it_half_open_for_ever() {
    let mut breaker = open();
    drop((breaker.admit(110), breaker.admit(110)));
    assert!(breaker.admit(150).is_err());
    assert!(breaker.admit(211).is_ok());
}

#[test]
fn numbers_at_the_edge_do_not_panic() {
    let rules = BreakerRules { window_ns: 0, calls_min: 0, failed_percent: 0, open_ns: 0, open_max_ns: 0, trials: 0 };
    let mut breaker = Breaker::new(rules);
    for now_ns in [0, 1, u64::MAX, 5, u64::MAX] {
        if let Ok(trial) = breaker.admit(now_ns) {
            breaker.record(&trial, true, now_ns);
        }
    }
    let rules = BreakerRules { open_ns: u64::MAX, open_max_ns: u64::MAX, ..RULES };
    let mut breaker = Breaker { rules, reopened: 200, ..open() };
    assert!(breaker.admit(u64::MAX - 1).is_err());
}
