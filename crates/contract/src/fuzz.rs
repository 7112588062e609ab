//! What must hold for any bytes; the fuzz targets and their smoke tests call the same functions.

use crate::document::{Contract, Options, load};
use crate::graphql;
use crate::json::{Builder, Json, Kind, Limits};
use crate::message::{Body, Bounds, Request};
use crate::schema::{self, Draft, Effort, OneSchema, Verdict};
use crate::tree::Severity;
use std::sync::OnceLock;

const STEPS: u64 = 100_000;

/// The first half is a schema, the second half a body: whatever they are, an answer comes within the budget, and a body that does
/// not fit has a reason whose pointer begins like one.
///
/// # Panics
/// Where that does not hold.
#[allow(clippy::panic, reason = "the purpose of this function is to fail loudly")]
pub fn body(input: &[u8]) {
    let mut halves = input.splitn(2, |byte| *byte == 0);
    let (schema, body) = (halves.next().unwrap_or(b""), halves.next().unwrap_or(b""));
    let effort = Effort { steps_least: STEPS, steps_per_value: 0, ..Effort::default() };
    for draft in [Draft::Four, Draft::OpenApi30, Draft::Current] {
        let options = schema::Options { closed_objects: true, formats: true };
        let Ok(schema) = OneSchema::compile("schema", schema, draft, options, &mut |_| None) else { continue };
        let Ok(json) = Json::parse(body, &Limits::default()) else { continue };
        if let Verdict::Invalid(found) = schema.judge(&json, &effort) {
            assert!((1..=effort.violations).contains(&found.len()), "{} reasons", found.len());
            for one in found {
                assert!(one.pointer.is_empty() || one.pointer.starts_with('/'), "{one:?}");
                assert!(!one.keyword.is_empty() && !one.detail.is_empty(), "{one:?}");
            }
        }
    }
}

/// Any bytes are a document or are not, soon, and every diagnostic says something about a line of it.
///
/// # Panics
/// Where that does not hold.
#[allow(clippy::panic, reason = "the purpose of this function is to fail loudly")]
pub fn document(input: &[u8]) {
    let loaded = load("api", input, Options::default(), &mut |_| None);
    let is_wrong = loaded.diagnostics.iter().any(|one| one.severity == Severity::Error);
    assert_eq!(loaded.contract.is_none(), is_wrong, "{:?}", loaded.diagnostics);
    for one in loaded.diagnostics {
        assert!(!one.message.is_empty() && !one.code.is_empty() && one.line > 0, "{one:?}");
    }
}

/// Whatever a document of GraphQL is, it is judged soon; a refusal has a reason; what fits fits wider limits as well.
///
/// # Panics
/// Where that does not hold.
#[allow(clippy::panic, reason = "the purpose of this function is to fail loudly")]
pub fn graphql(input: &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let text = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let mut builder = Builder::default();
    builder.open(Kind::Object);
    builder.name("query");
    builder.text(&text);
    let variables = parts.next().and_then(|bytes| Json::parse(bytes, &Limits::default()).ok());
    if let Some(variables) = &variables {
        builder.name("variables");
        builder.copy(variables.root());
    }
    let json = builder.finish();
    let judge = |limits: graphql::Limits| {
        let outcome = graphql::conform(graphql::Asked::Body(&json, ""), &limits, &Limits::default());
        if let Err(refused) = &outcome {
            let is_said = |one: &crate::Objection| !one.keyword.is_empty() && !one.detail.is_empty();
            assert!(!refused.objections.is_empty() && refused.objections.iter().all(is_said), "{refused:?}");
        }
        outcome
    };
    let narrow = graphql::Limits { depth: 3, aliases: 1, fields: 8, cost: 20, introspection: false, batch: 1 };
    let wide =
        graphql::Limits { depth: 300, aliases: 10_000, fields: 100_000, cost: u64::MAX, introspection: true, batch: 1 };
    let (narrow, wide) = (judge(narrow), judge(wide));
    assert!(narrow.is_err() || wide.is_ok(), "{wide:?}");
    let introspects = text.contains("__schema") || text.contains("__type");
    assert!(
        introspects
            || !narrow.is_err_and(|refused| refused.objections.iter().any(|one| one.keyword == "introspection"))
    );
}

/// A document with every kind of parameter. The input is a path, a query, a header field and a cookie, a line each, and a body.
const PARAMETERS: &str = include_str!("fuzz/parameters.yaml");

/// Whatever stands in a message, it is judged; a message that does not fit has a reason, and a name in it is short.
///
/// # Panics
/// Where that does not hold.
#[allow(clippy::panic, clippy::expect_used, reason = "the purpose of this function is to fail loudly")]
pub fn parameters(input: &[u8]) {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    let contract = CONTRACT.get_or_init(|| {
        let loaded = load("parameters", PARAMETERS.as_bytes(), Options::default(), &mut |_| None);
        loaded.contract.expect("it loads")
    });
    let mut lines = input.splitn(6, |byte| *byte == b'\n').map(|line| std::str::from_utf8(line).unwrap_or("%"));
    let mut line = || lines.next().unwrap_or("");
    let (path, query, field, cookie, content_type) = (line(), line(), line(), line(), line());
    let body = input.splitn(6, |byte| *byte == b'\n').nth(5);
    let headers = [("p", field), ("cookie", cookie), ("content-type", content_type)];
    for operation in contract.operations() {
        let path = format!("{}{path}", operation.template().split('{').next().unwrap_or("/"));
        let request = Request { path: &path, query, headers: &headers, body: body.map_or(Body::Absent, Body::Whole) };
        if let Err(refused) = contract.conform(operation, &request, &Bounds::default()) {
            assert!(!refused.objections.is_empty() && matches!(refused.status, 400 | 415 | 422), "{refused:?}");
            for one in refused.objections {
                assert!(one.name.chars().count() <= 121 && !one.keyword.is_empty(), "{one:?}");
            }
        }
    }
}

/// A document with bodies in XML of every form.
const ELEMENTS: &str = include_str!("fuzz/elements.yaml");

/// Whatever a body calls XML, it is judged soon and always in the same way; one that does not fit has a reason, and none
/// with a document type fits.
///
/// # Panics
/// Where that does not hold.
#[allow(clippy::panic, clippy::expect_used, reason = "the purpose of this function is to fail loudly")]
pub fn xml(input: &[u8]) {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    let contract = CONTRACT.get_or_init(|| {
        let loaded = load("elements", ELEMENTS.as_bytes(), Options::default(), &mut |_| None);
        loaded.contract.expect("it loads")
    });
    for operation in contract.operations() {
        let headers = [("content-type", "application/xml")];
        let request = Request { path: operation.template(), query: "", headers: &headers, body: Body::Whole(input) };
        let judge = || contract.conform(operation, &request, &Bounds::default()).map(drop);
        let outcome = judge();
        assert_eq!(outcome, judge(), "twice the same");
        if let Err(refused) = outcome {
            assert!(!refused.objections.is_empty() && matches!(refused.status, 400 | 415 | 422), "{refused:?}");
            for one in refused.objections {
                assert!(!one.keyword.is_empty() && !one.detail.is_empty(), "{one:?}");
            }
        }
        // It declares entities, which nobody reads; in a comment and the like it is a text.
        let has = |sign: &[u8]| input.windows(sign.len()).any(|window| window == sign);
        assert!(
            judge().is_err() || !has(b"<!DOCTYPE") || has(b"<![CDATA[") || has(b"<!--") || has(b"<?"),
            "a document type passes"
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    const SCHEMAS: &[&str] = &[
        "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"unevaluatedProperties\":false}",
        "{\"anyOf\":[{\"$ref\":\"#\"},{\"not\":{\"$ref\":\"#\"}}]}",
        "{\"items\":{\"uniqueItems\":true},\"contains\":{\"const\":1e9999},\"pattern\":\"(a*)*$\"}",
        "{\"$dynamicRef\":\"#a\",\"$defs\":{\"a\":{\"$dynamicAnchor\":\"a\"}}}",
        "{\"$id\":\"%\",\"$ref\":\"#/%2\"}",
        "{\"multipleOf\":0,\"minLength\":-1,\"type\":[]}",
        "a: &a [1]\nenum: *a\n",
    ];
    const BODIES: &[&str] =
        &["{\"a\":{\"a\":{}},\"b\":[1,1.0,{}]}", "[[1,1],[[],[]]]", "\"aaaaaaaaaaaaaaaaaaaab\"", "-0.0e-0", "null"];

    #[test]
    fn fuzz_smoke_contract_body() {
        for schema in SCHEMAS {
            for body in BODIES {
                super::body(format!("{schema}\0{body}").as_bytes());
            }
        }
    }

    const DOCUMENTS: &[&str] = &[
        super::PARAMETERS,
        "openapi: 3.1.0\npaths: {/a/{b}: {$ref: '#/paths'}, /x: {get: {parameters: [{$ref: '#'}]}}}\n",
        "{\"openapi\":\"3.0.0\",\"paths\":{\"/\":{\"get\":{\"responses\":{\"2XX\":{\"$ref\":\"#/x\"}}}}},\"x\":{\"content\":{\"a/b\":{\"schema\":{}}}}}",
    ];
    const MESSAGES: &[&str] = &[
        ";R=1;G=2\nR=1&p[a]=1&l=1,2&s=a%20b\n1,2\nc=1\napplication/json\n{\"a\":[1]}",
        ".1.2\np[a][b]=1&%zz&=&&p\n\u{e9}\n;;=;\nmultipart/form-data; boundary=b\n--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--",
        "%2F%00\nl=1&l=2&d=%\n\n\napplication/x-www-form-urlencoded\na=1&a=2&b=%",
    ];

    const GRAPHQL: &[&str] = &[
        "query Q($n: [Int!]! = 5, $p: P @d) @d(a: 1) { x: a(first: $n, b: {c: [1, -2.5e1, \"t\\\"\", E, null]}) { b } ...F }\n fragment F on T { c { ... on U { d } } }\0{\"n\":7,\"p\":{\"limit\":99}}",
        "{ ...A } fragment A on T { ...B ...B } fragment B on T { ...A __schema { types } }",
        "subscription { a(b: \"\"\"x\\\"\"\" y\"\"\") # end\n }",
        "{{{{{{{{",
    ];

    const XML: &[&str] = &[
        "<?xml version='1.0'?><pet xmlns='urn:pets' id='7'><name>Rex</name><tag>a</tag><tag>&lt;b&#x41;</tag></pet>",
        "<pets><pet>a</pet><pet><![CDATA[<!DOCTYPE]]></pet></pets>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<a xmlns:x='urn:codes'><x:Code xmlns:x=''>1</x:Code><a a='1' a='2'/></b>",
        "<a><!-- -- --><?pi ?><b xsi:nil='true' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'/></a>",
        "\u{feff}<a>]]></a>",
    ];

    #[test]
    fn fuzz_smoke_contract_xml() {
        XML.iter().for_each(|text| super::xml(text.as_bytes()));
    }

    #[test]
    fn fuzz_smoke_contract_graphql() {
        GRAPHQL.iter().for_each(|text| super::graphql(text.as_bytes()));
    }

    #[test]
    fn fuzz_smoke_contract_document() {
        DOCUMENTS.iter().for_each(|text| super::document(text.as_bytes()));
    }

    #[test]
    fn fuzz_smoke_contract_parameters() {
        MESSAGES.iter().for_each(|text| super::parameters(text.as_bytes()));
    }

    proptest! {
        #[test]
        fn fuzz_smoke_contract_document_at_random(
            text in prop::sample::select(DOCUMENTS), at in 0_usize..2_000, bytes in prop::collection::vec(any::<u8>(), 0..4),
        ) {
            let mut input = text.as_bytes().to_vec();
            let at = at.min(input.len());
            input.splice(at..(at + 2).min(text.len()), bytes);
            super::document(&input);
        }

        #[test]
        fn fuzz_smoke_contract_graphql_at_random(
            text in prop::sample::select(GRAPHQL), at in 0_usize..200, bytes in prop::collection::vec(any::<u8>(), 0..4),
        ) {
            let mut input = text.as_bytes().to_vec();
            let at = at.min(input.len());
            input.splice(at..(at + 2).min(text.len()), bytes);
            super::graphql(&input);
        }

        #[test]
        fn fuzz_smoke_contract_parameters_at_random(
            text in prop::sample::select(MESSAGES), at in 0_usize..160, bytes in prop::collection::vec(any::<u8>(), 0..4),
        ) {
            let mut input = text.as_bytes().to_vec();
            let at = at.min(input.len());
            input.splice(at..(at + 2).min(text.len()), bytes);
            super::parameters(&input);
        }

        #[test]
        fn fuzz_smoke_contract_xml_at_random(
            text in prop::sample::select(XML), at in 0_usize..120, bytes in prop::collection::vec(any::<u8>(), 0..4),
        ) {
            let mut input = text.as_bytes().to_vec();
            let at = at.min(input.len());
            input.splice(at..(at + 2).min(text.len()), bytes);
            super::xml(&input);
        }

        #[test]
        fn fuzz_smoke_contract_body_at_random(
            schema in prop::sample::select(SCHEMAS), body in prop::sample::select(BODIES), at in 0_usize..80, byte in any::<u8>(),
        ) {
            let mut input = format!("{schema}\0{body}").into_bytes();
            if let Some(place) = input.get_mut(at) {
                *place = byte;
            }
            super::body(&input);
        }
    }
}
