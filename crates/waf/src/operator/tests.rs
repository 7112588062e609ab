//! Rows of the operators.

use super::*;
use crate::loader::Memory;

fn check(operator: &str, value: &[u8], expect: bool) {
    let source = OperatorSource::parse(operator).unwrap();
    let files = Memory::default().with("p.data", "# a comment\nfoo bar\n\nbaz\n");
    let compiled = Operator::compile(&source, "rules.conf", &files).unwrap();
    let argument = compiled.template().and_then(Template::literal).unwrap_or_default().to_vec();
    assert_eq!(compiled.test(value, &argument, true).is_some() != source.negated, expect, "{operator} on {value:?}");
}

#[test]
fn operators() {
    check("@rx ^a+$", b"aaa", true);
    check("!@rx ^a+$", b"aaa", false);
    check("@pm foo BAR", b"xxbarxx", true);
    check("@pmFromFile p.data", b"a Foo Bar b", true);
    check("@pmFromFile p.data", b"comment", false);
    check("@eq 3", b" 3x", true);
    check("@lt 3", b"", true);
    check("@ge 3", b"2", false);
    check("@streq x", b"X", false);
    check("@within GET POST", b"GET", true);
    check("@within GET POST", b"", true);
    check("@contains b", b"abc", true);
    check("@containsWord cat", b"a cat!", true);
    check("@containsWord cat", b"concat", false);
    check("@beginsWith a", b"abc", true);
    check("@endsWith c", b"abc", true);
    check("@ipMatch 10.0.0.0/8,::1", b"10.1.2.3", true);
    check("@ipMatch 10.0.0.0/8,::1", b"0:0:0:0:0:0:0:1", true);
    check("@ipMatch 10.0.0.0/8", b"11.1.2.3", false);
    check("@detectSQLi", b"1' or '1'='1", true);
    check("@detectSQLi", b"hello world", false);
    check("@detectXSS", b"<script>alert(1)</script>", true);
    check("@validateByteRange 32-126", b"abc", false);
    check("@validateByteRange 32-126", b"a\0", true);
    check("@validateUrlEncoding", b"%4", true);
    check("@validateUrlEncoding", b"%41", false);
    check("@validateUtf8Encoding", b"\xc0\xaf", true);
    check("@unconditionalMatch", b"", true);
}

#[test]
fn mistakes_are_named() {
    for (operator, part) in [
        ("@rx (", "expression"),
        ("@rx %{tx.a}", "macros"),
        ("@ipMatch x", "address"),
        ("@validateByteRange 300", "byte"),
        ("@pmFromFile no.data", "no.data"),
        ("@eq %{nothing.x}", "unknown macro"),
    ] {
        let source = OperatorSource::parse(operator).unwrap();
        let error = Operator::compile(&source, "f", &Memory::default()).unwrap_err();
        assert!(error.contains(part), "{operator}: {error}");
    }
    assert!(OperatorSource::parse("@fuzzyHash x").is_err());
}
