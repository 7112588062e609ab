//! Rows of documents, in pieces of every size.

mod coded;
mod declared;
mod model;
mod property;

use super::{MaskError, Rewriter};
use crate::detect::Detector;
use crate::keys::Keys;
use crate::path::Path;
use crate::rules::{Action, Active, Coarser, Rule, Ruleset, Select, Start};
use std::sync::Arc;

pub(super) fn paths(texts: &[&str]) -> Vec<Path> {
    texts.iter().map(|text| Path::parse(text).unwrap()).collect()
}

pub(super) fn rule(places: &[&str], action: Action) -> Rule {
    Rule { select: Select::Paths(paths(places)), action }
}

pub(super) fn compile(rules: &[Rule]) -> Arc<Ruleset> {
    Arc::new(Ruleset::compile(rules, Keys::new(&[3; 32])).unwrap())
}

/// What leaves of a document that comes in pieces of this size.
pub(super) fn rewrite(mut rewriter: Rewriter, input: &[u8], size: usize) -> Result<Vec<u8>, MaskError> {
    let mut out = Vec::new();
    for piece in input.chunks(size) {
        rewriter.feed(piece, &mut out)?;
    }
    rewriter.finish(&mut out)?;
    Ok(out)
}

/// Checks a document in pieces of every size.
fn check(rules: &[Rule], input: &str, expected: &str) {
    let rules = compile(rules);
    for size in 1..=input.len() {
        let made = rewrite(Rewriter::new(Arc::clone(&rules), Active(u64::MAX)), input.as_bytes(), size).unwrap();
        assert_eq!(String::from_utf8(made).unwrap(), expected, "in pieces of {size}");
    }
}

#[test]
fn members_and_items_are_left_out_with_their_commas() {
    let remove = [rule(&["$.a", "$[1]", "$.list[*].a"], Action::Remove)];
    for (input, expected) in [
        (r#"{"a":1,"b":2}"#, r#"{"b":2}"#),
        (r#"{"b":2,"a":1}"#, r#"{"b":2}"#),
        (r#"{"b":2,"a":1,"c":3}"#, r#"{"b":2,"c":3}"#),
        (r#"{"a":1}"#, r"{}"),
        (r#"{ "a" : 1 }"#, r"{ }"),
        (r#"{"a":1,"a":2,"b":3,"a":4}"#, r#"{"b":3}"#),
        (r#"{ "a" : 1 , "b" : 2 }"#, r#"{  "b" : 2 }"#),
        (r#"{"\u0061":{"x":[1,{"a":2}]},"b":2}"#, r#"{"b":2}"#),
        ("[0,1,2]", "[0,2]"),
        ("[0,1]", "[0]"),
        (r#"{"list":[{"a":1},{"a":[],"b":"x"}]}"#, r#"{"list":[{},{"b":"x"}]}"#),
        (r#"{"x":{"a":1}}"#, r#"{"x":{"a":1}}"#),
    ] {
        check(&remove, input, expected);
    }
    check(&[rule(&["$"], Action::Remove)], " [1] ", " null ");
}

#[test]
fn values_are_replaced() {
    let rules = [
        rule(&["$.secret"], Action::Null),
        rule(&["$..card"], Action::Partial { first: 0, last: 4 }),
        rule(&["$.born"], Action::Generalise(Coarser::Year)),
        rule(&["$.note"], Action::Replace("a \"b\"".to_owned())),
        rule(&["$.both", "$.both"], Action::Partial { first: 1, last: 0 }),
        rule(&["$.both"], Action::Null),
    ];
    for (input, expected) in [
        (r#"{"secret":{"a":[1,2]},"b":1}"#, r#"{"secret":null,"b":1}"#),
        (r#"{"secret" : "x\"" , "b":1}"#, r#"{"secret" : null , "b":1}"#),
        (r#"{"card":"4111111111111111"}"#, r#"{"card":"************1111"}"#),
        (
            r#"{"card":{"n":"4111111111111111","y":2030,"ok":true}}"#,
            r#"{"card":{"n":"************1111","y":"****","ok":"****"}}"#,
        ),
        (r#"[{"x":{"card":12345678}}]"#, r#"[{"x":{"card":"****5678"}}]"#),
        (r#"{"born":"1985-03-02","note":-1.5e3}"#, r#"{"born":"1985","note":"a \"b\""}"#),
        (r#"{"both":"abcd"}"#, r#"{"both":null}"#),
        (r#"{"né":"\ud83d\ude00","n":1.50}"#, r#"{"né":"\ud83d\ude00","n":1.50}"#),
    ] {
        check(&rules, input, expected);
    }
}

#[test]
fn what_looks_like_something_is_replaced() {
    let detect = |detectors: &[Detector], action| Rule { select: Select::Detect(detectors.to_vec()), action };
    let rules = [
        detect(&[Detector::Email], Action::Replace("[email]".to_owned())),
        detect(&[Detector::Card], Action::Partial { first: 0, last: 4 }),
        detect(&[Detector::PrivateKey], Action::Null),
    ];
    for (input, expected) in [
        (r#"["to ada@example.com","x"]"#, r#"["to [email]","x"]"#),
        (r#"["to ada\u0040example.com\n","x\n"]"#, r#"["to [email]\n","x\n"]"#),
        (r#"{"n":4111111111111111,"m":4111111111111112}"#, r#"{"n":"************1111","m":4111111111111112}"#),
        (r#"["-----BEGIN PRIVATE KEY-----\nMII"]"#, "[null]"),
        (r#""4111 1111 1111 1111""#, r#""***************1111""#),
        ("4111111111111111", r#""************1111""#),
    ] {
        check(&rules, input, expected);
    }
}

#[test]
fn only_what_is_granted_leaves() {
    let rules = [
        Rule {
            select: Select::Grant(paths(&["$.id", "$.items[*].price", "$.open", "$.x.a.b"])),
            action: Action::Remove,
        },
        rule(&["$.open.secret"], Action::Null),
    ];
    for (input, expected) in [
        (r#"{"id":1,"name":"x","items":[{"price":1,"cost":2},{"cost":3},7]}"#, r#"{"id":1,"items":[{"price":1},{}]}"#),
        (r#"{"name":"x"}"#, "{}"),
        (r#"{"open":{"a":[1,{"b":2}],"secret":[1]}}"#, r#"{"open":{"a":[1,{"b":2}],"secret":null}}"#),
        (r#"{"x":1,"id":{"deep":true}}"#, r#"{"id":{"deep":true}}"#),
        (r#"{"x":{"a":{"c":1}}}"#, r#"{"x":{"a":{}}}"#),
        ("[1,2]", "[]"),
        ("7", "null"),
    ] {
        check(&rules, input, expected);
    }
    let rules = compile(&rules);
    let nobody = Rewriter::new(rules, Active(0b10));
    assert_eq!(rewrite(nobody, br#"{"id":1,"open":2}"#, 3).unwrap(), b"null");
}

#[test]
fn only_rules_that_count_do_anything() {
    let rules = compile(&[rule(&["$.a"], Action::Null), rule(&["$.b"], Action::Null)]);
    for (active, expected) in [(0, r#"{"a":1,"b":2}"#), (1, r#"{"a":null,"b":2}"#), (2, r#"{"a":1,"b":null}"#)] {
        let made = rewrite(Rewriter::new(Arc::clone(&rules), Active(active)), br#"{"a":1,"b":2}"#, 4).unwrap();
        assert_eq!(String::from_utf8(made).unwrap(), expected);
    }
}

#[test]
fn what_is_done_is_counted() {
    let rules = compile(&[
        rule(&["$..a"], Action::Null),
        Rule { select: Select::Detect(vec![Detector::Email]), action: Action::Remove },
        Rule { select: Select::Grant(paths(&["$.x"])), action: Action::Remove },
    ]);
    let mut rewriter = Rewriter::new(rules, Active(u64::MAX));
    let input = br#"{"x":[{"a":1,"a":2},{"a":[]},"a@b.example c@d.example"],"y":1,"z":{}}"#;
    rewriter.feed(input, &mut Vec::new()).unwrap();
    assert_eq!(rewriter.counts(), [3, 2, 0]);
    assert_eq!(rewriter.withheld(), 2);
}

#[test]
fn lines_are_documents() {
    let rules = compile(&[rule(&["$.a"], Action::Null)]);
    let lines = |input: &str, size| {
        let made = rewrite(Rewriter::lines(Arc::clone(&rules), Active(1), Start::default()), input.as_bytes(), size);
        made.map(|made| String::from_utf8(made).unwrap())
    };
    for size in 1..20 {
        assert_eq!(lines("{\"a\":1}\n \r\n{\"a\":2}\n7\n", size).unwrap(), "{\"a\":null}\n \r\n{\"a\":null}\n7\n");
        assert_eq!(lines("", size).unwrap(), "");
        assert_eq!(lines("{\"a\":1}", size).unwrap(), "{\"a\":null}");
        assert!(lines("{\"a\":1} {\"a\":1}", size).is_err());
        assert_eq!(lines("{\"a\":1}\n{", size), Err(MaskError::Truncated));
    }
    let one = Rewriter::new(rules, Active(1));
    assert!(rewrite(one, b"1\n2", 9).is_err());
}

#[test]
fn what_cannot_be_read_is_refused() {
    let rules = compile(&[rule(&["$.a"], Action::Null)]);
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let refused = |input: &[u8]| {
        let outcome = rewrite(Rewriter::new(Arc::clone(&rules), Active(1)), input, 3);
        outcome.expect_err(&String::from_utf8_lossy(input))
    };
    for input in ["", " ", "{", "[", "[1", "\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "-", "1.", "1e", "tru", "\"\\u12"] {
        assert_eq!(refused(input.as_bytes()), MaskError::Truncated, "{input}");
    }
    for input in [
        "x",
        "}",
        "]",
        "{]",
        "[}",
        "[1,]",
        "{\"a\":1,}",
        "{,}",
        "[,1]",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "01",
        "1.e1",
        "+1",
        ".5",
        "1ee1",
        "trux",
        "nul1",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"a\u{1}b\"",
        "\"a\nb\"",
        "1 2",
        "{}{}",
        "[1 2]",
        "\u{feff}1",
        "NaN",
        "{\"a\":1 \"b\":2}",
        "[1:2]",
        "\u{c}1",
        "/*c*/1",
        "--1",
    ] {
        assert!(matches!(refused(input.as_bytes()), MaskError::Malformed(_)), "{input}");
        assert!(serde_json::from_str::<serde_json::Value>(input).is_err(), "{input}");
    }
    assert_eq!(refused(b"\"\xff\""), MaskError::NotUtf8);
    assert_eq!(refused(b"\"\xe2\x82"), MaskError::Truncated);
    assert_eq!(refused(deep(129).as_bytes()), MaskError::TooDeep);
    assert_eq!(refused(format!("{{\"{}\":1}}", "a".repeat(2 << 20)).as_bytes()), MaskError::TooLong);
    let fits = Rewriter::new(rules, Active(1));
    assert!(rewrite(fits, deep(128).as_bytes(), 7).is_ok());
}

#[test]
fn of_a_value_that_is_too_long_nothing_is_shown() {
    let rules = compile(&[
        rule(&["$.a"], Action::Partial { first: 1, last: 1 }),
        Rule { select: Select::Detect(vec![Detector::Email]), action: Action::Remove },
    ]);
    let long = "x".repeat(3 << 20);
    let input = format!("{{\"a\":\"{long}\",\"b\":\"{long}\",\"c\":1}}");
    for size in [1 << 10, 1 << 16, usize::MAX] {
        let mut rewriter = Rewriter::new(Arc::clone(&rules), Active(u64::MAX));
        let mut out = Vec::new();
        input.as_bytes().chunks(size).for_each(|piece| rewriter.feed(piece, &mut out).unwrap());
        rewriter.finish(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a":"****","b":"****","c":1}"#);
        assert_eq!(rewriter.counts(), [1, 1]);
    }
}
