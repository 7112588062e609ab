//! Messages are safe to print, guesses are close, and there is an end to them.

use super::{Diagnostic, Failure, MAX_DIAGNOSTICS, Report, closest, one_of, quote};
use crate::sources::{Sources, Span};
use std::path::Path;

#[test]
fn user_input_cannot_forge_a_line_or_a_colour() {
    assert_eq!(quote("a\nb"), "`a\\u{a}b`");
    assert_eq!(quote("\u{1b}[31m"), "`\\u{1b}[31m`");
    assert_eq!(quote("a\u{202e}b"), "`a\\u{202e}b`");
    assert_eq!(quote(&"x".repeat(100)).chars().count(), 63);
    assert_eq!(quote("https://me:secret@host/x"), "`https://…@host/x`");
}

#[test]
fn guesses_are_close() {
    let known = ["bind", "tls", "limits", "base_path", "body_bytes", "timeout"];
    for (written, meant) in [
        ("bnd", Some("bind")),
        ("Base-Path", Some("base_path")),
        ("basePath", Some("base_path")),
        ("limit", Some("limits")),
        ("timout", Some("timeout")),
        ("tsl", Some("tls")),
        ("path", Some("base_path")),
        ("x", None),
        ("", None),
        ("certificate", None),
    ] {
        assert_eq!(closest(written, known), meant, "{written}");
    }
}

#[test]
fn lists_read_like_a_sentence() {
    assert_eq!(one_of([]), "");
    assert_eq!(one_of(["a"]), "`a`");
    assert_eq!(one_of(["a", "b", "c"]), "`a`, `b` or `c`");
}

#[test]
fn a_mistake_is_reported_once_and_not_without_end() {
    let mut sources = Sources::default();
    let file = sources.add("test.yaml", "x".repeat(1_000), Path::new(""));
    let mut report = Report::default();
    for start in 0..300 {
        for _ in 0..2 {
            report.push(Diagnostic::new("test", Span { file, start, end: start + 1 }, "wrong"));
        }
    }
    let (diagnostics, dropped) = report.into_sorted();
    assert_eq!((diagnostics.len(), dropped), (MAX_DIAGNOSTICS, 200));
    let text = Failure::new(diagnostics, dropped, sources).render(false);
    assert!(text.ends_with("300 mistakes found, the last 200 are not shown\n"), "{text}");
}

#[test]
fn places_that_are_far_apart_are_shown_together() {
    let text = format!("first\n{}last", "between\n".repeat(5_000));
    let mut sources = Sources::default();
    let end = u32::try_from(text.len()).expect("small");
    let file = sources.add("test.yaml", text, Path::new(""));
    let diagnostic = Diagnostic::new("test", Span { file, start: end - 4, end }, "two places")
        .also(Span { file, start: 0, end: 5 }, "here as well");
    let text = Failure::new(vec![diagnostic], 0, sources).render(false);
    assert!(text.contains("   1 | first") && text.contains("5002 | last"), "{text}");
    assert!(text.lines().count() < 12, "{text}");
}
