//! Routes that a contract makes are under every setting above them, as those that are written.

use std::fs;
use std::path::Path;

use portcullis_config::plan::{ErrorsPlan, RoutePlan};
use portcullis_config::{Environment, load};

const DOCUMENT: &str = "openapi: 3.1.0
info: { title: People, version: '1' }
paths:
  /people: { get: { operationId: list, responses: { '200': { description: all } } } }
  /people/{id}:cancel:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    post: { operationId: cancel, responses: { '200': { description: done } } }
  /people/{id}.{kind}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: integer } }
      - { name: kind, in: path, required: true, schema: { enum: [vcf, json] } }
    get: { operationId: card, responses: { '200': { description: one } } }
  /people/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get: { operationId: one, responses: { '200': { description: one } } }
";

fn routes(name: &str, api: &str) -> Vec<RoutePlan> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contracts");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(format!("{name}-people.yaml")), DOCUMENT).expect("the folder can be written");
    let path = folder.join(format!("{name}.yaml"));
    let text = format!(
        "version: 1\nlisteners: {{ a: {{ bind: '127.0.0.1:0' }} }}\napis:\n  people:\n    hosts: ['*']\n    upstream: {{ targets: ['http://127.0.0.1:9'] }}\n{api}"
    );
    fs::write(&path, text).expect("the folder can be written");
    let loaded = load(&path, &Environment::fixed::<&str, &str>([]));
    let plan = loaded.unwrap_or_else(|failure| panic!("{}", failure.render(false))).plan;
    let versions = plan.apis.into_iter().flat_map(|api| api.versions);
    versions.flat_map(|version| version.routes).collect()
}

#[test]
fn routes_that_a_contract_makes_are_masked_scrubbed_inspected_and_limited() {
    let written = "    authn: public
    errors: replace
    mask: [{ fields: ['$..email'], show: null }]
    waf: { rules: [builtin] }
";
    let written = written.replace("show: null", "show: nulled");
    let api = format!("{written}    openapi: api-people.yaml\n");
    let version = format!(
        "{written}    versions: {{ v1: {{ openapi: version-people.yaml, mask: [{{ fields: ['$..born'], show: nulled }}] }} }}\n"
    );
    for (name, text, masks) in [("api", api, 1), ("version", version, 2)] {
        let routes = routes(name, &text);
        let ids: Vec<&str> = routes.iter().map(|route| &*route.id).collect();
        assert_eq!(ids, ["list", "cancel", "card", "one"], "{name}");
        for route in routes {
            assert_eq!(route.shape.masks.len(), masks, "{name}: {}", route.id);
            assert_eq!(route.shape.errors, ErrorsPlan::Replace, "{name}: {}", route.id);
            assert!(route.waf.is_some() && route.contract.is_some(), "{name}: {}", route.id);
            assert!(!route.limits.entries.is_empty(), "{name}: {}", route.id);
        }
    }
}
