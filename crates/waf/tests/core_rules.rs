//! The Core Rule Set's own regression suite, and the gates held against the interpreter without them.
//! Reads the suite from where it lives beside the project; a test that doesn't find it fails and says so.
#![cfg(feature = "ftw")]
#![allow(clippy::panic, clippy::unwrap_used, clippy::print_stdout, reason = "a test states facts")]

use portcullis_waf::ftw::{Suite, compare_gates, core_rules, core_rules_overrides, run};
use portcullis_waf::{Disk, Field, Place, Promise, Random, RequestHead, RuleSet, Scores, Transaction};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

#[allow(clippy::disallowed_methods, reason = "a test finds its data by the environment")]
fn folder() -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var("PORTCULLIS_SUITES").ok().map(PathBuf::from);
    let places: Vec<PathBuf> = match named {
        Some(place) => vec![root.join(&place), place],
        None => vec![root.join("../shared/suites"), root.join("../../shared/suites")],
    };
    let found = places.iter().map(|p| p.join("crs")).find(|p| p.is_dir());
    found
        .unwrap_or_else(|| panic!("the suites are missing: looked for `crs` in {places:?}; set PORTCULLIS_SUITES"))
        .display()
        .to_string()
}

#[allow(clippy::disallowed_methods, reason = "a longer run is asked for by the environment")]
fn mutations() -> usize {
    std::env::var("PORTCULLIS_WAF_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000)
}

fn rules(paranoia: u8) -> RuleSet {
    RuleSet::load(&core_rules(&folder(), paranoia), &Disk).unwrap_or_else(|e| panic!("{e:#?}"))
}

#[test]
fn every_test_of_the_suite_passes() {
    let suite = Suite::folder(&folder(), &Disk).unwrap();
    assert_eq!(suite.tests.len(), 4966);
    let rules = rules(4);
    for (name, ungated) in [("gated", false), ("ungated", true)] {
        let report = run(&rules, &suite, core_rules_overrides(), |t| if ungated { t.ungated() } else { t }).unwrap();
        assert_eq!(report.failed, [], "{name}");
        assert_eq!(report.passed, 4966, "{name}");
    }
    assert!(core_rules_overrides().len() <= 5, "each override is an exception to explain");
}

#[test]
fn the_whole_set_is_there() {
    let counts = rules(1).counts();
    assert_eq!((counts.rules, counts.links, counts.by_phase), (631, 73, [174, 292, 43, 109, 13]));
}

fn gates_change_nothing(paranoia: u8) {
    let suite = Suite::folder(&folder(), &Disk).unwrap();
    let compared = compare_gates(&rules(paranoia), &suite, mutations() / 4, u64::from(paranoia)).unwrap();
    assert!(compared >= 4972 + mutations() / 4);
}

#[test]
fn gates_change_nothing_at_paranoia_1() {
    gates_change_nothing(1);
}

#[test]
fn gates_change_nothing_at_paranoia_2() {
    gates_change_nothing(2);
}

#[test]
fn gates_change_nothing_at_paranoia_3() {
    gates_change_nothing(3);
}

#[test]
fn gates_change_nothing_at_paranoia_4() {
    gates_change_nothing(4);
}

/// What a request with these values in query, fields, cookie and body comes to.
fn matched(transaction: Transaction, page: &str, id: &str) -> (Vec<u64>, Scores) {
    let mut transaction = transaction;
    let cookie = format!("seen={page}");
    let headers: [Field<'_>; 5] = [
        (b"Host", b"api.test"),
        (b"User-Agent", b"x"),
        (b"Content-Type", b"application/json"),
        (b"X-Id", id.as_bytes()),
        (b"Cookie", cookie.as_bytes()),
    ];
    let target = format!("/orders?page={page}");
    let head = RequestHead {
        method: b"POST",
        target: target.as_bytes(),
        protocol: b"HTTP/1.1",
        headers: &headers,
        peer: (Ipv4Addr::LOCALHOST.into(), 1),
        unique_id: "x",
    };
    transaction.request_head(&head);
    transaction.request_body(format!("{{\"items\":[{{\"id\":\"{id}\"}},{{\"id\":7}}]}}").as_bytes());
    transaction.finish();
    (transaction.matched_ids().to_vec(), transaction.scores())
}

#[test]
fn what_a_contract_says_of_fields_changes_nothing() {
    const SETS: [&[u8]; 4] =
        [b"+-.0123456789Ee", b"-0123456789ABCDEFabcdef", b"aeflnrstu", b"_-0123456789abcdefghijklmnopqrstuvwxyz"];
    let mut random = Random::new(5);
    for paranoia in [1, 4] {
        let rules = rules(paranoia);
        for set in SETS {
            let promise = |place, name| Promise { place, name, bytes: set };
            let places = [
                (Place::Query, "page"),
                (Place::Header, "x-ID"),
                (Place::Cookie, "seen"),
                (Place::Body, "json.items.*.id"),
            ];
            let spared = rules.spared(&places.map(|(place, name)| promise(place, name)));
            for field in spared.fields() {
                println!("paranoia {paranoia} {}: {field:?}", String::from_utf8_lossy(set));
                assert!(field.tried < field.looking / 2, "{field:?}");
            }
            let spared = Arc::new(spared);
            for round in 0..mutations() / 500 {
                let mut value = || -> String {
                    let length = random.below(if round % 16 == 0 { 90 } else { 24 });
                    let mut text: String = (0..length).map(|_| char::from(*random.pick(set))).collect();
                    if random.below(6) == 0 {
                        text.push_str(random.pick::<&str>(&["'or-1=1--", "<script>", ";id", "%0d%0aa:b"]));
                    }
                    text
                };
                let (page, id) = (value(), value());
                let plain = matched(rules.transaction().ungated(), &page, &id);
                assert_eq!(matched(rules.transaction().sparing(&spared), &page, &id), plain, "{page} {id}");
            }
        }
    }
}
