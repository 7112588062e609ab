//! A thousand reloads under load: no request fails, the tail stays where it was, memory is flat.
//!
//! Spells with and without reloads take turns in one run at the same offered load, so that whatever else the machine does
//! falls on both.

use crate::house::{Cost, House, PROTOCOLS, Setup, cost, long_count};
use portcullis_testkit::MoodyUpstream;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::load::{Load, Pace, Tally};
use std::net::SocketAddr;
use std::time::Duration;

const RELOADS: u64 = 1_000;
/// Of the real binary by SIGHUP in the short form: each waits until it is in force.
const RELOADS_SHORT: u64 = 60;
const SPELLS: u64 = 5;
const PER_SECOND: f64 = 400.0;
/// LIMIT: p99 with reloads over p99 without.
const P99_RATIO_MAX: f64 = 1.5;
/// What the short form allows on top: the machine runs other tests beside it, which a tail does not forgive.
const P99_SLACK: Duration = Duration::from_millis(20);
/// LIMIT: between the hundredth reload and the thousandth.
const GROWTH_MB_MAX: f64 = 8.0;

/// The offered load on an address while something happens, until it is over.
fn under_load(address: SocketAddr, name: &str, doing: impl FnOnce()) -> Tally {
    let start = |protocol| {
        let pace = Pace::Open(PER_SECOND);
        let name = format!("{name}-{protocol:?}");
        Load { pace, name, connections: 16, ..Load::new(address, protocol) }.start()
    };
    let loads: Vec<_> = PROTOCOLS.into_iter().map(start).collect();
    doing();
    let mut tally = Tally::default();
    loads.into_iter().for_each(|load| tally.merge(&load.stop()));
    tally
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Takes turns; `reload` makes one reload, `cost` measures.
fn prove(name: &str, address: SocketAddr, reloads: u64, reload: impl Fn(u64), cost: impl Fn() -> Cost) {
    let (mut calm, mut busy) = (Tally::default(), Tally::default());
    // The median of the spells: whatever else this machine does falls on some of them.
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let per_spell = reloads / SPELLS;
    let (mut early, mut late) = (None, None);
    // SLEEP: load for half a second, so that nothing is done for the first time below.
    drop(under_load(address, "warm", || std::thread::sleep(Duration::from_millis(500))));
    for spell in 0..SPELLS {
        let began = std::time::Instant::now();
        let tally = under_load(address, &format!("busy{spell}"), || {
            for number in 1..=per_spell {
                let number = spell * per_spell + number;
                reload(number);
                if number == reloads / 10 {
                    early = Some(cost());
                }
                if number == reloads {
                    late = Some(cost());
                }
            }
        });
        let took = began.elapsed();
        with.push(tally.times.percentile(99));
        busy.merge(&tally);
        // SLEEP: the same load for as long, without reloads.
        let tally = under_load(address, &format!("calm{spell}"), || std::thread::sleep(took));
        without.push(tally.times.percentile(99));
        calm.merge(&tally);
    }
    println!("reload {name}: {reloads} reloads\n  with    {busy}\n  without {calm}");
    assert_eq!((busy.failures(), busy.mismatched), (0, 0), "with reloads: {busy}");
    assert_eq!((calm.failures(), calm.mismatched), (0, 0), "without: {calm}");
    assert!(busy.good > 500 && calm.good > 500, "no load: {busy}; {calm}");
    let (with, without) = (median(with), median(without));
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    let grown = late.unwrap().grown_mb(early.unwrap());
    println!("reload {name}: p99 {with:?} / {without:?} = {ratio:.2}, memory {grown:+.1} MB from the first tenth on");
    let slack = if long_count().is_some() { Duration::ZERO } else { P99_SLACK };
    assert!(with <= without.mul_f64(P99_RATIO_MAX) + slack, "p99 {with:?} with, {without:?} without reloads");
    assert!(grown <= GROWTH_MB_MAX, "{grown} MB between a tenth of the reloads and all");
}

#[test]
fn a_thousand_reloads_fail_no_request() {
    let upstream = MoodyUpstream::start();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.workers = std::num::NonZeroUsize::new(2);
        plan.access_log.sink = portcullis_config::plan::LogSink::Off;
    });
    let (one, mut other) = (gate.plan(), gate.plan());
    other.hash = "other".to_owned();
    gateway::each_route(&mut other, |route| route.body_bytes /= 2);
    prove(
        "in process",
        gate.address(),
        long_count().unwrap_or(RELOADS),
        |number| {
            gate.handle().reload(if number % 2 == 0 { one.clone() } else { other.clone() }).expect("a good plan");
            // SLEEP: 200 reloads a second are enough; without a pause no request would meet each of them.
            std::thread::sleep(Duration::from_millis(5));
        },
        || cost(std::process::id()),
    );
}

#[test]
fn reloads_by_signal_and_by_file_fail_no_request() {
    let upstream = MoodyUpstream::start();
    let house = House::start(Setup::new("reload", &[upstream.address()]));
    let reloads = long_count().unwrap_or(RELOADS_SHORT);
    prove(
        "by signal and by file",
        house.plain,
        reloads,
        |number| {
            // Ten of them are noticed by themselves, which takes as long as the watch's interval.
            house.reload(number, !number.is_multiple_of(reloads / 10));
        },
        || house.cost(),
    );
    assert!(house.metric("portcullis_reloads_total") > 0.9 * f64::from(u32::try_from(reloads).unwrap()));
    assert!(house.metric("portcullis_reloads_failed_total") < 0.5);
    house.stop();
}
