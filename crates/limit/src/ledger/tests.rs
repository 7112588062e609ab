//! The table: what leaves, what stays, what shares, and what happens when threads collide.

use super::{Change, Ledger, OVERFLOW_SLOTS, PROBES, SLOTS_PER_LINE};
use crate::calendar::Period;
use crate::moment::NANOS_PER_S;
use crate::{Ask, Key, Kind, Limiter, Moment, Permit, Policy, Supply, Unit, Verdict};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const RATE: Kind = Kind::Rate { units: 10, per_ns: NANOS_PER_S, burst: 10 };
const HOURLY: Kind = Kind::Quota { limit: 10, period: Period::Hour, offset_min: 0 };

fn ledger(kind: Kind, keys: usize, workers: u32) -> Ledger {
    Ledger::new(Policy::new("p", kind, Unit::Requests).unwrap(), keys, workers)
}

/// A key at a chosen home.
fn key(home: u64, tag: u64) -> Key {
    Key::from_hash((u128::from(home) << 64) | u128::from(tag))
}

fn at(nanos: u64) -> Moment {
    Moment { nanos, unix_s: 1_700_000_000 }
}

fn take(ledger: &Ledger, key: Key, need: u64, now: Moment) -> (u64, bool) {
    let changed = ledger.change(key, now, Change::Take { need, ahead: 0 }, false);
    (changed.quanta, changed.overflow)
}

#[test]
fn a_flood_of_new_keys_resets_nobody_and_is_itself_limited() {
    for kind in [RATE, HOURLY] {
        let ledger = ledger(kind, 64, 1);
        let victim = key(5, 1);
        assert_eq!(take(&ledger, victim, 10, at(0)), (10, false));
        let mut admitted = 0;
        for tag in 2..20_000 {
            admitted += take(&ledger, key(tag % 128, tag), 10, at(0)).0;
            assert_eq!(take(&ledger, victim, 1, at(0)), (0, false), "{kind:?}: reset by {tag}");
        }
        let budgets = u64::try_from(ledger.lines.len() * SLOTS_PER_LINE + OVERFLOW_SLOTS).unwrap();
        assert!(admitted <= budgets * 10, "{kind:?}: {admitted} through {budgets} accounts");
    }
}

#[test]
fn callers_who_come_back_soon_do_not_take_each_others_places() {
    // Each is full again whenever the next one comes.
    for kind in [RATE, Kind::Window { limit: 10, width_ns: NANOS_PER_S }] {
        let ledger = ledger(kind, 16, 1);
        let callers = u64::try_from(PROBES).unwrap();
        for round in 0..3 {
            for tag in 1..=callers {
                take(&ledger, key(0, tag), 1, at((round * callers + tag) * 2 * NANOS_PER_S));
            }
            assert!((1..=callers).all(|tag| ledger.has(key(0, tag))), "{kind:?} in round {round}");
        }
        // Who comes new takes the place of whoever rested longest.
        take(&ledger, key(0, 99), 1, at((3 * callers + 1) * 2 * NANOS_PER_S));
        assert!((2..=callers).all(|tag| ledger.has(key(0, tag))) && !ledger.has(key(0, 1)), "{kind:?}");
    }
}

#[test]
fn who_shares_goes_on_owing_when_it_gets_an_account_of_its_own() {
    let ledger = ledger(RATE, 16, 1);
    let probes = u64::try_from(PROBES).unwrap();
    for tag in 1..=probes {
        let spent = if tag == 1 { 1 } else { 10 };
        assert_eq!(take(&ledger, key(0, tag), spent, at(0)), (spent, false));
    }
    let late = key(0, 99);
    assert_eq!(take(&ledger, late, 10, at(0)), (10, true), "no place left");
    assert_eq!(take(&ledger, late, 1, at(0)), (0, true));
    // A tenth of a second later the first account is full again, and leaves.
    let (quanta, overflow) = take(&ledger, late, 10, at(NANOS_PER_S / 10));
    assert_eq!((quanta, overflow), (0, false), "an account of its own, with the old debt");
    assert_eq!(take(&ledger, late, 1, at(NANOS_PER_S / 10)), (1, false));
}

#[test]
fn permits_come_back_to_where_they_were_taken() {
    let ledger = Arc::new(ledger(Kind::Concurrency { limit: 1 }, 16, 1));
    let mut limiter = Limiter::new(vec![Arc::clone(&ledger)]);
    let mut verdict = Verdict::default();
    let mut first: Option<Permit> = None;
    for tag in 1..=17 {
        limiter.charge(&[Ask { policy: 0, key: key(0, tag), units: 1, supply: Supply::Here }], at(0), &mut verdict);
        assert!(verdict.admitted, "{tag}");
        let permit = verdict.permits.pop().unwrap();
        assert_eq!(permit.overflow, tag == 17);
        if tag < 17 {
            first.get_or_insert(permit);
        } else {
            limiter.release(&first.take().unwrap(), at(0));
            // The shared one still runs, whatever has become free since.
            limiter.release(&permit, at(0));
        }
    }
    let cells: u64 = ledger.overflow.iter().map(|cell| cell.load(Ordering::SeqCst)).sum();
    assert_eq!(cells, 0);
}

#[test]
fn the_excess_is_as_stated() {
    for (kind, workers, excess) in [
        (RATE, 8, 0),
        (Kind::Rate { units: 1, per_ns: NANOS_PER_S, burst: 1_600 }, 1, 0),
        (Kind::Rate { units: 1, per_ns: NANOS_PER_S, burst: 1_600 }, 10, 100),
        (Kind::Concurrency { limit: 1_000_000 }, 8, 0),
    ] {
        assert_eq!(ledger(kind, 16, workers).excess_max(), excess, "{kind:?} with {workers}");
    }
}

#[test]
fn reset_forgets_one_caller() {
    let ledger = ledger(HOURLY, 16, 1);
    take(&ledger, key(0, 1), 10, at(0));
    take(&ledger, key(0, 2), 10, at(0));
    assert!(ledger.reset(key(0, 1)));
    assert!(!ledger.reset(key(0, 3)));
    assert_eq!(take(&ledger, key(0, 1), 1, at(0)).0, 1);
    assert_eq!(take(&ledger, key(0, 2), 1, at(0)).0, 0);
}

/// Four threads, few places, many keys: whatever collides, no key gets more than its limit.
#[test]
fn threads_that_collide_stay_within_the_limit() {
    const KEYS: u64 = 48;
    const THREADS: u32 = 4;
    const STEP_NS: u64 = 20_000;
    for kind in [HOURLY, RATE, Kind::Rate { units: 1_000, per_ns: NANOS_PER_S, burst: 500 }] {
        let ledger = Arc::new(ledger(kind, 16, THREADS));
        let clock = Arc::new(AtomicU64::new(0));
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (ledger, clock) = (Arc::clone(&ledger), Arc::clone(&clock));
                std::thread::spawn(move || {
                    let (mut limiter, mut verdict) = (Limiter::new(vec![ledger]), Verdict::default());
                    let mut admitted = vec![0_u64; usize::try_from(KEYS).unwrap()];
                    let mut dice = u64::from(thread) + 1;
                    for _ in 0..40_000 {
                        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        let caller = (dice >> 40) % KEYS;
                        let now = at(clock.fetch_add(STEP_NS, Ordering::SeqCst));
                        let ask = Ask { policy: 0, key: key(caller % 7, caller + 1), units: 1, supply: Supply::Here };
                        limiter.charge(&[ask], now, &mut verdict);
                        admitted[usize::try_from(caller).unwrap()] += u64::from(verdict.admitted);
                    }
                    admitted
                })
            })
            .collect();
        let counts: Vec<Vec<u64>> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        let elapsed_ns = clock.load(Ordering::SeqCst);
        let bound = match kind {
            Kind::Rate { units, per_ns, burst } => burst + units * elapsed_ns / per_ns + 1 + ledger.excess_max(),
            Kind::Quota { limit, .. } | Kind::Window { limit, .. } | Kind::Concurrency { limit } => limit,
        };
        for caller in 0..usize::try_from(KEYS).unwrap() {
            let total: u64 = counts.iter().map(|count| count[caller]).sum();
            assert!(total <= bound, "{kind:?}: {total} of {bound}");
        }
    }
}
