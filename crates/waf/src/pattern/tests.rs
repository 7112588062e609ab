//! Rows of expressions as rules write them.

use super::*;

fn check(source: &str, input: &[u8], expect: bool) {
    let pattern = Pattern::new(source, false).unwrap();
    assert_eq!(pattern.is_match(input), expect, "{source} on {input:?}");
}

#[test]
fn dialects_agree() {
    check(r"^a$", b"a\n", false);
    check(r"a.c", b"a\nc", true);
    check(r"\<x\>", b"<x>", true);
    check(r"\x{41}", b"A", true);
    check(r"[a&&b]", b"&", true);
    check(r"[a[b]", b"[", true);
    check(r"[]x]", b"]", true);
    check(r"[[:alpha:]]", b"7", false);
    check(r"\xff", b"\xff", true);
    check(r"(?i)SELECT", b"sElEcT", true);
}

#[test]
fn what_has_no_equivalent_is_refused() {
    for source in [r"a++", r"a*+", r"(?>a)", r"(?=a)", r"(a)\1", r"\v", r"[+--]", r"a\"] {
        assert!(Pattern::new(source, false).is_err(), "{source}");
    }
}
