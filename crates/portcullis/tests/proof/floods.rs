//! Floods and malformed frames over HTTP/2, each a script of raw frames with the end that it must come to: bounded memory
//! and CPU, a metric that names the limit, and a good client served throughout.

#[path = "floods/attack.rs"]
mod attack;
#[path = "floods/rows.rs"]
mod rows;

use crate::house::{House, PROTOCOLS, Setup};
use attack::{End, attack};
use portcullis_testkit::MoodyUpstream;
use portcullis_testkit::load::{Load, Pace, Protocol};
use rows::{Expected, floods, malformed, slow_readers};
use std::net::SocketAddr;

/// LIMIT: what the gateway may have grown by after a flood over so many connections.
const GROWTH_MB_MAX: f64 = 24.0;
/// LIMIT: CPU for it; an unoptimised build included.
const CPU_MS_MAX: u64 = 4_000;
/// How often each flood is made, one connection after the other.
const CONNECTIONS: usize = 20;
/// Connections of slow readers at once, each with 20 requests for a mebibyte.
const SLOW_READERS: usize = 10;

/// A good client that asks all the time, by either protocol.
fn good_clients(address: SocketAddr) -> Vec<portcullis_testkit::load::Running> {
    let one = |protocol| Load {
        pace: Pace::Open(50.0),
        connections: 4,
        name: format!("good-{protocol:?}"),
        ..Load::new(address, protocol)
    };
    PROTOCOLS.into_iter().map(|protocol| one(protocol).start()).collect()
}

/// Runs `doing` beside good clients, and states what it cost.
pub(crate) fn beside_good_clients(house: &House, name: &str, growth_mb: f64, cpu_ms: u64, doing: impl FnOnce()) {
    let warm = Load { requests: 200, ..Load::new(house.plain, Protocol::Http1) }.run();
    assert_eq!(warm.good, 200, "before {name}: {warm}");
    let before = house.cost();
    let clients = good_clients(house.plain);
    doing();
    let after = house.cost();
    for client in clients {
        let tally = client.stop();
        println!("{name}: good client: {tally}");
        assert!(tally.good > 0, "{name}: {tally}");
        assert_eq!((tally.failures(), tally.mismatched), (0, 0), "a good client is served during {name}: {tally}");
    }
    let (grown, spent) = (after.grown_mb(before), after.cpu_ms - before.cpu_ms);
    println!("{name}: memory {grown:+.1} MB (at most {growth_mb}), CPU {spent} ms (at most {cpu_ms})");
    assert!(grown <= growth_mb, "{name}: {grown} MB more than before");
    assert!(spent <= cpu_ms, "{name}: {spent} ms of CPU");
    let tally = Load { requests: 50, ..Load::new(house.plain, Protocol::Http1) }.run();
    assert_eq!(tally.good, 50, "after {name}: {tally}");
    house.wait_metric("portcullis_connections", 0.0);
}

fn met(expected: &Expected, end: &End) -> bool {
    match expected {
        Expected::GoAway(codes) => end.go_away.is_some_and(|code| codes.contains(&code)),
        Expected::Reset(codes) => {
            end.resets.iter().any(|code| codes.contains(code)) || end.go_away.is_some_and(|code| codes.contains(&code))
        }
        Expected::Refused(codes) => {
            end.statuses.iter().any(|status| (400..500).contains(status))
                || end.resets.iter().any(|code| codes.contains(code))
                || end.go_away.is_some_and(|code| codes.contains(&code))
        }
        Expected::Closed => end.closed,
    }
}

#[test]
fn floods_end_with_the_limit_named() {
    let upstream = MoodyUpstream::start();
    let house = House::start(Setup::new("floods", &[upstream.address()]));
    let mut wrong = Vec::new();
    for row in floods() {
        let series = row.limit.map(|limit| format!("portcullis_http2_floods_total{{limit=\"{limit}\"}}"));
        let counted = series.as_ref().map_or(0.0, |series| house.metric(series));
        beside_good_clients(&house, row.name, GROWTH_MB_MAX, CPU_MS_MAX, || {
            for _ in 0..CONNECTIONS {
                let end = attack(house.plain, &row);
                if !met(&row.expected, &end) {
                    wrong.push(format!("{}: expected {:?}, saw {end:?}", row.name, row.expected));
                }
            }
        });
        if let Some(series) = series.filter(|series| house.metric(series) <= counted) {
            wrong.push(format!("{}: {series} does not count it", row.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    house.stop();
}

#[test]
fn malformed_frames_and_heads_are_refused() {
    let upstream = MoodyUpstream::start();
    let house = House::start(Setup::new("malformed", &[upstream.address()]));
    let (mut wrong, before) = (Vec::new(), upstream.requests());
    for row in malformed() {
        let end = attack(house.plain, &row);
        if !met(&row.expected, &end) {
            wrong.push(format!("{}: expected {:?}, saw {end:?}", row.name, row.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(upstream.requests(), before, "nothing malformed was forwarded");
    for protocol in PROTOCOLS {
        assert_eq!(Load { requests: 8, ..Load::new(house.plain, protocol) }.run().good, 8);
    }
    house.stop();
}

#[test]
fn slow_readers_of_http2_cost_bounded_memory() {
    let upstream = MoodyUpstream::start();
    let house = House::start(Setup { upstream: ", timeout: 3s", ..Setup::new("slow-readers", &[upstream.address()]) });
    for row in slow_readers() {
        beside_good_clients(&house, row.name, GROWTH_MB_MAX, CPU_MS_MAX, || {
            let attackers: Vec<_> = (0..SLOW_READERS)
                .map(|_| {
                    let (row, address) = (row.clone(), house.plain);
                    std::thread::spawn(move || attack(address, &row))
                })
                .collect();
            for attacker in attackers {
                let end = attacker.join().unwrap();
                assert!(met(&row.expected, &end), "{}: expected {:?}, saw {end:?}", row.name, row.expected);
            }
        });
    }
    house.stop();
}
