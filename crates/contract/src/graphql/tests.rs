//! Requests of GraphQL: what they amount to, and which limit refuses them.

use super::{Asked, Limits, Refused, conform};
use crate::json::{Json, Limits as JsonLimits};

const LIMITS: Limits = Limits { depth: 4, aliases: 2, fields: 12, cost: 100, introspection: false, batch: 2 };

fn shown(outcome: Result<(), Refused>) -> String {
    match outcome {
        Ok(()) => "fits".to_owned(),
        Err(Refused { is_limit, objections }) => {
            let all = objections.iter().map(|one| format!("{}{} {}", one.name, one.pointer, one.keyword));
            let word = if is_limit { "limit" } else { "malformed" };
            format!("{word}: {}", all.collect::<Vec<_>>().join(", "))
        }
    }
}

fn posted(body: &str, limits: &Limits) -> String {
    let bounds = JsonLimits::default();
    let json = Json::parse(body.as_bytes(), &bounds).unwrap();
    shown(conform(Asked::Body(&json, ""), limits, &bounds))
}

/// A body with this document.
fn document(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
    format!(r#"{{"query":"{escaped}"}}"#)
}

#[test]
fn documents_are_weighed() {
    for (text, expected) in [
        ("{a}", "fits"),
        (
            "query Q($x: [Int!]! = [1,2] @d) @d(a: {b: $x}) { a(b: \"x\\\"\", c: [1 -2.5e3 true E null]) @include(if: $x) { b } }",
            "fits",
        ),
        ("# a comment\n{ a, b, # another\r c \u{feff} }", "fits"),
        ("{ a(b: \"\"\"block \" \\\"\"\" { \"\"\") }", "fits"),
        ("mutation { a { id } }", "fits"),
        ("{a{b{c{d}}}}", "fits"),
        ("{a{b{c{d{e}}}}}", "limit: /query depth"),
        ("{x: a y: b}", "fits"),
        ("{x: a y: b z: c}", "limit: /query aliases"),
        ("{a b c d e f g h i j k l}", "fits"),
        ("{a b c d e f g h i j k l m}", "limit: /query fields"),
        // One of a, and for each of ten b and c of each.
        ("{a(first: 10) {b c d e f g h i}}", "fits"),
        ("{a(first: 10) {b(last: 5) {c d}}}", "limit: /query cost"),
        ("{a(page: {limit: 99}) {b}}", "fits"),
        ("{a(page: {limit: 1000}) {b}}", "limit: /query cost"),
        ("{a(first: 99999999999999999999999999) {b}}", "limit: /query cost"),
        ("{a(first: -5) {b}}", "fits"),
        // Fragments count wherever they are used.
        ("{...F} fragment F on T {a{b{c{d}}}}", "fits"),
        ("{x{...F}} fragment F on T {a{b{c{d}}}}", "limit: /query depth"),
        ("{a{...F} b{...F} c{...F} d{...F}} fragment F on T {e f g}", "limit: /query fields"),
        ("{... on T {a} ... @d {b} ... {c}}", "fits"),
        ("{...A} fragment A on T {...B} fragment B on T {a ...A}", "malformed: /query fragments"),
        ("{a} fragment A on T {b{...A}}", "malformed: /query fragments"),
        ("{...A}", "malformed: /query fragments"),
        ("{__schema{types{name}}}", "limit: /query introspection"),
        ("{a{...F}} fragment F on T {__type(name: \"x\") {name}}", "limit: /query introspection"),
        ("{x: __typename}", "fits"),
        ("query A {a} query B {b{c{d{e{f}}}}}", "malformed: /operationName operationName, /query depth"),
        ("", "malformed: /query query"),
        ("fragment F on T {a}", "malformed: /query query"),
        ("{", "malformed: /query malformed"),
        ("{}", "malformed: /query malformed"),
        ("{a(b:)}", "malformed: /query malformed"),
        ("{a()}", "malformed: /query malformed"),
        ("{a(b: 01)}", "malformed: /query malformed"),
        ("{a(b: 1x)}", "malformed: /query malformed"),
        ("{a(b: \"x)}", "malformed: /query malformed"),
        ("{ü}", "malformed: /query malformed"),
        ("{a..b}", "malformed: /query malformed"),
        ("type T {a: Int}", "malformed: /query malformed"),
        ("fragment on on T {a} {b}", "malformed: /query malformed"),
        ("{a} fragment F on T {a} fragment F on T {b}", "malformed: /query malformed"),
    ] {
        // What is over a limit of the whole has no place of its own.
        let got = posted(&document(text), &LIMITS).replace("limit:  ", "limit: /query ").replace(",  ", ", /query ");
        assert_eq!(got, expected, "{text}");
    }
}

#[test]
fn variables_count_as_what_they_are() {
    let body = |variables: &str| {
        format!(
            r#"{{"query":"query($n: Int = 50, $p: P) {{ a(first: $n) {{ b c }} d(page: $p) {{ e }} }}"{variables}}}"#
        )
    };
    for (variables, expected) in [
        ("", "limit:  cost"),
        (r#","variables":null"#, "limit:  cost"),
        (r#","variables":{"n":10}"#, "fits"),
        (r#","variables":{"n":50}"#, "limit:  cost"),
        (r#","variables":{"n":1e6}"#, "limit:  cost"),
        (r#","variables":{"n":50.0}"#, "limit:  cost"),
        (r#","variables":{"n":-1}"#, "fits"),
        (r#","variables":{"n":1,"p":{"size":{"limit":99}}}"#, "limit:  cost"),
        (r#","variables":{"n":1,"p":{"offset":99}}"#, "fits"),
        (r#","variables":[]"#, "malformed: /variables type, cost"),
    ] {
        assert_eq!(posted(&body(variables), &LIMITS).replace(",  ", ", "), expected, "{variables}");
    }
}

#[test]
fn defaults_count_wherever_they_are_used() {
    for (document, expected) in [
        ("query($p: P = {limit: 999}) { d(page: $p) { e } }", "limit:  cost"),
        ("query($p: P = {offset: 999}) { d(page: $p) { e } }", "fits"),
        ("query($n: Int = 999) { d(offset: $n) { e } }", "fits"),
        ("fragment F on Q { a(first: $n) { b } } query($n: Int = 999) { ...F }", "limit:  cost"),
        ("query A($n: Int = 999) { ...F } query B { c } fragment F on Q { a(first: $n) { b } }", "limit:  cost"),
    ] {
        let body = format!(r#"{{"query":"{document}","operationName":OP}}"#);
        let body = body.replace("OP", if document.contains("query A") { "\"A\"" } else { "null" });
        assert_eq!(posted(&body, &LIMITS), expected, "{document}");
    }
}

#[test]
fn requests_are_what_the_specification_says() {
    for (body, expected) in [
        (r#"{"query":"{a}","operationName":null,"variables":{},"extensions":{"x":1}}"#, "fits"),
        (r#"{"query":"query A{a} query B{b}","operationName":"B"}"#, "fits"),
        (r#"{"query":"query A{a}","operationName":"B"}"#, "malformed: /operationName operationName"),
        (r#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}"#, "malformed: /query required"),
        (r#"{"query":"{a}","documentId":"x"}"#, "malformed: /documentId unknown"),
        (r#"{"query":["{a}"]}"#, "malformed: /query type, /query required"),
        (r#""{a}""#, "malformed:  type"),
        (r#"[{"query":"{a}"},{"query":"mutation{b}"}]"#, "fits"),
        (r#"[{"query":"{a}"},{"query":"{b}"},{"query":"{c}"}]"#, "limit:  batch"),
        (r#"[{"query":"{a b c d e f g}"},{"query":"{a b c d e f g}"}]"#, "limit:  fields"),
        (r#"[{"query":"{a}"},{}]"#, "malformed: /1/query required"),
        ("[]", "malformed:  required"),
    ] {
        assert_eq!(posted(body, &LIMITS), expected, "{body}");
    }
    let bounds = JsonLimits::default();
    let json = Json::parse(br#"{"query":"{a}"}"#, &bounds).unwrap();
    assert_eq!(shown(conform(Asked::Body(&json, "query=%7Bb%7D"), &LIMITS, &bounds)), "malformed:  unknown");
    assert_eq!(shown(conform(Asked::Body(&json, "trace=1"), &LIMITS, &bounds)), "fits");
    for (query, expected) in [
        ("query=%7Ba%7D", "fits"),
        ("query={a(first:$n)%7Bb%7D}&variables={\"n\":99}", "fits"),
        ("query={a(first:$n)%7Bb%7D}&variables={\"n\":100}", "limit:  cost"),
        ("query=query+A%7Ba%7D&operationName=A&extensions=%7B%7D&variables=", "fits"),
        ("query=mutation%7Ba%7D", "malformed: query query"),
        ("query={a}&query={b}", "malformed: query repeated"),
        ("query={a}&variables=1", "malformed: variables type"),
        ("query={a}&id=x", "malformed: id unknown"),
        ("operationName=x", "malformed: query required"),
        ("query={a{b{c{d{e}}}}}", "limit:  depth"),
    ] {
        assert_eq!(shown(conform(Asked::Query(query), &LIMITS, &bounds)), expected, "{query}");
    }
}

#[test]
fn no_document_is_more_work_than_it_is_long() {
    // Each fragment uses the next one twice: 2^400 fields, weighed once each.
    let chain: String =
        (0..400).map(|index| format!("fragment F{index} on T {{...F{0} ...F{0}}} ", index + 1)).collect();
    let chain = document(&format!("{{...F0}} {chain} fragment F400 on T {{a}}"));
    assert_eq!(posted(&chain, &LIMITS), "limit: /query depth");
    let wide: String = (0..40).map(|index| format!("fragment F{index} on T {{...F{0} ...F{0}}} ", index + 1)).collect();
    let wide = document(&format!("{{...F0}} {wide} fragment F40 on T {{a}}"));
    assert_eq!(posted(&wide, &LIMITS), "limit:  fields,  cost");
    assert_eq!(posted(&document(&"{a".repeat(5_000)), &LIMITS), "limit: /query depth");
    assert_eq!(posted(&document(&format!("{{a(b: {})}}", "[".repeat(5_000))), &LIMITS), "limit: /query depth");
    assert_eq!(posted(&document(&format!("{{{}}}", "a ".repeat(30_000))), &LIMITS), "limit: /query tokens");
    assert_eq!(posted(&document(&format!("{{a {}}}", "@d ".repeat(200))), &LIMITS), "limit: /query directives");
}
