//! What the engine costs, in process, on one core, over thousands of different requests:
//! `waf_bench FOLDER [ROUNDS] [NAME]`. Counts evaluations, so that a cheap figure can't come from rules that didn't run,
//! and checks that its attacks are caught.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a command")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod traffic;

use portcullis_waf::ftw::{RawRequest, Suite, core_rules_as_shipped, parse_request};
use portcullis_waf::{Detail, Disk, RequestHead, RuleSet, Scratch, Spared};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;
use traffic::Maker;

struct Outcome {
    matched: usize,
    scored: bool,
    evaluations: u64,
}

/// How requests are looked at.
#[derive(Clone, Copy)]
enum How<'a> {
    Gated,
    Ungated,
    /// With what a contract says of their fields.
    Sparing(&'a Arc<Spared>),
}

#[inline(never)]
fn inspect(rules: &RuleSet, request: &RawRequest, scratch: Scratch, how: How<'_>) -> (Outcome, Scratch) {
    let headers: Vec<(&[u8], &[u8])> = request.headers.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
    let mut transaction = rules.transaction_with(scratch).with_detail(Detail::Ids);
    transaction = match how {
        How::Gated => transaction,
        How::Ungated => transaction.ungated(),
        How::Sparing(spared) => transaction.sparing(spared),
    };
    let _ = transaction.request_head(&RequestHead {
        method: &request.method,
        target: &request.target,
        protocol: &request.protocol,
        headers: &headers,
        peer: (IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000),
        unique_id: "bench",
    });
    let _ = transaction.request_body(&request.body);
    transaction.finish();
    let outcome = Outcome {
        matched: transaction.matched_ids().len(),
        scored: transaction.scores().detected_inbound > 0,
        evaluations: transaction.evaluations(),
    };
    (outcome, transaction.into_scratch())
}

struct Figure {
    median: f64,
    least: f64,
    most: f64,
    evaluations: f64,
    matched: usize,
}

/// Microseconds per request: each request's best round, and of these the median, the 5th and the 95th percentile.
/// The best round, because the machine is shared and what another process takes isn't the engine's.
fn measure(rules: &RuleSet, requests: &[RawRequest], rounds: usize, how: How<'_>) -> Figure {
    let mut scratch = Scratch::default();
    let mut best = vec![f64::INFINITY; requests.len()];
    let (mut evaluations, mut matched) = (0, 0);
    for _ in 0..rounds {
        (evaluations, matched) = (0, 0);
        for (request, best) in requests.iter().zip(&mut best) {
            let started = Instant::now();
            let (outcome, back) = inspect(rules, request, scratch, how);
            *best = best.min(started.elapsed().as_secs_f64() * 1e6);
            scratch = back;
            evaluations += outcome.evaluations;
            matched += usize::from(outcome.matched > 0 && outcome.scored);
        }
    }
    best.sort_by(f64::total_cmp);
    let at = |percent: usize| best.get(best.len() * percent / 100).copied().unwrap_or(0.0);
    Figure {
        median: at(50),
        least: at(5),
        most: at(95),
        evaluations: evaluations as f64 / requests.len() as f64,
        matched,
    }
}

fn report(name: &str, figure: &Figure, unit: &str, target: f64) -> bool {
    let met = figure.median <= target;
    println!(
        "figure {name} {:.2} {unit} spread {:.2}..{:.2} target <= {target} {}",
        figure.median,
        figure.least,
        figure.most,
        if met { "met" } else { "missed" }
    );
    met
}

fn memory_kib() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0.0)
}

/// What ordinary requests cost with a set of rules: name, requests, target in microseconds.
type Kind = (&'static str, Vec<RawRequest>, f64);

fn ordinary(rules: &RuleSet, kinds: &[Kind], rounds: usize, wanted: &dyn Fn(&str) -> bool) -> bool {
    let mut good = true;
    let promised = traffic::promised();
    let started = Instant::now();
    let spared = Arc::new(rules.spared(&promised.iter().map(traffic::Known::promise).collect::<Vec<_>>()));
    println!("{} fields of which the bytes are known compiled in {:?}", promised.len(), started.elapsed());
    for (name, requests, target) in kinds.iter().filter(|(name, _, _)| wanted(name)) {
        let figure = measure(rules, requests, rounds, How::Gated);
        good &= report(name, &figure, "us", *target);
        // One round is for profiles, which are of the gated engine alone.
        let sample: Vec<RawRequest> = requests.iter().take(if rounds > 1 { 150 } else { 0 }).cloned().collect();
        let plain = measure(rules, &sample, 1, How::Ungated);
        println!(
            "  evaluations {:.1}, ungated {:.1} us with {:.0} evaluations, {} of {} matched",
            figure.evaluations,
            plain.median,
            plain.evaluations,
            figure.matched,
            requests.len()
        );
        let proved = measure(rules, requests, rounds, How::Sparing(&spared));
        println!("  {:.2} us with known fields spared, {} matched", proved.median, proved.matched);
        good &= proved.matched == figure.matched;
    }
    good
}

/// The attacks of the suite that score.
fn attacks(rules: &RuleSet, suite: &Suite) -> Vec<RawRequest> {
    let tests = suite
        .tests
        .iter()
        .filter(|t| t.group.starts_with("REQUEST-9") && t.stages.iter().any(|s| s.expect.ids.contains(&t.rule)));
    let requests = tests.flat_map(|t| &t.stages).map(|s| parse_request(&s.request));
    requests.filter(|r| inspect(rules, r, Scratch::default(), How::Gated).0.scored).collect()
}

fn hostile(name: &str, rules: &RuleSet, requests: &[RawRequest], rounds: usize) -> bool {
    let mut figure = measure(rules, requests, rounds.min(3), How::Gated);
    for value in [&mut figure.median, &mut figure.least, &mut figure.most] {
        *value = *value * 1000.0 / HOSTILE_BYTES as f64;
    }
    report(name, &figure, "ns/byte", 100.0)
}

const HOSTILE_BYTES: usize = 16_000;

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(folder) = arguments.first() else {
        eprintln!("usage: waf_bench FOLDER [ROUNDS] [NAME]");
        return std::process::ExitCode::FAILURE;
    };
    let rounds = arguments.get(1).and_then(|r| r.parse().ok()).unwrap_or(7);
    let wanted = |name: &str| arguments.get(2).is_none_or(|only| name.contains(only.as_str()));
    let started = Instant::now();
    let Ok(builtin) = RuleSet::builtin() else { return std::process::ExitCode::FAILURE };
    println!("built-in rules loaded in {:?}, tables {} KiB", started.elapsed(), builtin.gate_bytes() / 1024);
    let before = memory_kib();
    let started = Instant::now();
    let (Ok(rules), Ok(suite)) = (RuleSet::load(&core_rules_as_shipped(folder), &Disk), Suite::folder(folder, &Disk))
    else {
        eprintln!("the rules or the suite can't be loaded");
        return std::process::ExitCode::FAILURE;
    };
    println!(
        "core rules loaded in {:?}, {} KiB, tables {} KiB",
        started.elapsed(),
        memory_kib() - before,
        rules.gate_bytes() / 1024
    );
    let mut maker = Maker::new(42);
    let count = if rounds > 1 { 3000 } else { 500 };
    let mut make = |n: usize, f: &dyn Fn(&mut Maker) -> RawRequest| (0..n).map(|_| f(&mut maker)).collect::<Vec<_>>();
    let (get, short) = (make(count, &|m| m.get()), make(count, &|m| m.json(200)));
    let (half, bytes) = (make(count, &|m| m.json(500)), make(40, &|m| m.hostile(HOSTILE_BYTES)));
    let ours: [Kind; 3] = [
        ("builtin_get_4_arguments", get.clone(), 2.0),
        ("builtin_json_1k_200_prose", short.clone(), 10.0),
        ("builtin_json_1k_half_prose", half.clone(), 15.0),
    ];
    let core: [Kind; 3] = [
        ("core_get_4_arguments", get, 10.0),
        ("core_json_1k_200_prose", short, 25.0),
        ("core_json_1k_half_prose", half, 35.0),
    ];
    let mut good = ordinary(&builtin, &ours, rounds, &wanted) & ordinary(&rules, &core, rounds, &wanted);
    if wanted("core_suite_attacks") {
        let attacks = attacks(&rules, &suite);
        let figure = measure(&rules, &attacks, rounds, How::Gated);
        good &= report("core_suite_attacks", &figure, "us", 50.0);
        println!("  evaluations {:.1}, {} of {} caught", figure.evaluations, figure.matched, attacks.len());
        good &= figure.matched == attacks.len() && attacks.len() > 2000;
    }
    for (name, set) in [("builtin_hostile", &builtin), ("core_hostile", &rules)] {
        good &= !wanted(name) || hostile(name, set, &bytes, rounds);
    }
    println!("memory {} KiB", memory_kib() - before);
    if good { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}
