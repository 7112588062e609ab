//! The Core Rule Set's own regression suite, and the gates held against the interpreter without them.
//! Reads the suite from where it lives beside the project; a test that doesn't find it fails and says so.
#![cfg(feature = "ftw")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test states facts")]

use portcullis_waf::ftw::{Suite, compare_gates, core_rules, core_rules_overrides, run};
use portcullis_waf::{Disk, RuleSet};
use std::path::PathBuf;

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
