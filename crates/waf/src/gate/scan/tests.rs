//! Rows of scans that end early.

use super::*;
use crate::loader::Memory;
use crate::ruleset::{Part, RuleSet};

fn load(text: &str) -> RuleSet {
    RuleSet::load(&[Part::Text { name: "t.conf".into(), text: text.into() }], &Memory::default()).unwrap()
}

const CHAIN: &str = "t:urlDecodeUni,t:htmlEntityDecode,t:jsDecode,t:removeNulls,t:compressWhitespace,t:lowercase";

#[test]
fn a_value_is_not_looked_at_beyond_the_bound() {
    let rules = load(&format!("SecRule ARGS \"@rx evilword\" \"id:1,phase:2,deny,multiMatch,{CHAIN}\"\n"));
    let value = "%41&lt;\\u0041\0 \t Elivdrow ".repeat(1000);
    let work = |most: usize| {
        let mut store = Store::default();
        let value = store.intern(value.as_bytes());
        store.push(List::ArgsGet, value, value);
        let mut scanner = Scanner::default();
        scanner.reset(rules.program.gate.serial);
        scanner.scan(&rules.program.gate, &mut store, most);
        assert_eq!(scanner.work > most, scanner.union.contains(0), "what wasn't seen may match");
        scanner.work
    };
    assert!(work(usize::MAX) > 4 * value.len() * VIEW_COST, "several views");
    // The view that it happens at is the last.
    assert_eq!(work(10), value.len() * VIEW_COST);
}

#[test]
fn a_scan_that_ended_early_is_not_remembered_as_one_that_found_nothing() {
    let rules = load("SecRule REQUEST_HEADERS \"@rx evilword\" \"id:1,phase:2,deny\"\n");
    let mut scanner = Scanner::default();
    for most in [0, 0, 0, usize::MAX] {
        let mut store = Store::default();
        let (name, value) = (store.intern(b"x"), store.intern(b"an evilword"));
        store.push(List::Headers, name, value);
        scanner.reset(rules.program.gate.serial);
        scanner.scan(&rules.program.gate, &mut store, most);
        assert!(scanner.may_match(0), "{most}");
    }
}
