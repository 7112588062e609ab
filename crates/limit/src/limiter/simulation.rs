//! Many workers, one ledger, a clock turned by hand, chance from a seed: no run admits more than its limit and the stated
//! excess, none starves, and the same seed is the same run.
//!
//! Workers are interleaved at whole steps here; `ledger/tests.rs` lets real threads collide inside of them.

use super::{Ask, Limiter};
use crate::calendar::Period;
use crate::moment::NANOS_PER_S;
use crate::{Key, Kind, Ledger, Moment, Policy, Supply, Unit, Verdict};
use std::collections::HashMap;
use std::sync::Arc;

const STEPS: u64 = 300;
const UNIX_S: u64 = 1_700_000_000;

pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below.max(1)
    }
}

/// Counts plainly what the rule promises: how far each key is above its limit.
#[derive(Default)]
struct Witness {
    /// Units times nanoseconds that have not drained yet, and when that was.
    levels: HashMap<u64, (u128, u64)>,
    periods: HashMap<(u64, u64), u64>,
}

impl Witness {
    fn admit(&mut self, seed: u64, kind: Kind, excess: u64, caller: u64, units: u64, now: Moment) {
        let (units_back, per_ns, limit) = match kind {
            Kind::Rate { units, per_ns, burst } => (units, per_ns, burst),
            Kind::Window { limit, width_ns } => (limit, width_ns, limit),
            Kind::Quota { limit, .. } => {
                let spent = self.periods.entry((caller, now.unix_s / 3_600)).or_default();
                *spent += units;
                assert!(*spent <= limit, "seed {seed}: {spent} of {limit} in a period");
                return;
            }
            Kind::Concurrency { .. } => return,
        };
        let (level, then) = self.levels.entry(caller).or_insert((0, now.nanos));
        let drained = u128::from(units_back) * u128::from(now.nanos - *then);
        *level = level.saturating_sub(drained) + u128::from(units) * u128::from(per_ns);
        *then = now.nanos;
        let bound = u128::from(limit + excess) * u128::from(per_ns);
        assert!(
            *level <= bound,
            "seed {seed}: {kind:?} is exceeded by {} of {excess}",
            level.div_ceil(u128::from(per_ns)) - u128::from(limit)
        );
    }
}

/// Where a run looks for weakness.
struct Scene {
    kind: Kind,
    workers: u64,
    callers: u64,
    /// The most that is asked for at once.
    units: u64,
    /// Callers share so many homes, so that they want the same places of the table.
    homes: u64,
}

fn scene(dice: &mut Dice) -> Scene {
    let crowd = dice.roll(2) == 0;
    // A crowd fights for places; one or two callers for the last unit, through workers that hold some in advance.
    let (limit, callers) =
        if crowd { (1 + dice.roll(6), 20 + dice.roll(40)) } else { (1 + dice.roll(3_000), 1 + dice.roll(2)) };
    // Sometimes so large that units no longer fit and quanta are counted.
    let scale = if dice.roll(6) == 0 { 100_000_000_000 } else { 1 };
    let limit = limit * scale;
    let kind = match dice.roll(3) {
        0 => Kind::Rate { units: (1 + dice.roll(500)) * scale, per_ns: NANOS_PER_S, burst: limit },
        1 => Kind::Window { limit, width_ns: 1 + dice.roll(2 * NANOS_PER_S) },
        _ => Kind::Quota { limit, period: Period::Hour, offset_min: 0 },
    };
    Scene { kind, workers: 1 + dice.roll(8), callers, units: 1 + limit / (4 + dice.roll(40)), homes: 1 + dice.roll(4) }
}

/// The next moment: none at all, a little, to the very edge of a window or period, or long enough to forget everything.
fn turn(dice: &mut Dice, kind: Kind, now: Moment) -> Moment {
    let edge_ns = match kind {
        Kind::Rate { units, per_ns, .. } => per_ns / units,
        Kind::Window { width_ns, .. } => width_ns - now.nanos % width_ns,
        Kind::Quota { .. } | Kind::Concurrency { .. } => (3_600 - now.unix_s % 3_600) * NANOS_PER_S,
    };
    let step_ns = match dice.roll(40) {
        0..=19 => 0,
        20..=33 => dice.roll(20_000_000),
        34 | 35 => edge_ns.saturating_sub(1),
        36 | 37 => edge_ns,
        38 => dice.roll(2 * NANOS_PER_S),
        _ => dice.roll(100) * NANOS_PER_S,
    };
    let nanos = now.nanos + step_ns;
    Moment { nanos, unix_s: UNIX_S + nanos / NANOS_PER_S }
}

/// One run in which workers, callers and moments are as bad as chance can make them.
fn adversarial(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let Scene { kind, workers, callers, units: units_max, homes } = scene(&mut dice);
    let policy = Policy::new("p", kind, Unit::Requests).unwrap();
    let ledger = Arc::new(Ledger::new(policy, 16, u32::try_from(workers).unwrap()));
    let excess = ledger.excess_max();
    let mut limiters: Vec<Limiter> = (0..workers).map(|_| Limiter::new(vec![Arc::clone(&ledger)])).collect();
    let (mut verdict, mut witness) = (Verdict::default(), Witness::default());
    let mut now = Moment { nanos: dice.roll(NANOS_PER_S), unix_s: UNIX_S };
    let (mut worker, mut caller) = (0, 0);
    for _ in 0..STEPS {
        now = turn(&mut dice, kind, now);
        if dice.roll(3) > 0 {
            worker = dice.roll(workers);
        }
        if dice.roll(3) == 0 {
            caller = dice.roll(callers);
        }
        let units = if dice.roll(3) == 0 { 1 } else { 1 + dice.roll(units_max) };
        let key = Key::from_hash((u128::from(caller % homes) << 64) | u128::from(caller + 1));
        let limiter = &mut limiters[usize::try_from(worker).unwrap()];
        limiter.charge(&[Ask { policy: 0, key, units, supply: Supply::Here }], now, &mut verdict);
        if verdict.admitted {
            witness.admit(seed, kind, excess, caller, units, now);
        }
    }
}

/// One caller who asks far more often than it may, at random workers: it gets what it is due, through each of them.
fn saturated(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let workers = 1 + dice.roll(8);
    let limit = 100 + dice.roll(100);
    let window_ns = NANOS_PER_S;
    let kind = match dice.roll(2) {
        0 => Kind::Rate { units: limit, per_ns: window_ns, burst: limit },
        _ => Kind::Window { limit, width_ns: window_ns },
    };
    let policy = Policy::new("p", kind, Unit::Requests).unwrap();
    let ledger = Arc::new(Ledger::new(policy, 16, u32::try_from(workers).unwrap()));
    let mut limiters: Vec<Limiter> = (0..workers).map(|_| Limiter::new(vec![Arc::clone(&ledger)])).collect();
    let mut verdict = Verdict::default();
    let (mut nanos, windows) = (0, 5);
    let mut admitted = vec![0_u64; usize::try_from(workers).unwrap()];
    while nanos < windows * window_ns {
        nanos += dice.roll(2 * window_ns / (limit * 6));
        let worker = usize::try_from(dice.roll(workers)).unwrap();
        let ask = Ask { policy: 0, key: Key::from_hash(1), units: 1, supply: Supply::Here };
        limiters[worker].charge(&[ask], Moment { nanos, unix_s: UNIX_S }, &mut verdict);
        admitted[worker] += u64::from(verdict.admitted);
    }
    let (total, due) = (admitted.iter().sum::<u64>(), limit * windows);
    assert!(total * 8 >= due * 7, "seed {seed}: {total} of {due} with {kind:?} and {workers} workers");
    for each in admitted {
        assert!(each * workers * 2 >= due, "seed {seed}: one of {workers} workers had {each} of {due}");
    }
}

#[test]
fn ten_thousand_seeds_never_exceed_the_bound() {
    (1..=10_000).for_each(adversarial);
}

#[test]
fn a_thousand_seeds_never_starve() {
    (1..=1_000).for_each(saturated);
}
