//! Several limits at once, shadow, debt, refunds, and what a decision says.

use super::{ASKS_MAX, Ask, Limiter};
use crate::calendar::Period;
use crate::moment::NANOS_PER_S;
use crate::{Decision, Key, Kind, Ledger, Moment, Policy, ProblemType, Supply, Unit, Verdict};
use std::sync::Arc;

const RATE: Kind = Kind::Rate { units: 10, per_ns: NANOS_PER_S, burst: 10 };
const HOURLY: Kind = Kind::Quota { limit: 3, period: Period::Hour, offset_min: 0 };
const NOW: Moment = Moment { nanos: 5 * NANOS_PER_S, unix_s: 1_700_000_000 };
const ALICE: Key = Key::from_hash(1 << 64 | 7);

fn policy(name: &str, kind: Kind) -> Policy {
    Policy::new(name, kind, Unit::Requests).unwrap()
}

fn limiter(policies: Vec<Policy>, workers: u32) -> Limiter {
    Limiter::new(policies.into_iter().map(|policy| Arc::new(Ledger::new(policy, 16, workers))).collect())
}

fn ask(policy: usize, units: u64) -> Ask {
    Ask { policy, key: ALICE, units, supply: Supply::Here }
}

fn charge(limiter: &mut Limiter, asks: &[Ask], now: Moment) -> Verdict {
    let mut verdict = Verdict::default();
    limiter.charge(asks, now, &mut verdict);
    verdict
}

fn remaining(limiter: &Limiter, policy: usize) -> u64 {
    limiter.peek(&ask(policy, 1), NOW).unwrap().remaining
}

#[test]
fn all_are_charged_or_none() {
    for workers in [1, 4] {
        let policies = vec![policy("a", RATE), policy("b", HOURLY), policy("c", Kind::Concurrency { limit: 9 })];
        let mut limiter = limiter(policies, workers);
        let asks = [ask(0, 1), ask(1, 1), ask(2, 1)];
        for left in (0..3).rev() {
            let verdict = charge(&mut limiter, &asks, NOW);
            assert!(verdict.admitted && verdict.permits.len() == 1 && verdict.retry_after_s().is_none());
            assert_eq!(verdict.decisions[1].remaining, left);
        }
        let before = [0, 1, 2].map(|policy| remaining(&limiter, policy));
        assert_eq!(before, [7, 0, 6]);
        let verdict = charge(&mut limiter, &asks, NOW);
        assert!(!verdict.admitted && verdict.permits.is_empty());
        assert_eq!([0, 1, 2].map(|policy| remaining(&limiter, policy)), before, "with {workers} workers");
        assert_eq!(verdict.decisions.iter().map(|decision| decision.remaining).collect::<Vec<_>>(), before);
        assert_eq!(limiter.violated(&verdict).collect::<Vec<_>>(), ["b"]);
        // 1,700,000,000 is 13 minutes and 20 seconds past an hour.
        assert_eq!(verdict.retry_after_s(), Some(2_800));
    }
}

#[test]
fn what_a_worker_holds_in_advance_survives_a_refusal_by_another_limit() {
    let large = Kind::Rate { units: 1, per_ns: NANOS_PER_S, burst: 6_400 };
    let mut limiter = limiter(vec![policy("a", large), policy("b", HOURLY)], 4);
    for _ in 0..3 {
        assert!(charge(&mut limiter, &[ask(0, 1), ask(1, 1)], NOW).admitted);
    }
    for _ in 0..10 {
        assert!(!charge(&mut limiter, &[ask(0, 60), ask(1, 1)], NOW).admitted);
    }
    let verdict = charge(&mut limiter, &[ask(0, 1)], NOW);
    assert_eq!(verdict.decisions[0].remaining, 6_400 - 4);
}

#[test]
fn shadow_counts_and_refuses_nothing() {
    let mut limiter = limiter(vec![policy("a", RATE), policy("b", HOURLY).shadow()], 1);
    let asks = [ask(0, 1), ask(1, 1)];
    let outcomes: Vec<(bool, bool)> = (0..5)
        .map(|_| {
            let verdict = charge(&mut limiter, &asks, NOW);
            (verdict.admitted, verdict.decisions[1].has_room)
        })
        .collect();
    assert_eq!(outcomes, [(true, true), (true, true), (true, true), (true, false), (true, false)]);
    assert_eq!(remaining(&limiter, 0), 5);
    let verdict = charge(&mut limiter, &[ask(0, 9), ask(1, 1)], NOW);
    assert!(!verdict.admitted);
    assert_eq!(limiter.violated(&verdict).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn what_cannot_be_decided_is_refused() {
    let mut limiter = limiter((0..=ASKS_MAX).map(|_| policy("a", RATE)).collect(), 1);
    let too_many: Vec<Ask> = (0..=ASKS_MAX).map(|policy| ask(policy, 1)).collect();
    for asks in [too_many.as_slice(), &[ask(99, 1)], &[ask(0, 1), ask(1, 1), ask(0, 1)]] {
        let verdict = charge(&mut limiter, asks, NOW);
        assert!(!verdict.admitted, "{asks:?}");
    }
    assert_eq!(remaining(&limiter, 0), 10);
    assert!(charge(&mut limiter, &[], NOW).admitted, "no limit, no refusal");
}

#[test]
fn a_decision_says_what_the_wire_needs() {
    let mut limiter = limiter(vec![policy("a", RATE)], 1);
    let decision = charge(&mut limiter, &[ask(0, 1)], NOW).decisions[0];
    let (has_room, shadow, limit) = (true, false, 10);
    let expected = Decision { policy: 0, has_room, shadow, limit, remaining: 9, reset_s: Some(1), retry_after_s: 0 };
    assert_eq!(decision, expected);
    let decision = charge(&mut limiter, &[ask(0, 10)], NOW).decisions[0];
    assert_eq!(decision, Decision { has_room: false, retry_after_s: 1, ..expected });
    // More than the burst never fits; the wait is until the account is full.
    let decision = charge(&mut limiter, &[ask(0, u64::MAX)], NOW).decisions[0];
    assert_eq!((decision.has_room, decision.retry_after_s), (false, 1));
    let looked = charge(&mut limiter, &[ask(0, 0)], NOW);
    assert!(looked.admitted && looked.decisions[0].remaining == 9, "nought only looks");
}

#[test]
fn permits_are_exact_and_come_back() {
    let mut limiter = limiter(vec![policy("a", Kind::Concurrency { limit: 2 })], 8);
    let mut permits = Vec::new();
    for expected in [true, true, false] {
        let mut verdict = charge(&mut limiter, &[ask(0, 1)], NOW);
        assert_eq!(verdict.admitted, expected);
        permits.append(&mut verdict.permits);
    }
    limiter.release(&permits.pop().unwrap(), NOW);
    assert!(charge(&mut limiter, &[ask(0, 1)], NOW).admitted);
}

#[test]
fn what_the_answer_cost_is_owed_and_what_it_did_not_cost_comes_back() {
    for workers in [1, 4] {
        let bytes = Kind::Rate { units: 1_000, per_ns: NANOS_PER_S, burst: 10_000 };
        let mut limiter = limiter(vec![policy("a", bytes)], workers);
        assert!(charge(&mut limiter, &[ask(0, 100)], NOW).admitted);
        assert_eq!(limiter.charge_after(&ask(0, 14_900), NOW), 0);
        let after = |s: u64| Moment { nanos: NOW.nanos + s * NANOS_PER_S, ..NOW };
        assert!(!charge(&mut limiter, &[ask(0, 1)], after(4)).admitted, "in debt");
        assert!(charge(&mut limiter, &[ask(0, 900)], after(6)).admitted);
        assert_eq!(limiter.charge_after(&ask(0, u64::MAX), after(6)), 0);
        assert!(charge(&mut limiter, &[ask(0, 5_000)], after(6 + 21)).admitted, "debt ends at one limit");
        let before = limiter.peek(&ask(0, 1), after(27)).unwrap().remaining;
        limiter.refund(&ask(0, 500), after(27));
        assert_eq!(limiter.peek(&ask(0, 1), after(27)).unwrap().remaining, before + 500);
    }
}

#[test]
fn a_reload_keeps_what_stays() {
    let kept = Arc::new(Ledger::new(policy("a", HOURLY), 16, 2));
    let mut limiter = Limiter::new(vec![Arc::clone(&kept)]);
    charge(&mut limiter, &[ask(0, 3)], NOW);
    let mut next = limiter.succeeded_by(vec![Arc::new(Ledger::new(policy("new", RATE), 16, 2)), kept]);
    assert_eq!(next.policy(0).unwrap().name(), "new");
    assert!(!charge(&mut next, &[ask(1, 1)], NOW).admitted);
    assert!(!charge(&mut limiter, &[ask(0, 1)], NOW).admitted, "the old one goes on with the same accounts");
}

/// However often limiters succeed each other, and whoever of them is still asked, no more is held than once.
#[test]
fn reloads_add_nothing_to_the_bound() {
    let limit = 6_400;
    let day = Kind::Window { limit, width_ns: 3_600 * NANOS_PER_S };
    let ledger = Arc::new(Ledger::new(policy("a", day), 16, 2));
    let mut limiters = vec![Limiter::new(vec![Arc::clone(&ledger)]), Limiter::new(vec![Arc::clone(&ledger)])];
    let mut admitted = 0;
    for step in 0..2 * limit {
        let place = usize::try_from(step).unwrap() % limiters.len();
        admitted += u64::from(charge(&mut limiters[place], &[ask(0, 1)], NOW).admitted);
        if step % 97 == 0 && limiters.len() < 40 {
            let next = limiters[place].succeeded_by(vec![Arc::clone(&ledger)]);
            limiters.push(next);
        }
    }
    assert!(admitted <= limit, "{admitted}");
    assert!(admitted >= limit / 8 * 7, "{admitted}");
}

#[test]
fn problem_types_are_those_of_the_draft() {
    for (problem, name, status) in [
        (ProblemType::QuotaExceeded, "quota-exceeded", 429),
        (ProblemType::TemporaryReducedCapacity, "temporary-reduced-capacity", 503),
        (ProblemType::AbnormalUsageDetected, "abnormal-usage-detected", 429),
    ] {
        assert_eq!(problem.uri(), format!("https://iana.org/assignments/http-problem-types#{name}"));
        assert_eq!(problem.status(), status);
    }
}
