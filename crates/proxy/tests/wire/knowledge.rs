//! What a gateway comes to know of its contracts: operations that are used, paths that no document has, undeclared members.

use crate::contract;
use portcullis_config::plan::ContractMode;
use portcullis_proxy::ContractFacts;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::{Client, FakeUpstream, Gatehouse};

const ANSWER: &str = r#"{"name":"ada","ssn":"078-05-1120","tags":[{"a":1}]}"#;

fn facts(gate: &Gatehouse, is_it: impl Fn(&ContractFacts) -> bool) -> ContractFacts {
    eventually("the report", || gate.handle().contracts().pop().filter(&is_it))
}

#[test]
fn a_report_names_what_is_used_what_is_unknown_and_what_is_undeclared() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", ANSWER.len());
    let upstream = FakeUpstream::answering(head + ANSWER);
    let gate = Gatehouse::start(contract::plan(upstream.address(), ContractMode::Enforce, ContractMode::Report));
    let before = facts(&gate, |_| true);
    assert!(before.since_s > 1_700_000_000 && before.operations.iter().all(|one| one.seen_s.is_none()), "{before:?}");
    let mut client = Client::connect(gate.address());
    let mut ask =
        |method: &str, path: &str| client.ask(format!("{method} {path} HTTP/1.1\r\nHost: api.test\r\n\r\n")).status;
    assert_eq!(ask("GET", "/users/7"), 200);
    // Refused: that says nothing about whether the operation is used.
    assert_eq!(ask("GET", "/good?x=1"), 400);
    for path in ["/users/7/mail", "/users/8/mail", "/users/ada%40example.com/mail"] {
        assert_eq!(ask("GET", path), 404);
    }
    assert_eq!(ask("DELETE", "/users/7"), 405);
    assert_eq!(ask("BREW", "/users/7"), 405);
    let facts = facts(&gate, |facts| facts.shadows.len() == 3 && facts.strangers.len() == 2);
    let seen = facts.operations.iter().filter(|one| one.seen_s.is_some());
    assert_eq!(seen.map(|one| format!("{} {}", one.method, one.path)).collect::<Vec<_>>(), ["GET /users/{id}"]);
    let shadows = facts.shadows.iter().map(|one| format!("{} {} {}", one.method, one.path, one.count));
    assert_eq!(shadows.collect::<Vec<_>>(), ["DELETE /users/{} 1", "GET /users/{}/mail 3", "other /users/{} 1"]);
    let strangers =
        facts.strangers.iter().map(|one| format!("{} {} {} {}", one.operation, one.status, one.place, one.kind));
    assert_eq!(strangers.collect::<Vec<_>>(), ["GET /users/{id} 200 /ssn string", "GET /users/{id} 200 /tags array"]);
    assert!(!format!("{facts:?}").contains("078-05"), "{facts:?}");
    for (series, value) in [
        ("portcullis_contract_operations{api=\"api\",version=\"\",state=\"seen\"}", 1.0),
        ("portcullis_contract_operations{api=\"api\",version=\"\",state=\"unseen\"}", 2.0),
        ("portcullis_contract_shadow_requests_total{api=\"api\",version=\"\"}", 5.0),
        ("portcullis_contract_undeclared_fields{api=\"api\",version=\"\"}", 2.0),
    ] {
        gate.wait_metric(series, value);
    }
    // A reload that leaves the contract as it is forgets nothing; one that changes it begins anew.
    let mut plan = gate.plan();
    gate.handle().reload(plan.clone()).expect("the same plan");
    let kept = gate.handle().contracts().remove(0);
    assert_eq!((kept.shadows.len(), kept.since_s), (3, facts.since_s));
    plan = contract::plan(upstream.address(), ContractMode::Enforce, ContractMode::Off);
    plan.access_log = gate.plan().access_log;
    gate.handle().reload(plan).expect("another plan");
    let anew = gate.handle().contracts().remove(0);
    assert_eq!((anew.shadows.len(), anew.strangers.len(), anew.answers), (0, 0, "off"));
}

#[test]
fn what_a_server_does_not_have_is_not_used() {
    let upstream = FakeUpstream::answering("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    let gate = Gatehouse::start(contract::plan(upstream.address(), ContractMode::Enforce, ContractMode::Off));
    let mut client = Client::connect(gate.address());
    assert_eq!(client.ask("GET /good HTTP/1.1\r\nHost: api.test\r\n\r\n").status, 404);
    let facts = facts(&gate, |_| gate.metric("portcullis_connections_total") > 0.0);
    assert!(facts.operations.iter().all(|one| one.seen_s.is_none()) && facts.shadows.is_empty(), "{facts:?}");
}
