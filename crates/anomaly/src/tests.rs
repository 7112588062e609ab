//! Ten days of a made-up world, and what is seen in them.

mod parts;
mod world;

use crate::event::mix;
use crate::{Bounds, Event, Finding, Kind, Watcher};
use world::{ATTACKS, Attack, DAYS, World};

/// How soon an attack has to be noticed.
const SOON_MS: u64 = 2 * 60_000;
/// How long after its end it still explains what is found about the same.
const AFTER_MS: u64 = 10 * 60_000;

fn lived(seed: u64) -> (World, Vec<Finding>, usize) {
    let world = World::new(seed);
    let mut watcher = Watcher::new(Bounds { principals: 4_000, addresses: 8_192, pairs: 16_000 });
    let mut findings = Vec::new();
    let mut events = 0;
    world.live(&mut |event| {
        events += 1;
        watcher.see(event, &mut |finding| findings.push(finding));
    });
    (world, findings, events)
}

fn explains(world: &World, attack: &Attack, finding: &Finding) -> bool {
    let (start, end) = attack.time();
    world.is_about(attack, finding.who) && (start..end + AFTER_MS).contains(&finding.at_ms)
}

#[test]
fn attacks_are_noticed_soon_and_normal_days_are_quiet() {
    for seed in [1, 2, 3] {
        let (world, findings, events) = lived(seed);
        assert!(events > 500_000, "{events} requests");
        let mut missed = Vec::new();
        for attack in &ATTACKS {
            let (start, _) = attack.time();
            let noticed = findings.iter().find(|finding| {
                attack.kinds.contains(&finding.kind)
                    && world.is_about(attack, finding.who)
                    && (start..start + SOON_MS).contains(&finding.at_ms)
            });
            match noticed {
                None => missed.push(attack.name),
                Some(finding) => println!(
                    "seed {seed}: {} noticed as {} after {} s: {:.1} instead of {:.1}, bound {:.1}",
                    attack.name,
                    finding.kind.name(),
                    (finding.at_ms - start) / 1000,
                    finding.seen,
                    finding.usual,
                    finding.bound
                ),
            }
        }
        // Whoever uses the stolen token is somewhere else in each way that is looked at.
        for kind in [Kind::NewNetwork, Kind::NewCountry, Kind::NewClient] {
            let told = findings.iter().filter(|finding| finding.kind == kind).count();
            assert_eq!(told, 1, "seed {seed}: {}", kind.name());
        }
        let mut wrong = vec![Vec::new(); DAYS];
        for finding in &findings {
            if !ATTACKS.iter().any(|attack| explains(&world, attack, finding)) {
                wrong[world.day(finding.at_ms)].push(*finding);
            }
        }
        println!(
            "seed {seed}: {events} requests, missed {missed:?}, wrong by day {:?}",
            wrong.iter().map(Vec::len).collect::<Vec<_>>()
        );
        assert!(missed.len() <= 1, "seed {seed}: missed {missed:?}");
        for (day, wrong) in wrong.iter().enumerate() {
            assert!(wrong.len() <= 1, "seed {seed}, day {day}: {wrong:?}");
        }
    }
}

/// The tables that are shipped (`callers: 100000`): what they take once they are full, and what a process takes into which 100,000 principals
/// have come, each from an address of its own and at two operations.
#[test]
fn memory_is_stated() {
    const CALLERS: u64 = 100_000;
    let bounds = Bounds { principals: 100_000, addresses: 100_000, pairs: 200_000 };
    let before = resident();
    let mut watcher = Watcher::new(bounds);
    let bytes = watcher.bytes();
    for number in 0..2 * CALLERS {
        let (name, operation) = (mix(number % CALLERS), 1 + number / CALLERS);
        let event = Event {
            at_ms: 1_795_392_000_000,
            principal: Some(name),
            address: mix(name),
            operation: Some(operation),
            status: 200,
            ..Event::default()
        };
        watcher.see(&event, &mut |finding| panic!("{finding:?}"));
    }
    let taken = resident() - before;
    println!("{bytes} bytes for 100,000 principals and addresses and 200,000 pairs, {taken} taken");
    assert!(bytes < 160_000_000, "{bytes}");
    assert!(taken > bytes / 2 && taken < bytes + 16 * 1024 * 1024, "{taken} taken of {bytes}");
}

/// Bytes of memory that the process has taken.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
