//! What one local decision costs: hashing the key, charging, and the numbers for the answer's fields.
//!
//! `cargo run --release -p portcullis-limit --example decision_cost` prints one line per figure; it exits 1 if one is
//! missed.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;

use portcullis_limit::{
    Ask, Key, KeyHasher, Kind, Ledger, Limiter, Moment, Policy, PolicyError, Prefixes, Unit, Verdict,
};

const PAIRS: usize = 11;
const DECISIONS: u32 = 1_000_000;
const NANOS_PER_S: u64 = 1_000_000_000;
const COST_NS_MAX: f64 = 300.0;
const GROWTH_MAX: f64 = 1.10;

struct Bench {
    limiter: Limiter,
    hasher: KeyHasher,
    /// Callers' ids, chosen in an order that no cache can foresee.
    callers: Vec<[u8; 16]>,
    verdict: Verdict,
    nanos: u64,
}

impl Bench {
    fn new(callers: u32, workers: u32) -> Self {
        // So much that nobody is refused: a refusal does less, and ten callers would meet it sooner than many.
        let kind = Kind::Rate { units: 1_000_000, per_ns: NANOS_PER_S, burst: 1_000 };
        let policy = Policy::new("per-principal", kind, Unit::Requests)
            .unwrap_or_else(|error| std::process::exit(i32::from(error == PolicyError::Name) + 2));
        let ledger = Arc::new(Ledger::new(policy, 131_072, workers));
        let hasher = KeyHasher::new([42; 16], Prefixes::default());
        // As many steps for few callers as for many, so that the list costs both the same.
        let mut dice = 88_172_645_463_325_252_u64;
        let callers = (0..100_000)
            .map(|_| {
                dice ^= dice << 13;
                dice ^= dice >> 7;
                dice ^= dice << 17;
                let id = dice % u64::from(callers);
                u128::from(id.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes()
            })
            .collect();
        let mut bench = Self {
            limiter: Limiter::new(vec![ledger]),
            hasher,
            callers,
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
        for id in self.callers.iter().cycle().take(usize::try_from(DECISIONS).unwrap_or(0)) {
            let key: Key = self.hasher.key().part(b"orders").part(id).finish();
            self.nanos = self.nanos.wrapping_add(1_000);
            let now = Moment { nanos: self.nanos, unix_s: 1_700_000_000 };
            self.limiter.charge(
                &[Ask { policy: 0, key, units: 1, supply: portcullis_limit::Supply::Here }],
                now,
                &mut self.verdict,
            );
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

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn figure(name: &str, unit: &str, samples: &mut [f64], target: f64) -> bool {
    samples.sort_by(f64::total_cmp);
    let of = |place: usize| samples.get(place).copied().unwrap_or(f64::NAN);
    let (median, low, high) = (of(samples.len() / 2), of(0), of(samples.len().saturating_sub(1)));
    let met = median <= target;
    let verdict = if met { "met" } else { "missed" };
    println!("figure {name} {median:.3} {unit} spread {low:.3}..{high:.3} target <= {target} {verdict}");
    met
}

fn main() -> ExitCode {
    let mut met = true;
    for (suffix, workers) in [("", 1), ("_of_8_workers", 8)] {
        let (mut few, mut many) = (Bench::new(10, workers), Bench::new(100_000, workers));
        let (mut of_few, mut of_many, mut growth) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            let (a, b) = (few.run(), many.run());
            of_few.push(a);
            of_many.push(b);
            growth.push(b / a);
        }
        met &= figure(&format!("limit_local_decision{suffix}"), "ns/decision", &mut of_few, COST_NS_MAX);
        met &= figure(&format!("limit_local_decision_100k_keys{suffix}"), "ns/decision", &mut of_many, COST_NS_MAX);
        met &= figure(&format!("limit_local_decision_growth{suffix}"), "x", &mut growth, GROWTH_MAX);
    }
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
