//! Chaos under load: while upstreams are killed, hung, slowed, half-closed and made to answer garbage by a seeded plan, no
//! answer ever goes to another request, failures stay within a stated budget, and nothing is left over.

use crate::house::{House, PROTOCOLS, Setup, long_count};
use portcullis_testkit::MoodyUpstream;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::load::{Load, Pace, Protocol, Tally};
use portcullis_testkit::moody::{Mood, plan};
use std::net::SocketAddr;
use std::time::Duration;

const SEED: u64 = 20_261_126;
const UPSTREAMS: usize = 3;
const STEPS: usize = 1_000;
/// The share of requests that can be repeated and may fail all the same: those whose answers break off in the middle, which
/// nobody can take back, and those that meet nobody well within their attempts.
const BUDGET: f64 = 0.05;
/// The offered load of one client, and how long it takes in the short form.
const PER_SECOND: f64 = 600.0;
const SHORT: Duration = Duration::from_secs(12);
/// LIMIT: what the gateway may have kept of all that.
const GROWTH_MB_MAX: f64 = 24.0;

/// What a careful operator would say about such upstreams.
macro_rules! rules {
    () => {
        "first_byte_timeout: 500ms, idle_timeout: 300ms, ejection: { failures: 3, base: 1s, max_percent: 66 }, \
         retries: { attempts: 3, statuses: [502, 503, 504], budget: 50, pause: 5ms, max_pause: 50ms }"
    };
}

fn load(address: SocketAddr, protocol: Protocol, name: &str) -> Load {
    let (connections, streams) = if protocol == Protocol::Http2 { (4, 24) } else { (96, 1) };
    let pace = Pace::Open(if long_count().is_some() { 4.0 * PER_SECOND } else { PER_SECOND });
    let name = format!("{name}-{protocol:?}");
    Load { connections, streams, pace, name, ..Load::new(address, protocol) }
}

fn calm(house: &House, requests: u64) {
    for protocol in PROTOCOLS {
        let quiet = Load { requests, ..Load::new(house.plain, protocol) };
        let tally = quiet.run();
        assert_eq!((tally.good, tally.failures()), (requests, 0), "in calm: {tally}");
    }
}

/// Runs the plan again and again until the loads are over.
fn storm(house: &House, upstreams: &[MoodyUpstream]) -> (Tally, usize) {
    let count = long_count();
    let share = u64::try_from(PROTOCOLS.len()).unwrap();
    let loads: Vec<_> = PROTOCOLS
        .into_iter()
        .map(|protocol| {
            let load = load(house.plain, protocol, "storm");
            let time = if count.is_some() { Duration::from_secs(3600) } else { SHORT };
            Load { requests: count.map_or(u64::MAX, |count| count.div_ceil(share)), time, ..load }.start()
        })
        .collect();
    let mut steps = 0;
    for step in plan(SEED, UPSTREAMS, STEPS).iter().cycle() {
        if loads.iter().all(portcullis_testkit::load::Running::is_over) {
            break;
        }
        // SLEEP: the plan is a plan in time.
        std::thread::sleep(step.after);
        upstreams[step.upstream].become_(step.mood);
        steps += 1;
    }
    upstreams.iter().for_each(|upstream| upstream.become_(Mood::Well));
    let mut tally = Tally::default();
    loads.into_iter().for_each(|load| tally.merge(&load.join()));
    (tally, steps)
}

fn chaos(name: &'static str, protocol: &'static str) {
    let upstreams: Vec<MoodyUpstream> = (0..UPSTREAMS).map(|_| MoodyUpstream::start()).collect();
    let addresses: Vec<SocketAddr> = upstreams.iter().map(MoodyUpstream::address).collect();
    let house = House::start(Setup { upstream: protocol, ..Setup::new(name, &addresses) });
    calm(&house, 500);
    let nothing_open = || {
        house.wait_metric("portcullis_connections", 0.0);
        for upstream in &upstreams {
            eventually("no connection upstream is left", || (upstream.open() == 0).then_some(()));
        }
    };
    nothing_open();
    let before = house.cost();
    let (tally, steps) = storm(&house, &upstreams);
    println!("chaos {name}: seed {SEED}, {steps} changes of mood, {tally}");
    assert_eq!(tally.mismatched, 0, "seed {SEED}: {tally}");
    assert!(tally.good > 2_000 && steps > 10, "no chaos: {steps} changes, {tally}");
    if let Some(count) = long_count() {
        assert!(tally.total() >= count, "{tally}");
    }
    let share = |count: u64| f64::from(u32::try_from(count).unwrap());
    let failed = share(tally.failed_repeatable) / share(tally.repeatable);
    println!("chaos {name}: {:.2} % of the repeatable requests failed, budget {:.0} %", failed * 100.0, BUDGET * 100.0);
    assert!(failed <= BUDGET, "seed {SEED}: {failed}, {tally}");
    // Whatever was unwell is well again, and so is everything that depends on it.
    eventually("all is well again", || {
        let tally = Load { requests: 20, ..Load::new(house.plain, Protocol::Http1) }.run();
        (tally.good == 20).then_some(())
    });
    calm(&house, 500);
    nothing_open();
    eventually("no file is left open", || (house.cost().files <= before.files).then_some(()));
    let grown = house.cost().grown_mb(before);
    println!("chaos {name}: memory {:+.1} MB, {} ms of CPU", grown, house.cost().cpu_ms - before.cpu_ms);
    assert!(grown <= GROWTH_MB_MAX, "{grown} MB more than before");
    house.stop();
}

#[test]
fn chaos_never_pairs_an_answer_with_another_request_and_leaves_nothing() {
    chaos("http1", concat!(", ", rules!()));
}

#[test]
fn chaos_over_http2_upstream_does_neither() {
    chaos("http2", concat!(", protocol: http2, ", rules!()));
}
