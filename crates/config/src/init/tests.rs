//! Contracts of all sorts give configurations that load, and nobody may call anything.

use std::path::Path;

use super::init;
use crate::plan::{Authn, HostPattern, Plan};
use crate::{Environment, load_text};

const UPSTREAM: &str = "http://127.0.0.1:9000";

fn plan(contract: &str) -> (String, Plan) {
    let text = init(contract, UPSTREAM).unwrap_or_else(|failure| panic!("{failure:?}"));
    let loaded = load_text("portcullis.yaml", &text, Path::new(""), &Environment::sealed());
    let loaded = loaded.unwrap_or_else(|failure| panic!("{failure:?}\n{text}"));
    (text, loaded.plan)
}

#[test]
fn operations_become_routes_that_refuse() {
    let (text, plan) = plan(
        "openapi: 3.1.0\ninfo: { title: 'Orders API (v2)' }\nservers: [{ url: 'https://api.example.com/v2/' }]\npaths:\n  \
         /orders/{id}:\n    parameters: []\n    get: { operationId: getOrder }\n    delete: { operationId: deleteOrder }\n  \
         /health:\n    get: { security: [] }\n",
    );
    let api = &plan.apis[0];
    assert_eq!(&*api.name, "orders-api-v2");
    assert_eq!(api.hosts, [HostPattern::Exact("api.example.com".to_owned())]);
    assert_eq!(api.base_path, "/v2");
    let routes = &api.versions[0].routes;
    let ids: Vec<&str> = routes.iter().map(|route| &*route.id).collect();
    assert_eq!(ids, ["getOrder", "deleteOrder", "GET /health"]);
    assert!(routes.iter().all(|route| route.authn == Authn::Refuse));
    assert_eq!(text.matches("the contract lets anybody call it").count(), 1);
}

#[test]
fn json_is_read_as_well() {
    let (_, plan) = plan(
        "{\n\t\"openapi\": \"3.0.3\",\n\t\"paths\": {\"/a\": {\"get\": {}, \"post\": {\"operationId\": \"x\"}}}\n}",
    );
    assert_eq!(plan.apis[0].versions[0].routes.len(), 2);
}

#[test]
fn what_cannot_be_served_is_left_out_and_said() {
    let (text, plan) = plan(
        "openapi: 3.0.0\npaths:\n  '/{a}{b}': { get: {} }\n  '/a//b': { get: {} }\n  '/x/{a}': { get: { operationId: same } }\n  \
         '/x/{b}': { get: {}, put: { operationId: same } }\n  '/c;d': { get: {} }\n  no-slash: { get: {} }\n  \"/evil\\n- x\": { get: {} }\n",
    );
    assert_eq!(plan.apis[0].versions[0].routes.len(), 2, "{text}");
    assert_eq!(text.matches("# left out: ").count(), 6, "{text}");
    assert!(!text.contains("id: \"same\""), "an id that stands twice is no id");
}

#[test]
fn odd_contracts_still_give_something_that_loads() {
    for contract in [
        "openapi: 3.0.0",
        "openapi: 3.0.0\npaths: {}",
        "openapi: 3.0.0\npaths: []\nservers: {}\ninfo: 1",
        "openapi: 3.0.0\nservers: [{ url: '{scheme}://{host}/base' }]\npaths: { /a: { get: {} } }",
        "openapi: 3.0.0\nservers: [{ url: /base/ }]\npaths: { /a: { get: {} } }",
        "openapi: 3.0.0\nservers: [{ url: '/{version}/x' }]\npaths: { /a: { get: {} } }",
        "openapi: 3.0.0\ninfo: { title: '123 - \"quotes\" & <tags>' }\npaths: { / : { get: {} } }",
        "openapi: 3.0.0\ninfo: { title: 'Büro' }\nservers: [{ url: 'http://localhost:8080' }]\npaths: { /a: { get: 1 } }",
    ] {
        let (text, plan) = plan(contract);
        assert_eq!(plan.apis.len(), 1, "{text}");
    }
}

#[test]
fn what_is_no_contract_is_refused_with_a_reason() {
    for (contract, code) in [
        ("swagger: '2.0'", "not-openapi"),
        ("openapi: 4.0.0", "not-openapi"),
        ("hello: world", "not-openapi"),
        ("[]", "not-openapi"),
        ("", "empty-file"),
        ("openapi: [", "syntax"),
    ] {
        let failure = init(contract, UPSTREAM).expect_err(contract);
        assert_eq!(failure.diagnostics()[0].code, code, "{contract}");
    }
    let failure = init("openapi: 3.0.0", "http://127.0.0.1:9000/base").expect_err("a path");
    assert_eq!(failure.diagnostics()[0].code, "bad-value");
}
