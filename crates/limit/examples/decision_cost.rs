//! What one local decision costs: hashing the key, charging, and the numbers for the answer's fields.
//!
//! `cargo xtask bench limits` runs it and says what is asked of each figure; alone it prints the samples.

use std::hint::black_box;
use std::sync::Arc;

use portcullis_limit::{
    Ask, Key, KeyHasher, Kind, Ledger, Limiter, Moment, Peers, Policy, PolicyError, Prefixes, StoreAnswer, Supply,
    Unit, Verdict,
};

const PAIRS: usize = 11;
const DECISIONS: u32 = 1_000_000;
/// What the table is made for.
const ACCOUNTS: usize = 131_072;
/// Cache lines of a table for so many accounts: two places of 16 bytes for each.
const LINES: usize = ACCOUNTS / 2;
const NANOS_PER_S: u64 = 1_000_000_000;
/// As a cache line holds it.
#[derive(Clone, Default)]
#[repr(align(64))]
struct Line(u32);

/// As cheap for few callers as for many.
struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, end: u32) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(((self.0 >> 32) * u64::from(end)) >> 32).unwrap_or(0)
    }
}

struct Bench {
    limiter: Limiter,
    hasher: KeyHasher,
    callers: u32,
    /// Chooses callers in an order that no cache can foresee, without a list that would take their place in it.
    dice: Xorshift,
    /// Read once per decision, at a place that no cache can foresee: what any table of accounts costs whose caller was not
    /// seen lately. Empty where only the decision is measured.
    memory: Vec<Line>,
    verdict: Verdict,
    nanos: u64,
}

impl Bench {
    fn new(callers: u32, workers: u32, lines: usize) -> Self {
        // So much that nobody is refused: a refusal does less, and ten callers would meet it sooner than many.
        let kind = Kind::Rate { units: 1_000_000, per_ns: NANOS_PER_S, burst: 1_000 };
        let policy = Policy::new("per-principal", kind, Unit::Requests)
            .unwrap_or_else(|error| std::process::exit(i32::from(error == PolicyError::Name) + 2));
        let ledger = Arc::new(Ledger::new(policy, ACCOUNTS, workers));
        let hasher = KeyHasher::new([42; 16], Prefixes::default());
        let mut bench = Self {
            limiter: Limiter::new(vec![ledger]),
            hasher,
            callers,
            dice: Xorshift(88_172_645_463_325_252),
            memory: vec![Line::default(); lines],
            verdict: Verdict::default(),
            nanos: NANOS_PER_S,
        };
        bench.run();
        bench
    }

    /// Nanoseconds per decision.
    fn run(&mut self) -> f64 {
        let start_ns = cpu_ns();
        let mut admitted = 0_u32;
        for _ in 0..DECISIONS {
            let at = self.dice.below(u32::try_from(self.memory.len()).unwrap_or(0));
            // Nought, but the processor has to wait for it before it knows the caller.
            let read = self.memory.get(at).map_or(0, |line| line.0);
            let id = u128::try_from(self.dice.below(self.callers)).unwrap_or(0).wrapping_add(u128::from(read));
            let id = id.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
            let key: Key = self.hasher.key().part(b"orders").part(&id).finish();
            self.nanos = self.nanos.wrapping_add(1_000);
            let now = Moment { nanos: self.nanos, unix_s: 1_700_000_000 };
            self.limiter.charge(&[Ask { policy: 0, key, units: 1, supply: Supply::Here }], now, &mut self.verdict);
            admitted = admitted.wrapping_add(u32::from(self.verdict.admitted));
            black_box(self.verdict.decisions.first());
        }
        assert_eq!(admitted, DECISIONS, "somebody was refused");
        (cpu_ns() - start_ns) / f64::from(DECISIONS)
    }
}

/// What this thread has had of a processor, so that a machine that does other things as well can be measured on. Linux only;
/// elsewhere there is no number, and no figure is met.
fn cpu_ns() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(f64::NAN)
}

/// Callers of a limit that two gateways share, with a store that always has more: what a decision costs that a lease pays,
/// and which share of requests has to wait for the store.
fn shared() -> (f64, f64) {
    const CALLERS: u128 = 1_000;
    let kind = Kind::Rate { units: 50, per_ns: NANOS_PER_S, burst: 100 };
    let policy = Policy::new("per-principal", kind, Unit::Requests)
        .unwrap_or_else(|error| std::process::exit(i32::from(error == PolicyError::Name) + 2));
    let peers = Arc::new(Peers::new(2));
    peers.set_away(false);
    let ledger = Arc::new(Ledger::shared(policy, 4_096, 1, peers));
    let mut limiter = Limiter::new(vec![Arc::clone(&ledger)]);
    let (mut verdict, mut waits, mut decided, mut spent_ns) = (Verdict::default(), 0_u32, 0_u32, 0.0);
    let mut now = Moment { nanos: NANOS_PER_S, unix_s: 1_700_000_000 };
    for _ in 0..200 {
        let mut questions = Vec::new();
        let began_ns = cpu_ns();
        for caller in 0..CALLERS {
            let key = Key::from_hash(caller.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).wrapping_add(1));
            let ask = Ask { policy: 0, key, units: 1, supply: Supply::Here };
            limiter.charge(&[ask], now, &mut verdict);
            decided += 1;
            if !verdict.missing.is_empty() {
                waits += 1;
                questions.push((key, 1));
            } else if !verdict.low.is_empty() {
                questions.push((key, 0));
            }
        }
        spent_ns += cpu_ns() - began_ns;
        // Each caller asks 40 times a second.
        now.nanos += NANOS_PER_S / 40;
        for (key, need) in questions {
            let Some(ask) = ledger.question(key, need, need, now) else { continue };
            let answer = StoreAnswer { granted: need + ask.ahead, room: 50, valid_ns: 2 * NANOS_PER_S };
            ledger.answered(key, &answer, need, (now, now));
        }
    }
    (spent_ns / f64::from(decided), f64::from(waits) / f64::from(decided))
}

#[expect(clippy::print_stdout, reason = "the samples are what it is for")]
fn samples(name: &str, all: &[f64]) {
    let all: Vec<String> = all.iter().map(|sample| format!("{sample:.4}")).collect();
    println!("samples {name} {}", all.join(" "));
}

fn main() {
    let count = std::env::args().nth(2).and_then(|word| word.parse().ok()).unwrap_or(PAIRS);
    for (suffix, workers) in [("", 1), ("_of_8_workers", 8)] {
        let (mut few, mut many) = (Bench::new(10, workers, 0), Bench::new(100_000, workers, 0));
        let mut few_and_a_read = Bench::new(10, workers, LINES);
        let all: Vec<[f64; 3]> = (0..count).map(|_| [few.run(), many.run(), few_and_a_read.run()]).collect();
        let of = |pick: fn(&[f64; 3]) -> f64| all.iter().map(pick).collect::<Vec<f64>>();
        samples(&format!("limit_local_decision{suffix}_ns"), &of(|[few, ..]| *few));
        samples(&format!("limit_local_decision_100k_keys{suffix}_ns"), &of(|[_, many, _]| *many));
        if workers == 1 {
            samples("limit_local_decision_and_a_read_ns", &of(|[.., read]| *read));
            samples("limit_local_decision_growth", &of(|[few, many, _]| many / few));
            samples("limit_local_decision_growth_beyond_a_read", &of(|[_, many, read]| many / read));
        }
    }
    let shared: Vec<(f64, f64)> = (0..count).map(|_| shared()).collect();
    samples("limit_leased_decision_ns", &shared.iter().map(|one| one.0).collect::<Vec<f64>>());
    samples("limit_store_waits_share", &shared.iter().map(|one| one.1).collect::<Vec<f64>>());
}
