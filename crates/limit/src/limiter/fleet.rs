//! Several gateways with several workers each, one store, clocks turned by hand, chance from a seed. The store answers, is
//! slow, loses questions or answers, goes away, comes back, forgets everything: no run admits more than is stated.

use super::simulation::Dice;
use super::{Ask, Limiter};
use crate::calendar::Period;
use crate::moment::NANOS_PER_S;
use crate::rule::Rule;
use crate::{Key, Kind, Ledger, Moment, Peers, Policy, StoreAnswer, StoreAsk, Supply, Unit, Verdict};
use std::collections::HashMap;
use std::sync::Arc;

const STEPS: u64 = 150;
const UNIX_S: u64 = 1_700_000_000;

/// The accounts as the store has them: what the script there does, in words of ours.
#[derive(Default)]
struct Store(HashMap<u64, u64>);

impl Store {
    fn decide(&mut self, caller: u64, ask: &StoreAsk, now: Moment) -> StoreAnswer {
        let rule = Rule::new(ask.kind);
        let word = match self.0.get(&caller) {
            Some(word) => rule.charged(*word, now, ask.owed),
            None => rule.charged(0, now, (rule.limit_quanta() - ask.known).max(ask.owed)),
        };
        let room = rule.room(word, now);
        let granted = match room.checked_sub(ask.need) {
            Some(spare) => ask.need + ask.ahead.min(spare / (2 * ask.gateways)),
            None if room >= ask.least => room,
            None => 0,
        };
        let word = rule.charged(word, now, granted);
        self.0.insert(caller, word);
        let valid_ns = match ask.kind {
            Kind::Rate { .. } => rule.slowest_ns(),
            Kind::Window { width_ns, .. } => width_ns - now.nanos % width_ns,
            Kind::Quota { period, offset_min, .. } => {
                period.left_s(now.unix_s, offset_min) * NANOS_PER_S - now.nanos % NANOS_PER_S
            }
            Kind::Concurrency { .. } => 0,
        };
        StoreAnswer { granted, room: room - granted, valid_ns }
    }
}

struct Gateway {
    ledger: Arc<Ledger>,
    peers: Arc<Peers>,
    workers: Vec<Limiter>,
    /// Its clock is ahead of the store's by so much.
    ahead_ns: u64,
    /// Answers that came too late for those who waited, with what is theirs.
    late: Vec<(Key, StoreAnswer, Moment)>,
}

struct Run {
    dice: Dice,
    store: Store,
    gateways: Vec<Gateway>,
    kind: Kind,
    now_ns: u64,
    faulty: bool,
    levels: HashMap<u64, (u128, u64)>,
    periods: HashMap<(u64, u64), u64>,
    /// How many limits may have been admitted at once.
    factor: u64,
    admitted: u64,
    asked: u64,
    served_by_share: u64,
    /// Requests that another limit refused after the store had given something for them.
    given_back: u64,
}

/// A limit that a request meets as well: it refuses whoever wants more than one, and lets pass whoever only asks.
fn other_limit() -> Arc<Ledger> {
    let kind = Kind::Quota { limit: 1, period: Period::Hour, offset_min: 0 };
    Arc::new(Ledger::new(Policy::new("other", kind, Unit::Requests).unwrap(), 16, 1))
}

fn at(nanos: u64) -> Moment {
    Moment { nanos, unix_s: UNIX_S + nanos / NANOS_PER_S }
}

impl Run {
    fn new(seed: u64, faulty: bool) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let limit = 1 + dice.roll(400);
        let kind = match dice.roll(3) {
            0 => Kind::Rate { units: 1 + dice.roll(500), per_ns: NANOS_PER_S, burst: limit },
            1 => Kind::Window { limit, width_ns: NANOS_PER_S / 4 + dice.roll(2 * NANOS_PER_S) },
            _ => Kind::Quota { limit, period: Period::Hour, offset_min: 0 },
        };
        let (count, workers) = (1 + dice.roll(5), 1 + dice.roll(4));
        let policy = Policy::new("p", kind, Unit::Requests).unwrap();
        let gateways = (0..count).map(|_| {
            let peers = Arc::new(Peers::new(count));
            peers.set_away(false);
            let ledger = Arc::new(Ledger::shared(policy.clone(), 16, 1, Arc::clone(&peers)));
            let workers = (0..workers).map(|_| Limiter::new(vec![Arc::clone(&ledger), other_limit()])).collect();
            Gateway { ledger, peers, workers, ahead_ns: dice.roll(50) * NANOS_PER_S, late: Vec::new() }
        });
        let gateways = gateways.collect();
        Self {
            gateways,
            store: Store::default(),
            kind,
            now_ns: 1 + dice.roll(NANOS_PER_S),
            faulty,
            levels: HashMap::new(),
            periods: HashMap::new(),
            factor: if faulty { 2 } else { 1 },
            admitted: 0,
            asked: 0,
            served_by_share: 0,
            given_back: 0,
            dice,
        }
    }

    fn witness(&mut self, seed: u64, caller: u64, units: u64) {
        self.admitted += units;
        let factor = self.factor;
        let excess = self.gateways[0].ledger.excess_max();
        let (units_back, per_ns, limit) = match self.kind {
            Kind::Rate { units, per_ns, burst } => (units, per_ns, burst),
            Kind::Window { limit, width_ns } => (limit, width_ns, limit),
            Kind::Quota { limit, .. } => {
                let hour = at(self.now_ns).unix_s / 3_600;
                let spent = self.periods.entry((caller, hour)).or_default();
                *spent += units;
                assert!(*spent <= factor * limit, "seed {seed}: {spent} of {limit} in a period");
                return;
            }
            Kind::Concurrency { .. } => return,
        };
        let (level, then) = self.levels.entry(caller).or_insert((0, self.now_ns));
        let drained = u128::from(factor * units_back) * u128::from(self.now_ns - *then);
        *level = level.saturating_sub(drained) + u128::from(units) * u128::from(per_ns);
        *then = self.now_ns;
        let bound = u128::from(factor * limit + excess) * u128::from(per_ns);
        assert!(
            *level <= bound,
            "seed {seed}: {:?} with {} gateways is exceeded: {} of {}",
            self.kind,
            self.gateways.len(),
            level.div_ceil(u128::from(per_ns)),
            factor * limit + excess
        );
    }

    /// One question, and what it says to the one who waits.
    fn ask(&mut self, gateway: usize, caller: u64, key: Key, units: u64) -> Supply {
        self.asked += 1;
        let fault = if self.faulty { self.dice.roll(8) } else { 7 };
        let now_ns = self.now_ns;
        let Gateway { ledger, ahead_ns, late, .. } = &mut self.gateways[gateway];
        let here = at(now_ns + *ahead_ns);
        let ask = ledger.question(key, units, units, here).unwrap();
        match fault {
            // The question is lost.
            0 => {
                ledger.unanswered(key, &ask, here);
                Supply::Unanswered
            }
            // The answer is lost, or late.
            1 | 2 => {
                let answer = self.store.decide(caller, &ask, at(now_ns));
                if fault == 1 {
                    ledger.unanswered(key, &ask, here);
                } else {
                    late.push((key, answer, here));
                }
                Supply::Unanswered
            }
            _ => {
                let answer = self.store.decide(caller, &ask, at(now_ns));
                let has = answer.granted >= units;
                ledger.answered(key, &answer, if has { units } else { 0 }, (here, here));
                if has { Supply::Granted } else { Supply::Denied }
            }
        }
    }

    fn disturb(&mut self, gateway: usize) {
        let away = self.dice.roll(20);
        let each = &mut self.gateways[gateway];
        match away {
            0 => each.peers.set_away(true),
            1..=3 => each.peers.set_away(false),
            4 if self.factor == 2 => {
                // It forgets once: one limit more, of which the first who asks takes back what he knows.
                self.store.0.clear();
                self.factor = 3;
            }
            5 => {
                let here = at(self.now_ns + each.ahead_ns);
                for (key, answer, sent) in each.late.drain(..) {
                    each.ledger.answered(key, &answer, 0, (sent, here));
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, seed: u64, callers: u64) {
        let edge_ns = match self.kind {
            Kind::Rate { units, per_ns, .. } => per_ns / units,
            Kind::Window { width_ns, .. } => width_ns - self.now_ns % width_ns,
            Kind::Quota { .. } | Kind::Concurrency { .. } => (3_600 - at(self.now_ns).unix_s % 3_600) * NANOS_PER_S,
        };
        self.now_ns += match self.dice.roll(40) {
            0..=22 => 0,
            23..=34 => self.dice.roll(20_000_000),
            35 => edge_ns.saturating_sub(1),
            36 => edge_ns,
            37 | 38 => self.dice.roll(2 * NANOS_PER_S),
            _ => self.dice.roll(100) * NANOS_PER_S,
        };
        let gateway = usize::try_from(self.dice.roll(self.gateways.len() as u64)).unwrap();
        if self.faulty {
            self.disturb(gateway);
        }
        let caller = self.dice.roll(callers);
        let units = if self.dice.roll(3) == 0 { 1 + self.dice.roll(9) } else { 1 };
        let key = Key::from_hash((u128::from(caller % 3) << 64) | u128::from(caller + 1));
        let mut verdict = Verdict::default();
        let mut supply = Supply::Here;
        for _ in 0..2 {
            let Gateway { workers, ahead_ns, .. } = &mut self.gateways[gateway];
            let here = at(self.now_ns + *ahead_ns);
            let worker = usize::try_from(self.dice.roll(workers.len() as u64)).unwrap();
            // Somebody else may have spent the other limit while the store was asked.
            let is_refused = supply != Supply::Here && self.dice.roll(3) == 0;
            self.given_back += u64::from(is_refused && supply == Supply::Granted);
            let other = Ask { policy: 1, key, units: if is_refused { 2 } else { 0 }, supply: Supply::Here };
            let asks = [Ask { policy: 0, key, units, supply }, other];
            workers[worker].charge(&asks, here, &mut verdict);
            if verdict.missing.is_empty() {
                break;
            }
            supply = self.ask(gateway, caller, key, units);
        }
        assert!(verdict.missing.is_empty(), "seed {seed}: asked twice");
        if !verdict.low.is_empty() {
            self.ask(gateway, caller, key, 0);
        }
        if verdict.admitted {
            self.served_by_share += u64::from(supply == Supply::Unanswered);
            self.witness(seed, caller, units);
        }
    }
}

#[test]
fn ten_thousand_seeds_of_gateways_never_exceed_the_bound() {
    let (mut shares, mut given_back) = (0, 0);
    for seed in 1..=10_000 {
        let mut run = Run::new(seed, seed % 2 == 0);
        // Few who fight for the last unit, or more than there are places for.
        let callers = if run.dice.roll(2) == 0 { 1 + run.dice.roll(2) } else { 40 };
        for _ in 0..STEPS {
            run.step(seed, callers);
        }
        shares += run.served_by_share;
        given_back += run.given_back;
    }
    assert!(given_back > 0, "no request was ever refused by another limit in the middle");
    assert!(shares > 0, "nobody was ever served without the store");
}

#[test]
fn leases_spare_most_questions() {
    let (mut admitted, mut asked) = (0, 0);
    for seed in 1..=200 {
        let mut run = Run::new(seed, false);
        run.kind = Kind::Quota { limit: 1_000, period: Period::Hour, offset_min: 0 };
        let policy = Policy::new("p", run.kind, Unit::Requests).unwrap();
        for gateway in &mut run.gateways {
            gateway.ledger = Arc::new(Ledger::shared(policy.clone(), 16, 1, Arc::clone(&gateway.peers)));
            gateway.workers = vec![Limiter::new(vec![Arc::clone(&gateway.ledger), other_limit()])];
        }
        for _ in 0..STEPS {
            run.step(seed, 1);
        }
        (admitted, asked) = (admitted + run.admitted, asked + run.asked);
    }
    assert!(asked * 10 < admitted, "{asked} questions for {admitted} units");
}

/// Requests for which the store has granted something and which another limit then refuses, ten at the same time.
#[test]
fn what_comes_back_is_held_only_as_far_as_a_gateway_may_hold_it() {
    let mut run = Run::new(1, false);
    let kind = Kind::Rate { units: 1, per_ns: 3_600 * NANOS_PER_S, burst: 80 };
    let policy = Policy::new("p", kind, Unit::Requests).unwrap();
    let each = &mut run.gateways[0];
    each.peers.count(2);
    each.ledger = Arc::new(Ledger::shared(policy, 16, 1, Arc::clone(&each.peers)));
    let mut limiter = Limiter::new(vec![Arc::clone(&each.ledger), other_limit()]);
    let (key, now, mut verdict) = (Key::from_hash(7), at(NANOS_PER_S), Verdict::default());
    let (mine, other) = (
        Ask { policy: 0, key, units: 1, supply: Supply::Here },
        Ask { policy: 1, key, units: 2, supply: Supply::Here },
    );
    limiter.charge(&[mine], now, &mut verdict);
    assert_eq!(verdict.missing.len(), 1, "nothing is held yet");
    let answer = StoreAnswer { granted: 10, room: 70, valid_ns: 3_600 * NANOS_PER_S };
    each.ledger.answered(key, &answer, 0, (now, now));
    for _ in 0..10 {
        limiter.charge(&[Ask { policy: 0, key, units: 5, supply: Supply::Granted }, other], now, &mut verdict);
        assert!(!verdict.admitted && verdict.missing.is_empty());
    }
    // Two gateways may hold a quarter of eighty together.
    let held = each.ledger.held(key, now);
    assert!(held <= 10, "{held} are held after ten requests for five that came to nothing");
}
