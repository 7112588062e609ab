//! Rows and properties of the canonical target.

use super::{CanonicalTarget, TargetError};
use proptest::prelude::{any, proptest};

fn canonical(raw: &str) -> Result<String, TargetError> {
    CanonicalTarget::parse(raw.as_bytes()).map(|target| target.as_str().to_owned())
}

#[test]
fn rows_that_have_a_canonical_form() {
    for (raw, expected) in [
        ("/", "/"),
        ("/orders", "/orders"),
        ("/orders/", "/orders/"),
        ("/orders?", "/orders?"),
        ("/orders?a=1&b=2", "/orders?a=1&b=2"),
        ("/a//b///c", "/a/b/c"),
        ("//evil.example/x", "/evil.example/x"),
        ("/a/./b", "/a/b"),
        ("/a/.", "/a/"),
        ("/a/b/..", "/a/"),
        ("/a/b/../c", "/a/c"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/.%2e/b", "/b"),
        ("/%41%7e%2d", "/A~-"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/café", "/caf%C3%A9"),
        ("/a%20b", "/a%20b"),
        ("/a%252fb", "/a%252fb"),
        ("/<script>", "/%3Cscript%3E"),
        ("/a:b@c!$&'()*+,=", "/a:b@c!$&'()*+,="),
        ("/a;v=1", "/a;v=1"),
        ("/a...b/...", "/a...b/..."),
        ("/?q=%41%2f%zz%", "/?q=A%2F%25zz%25"),
        ("/?q=<\"'>`{}|\\^", "/?q=%3C%22'%3E%60%7B%7D%7C%5C%5E"),
        ("/?q=a?b/c", "/?q=a?b/c"),
        ("/?q=%00", "/?q=%00"),
    ] {
        assert_eq!(canonical(raw).as_deref(), Ok(expected), "{raw}");
    }
}

#[test]
fn rows_that_have_none() {
    for (raw, expected) in [
        ("", TargetError::NotAbsolute),
        ("*", TargetError::NotAbsolute),
        ("orders", TargetError::NotAbsolute),
        ("?a=1", TargetError::NotAbsolute),
        ("%2fa", TargetError::NotAbsolute),
        ("/..", TargetError::AboveRoot),
        ("/a/../../b", TargetError::AboveRoot),
        ("/%2e%2e/etc/passwd", TargetError::AboveRoot),
        ("/a%2fb", TargetError::EncodedSlash),
        ("/a%2Fb", TargetError::EncodedSlash),
        ("/a\\b", TargetError::Backslash),
        ("/a%5cb", TargetError::Backslash),
        ("/a/..;/b", TargetError::DotParameters),
        ("/a/%2e%2e%3bx=1/b", TargetError::DotParameters),
        ("/a/.;/b", TargetError::DotParameters),
        ("/a%00", TargetError::Control),
        ("/a%0d%0a", TargetError::Control),
        ("/a\tb", TargetError::Control),
        ("/a b", TargetError::Control),
        ("/a%7f", TargetError::Control),
        ("/a%", TargetError::BrokenEscape),
        ("/a%4", TargetError::BrokenEscape),
        ("/a%zz", TargetError::BrokenEscape),
        ("/a%u0041", TargetError::BrokenEscape),
        ("/%c0%ae%c0%ae/", TargetError::NotUtf8),
        ("/%c0%af", TargetError::NotUtf8),
        ("/%ff", TargetError::NotUtf8),
        ("/a#b", TargetError::Fragment),
        ("/a?b#c", TargetError::Fragment),
        ("/a?b c", TargetError::Control),
        ("/a?b\u{7f}c", TargetError::Control),
    ] {
        assert_eq!(canonical(raw), Err(expected), "{raw}");
    }
}

#[test]
fn a_semicolon_in_the_path_is_told_but_one_in_the_query_is_not() {
    let flag = |raw: &str| CanonicalTarget::parse(raw.as_bytes()).unwrap().has_parameters();
    assert!(flag("/admin;x"));
    assert!(flag("/admin%3bx"));
    assert!(flag("/a;b/c"));
    assert!(!flag("/a?b;c"));
    assert!(!flag("/a"));
}

#[test]
fn a_refused_target_leaves_nothing_behind() {
    let mut target = CanonicalTarget::parse(b"/a;b?c").unwrap();
    assert!(target.replace(b"/..").is_err());
    assert_eq!((target.path(), target.query(), target.has_parameters()), ("", None, false));
}

proptest! {
    #[test]
    fn the_canonical_form_is_a_fixed_point(raw in proptest::collection::vec(any::<u8>(), 0..60)) {
        let mut with_slash = vec![b'/'];
        with_slash.extend_from_slice(&raw);
        if let Ok(once) = CanonicalTarget::parse(&with_slash) {
            let twice = CanonicalTarget::parse(once.as_str().as_bytes()).expect("canonical stays canonical");
            assert_eq!(once, twice);
        }
    }

    #[test]
    fn a_path_of_interesting_pieces_is_a_fixed_point_without_dots_or_double_slashes(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "/", "//", ".", "..", "%2e", "%2E%2e", "a", "%41", ";", "%3b", "%25", "%252e", "?", "é", "%c3%a9", "=",
        ]), 0..20)
    ) {
        let raw = format!("/{}", pieces.concat());
        if let Ok(once) = CanonicalTarget::parse(raw.as_bytes()) {
            let path = once.path().to_owned();
            assert!(!path.contains("//"), "{raw} -> {path}");
            assert!(path.split('/').all(|segment| segment != "." && segment != ".."), "{raw} -> {path}");
            assert_eq!(CanonicalTarget::parse(once.as_str().as_bytes()).expect("fixed point"), once);
        }
    }
}
