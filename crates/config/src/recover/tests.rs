//! Reading goes on after every mistake, and made-up values can stand in for everything.

use std::path::Path;

use super::recover;
use crate::diagnostic::Report;
use crate::file::File;
use crate::sources::Sources;
use crate::tree::{Tree, build};
use crate::values::Environment;

/// The codes of all mistakes of shape, in order; the second value tells whether a whole file came out.
fn codes(text: &str) -> (Vec<&'static str>, bool) {
    let mut sources = Sources::default();
    let file = sources.add("test.yaml", text.to_owned(), Path::new(""));
    let (mut tree, mut report) = (Tree::default(), Report::default());
    let root = build(&mut tree, &mut report, file, text).expect("a root");
    let environment = Environment::fixed([("BIND", "127.0.0.1:80"), ("AUTHN", "public"), ("BAD", "secret")]);
    let (value, _) = recover::<File>(&mut tree, root, &sources, &environment, &mut report);
    let (diagnostics, _) = report.into_sorted();
    (diagnostics.iter().map(|diagnostic| diagnostic.code).collect(), value.is_some())
}

#[test]
fn everything_can_be_made_up() {
    for text in [
        "nonsense",
        "[]",
        "{}",
        "{ listeners: 1, apis: 1 }",
        "version:",
        "apis: { a: }",
        "apis: { a: { routes: [1] } }",
    ] {
        let (codes, whole) = codes(text);
        assert!(whole, "{text}");
        assert!(!codes.is_empty(), "{text}");
    }
}

#[test]
fn a_slip_counts_for_what_was_meant() {
    let (codes, whole) = codes("version: 1\nlisteners: { a: { bnd: wrong } }\napis: {}");
    assert!(whole);
    assert_eq!(codes, ["unknown-setting", "bad-value"], "the value under the slip is read as well");
}

#[test]
fn a_slip_beside_the_right_name_is_only_unknown() {
    let (codes, _) = codes("version: 1\nlisteners: { a: { bind: '127.0.0.1:80', bnd: wrong } }\napis: {}");
    assert_eq!(codes, ["unknown-setting"]);
}

#[test]
fn values_come_from_outside_wherever_a_single_value_stands() {
    let text = "version: 1\nlisteners: { a: { bind: { env: BIND } } }\ndefaults: { authn: { env: AUTHN } }\napis: {}";
    assert_eq!(codes(text), (vec![], true));
    let text = "version: 1\nlisteners: { a: { bind: { env: BAD } } }\ndefaults: { authn: { env: BAD } }\napis: {}";
    assert_eq!(codes(text), (vec!["bad-value", "unknown-choice"], true));
}

#[test]
fn every_missing_setting_is_found_in_one_run() {
    let (codes, whole) = codes("apis: { a: { routes: [{}] } }");
    assert!(whole);
    // Version, listeners, hosts, path, methods.
    assert_eq!(codes, ["missing-setting"; 5]);
}
