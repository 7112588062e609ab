//! What is known of fields: by rows, and held against what really fits.

use crate::document::{Options, load};
use crate::json::Json;
use crate::message::{Body, Bounds, Request};
use crate::parameter::Location;
use proptest::prelude::*;

const API: &str = r"
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /orders:
    post:
      parameters:
        - {name: page, in: query, schema: {type: integer}}
        - {name: q, in: query, schema: {type: string}}
        - {name: sort, in: query, schema: {enum: [asc, desc]}}
        - {name: ids, in: query, schema: {type: array, items: {type: integer}}}
        - {name: X-Count, in: header, schema: {type: integer}}
        - {name: seen, in: cookie, schema: {type: boolean}}
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/Order'}}
          application/x-www-form-urlencoded: {schema: {type: object, properties: {agreed: {type: boolean}, size: {type: integer}}}}
          multipart/form-data:
            schema:
              type: object
              properties:
                copies: {type: integer}
                size: {enum: [small, large]}
                title: {type: string}
                more: {type: object, properties: {copies: {type: integer}}}
                scan: {type: string, format: binary}
      responses: {'200': {description: ok}}
components:
  schemas:
    Order:
      allOf: [{type: object, properties: {id: {type: string, format: uuid}, note: {type: string}}}]
      properties:
        items: {type: array, items: {$ref: '#/components/schemas/Item'}}
        either: {oneOf: [{type: integer}, {type: string}]}
        other: {anyOf: [{type: integer}, {const: none}]}
        parent: {$ref: '#/components/schemas/Order'}
    Item:
      type: object
      properties:
        sku: {type: string, pattern: '^[A-Z]{2}-[0-9]+$'}
        loose: {type: string, pattern: '[0-9]+'}
        ways: {type: string, pattern: '^a|b$'}
        narrow: {type: string, pattern: '^[^\x00-\x7f]+$', format: date}
        letters: {type: string, pattern: '^[\u00e9e]$'}
";

#[test]
fn what_fields_are_made_of_is_known_where_the_contract_says_it() {
    const NUMBER: &str = "+-.0123456789Ee";
    let contract = load("api.yaml", API.as_bytes(), Options::default(), &mut |_| None).contract.unwrap();
    let known = contract.known_fields(contract.operation("POST", "/orders").unwrap());
    let bytes = |parameter: Option<Location>, name: &str| -> Option<String> {
        let found = known.iter().find(|field| field.parameter == parameter && field.name == name)?;
        Some(found.bytes.escape_ascii().to_string())
    };
    let [query, header, cookie] = [Location::Query, Location::Header, Location::Cookie].map(Some);
    for (parameter, name, expected) in [
        (query, "page", Some(NUMBER)),
        (query, "q", None),
        (query, "sort", Some("acdes")),
        // One text holds several of them.
        (query, "ids", None),
        (header, "x-count", Some(NUMBER)),
        (query, "x-count", None),
        (cookie, "seen", Some("aeflnrstu")),
        (None, "seen", None),
        (None, "agreed", Some("aeflnrstu")),
        (None, "copies", Some(NUMBER)),
        // As a form says it, or as parts say it.
        (None, "size", Some("+-.0123456789Eaeglmrs")),
        (None, "title", None),
        (None, "more", None),
        (None, "scan", None),
        (None, "json.id", Some("-0123456789ABCDEFabcdef")),
        (None, "json.note", None),
        (None, "json.items", None),
        (None, "json.items.*.sku", Some("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
        (None, "json.items.*.loose", None),
        (None, "json.items.*.ways", None),
        (None, "json.either", None),
        (None, "json.other", Some("+-.0123456789Eeno")),
        (None, "json.parent.parent.items.*.sku", Some("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
        // A text of none of them cannot be.
        (None, "json.items.*.narrow", None),
    ] {
        assert_eq!(bytes(parameter, name).as_deref(), expected, "{name}");
    }
    assert!(bytes(None, "json.items.*.letters").unwrap().starts_with("e\\x80\\x81"));
    assert!(known.len() < 100, "{}", known.len());
}

/// A schema of which the bytes are known, and a value that fits it.
const SCHEMAS: &[(&str, &str)] = &[
    ("{type: string, format: uuid}", "1f2E3d4c-0000-4000-8000-0123456789ab"),
    ("{type: string, format: date}", "2026-11-28"),
    ("{type: string, format: date-time}", "2026-11-28T07:00:00.5+01:00"),
    ("{type: string, format: time}", "07:00:00Z"),
    ("{type: string, format: duration}", "P1DT2H3M4S"),
    ("{type: string, format: ipv4}", "192.0.2.1"),
    ("{type: string, format: ipv6}", "2001:db8::1"),
    ("{type: string, format: byte}", "SGVsbG8+/w=="),
    ("{type: string, enum: [asc, desc, '1é']}", "desc"),
    ("{enum: [asc, 7, 1.5e3, true, null]}", "7"),
    ("{type: string, pattern: '^[A-Z]{2}-[0-9]+$'}", "AB-12"),
    ("{type: string, pattern: '^(?:[a-f]+|\\d{2,4}|é)$'}", "abc"),
    ("{type: string, pattern: '^\\w+(?:\\s\\w+)*$'}", "a b_c"),
    ("{type: string, pattern: '^[^<>]{1,9}$'}", "a'b"),
    ("{anyOf: [{type: integer}, {type: string, pattern: '^none$'}]}", "-12"),
    ("{type: [boolean, 'null']}", "true"),
    ("{type: number}", "-1.5E+3"),
];

/// Both forms of a value in a body of JSON. White space around a number is none of its bytes.
fn written(value: &str) -> [(&str, String); 2] {
    let number = value.trim_matches([' ', '\t', '\r', '\n']);
    [(number, format!("{{\"v\":{value}}}")), (value, format!("{{\"v\":{}}}", serde_json::Value::from(value)))]
}

fn nothing_else_fits(schema: &str, value: &str) -> bool {
    let text = format!(
        "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths:\n  /x:\n    post:\n      requestBody:\n        \
         content: {{application/json: {{schema: {{type: object, properties: {{v: {schema}}}}}}}}}\n      \
         responses: {{'200': {{description: ok}}}}\n"
    );
    let contract = load("api.yaml", text.as_bytes(), Options::default(), &mut |_| None).contract.unwrap();
    let operation = contract.operation("POST", "/x").unwrap();
    let known = contract.known_fields(operation);
    let [field] = known.as_slice() else { panic!("nothing is known of {schema}") };
    let mut fits = false;
    for (value, body) in written(value) {
        if Json::parse(body.as_bytes(), &crate::json::Limits::default()).is_err() {
            continue;
        }
        let headers = [("content-type", "application/json")];
        let request = Request { path: "/x", query: "", headers: &headers, body: Body::Whole(body.as_bytes()) };
        if contract.conform(operation, &request, &Bounds::default()).is_ok() {
            fits = true;
            assert!(value.bytes().all(|byte| field.bytes.contains(&byte)), "{schema}: {value:?}");
        }
    }
    fits
}

#[test]
fn what_is_said_of_bytes_is_about_values_that_fit() {
    for (schema, value) in SCHEMAS {
        assert!(nothing_else_fits(schema, value), "{schema}: {value} should fit");
    }
}

proptest! {
    #[test]
    fn a_value_that_fits_has_no_other_bytes(
        (schema, value) in prop::sample::select(SCHEMAS), at in 0_usize..24, drop in 0_usize..3, put in "\\PC{0,2}|[ \\n\\t+.,:eE0-9'<;-]{1,3}",
    ) {
        let mut chars: Vec<char> = value.chars().collect();
        let at = at.min(chars.len());
        chars.splice(at..(at + drop).min(chars.len()), put.chars());
        nothing_else_fits(schema, &chars.into_iter().collect::<String>());
    }
}
