//! Whoever comes from somewhere else, by files that a test has written.

use super::{Anomalies, Ended, Tally};
use portcullis_auth::principal::{Principal, Scheme};
use portcullis_config::plan::AnomaliesPlan;
use portcullis_config::{Environment, load_text};
use portcullis_h1::RequestHead;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::maxmind::{Said, database};
use portcullis_testkit::scratch::Scratch;
use portcullis_types::Clock;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const TEXT: &str = "version: 1\nlisteners: { local: { bind: '127.0.0.1:8080' } }\nanomalies: { FILES }\n\
    apis: { one: { hosts: ['*'], upstream: { targets: ['http://127.0.0.1:9'] }, routes: [{ path: /, methods: [GET], authn: public }] } }\n";
/// Three hundred requests in four days: enough for something new to be unusual.
const USUAL: u64 = 300;
const STEP_MS: u64 = 4 * 24 * 3_600_000 / USUAL;

fn plan(scratch: &Scratch, files: &str) -> AnomaliesPlan {
    let loaded = load_text("test.yaml", &TEXT.replace("FILES", files), scratch.path(), &Environment::process());
    loaded.unwrap_or_else(|failure| panic!("{}", failure.render(false))).plan.anomalies.clone().unwrap()
}

fn ada() -> Principal {
    Principal {
        scheme: Scheme::ApiKey,
        id: "ada".to_owned(),
        username: None,
        credential: String::new(),
        issuer: None,
        scopes: Vec::new(),
        roles: Vec::new(),
        claims: serde_json::Map::new(),
        expires_at: None,
    }
}

/// What is found about somebody who comes from one address for days, and then from others, three times from each.
fn found(plan: &AnomaliesPlan, usual: &str, then: &[&str]) -> Vec<(String, String, String, [f64; 3])> {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_392_000));
    let anomalies = Anomalies::start(plan, (None, None), [1, 2], &clock).unwrap();
    let (mut tally, caller, head) = (Tally::new(Arc::clone(&anomalies)), ada(), RequestHead::default());
    let mut tell = |number: u64, address: &str| {
        tally.add(&Ended {
            at_ms: 1_795_392_000_000 + number * STEP_MS,
            nanos: number,
            address: address.parse::<IpAddr>().unwrap(),
            caller: Some(&caller),
            operation: Some(("one", None)),
            status: 200,
            bytes: 100,
            fields: head.fields(),
            failed: None,
        });
    };
    (0..USUAL).for_each(|number| tell(number, usual));
    let others = then.iter().flat_map(|address| [*address; 3]).zip(USUAL..);
    others.for_each(|(address, number)| tell(number, address));
    // The last of all: a kind of finding that ends the waiting.
    (0..40).for_each(|number| {
        tally.add(&Ended {
            at_ms: 1_795_392_000_000 + 400 * STEP_MS,
            nanos: 1_000 + number,
            address: "203.0.113.9".parse::<IpAddr>().unwrap(),
            caller: None,
            operation: None,
            status: 404,
            bytes: 0,
            fields: head.fields(),
            failed: None,
        });
    });
    tally.flush();
    clock.advance(Duration::from_secs(2));
    eventually("the last finding", || anomalies.findings().iter().any(|one| one.kind == "not_found").then_some(()));
    let all = anomalies.findings().into_iter().filter(|one| one.kind.starts_with("new_"));
    all.map(|one| (one.kind, one.caller, one.place, one.numbers)).collect()
}

#[test]
fn a_country_and_a_network_that_are_new_are_told_by_name() {
    let scratch = Scratch::new();
    let countries = [
        ("192.0.2.0/24", Said::Country("DE")),
        ("198.51.100.0/24", Said::Country("DE")),
        ("203.0.113.0/24", Said::Country("KP")),
        ("2001:db8::/32", Said::Country("DE")),
    ];
    let networks = [
        ("192.0.2.0/24", Said::System(64_500)),
        ("198.51.100.0/24", Said::System(64_501)),
        ("203.0.113.0/24", Said::System(64_500)),
        ("2001:db8::/32", Said::System(64_500)),
    ];
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(scratch.path().join(name), bytes).unwrap();
    write("countries.mmdb", database(24, 6, &countries));
    write("networks.mmdb", database(28, 6, &networks));
    let told = |kind: &str, place: &str| (kind.to_owned(), "ada".to_owned(), place.to_owned(), [3.0, 0.0, 3.0]);
    let both = plan(&scratch, "countries: countries.mmdb, networks: networks.mmdb");
    // The same country and the same network by other addresses, and even by another family of them, are nothing new.
    assert_eq!(found(&both, "192.0.2.1", &["192.0.2.200", "2001:db8::1"]), []);
    assert_eq!(found(&both, "192.0.2.1", &["198.51.100.7"]), [told("new_network", "AS64501")]);
    assert_eq!(found(&both, "192.0.2.1", &["203.0.113.7"]), [told("new_country", "KP")]);
    // What no file knows is no country, and a network by its own number.
    assert_eq!(found(&both, "192.0.2.1", &["100.64.0.1"]), [told("new_network", "")]);
    // Without files a network is a /16, and nobody knows countries.
    let neither = plan(&scratch, "mode: observe");
    assert_eq!(found(&neither, "192.0.2.1", &["192.0.3.9"]), []);
    assert_eq!(found(&neither, "192.0.2.1", &["203.0.113.7"]), [told("new_network", "")]);
}
