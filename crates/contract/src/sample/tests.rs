//! What is made up for a contract fits it.

use super::samples;
use crate::document::{Options, load};
use crate::json::Json;
use crate::message::{Body, Bounds, Request};
use crate::parameter::Location;

const DOCUMENT: &str = r##"
openapi: 3.1.0
info: { title: t, version: "1" }
paths:
  /orders/{id}/lines/{line}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: string, format: uuid } }
      - { name: line, in: path, required: true, schema: { type: integer, minimum: 10, maximum: 12 } }
    put:
      parameters:
        - { name: size, in: query, required: true, schema: { type: integer, exclusiveMaximum: 0, multipleOf: 5 } }
        - { name: code, in: query, schema: { type: string, pattern: "^[A-Z]{2}-[0-9]{3,}(x|y)$", minLength: 8 } }
        - { name: day, in: query, example: 2026-02-03, schema: { type: string, format: date } }
      requestBody:
        required: true
        content:
          application/json:
            schema:
              allOf:
                - $ref: "#/components/schemas/Line"
                - { type: object, required: [kind], properties: { kind: { enum: [small, large] }, total: { type: number, readOnly: true } } }
      responses: { "200": { description: ok } }
components:
  schemas:
    Line:
      type: object
      required: [name, tags]
      properties:
        name: { type: string, minLength: 12, maxLength: 20 }
        tags: { type: array, minItems: 2, items: { type: string, maxLength: 3 } }
        hook: { type: string, format: uri, pattern: "^https://hooks[.]example/" }
        price: { type: number, minimum: 0.5 }
        ratio: { type: [number, "null"], exclusiveMinimum: 3, maximum: 9 }
        line: { oneOf: [{ $ref: "#/components/schemas/Leaf" }, { type: string }] }
    Leaf: { type: object, properties: { quote: { const: "a \"quoted\" text" }, next: { $ref: "#/components/schemas/Leaf" } } }
"##;

#[test]
fn samples_fit() {
    let all = samples("t.yaml", DOCUMENT.as_bytes(), &mut |_| None);
    let contract = load("t.yaml", DOCUMENT.as_bytes(), Options::default(), &mut |_| None).contract.unwrap();
    assert_eq!(all.len(), 1);
    let sample = &all[0];
    let raw = |json: &str| json.trim_matches('"').to_owned();
    let mut path = sample.template.clone();
    let mut query = Vec::new();
    for one in &sample.parameters {
        match one.location {
            Location::Path => path = path.replace(&format!("{{{}}}", one.name), &raw(&one.json)),
            Location::Query => query.push(format!("{}={}", one.name, raw(&one.json))),
            Location::Header | Location::Cookie => {}
        }
    }
    let operation = contract.find(&sample.method, &path).unwrap();
    let body = Body::Whole(sample.bodies[0].json.as_bytes());
    let headers = [("content-type", "application/json")];
    let request = Request { path: &path, query: &query.join("&"), headers: &headers, body };
    let refused = contract.conform(operation, &request, &Bounds::default()).err();
    assert_eq!(refused, None, "{path}?{} {}", query.join("&"), sample.bodies[0].json);
    let members: Vec<_> = sample.bodies[0].members.iter().map(|one| (one.name.as_str(), one.read_only)).collect();
    assert!(members.contains(&("total", true)) && members.contains(&("name", false)), "{members:?}");
    assert!(Json::parse(sample.bodies[0].json.as_bytes(), &Bounds::default().json).is_ok());
}

#[test]
fn what_is_no_document_has_no_operations() {
    for text in ["", "[]", "openapi: 3.1.0", "swagger: '2.0'", "openapi: 3.1.0\npaths: { /a: { get: 3 } }"] {
        let all = samples("t.yaml", text.as_bytes(), &mut |_| None);
        assert!(all.iter().all(|one| one.parameters.is_empty() && one.bodies.is_empty()), "{text}: {all:?}");
    }
}
