//! What a contract asks of callers holds for the routes that it makes, without a word of it in the configuration.

use super::{Shop, Who};
use crate::check::problem;
use crate::identity::{House, either};
use portcullis_access::{Effect, RoleSource, Rule, Way};
use portcullis_config::plan::{AuthzPlan, Origin, RulePlan};
use portcullis_testkit::gateway::each_route;
use portcullis_testkit::{Client, FakeUpstream};
use serde_json::json;
use std::sync::Arc;

const PEOPLE: &str = include_str!("people.yaml");

fn open(mode: &str) -> Shop {
    let yaml = include_str!("security.yaml")
        .replace("MODE", mode)
        .replace("authn:", "authz: { roles_claim: realm_access.roles }\n    authn:");
    Shop::before(FakeUpstream::echoing(), &yaml, &[("people.yaml", PEOPLE)])
}

/// Where the contract says it.
fn line_of(text: &str) -> String {
    let line = PEOPLE.lines().position(|line| line.contains(text)).unwrap();
    format!("people.yaml:{}", line + 1)
}

const NONE: Who = Who("ada", "acme", "user", "");
const READER: Who = Who("ada", "acme", "user", "people:read");
const WRITER: Who = Who("ada", "acme", "user", "people:read people:write");
const ADMIN: Who = Who("adam", "acme", "admin", "");

#[test]
fn scopes_of_a_contract_are_asked_for() {
    let shop = open("enforce");
    for (who, line, expected) in [
        (READER, "GET /people", None),
        (WRITER, "GET /people", None),
        (NONE, "GET /people", Some("insufficient_scope")),
        (ADMIN, "GET /people", Some("insufficient_scope")),
        (WRITER, "POST /people", None),
        (READER, "POST /people", Some("insufficient_scope")),
        (Who("ada", "acme", "user", "people:write"), "POST /people", Some("insufficient_scope")),
        // The other way: a bearer token of somebody with a role.
        (ADMIN, "POST /people", None),
        (NONE, "GET /open", None),
        (NONE, "GET /either", None),
    ] {
        match expected {
            None => drop(shop.served(who, line, "")),
            Some(code) => {
                let answer = shop.ask(who, line, "");
                problem(&answer, 403, code, line);
                let record = shop.record(&answer);
                let at = if line.starts_with("POST") { "people:write" } else { "security: [{ oauth: [people:read] }]" };
                assert_eq!(
                    [&record["rule"], &record["decided_by"]],
                    [&json!("contract"), &json!(line_of(at))],
                    "{record}"
                );
            }
        }
    }
    let answer = shop.ask(NONE, "GET /people", "");
    let challenge = "Bearer realm=\"shop\", error=\"insufficient_scope\", scope=\"people:read\"";
    assert_eq!(answer.all("www-authenticate"), [challenge]);
    // `anonymous` opens only what the contract leaves open as well.
    for (line, status) in [("GET /open", 200), ("GET /either", 200), ("GET /people", 401), ("POST /people", 401)] {
        let answer = Client::connect(shop.gate.address())
            .ask(format!("{line} HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(answer.status, status, "{line}");
    }
}

#[test]
fn a_contract_can_be_tried_out_or_left_alone() {
    let shop = open("report");
    let record = shop.record(&shop.served(NONE, "GET /people", ""));
    assert_eq!([&record["rule"], &record["would_refuse"]], [&json!("contract"), &json!("contract")], "{record}");
    let series = "portcullis_access_rules_total{api=\"shop\",route=\"/people\",version=\"\",rule=\"contract\",decision=\"would_refuse\"}";
    shop.gate.wait_metric(series, 1.0);
    let record = shop.record(&shop.served(READER, "GET /people", ""));
    assert!(record["would_refuse"].is_null(), "{record}");
}

/// A contract that wants two credentials together gets both, and the scopes of the one that says who calls.
#[test]
fn two_credentials_are_two() {
    let origin = Origin { file: "people.yaml".into(), line: 3 };
    let of = |rule: Rule| RulePlan {
        name: "contract".into(),
        rule,
        origin: origin.clone(),
        statement: None,
        asks_learned: false,
        fields: Vec::new(),
    };
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let way =
        Way { schemes: vec![texts(&["jwt"]), texts(&["api_key"])], scopes: texts(&["orders:read"]), ..Way::default() };
    let rules = vec![of(Rule::new(Effect::Allow)), of(Rule { ways: vec![way], ..Rule::new(Effect::Require) })];
    let plan = AuthzPlan {
        source: RoleSource::default(),
        rules,
        origin: origin.clone(),
        roles_claim_origin: None,
        role_map_origin: None,
        cedar: None,
        learned: None,
    };
    let house = House::with(&either(), |all| each_route(all, |route| route.authz = Some(Arc::new(plan.clone()))));
    let key = house.key(|_| {});
    let key_line = format!("X-API-Key: {}\r\n", key.reveal());
    let token_line = format!("Authorization: Bearer {}\r\n", house.token(|_| {}));
    let weak = house.token(|claims| drop(claims.insert("scope".to_owned(), json!("orders:write"))));
    let weak_line = format!("Authorization: Bearer {weak}\r\n");
    portcullis_testkit::deadline::eventually("the key is known", || {
        (house.ask(&format!("{token_line}{key_line}")).status == 200).then_some(())
    });
    for (lines, status) in [
        (token_line.clone(), 403),
        (key_line.clone(), 403),
        (format!("{weak_line}{key_line}"), 403),
        (format!("{token_line}X-API-Key: pk_wrong\r\n"), 401),
        (format!("{key_line}{token_line}"), 200),
    ] {
        assert_eq!(house.ask(&lines).status, status, "{lines}");
    }
}
