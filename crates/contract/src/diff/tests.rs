//! Every rule with two documents between which it speaks, and the way back.

use super::{Named, RULES, diff};
use crate::tree::{Diagnostic, Severity};

fn found(old: &str, new: &str) -> Vec<Diagnostic> {
    let named = |file, text: &'static str| Named { file, bytes: text.as_bytes() };
    let (old, new) = (old.to_owned().leak(), new.to_owned().leak());
    diff(named("old.yaml", old), named("new.yaml", new), (&mut |_| None, &mut |_| None)).unwrap()
}

fn numbers(old: &str, new: &str) -> Vec<&'static str> {
    let mut numbers: Vec<_> = found(old, new).into_iter().map(|one| one.code).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

const API: &str = "
openapi: 3.0.3
security: [{token: [read]}]
paths:
  /users/{id}:
    put:
      operationId: putUser
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: fields, in: query, schema: {type: array, items: {type: string}}}
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/Wanted'}}
      responses:
        '200':
          headers: {X-Left: {required: true, schema: {type: integer}}}
          content:
            application/json: {schema: {$ref: '#/components/schemas/User'}}
        '404': {description: none}
components:
  schemas:
    Wanted:
      type: object
      required: [name]
      properties:
        name: {type: string, maxLength: 20}
        kind: {enum: [a, b]}
        age: {type: integer, nullable: true}
    User:
      type: object
      required: [id]
      properties:
        id: {type: string}
        kind: {enum: [a, b]}
        born: {type: integer, minimum: 1900}
        friend: {$ref: '#/components/schemas/User'}
        ways: {oneOf: [{type: string}, {type: integer}]}
";

/// What stands in [`API`], what takes its place, what that breaks, and what the way back breaks.
const CHANGES: &[(&str, &str, &[&str], &[&str])] = &[
    ("    put:", "    post:", &["D001", "D101"], &["D001", "D101"]),
    ("/users/{id}:", "/people/{id}:", &["D001", "D101"], &["D001", "D101"]),
    ("        - {name: fields, in: query, schema: {type: array, items: {type: string}}}\n", "", &["D002"], &["D102"]),
    (
        "      requestBody:\n",
        "        - {name: q, in: query, required: true, schema: {type: string}}\n      requestBody:\n",
        &["D003"],
        &["D002"],
    ),
    ("in: query, schema", "in: query, required: true, schema", &["D004"], &["D103"]),
    ("in: query, schema", "in: query, explode: false, schema", &["D005"], &["D005"]),
    (
        "          application/json: {schema: {$ref: '#/components/schemas/W",
        "          text/json: {schema: {$ref: '#/components/schemas/W",
        &["D006", "D104"],
        &["D006", "D104"],
    ),
    ("      requestBody:\n", "      requestBody:\n        required: true\n", &["D007"], &["D105"]),
    (
        "      requestBody:\n        content:\n          application/json: {schema: {$ref: '#/components/schemas/Wanted'}}\n",
        "",
        &["D008"],
        &["D105"],
    ),
    (
        "        age: {type: integer, nullable: true}",
        "        age: {type: integer, nullable: true}\n        more: {type: string}",
        &["D106"],
        &["D011"],
    ),
    (
        "      required: [name]\n      properties:\n",
        "      required: [name, new]\n      properties:\n        new: {type: string}\n",
        &["D009"],
        &["D011"],
    ),
    ("required: [name]", "required: [name, kind]", &["D010"], &["D107"]),
    ("age: {type: integer, nullable: true}", "age: {type: integer}", &["D012"], &["D108"]),
    ("age: {type: integer, nullable: true}", "age: {type: number, nullable: true}", &["D108"], &["D012"]),
    (
        "{type: string, maxLength: 20}\n        kind: {enum: [a, b]}",
        "{type: string, maxLength: 20}\n        kind: {enum: [a]}",
        &["D013"],
        &["D108"],
    ),
    ("maxLength: 20", "maxLength: 19", &["D014"], &["D108"]),
    ("maxLength: 20", "maxLength: 20, pattern: '^[a-z]$'", &["D014"], &["D108"]),
    ("[{token: [read]}]", "[{token: [read, write]}]", &["D015"], &["D115"]),
    ("[{token: [read]}]", "[{key: []}, {token: [read]}]", &["D115"], &["D015"]),
    ("[{token: [read]}]", "[]", &["D115"], &["D015"]),
    ("        '200':", "        '201':", &["D020", "D110"], &["D020", "D110"]),
    ("        '200':", "        2XX:", &["D110"], &["D020", "D110"]),
    ("        '404': {description: none}\n", "", &["D110"], &["D110"]),
    (
        "            application/json: {schema: {$ref: '#/components/schemas/U",
        "            text/json: {schema: {$ref: '#/components/schemas/U",
        &["D021", "D111"],
        &["D021", "D111"],
    ),
    ("        born: {type: integer, minimum: 1900}\n", "", &["D022"], &["D112"]),
    ("required: [id]", "required: []", &["D023"], &["D113"]),
    ("born: {type: integer", "born: {nullable: true, type: integer", &["D024"], &["D114"]),
    (
        "id: {type: string}\n        kind: {enum: [a, b]}",
        "id: {type: string}\n        kind: {enum: [a, b, c]}",
        &["D025"],
        &["D114"],
    ),
    ("minimum: 1900", "minimum: 1800", &["D026"], &["D114"]),
    ("minimum: 1900", "minimum: 1900, exclusiveMinimum: true", &["D114"], &["D026"]),
    ("{oneOf: [{type: string}, {type: integer}]}", "{oneOf: [{type: string}]}", &["D114"], &["D026"]),
    ("          headers: {X-Left: {required: true, schema: {type: integer}}}\n", "", &["D027"], &["D112"]),
    ("X-Left: {required: true", "X-Left: {required: false", &["D023"], &[]),
    (
        "born: {type: integer, minimum: 1900}",
        "born: {type: integer, minimum: 1900, not: {enum: [2000]}}",
        &["D090"],
        &["D090"],
    ),
    ("operationId: putUser", "operationId: setUser", &["D091"], &["D091"]),
    ("      operationId: putUser\n", "      operationId: putUser\n      deprecated: true\n", &["D116"], &[]),
    (
        "name: {type: string, maxLength: 20}",
        "name: {allOf: [{type: string}, {maxLength: 20}], description: x}",
        &[],
        &[],
    ),
    ("/users/{id}:", "/users/{user}:", &["D002", "D003"], &["D002", "D003"]),
    ("id: {type: string}", "id: {type: string, writeOnly: true}", &["D022"], &["D112"]),
];

#[test]
fn each_rule_has_documents_between_which_it_speaks() {
    assert_eq!(numbers(API, API), Vec::<&str>::new());
    let mut said = Vec::new();
    for (from, to, there, back) in CHANGES {
        assert!(API.contains(from), "{from}");
        let new = API.replacen(from, to, 1);
        assert_eq!(numbers(API, &new), *there, "{from} → {to}: {:#?}", found(API, &new));
        assert_eq!(numbers(&new, API), *back, "{to} → {from}: {:#?}", found(&new, API));
        said.extend_from_slice(there);
        said.extend_from_slice(back);
    }
    said.sort_unstable();
    said.dedup();
    let all: Vec<&str> = RULES.iter().map(|rule| rule.number).collect();
    assert_eq!(said, all, "a rule has no documents");
}

#[test]
fn what_breaks_is_an_error_and_what_does_not_is_a_note() {
    for rule in RULES {
        let expected = match rule.number {
            "D090" | "D091" => Severity::Warning,
            number if number < "D090" => Severity::Error,
            _ => Severity::Note,
        };
        assert_eq!(rule.severity, expected, "{}", rule.number);
    }
}

#[test]
fn findings_name_the_place_in_the_right_document() {
    let said = |new: &str| found(API, new).iter().map(ToString::to_string).collect::<Vec<_>>();
    let gone = said(&API.replace("        born: {type: integer, minimum: 1900}\n", ""));
    let expected = "error[D022] old.yaml:35 /components/schemas/User/properties/born: `born` is gone (keep it, and mark it `deprecated: true`)";
    assert_eq!(gone, [expected]);
    let narrower = said(&API.replace("maxLength: 20", "maxLength: 9"));
    let expected = "error[D014] new.yaml:26 /components/schemas/Wanted/properties/name: `maxLength` was 20 and is 9 (make it a version of its own)";
    assert_eq!(narrower, [expected]);
}

#[test]
fn what_is_no_document_is_said() {
    let (good, bad) = (Named { file: "a", bytes: API.as_bytes() }, Named { file: "b", bytes: b"swagger: '2.0'" });
    let error = diff(good, bad, (&mut |_| None, &mut |_| None)).unwrap_err();
    assert_eq!((error.file.as_str(), error.code), ("b", "version"));
}
