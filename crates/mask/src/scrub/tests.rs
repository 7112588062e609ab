//! What gives something away, and what does not: a corpus of errors as servers of many kinds word them, and one of harmless ones.

use super::{Leak, leak, shown};

const LEAKS: &str = include_str!("corpus/leaks.txt");
const HARMLESS: &str = include_str!("corpus/harmless.txt");

/// The rows of a corpus: what stands behind `===`, and the lines up to the next.
fn rows(corpus: &str) -> Vec<(&str, &str)> {
    let rows = corpus.split("=== ").filter(|row| !row.is_empty());
    rows.map(|row| row.split_once('\n').map(|(name, body)| (name, body.trim_end_matches('\n'))).unwrap()).collect()
}

#[test]
fn errors_that_give_something_away_are_found() {
    let rows = rows(LEAKS);
    assert!(rows.len() >= 80, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for (name, body) in rows {
        let (name, kind) = name.split_once(" | ").unwrap();
        let kind = Leak::ALL.into_iter().find(|leak| leak.name() == kind).unwrap();
        match leak(body.as_bytes()).unwrap() {
            Some(found) if found == kind => {}
            found => wrong.push(format!("{name}: {found:?} instead of {kind:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn harmless_errors_are_left_alone() {
    let rows = rows(HARMLESS);
    assert!(rows.len() >= 80, "{} rows", rows.len());
    let wrong: Vec<String> = rows
        .into_iter()
        .filter_map(|(name, body)| leak(body.as_bytes()).unwrap().map(|found| format!("{name}: {found:?}")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_goes_to_the_log_holds_no_secret() {
    for (text, expected) in [
        ("password=hunter2 user=ada", "password=[redacted] user=ada"),
        ("{\"password\": \"hunter2\", \"a\": 1}", "{\"password\": \"[redacted]\", \"a\": 1}"),
        ("api_key: abc, x", "api_key: [redacted], x"),
        ("Authorization: Basic YTpi\nnext", "Authorization: [redacted]\nnext"),
        ("cannot reach postgres://shop:s3cret@db/orders", "cannot reach postgres://[redacted]@db/orders"),
        ("mail to ada@example.com with 4111111111111111", "mail to [email] with [card]"),
        ("the password was wrong", "the password was wrong"),
        ("", ""),
    ] {
        assert_eq!(shown(text.as_bytes()), expected, "{text}");
    }
    let long = format!("{} password=hunter2", "word ".repeat(2_000));
    let shown = shown(long.as_bytes());
    assert!(shown.len() <= 4 * 1024 && shown.ends_with("word"), "{}", shown.len());
}

proptest::proptest! {
    #[test]
    fn whatever_the_bytes_nothing_panics(bytes in proptest::collection::vec(0..=255_u8, 0..200)) {
        proptest::prop_assert!(leak(&bytes).is_ok());
        proptest::prop_assert!(shown(&bytes).len() <= 1_000);
    }
}
