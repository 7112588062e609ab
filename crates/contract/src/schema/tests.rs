//! Rows about what the suite does not ask: closed objects, directions, discriminators, budgets, and what violations say.

use super::{Compiler, Direction, Draft, Effort, Library, Settings, Verdict};
use crate::json::{Json, Limits};
use crate::tree;

fn judge(draft: Draft, open: bool, direction: Direction, schema: &str, body: &str) -> String {
    let mut library = Library::new(draft);
    let spot = library.add("api.yaml", tree::read(schema.as_bytes()).unwrap());
    let mut fetch = |_: &str| None;
    let settings = Settings { open_objects: open, formats: true, openapi: true };
    let mut compiler = Compiler::new(&mut library, &mut fetch, settings);
    let at = compiler.library.member(spot, "root").unwrap();
    let root = compiler.whole(at, 0, direction);
    let (schemas, findings) = compiler.finish();
    if let Some(finding) = findings.iter().find(|finding| finding.severity == tree::Severity::Error) {
        return format!("error {}: {}", finding.code, finding.message);
    }
    assert!(schemas.len() > 2);
    let json = Json::parse(body.as_bytes(), &Limits::default()).unwrap();
    match schemas.judge(root, json.root(), json.size(), &Effort::default()) {
        Verdict::Valid => "valid".to_owned(),
        Verdict::Invalid(found) => {
            let all: Vec<String> = found.iter().map(|one| format!("{} {}", one.pointer, one.keyword)).collect();
            all.join(", ")
        }
        Verdict::Exhausted => "exhausted".to_owned(),
    }
}

const USER: &str = "
root: {$ref: '#/user'}
user:
  type: object
  required: [id, name]
  properties:
    id: {type: integer, readOnly: true}
    name: {type: string, maxLength: 3}
    secret: {type: string, writeOnly: true, format: password, minLength: 8}
    tags: {type: array, items: {type: object, properties: {k: {type: string}}}}
";

#[test]
fn what_is_not_declared_is_refused() {
    for (schema, body, expected) in [
        (USER, r#"{"name":"ada"}"#, "valid"),
        (USER, r#"{"name":"ada","is_admin":true}"#, "/is_admin additionalProperties"),
        (USER, r#"{"name":"ada","tags":[{"k":"x","v":1}]}"#, "/tags/0/v additionalProperties"),
        (USER, r#"{"id":1,"name":"ada"}"#, "/id readOnly"),
        (USER, r#"{"id":1}"#, "/id readOnly, /name required"),
        ("root: {type: object}", r#"{"a":1}"#, "/a additionalProperties"),
        ("root: {type: object, additionalProperties: true}", r#"{"a":1}"#, "valid"),
        ("root: {}", r#"{"a":1}"#, "valid"),
        ("root: {allOf: [{properties: {a: {}}}, {properties: {b: {}}}]}", r#"{"a":1,"b":2}"#, "valid"),
        (
            "root: {allOf: [{properties: {a: {}}}, {properties: {b: {}}}]}",
            r#"{"a":1,"c":2}"#,
            "/c additionalProperties",
        ),
        ("root: {allOf: [{properties: {a: {}}}, {additionalProperties: {type: integer}}]}", r#"{"c":2}"#, "valid"),
        (
            "root: {oneOf: [{required: [a], properties: {a: {}}}, {required: [b], properties: {b: {}}}]}",
            r#"{"a":1}"#,
            "valid",
        ),
        (
            "root: {anyOf: [{required: [a], properties: {a: {}}}, {required: [b], properties: {b: {}}}]}",
            r#"{"a":1,"c":1}"#,
            "/c additionalProperties",
        ),
        (
            "root: {allOf: [{properties: {a: {type: string}}}, {required: [b], properties: {b: {}}}]}",
            r#"{"a":1,"b":1,"c":1}"#,
            "/a type, /c additionalProperties",
        ),
        ("root: {not: {type: object, properties: {a: {type: string}}, required: [a]}}", r#"{"a":"x","b":1}"#, " not"),
    ] {
        assert_eq!(judge(Draft::OpenApi30, false, Direction::Request, schema, body), expected, "{schema} {body}");
    }
    let open = |body| judge(Draft::OpenApi30, true, Direction::Request, USER, body);
    assert_eq!(open(r#"{"name":"ada","is_admin":true}"#), "valid");
}

#[test]
fn what_is_not_for_a_direction_is_not_required_by_another_part() {
    let schema = "
root: {required: [id, name], allOf: [{$ref: '#/base'}, {properties: {name: {type: string}}}]}
base: {type: object, properties: {id: {type: integer, readOnly: true}}}
";
    for (direction, body, expected) in [
        (Direction::Request, r#"{"name":"ada"}"#, "valid"),
        (Direction::Request, r#"{"id":1,"name":"ada"}"#, "/id readOnly"),
        (Direction::Request, "{}", "/name required"),
        (Direction::Answer, r#"{"name":"ada"}"#, "/id required"),
        (Direction::Answer, r#"{"id":1,"name":"ada"}"#, "valid"),
    ] {
        assert_eq!(judge(Draft::OpenApi30, false, direction, schema, body), expected, "{direction:?} {body}");
    }
}

#[test]
fn answers_have_rules_of_their_own() {
    for (body, expected) in [
        (r#"{"id":1,"name":"ada"}"#, "valid"),
        (r#"{"name":"ada"}"#, "/id required"),
        (r#"{"id":1,"name":"ada","secret":"hunter2hunter2"}"#, "/secret writeOnly"),
    ] {
        assert_eq!(judge(Draft::OpenApi30, false, Direction::Answer, USER, body), expected, "{body}");
    }
}

#[test]
fn a_discriminator_chooses() {
    let schema = "
root:
  oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]
  discriminator: {propertyName: kind, mapping: {d: Dog, cat: '#/components/schemas/Cat'}}
components:
  schemas:
    Cat: {type: object, required: [kind, lives], properties: {kind: {type: string}, lives: {type: integer}}}
    Dog: {type: object, required: [kind], properties: {kind: {type: string}, bark: {type: boolean}}}
";
    for (body, expected) in [
        (r#"{"kind":"cat","lives":9}"#, "valid"),
        (r#"{"kind":"d","bark":true}"#, "valid"),
        (r#"{"kind":"cat","lives":"x"}"#, "/lives type"),
        (r#"{"kind":"d","lives":9}"#, "/lives additionalProperties"),
        (r#"{"kind":"cow"}"#, "/kind discriminator"),
        (r#"{"lives":9}"#, "/kind discriminator"),
        ("7", " oneOf"),
    ] {
        assert_eq!(judge(Draft::OpenApi30, false, Direction::Request, schema, body), expected, "{body}");
    }
}

/// A parent that chooses, with children that hold it; one of them has a child itself.
const FAMILY: &str = "
root: {$ref: '#/components/schemas/Pet'}
components:
  schemas:
    Pet:
      type: object
      required: [kind, name]
      properties: {kind: {type: string}, name: {type: string}}
      discriminator: {propertyName: kind, mapping: {cat: '#/components/schemas/Cat', dog: Dog}}
    Cat: {allOf: [{$ref: '#/components/schemas/Pet'}, {type: object, required: [meow], properties: {meow: {type: boolean}}}]}
    Dog: {allOf: [{$ref: '#/components/schemas/Pet'}, {properties: {bark: {type: boolean}, pup: {$ref: '#/components/schemas/Pet'}}}]}
    Lion: {allOf: [{$ref: '#/components/schemas/Cat'}, {properties: {mane: {type: integer}}}]}
    Other: {type: object, properties: {meow: {}}}
";

#[test]
fn a_discriminator_without_ways_chooses_a_child() {
    let (named, ways) = ("{allOf: [{$ref: '#/components/schemas/Pet'}]}", "{$ref: '#/components/schemas/Cat'}");
    let lonely = "root: {type: object, properties: {kind: {type: string}}, discriminator: {propertyName: kind}}";
    let loose = "root: {type: object, discriminator: {propertyName: kind, mapping: {a: '#/a'}}}\na: {type: object, required: [x], properties: {kind: {}, x: {}}}";
    for draft in [Draft::OpenApi30, Draft::Current] {
        for (root, body, expected) in [
            ("", r#"{"kind":"cat","name":"a","meow":true}"#, "valid"),
            ("", r#"{"kind":"cat","name":"a"}"#, "/meow required"),
            ("", r#"{"kind":"cat","meow":1,"x":1}"#, "/name required, /meow type, /x additionalProperties"),
            ("", r#"{"kind":"cat","name":"a","meow":true,"bark":true}"#, "/bark additionalProperties"),
            ("", r#"{"kind":"dog","name":"a","bark":true}"#, "valid"),
            ("", r#"{"kind":"dog","name":"a","pup":{"kind":"cat","name":"b","meow":true}}"#, "valid"),
            ("", r#"{"kind":"dog","name":"a","pup":{"kind":"cow","name":"b"}}"#, "/pup/kind discriminator"),
            ("", r#"{"kind":"Lion","name":"a","meow":true,"mane":3}"#, "valid"),
            ("", r#"{"kind":"Lion","name":"a","mane":3}"#, "/meow required"),
            ("", r#"{"kind":"Pet","name":"a"}"#, "valid"),
            ("", r#"{"kind":"Pet","name":"a","meow":true}"#, "/meow additionalProperties"),
            ("", r#"{"kind":"cow"}"#, "/name required, /kind discriminator"),
            ("", r#"{"kind":"Other","name":"a","meow":1}"#, "/kind discriminator"),
            ("", r#"{"kind":7,"name":"a"}"#, "/kind type, /kind discriminator"),
            ("", r#"{"name":"a"}"#, "/kind required, /kind discriminator"),
            ("", "7", " type"),
            (named, r#"{"kind":"cat","name":"a","meow":true}"#, "valid"),
            (named, r#"{"kind":"cow","name":"a"}"#, "/kind discriminator"),
            (ways, r#"{"kind":"cat","name":"a","meow":true}"#, "valid"),
            (ways, r#"{"kind":"cat","name":"a","meow":true,"bark":true}"#, "/bark additionalProperties"),
            (ways, r#"{"kind":"Lion","name":"a","meow":true,"mane":3}"#, "valid"),
            (ways, r#"{"kind":"dog","name":"a"}"#, "/meow required"),
            (ways, r#"{"kind":"cow","name":"a","meow":true}"#, "/kind discriminator"),
        ] {
            let schema = match root {
                "" => FAMILY.to_owned(),
                root => FAMILY.replacen("{$ref: '#/components/schemas/Pet'}", root, 1),
            };
            assert_eq!(judge(draft, false, Direction::Request, &schema, body), expected, "{draft:?} {root} {body}");
        }
        assert_eq!(judge(draft, false, Direction::Request, lonely, r#"{"kind":"cow"}"#), "valid", "nothing to choose");
        let loose = |body| judge(draft, false, Direction::Request, loose, body);
        assert_eq!(loose(r#"{"kind":"a","x":1}"#), "valid");
        assert_eq!(loose(r#"{"kind":"a","y":1}"#), "/x required, /y additionalProperties");
    }
}

#[test]
fn openapi_30_has_its_own_words() {
    for (schema, body, expected) in [
        ("root: {type: string, nullable: true}", "null", "valid"),
        ("root: {type: string}", "null", " type"),
        ("root: {minimum: 1, exclusiveMinimum: true}", "1", " exclusiveMinimum"),
        ("root: {minimum: 1, exclusiveMinimum: true}", "1.0000000000000000001", "valid"),
        (
            "root: {minimum: 1, exclusiveMinimum: 3}",
            "4",
            "error keyword: `exclusiveMinimum` must be true or false here",
        ),
        ("root: {type: integer, format: int32}", "2147483648", " format"),
        ("root: {type: integer}", "1.0", "valid"),
        (
            "root: {type: string, pattern: '(?=a)'}",
            "\"a\"",
            "error pattern: the pattern `(?=a)` cannot be used: looking ahead or behind cannot be matched in linear time",
        ),
        ("root: {type: text}", "\"a\"", "error type: `text` is no type"),
        (
            "root: {$ref: '#/none'}",
            "1",
            "error reference: the reference `#/none` leads nowhere: nothing is where it points",
        ),
        (
            "root: {$ref: 'http://x.example/y'}",
            "1",
            "error reference: the reference `http://x.example/y` leads nowhere: `http://x.example/y` cannot be read: it is not there, or it is not allowed",
        ),
        ("root: {$ref: '#/a'}\na: {$ref: '#/root'}", "1", "error circle: its references go in a circle"),
        ("root: {allOf: [{$ref: '#/root'}]}", "1", "error circle: the schema refers to itself about the same value"),
        ("root: {properties: {a: {required: true}}}", "{}", "error keyword: `required` must be a list of names"),
    ] {
        assert_eq!(judge(Draft::OpenApi30, false, Direction::Request, schema, body), expected, "{schema}");
    }
}

#[test]
fn no_schema_and_body_together_are_expensive() {
    // Each level asks two ways, each of which asks both ways of the next: two to the power of thirty without a budget.
    let mut schema = "root: {$ref: '#/l0'}\n".to_owned();
    for level in 0..30 {
        let next = format!("{{properties: {{a: {{$ref: '#/l{}'}}}}}}", level + 1);
        schema += &format!(
            "l{level}: {{anyOf: [{{allOf: [{next}, {{required: [b]}}]}}, {{allOf: [{next}, {{required: [b]}}]}}]}}\n"
        );
    }
    schema += "l30: {type: string}\n";
    let body = format!("{}1{}", "{\"a\":".repeat(30), "}".repeat(30));
    assert_eq!(judge(Draft::OpenApi30, true, Direction::Request, &schema, &body), "exhausted");
    // Recursion with a value that ends is fine, and so is a good request after it.
    let tree = "root: {type: object, properties: {n: {$ref: '#/root'}}}";
    let body = format!("{}{{}}{}", "{\"n\":".repeat(30), "}".repeat(30));
    assert_eq!(judge(Draft::OpenApi30, false, Direction::Request, tree, &body), "valid");
    let items: Vec<String> = (0..9_000).map(|number| format!("{{\"a\":{number}}}")).collect();
    let unique = "root: {type: array, uniqueItems: true, items: {}}";
    assert_eq!(judge(Draft::OpenApi30, false, Direction::Request, unique, &format!("[{}]", items.join(","))), "valid");
    let twice = format!("[{},{{\"a\":7.0}}]", items.join(","));
    assert_eq!(judge(Draft::OpenApi30, false, Direction::Request, unique, &twice), " uniqueItems");
}

#[test]
fn violations_never_hold_what_was_sent() {
    let mut library = Library::new(Draft::OpenApi30);
    let spot = library.add("api.yaml", tree::read(USER.as_bytes()).unwrap());
    let mut fetch = |_: &str| None;
    let mut compiler =
        Compiler::new(&mut library, &mut fetch, Settings { open_objects: false, formats: true, openapi: true });
    let at = compiler.library.member(spot, "user").unwrap();
    let root = compiler.whole(at, 0, Direction::Request);
    let (schemas, _) = compiler.finish();
    let body = r#"{"id":"s3cr3t","name":"s3cr3t","secret":"s3cr3t","tags":"s3cr3t"}"#;
    let json = Json::parse(body.as_bytes(), &Limits::default()).unwrap();
    let Verdict::Invalid(found) = schemas.judge(root, json.root(), json.size(), &Effort::default()) else {
        panic!("it fits")
    };
    let shown = format!("{found:?}");
    assert_eq!(found.len(), 4, "{shown}");
    assert!(!shown.contains("s3cr3t"), "{shown}");
    let few = Effort { violations: 2, ..Effort::default() };
    let Verdict::Invalid(found) = schemas.judge(root, json.root(), json.size(), &few) else { panic!("it fits") };
    assert_eq!(found.len(), 2);
}
