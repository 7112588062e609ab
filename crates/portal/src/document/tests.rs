//! Lines and examples of schemas, and which parameters an operation has.

use super::{Documents, Fetch, example, rows};
use serde_json::json;
use std::path::Path;

const TEXT: &str = r##"
openapi: 3.1.0
info: { title: Shop, version: "1" }
paths:
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }, { name: q, in: query }]
    get:
      parameters: [{ name: q, in: query, schema: { enum: [a, b] } }]
components:
  schemas:
    Thing:
      type: object
      required: [name]
      properties:
        name: { type: string, maxLength: 3, description: what it is called }
        secret: { type: string, writeOnly: true }
        parts: { type: array, items: { $ref: "#/components/schemas/Thing" } }
        when: { type: string, format: date }
    Loop: { $ref: "#/components/schemas/Loop" }
    Both: { allOf: [{ $ref: "#/components/schemas/Thing" }, { properties: { more: { type: [integer, "null"] } } }] }
"##;

fn with<T>(look: impl FnOnce(&super::Document) -> T) -> T {
    let fetch: Fetch<'_> = &mut |_: &Path| Ok(TEXT.as_bytes().to_vec());
    look(&Documents::default().read(Path::new("shop.yaml"), fetch).unwrap())
}

#[test]
fn schemas_become_lines() {
    with(|document| {
        let schema = json!({ "$ref": "#/components/schemas/Both" });
        let (rows, cut) = rows(document, &schema);
        let shown: Vec<(&str, &str, bool)> = rows.iter().map(|row| (&*row.path, &*row.kind, row.required)).collect();
        assert_eq!(
            shown,
            [
                ("", "object", false),
                ("name", "string", true),
                ("secret", "string", false),
                ("parts", "array of object", false),
                ("parts[]", "object", false),
                ("when", "string (date)", false),
                ("more", "integer or null", false),
            ]
        );
        assert_eq!(rows[1].rules, ["characters at most 3"]);
        assert_eq!(rows[4].rules, ["as above: it holds itself"]);
        assert!(!cut);
    });
}

#[test]
fn examples_fit_their_schema() {
    with(|document| {
        let holder = json!({ "schema": { "$ref": "#/components/schemas/Both" } });
        let made = example(document, &holder, false).unwrap();
        assert_eq!((&made["name"], &made["when"], &made["more"]), (&json!("tex"), &json!("2026-01-31"), &json!(1)));
        assert!(made.get("secret").is_none(), "what is not for answers is not in one");
        let circle = json!({ "schema": { "$ref": "#/components/schemas/Loop" } });
        assert_eq!(example(document, &circle, false), Some(json!(null)));
    });
}

#[test]
fn parameters_of_the_operation_take_the_place_of_its_paths() {
    with(|document| {
        let found = document.parameters("/things/{id}", "GET");
        assert_eq!(found.iter().map(|one| &one["name"]).collect::<Vec<_>>(), ["id", "q"]);
        assert!(found[1].get("schema").is_some());
    });
}
