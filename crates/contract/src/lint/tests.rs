//! Every rule with a document that breaks it, and one that keeps all of them.

use super::{RULES, lint};

fn numbers(text: &str) -> Vec<&'static str> {
    let mut numbers: Vec<_> =
        lint("api.yaml", text.as_bytes(), &mut |_| None).into_iter().map(|one| one.code).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

const GOOD: &str = "
openapi: 3.0.3
servers: [{url: 'https://api.example'}]
security: [{token: []}]
components:
  securitySchemes: {token: {type: http, scheme: bearer}}
  schemas:
    User:
      type: object
      additionalProperties: false
      properties:
        name: {type: string, maxLength: 20, pattern: '^[a-z]+$'}
        tags: {type: array, maxItems: 3, items: {enum: [a, b]}}
        age: {type: integer, minimum: 0, maximum: 200}
        password: {type: string, maxLength: 99, format: password, writeOnly: true}
paths:
  /users/{id}:
    put:
      operationId: putUser
      parameters: [{name: id, in: path, required: true, schema: {type: string, format: uuid}}]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}
      responses:
        '200': {content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}
        '401': {}
        '403': {}
        '429': {}
";

#[test]
fn each_rule_has_a_document_that_breaks_it() {
    assert_eq!(numbers(GOOD), Vec::<&str>::new());
    let mut broken = Vec::new();
    for (from, to, expected) in [
        ("security: [{token: []}]\n", "", &["C001"][..]),
        ("[{token: []}]", "[{token: []}, {}]", &["C002"]),
        ("[{token: []}]", "[{tokens: []}]", &["C003"]),
        ("https://api", "http://api", &["C004"]),
        ("{type: http, scheme: bearer}", "{type: apiKey, in: query, name: k}", &["C005"]),
        ("scheme: bearer", "scheme: basic", &["C006"]),
        ("{type: http, scheme: bearer}", "{type: oauth2, flows: {password: {tokenUrl: 'https://a'}}}", &["C007"]),
        ("{type: http, scheme: bearer}", "{type: openIdConnect, openIdConnectUrl: 'http://a.example'}", &["C008"]),
        ("maxLength: 20, ", "", &["C010"]),
        ("maxItems: 3, ", "", &["C011"]),
        ("minimum: 0, ", "", &["C012"]),
        ("      additionalProperties: false\n", "", &["C013"]),
        ("additionalProperties: false", "additionalProperties: true", &["C014"]),
        ("age: {type: integer, minimum: 0, maximum: 200}", "age: {}", &["C015"]),
        ("'^[a-z]+$'", "'[a-z]+$'", &["C016"]),
        ("        '401': {}\n", "", &["C020"]),
        ("        '403': {}\n", "", &["C021"]),
        ("        '429': {}\n", "", &["C022"]),
        (
            "{application/json: {schema: {$ref: '#/components/schemas/User'}}}}\n      resp",
            "{application/json: {}}}\n      resp",
            &["C030"],
        ),
        ("    put:", "    delete:", &["C031"]),
        (
            "'200': {content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}",
            "'200': {content: {application/json: {}}}",
            &["C032"],
        ),
        (
            "{content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}\n      resp",
            "{content: {'*/*': {schema: {$ref: '#/components/schemas/User'}}}}\n      resp",
            &["C033"],
        ),
        (", writeOnly: true", "", &["C034"]),
        ("{type: string, format: uuid}", "{type: integer, format: int64}", &["C035"]),
        ("      operationId: putUser\n", "", &["C040"]),
        (
            "  /users/{id}:\n",
            "  /a: {get: {operationId: putUser, responses: {default: {}}}}\n  /users/{id}:\n",
            &["C041"],
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        assert_eq!(numbers(&GOOD.replacen(from, to, 1)), expected, "{from} → {to}");
        broken.extend_from_slice(expected);
    }
    let all: Vec<&str> = RULES.iter().map(|rule| rule.number).collect();
    assert_eq!(broken, all, "a rule has no document");
    assert!(all.is_sorted());
}

#[test]
fn findings_have_a_line_and_a_way_out() {
    let found = lint("api.yaml", GOOD.replace("maxLength: 20, ", "").as_bytes(), &mut |_| None);
    let text = found[0].to_string();
    let expected = "warning[C010] api.yaml:12 /components/schemas/User/properties/name: the text may have any length (add `maxLength`, `enum` or a `format` of fixed length)";
    assert_eq!(text, expected);
}

#[test]
fn what_is_no_document_is_not_linted() {
    for text in ["", "a: [", "swagger: '2.0'", "openapi: 3.0.0"] {
        assert!(numbers(text).is_empty(), "{text}");
    }
}
