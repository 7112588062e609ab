//! Two gateways of the real binary, one limit, a real store that is killed and comes back under load: every answer is one of
//! the two that there should be, and all of them together stay within what is stated.

use crate::house::{House, Setup};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::{Client, MoodyUpstream, StoreServer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PER_SECOND: u64 = 40;
const UP: &str = "portcullis_limit_store_up";

/// Served and refused, until told to stop. Anything else is a failure.
fn callers(gateways: [SocketAddr; 2], stop: &Arc<AtomicBool>) -> Vec<std::thread::JoinHandle<[u64; 2]>> {
    let caller = |gateway: SocketAddr| {
        let stop = Arc::clone(stop);
        std::thread::spawn(move || {
            let (mut client, mut counts) = (Client::connect(gateway), [0, 0]);
            while !stop.load(Ordering::Relaxed) {
                let answer = client.ask("GET /n/1 HTTP/1.1\r\nHost: a.test\r\n\r\n");
                match answer.status {
                    200 => counts[0] += 1,
                    429 => counts[1] += 1,
                    other => panic!("{other}: {}", answer.text()),
                }
            }
            counts
        })
    };
    gateways.iter().chain(&gateways).map(|gateway| caller(*gateway)).collect()
}

#[test]
fn a_store_that_dies_under_load_costs_nobody_an_error() {
    let (upstream, store) = (MoodyUpstream::start(), StoreServer::start());
    let house = |name: &'static str| {
        let more = format!("shared_store: {{ servers: [\"redis://{}\"], timeout: 1s, gateways: 2 }}\n", store.address);
        let routes = "      - { path: \"/n/{id}\", methods: [any], limits: { spent: { key: [address], rate: 40/s, burst: 40, \
                      shared: true } } }\n";
        House::start(Setup { more, routes, ..Setup::new(name, &[upstream.address()]) })
    };
    let houses = [house("sharing-a"), house("sharing-b")];
    let wait = |up: f64| {
        for house in &houses {
            eventually("the store is seen", || ((house.metric(UP) - up).abs() < 0.5).then_some(()));
        }
    };
    wait(1.0);
    let (began, stop) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let callers = callers([houses[0].plain, houses[1].plain], &stop);
    for _ in 0..2 {
        // SLEEP: load in between; nothing depends on how much it is.
        std::thread::sleep(Duration::from_millis(700));
        store.kill();
        wait(0.0);
        // SLEEP: the same without the store.
        std::thread::sleep(Duration::from_millis(700));
        store.revive();
        wait(1.0);
    }
    stop.store(true, Ordering::Relaxed);
    let counts: Vec<[u64; 2]> = callers.into_iter().map(|caller| caller.join().expect("no errors")).collect();
    let (served, refused) = counts.iter().fold((0, 0), |(served, refused), [a, b]| (served + a, refused + b));
    let seconds = u64::try_from(began.elapsed().as_millis().div_ceil(1_000)).unwrap();
    // Twice the limit and a quarter of its burst, and one limit for each time that the store lost its memory.
    let bound = 2 * (PER_SECOND + PER_SECOND * seconds) + PER_SECOND / 4 + 2 * PER_SECOND;
    println!("served {served}, refused {refused} in {seconds} s; bound {bound}");
    assert!(served <= bound, "{served} of {bound}");
    assert!(served >= PER_SECOND && refused > 0, "served {served}, refused {refused}");
    // Exact again: nothing is decided alone any more.
    let alone = |house: &House| house.metric("portcullis_limit_alone_total");
    assert!(houses.iter().any(|house| alone(house) > 0.0), "somebody was served by the share");
    for house in &houses {
        let before = alone(house);
        let answer = Client::connect(house.plain).ask("GET /n/1 HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert!(matches!(answer.status, 200 | 429), "{}", answer.status);
        assert!((alone(house) - before).abs() < 0.5, "decided by the store");
    }
}
