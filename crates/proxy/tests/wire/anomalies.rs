//! What is unusual is noticed, told with its numbers, followed by what the configuration says, and taken back.

use crate::check::problem;
use portcullis_anomaly::{Bounds, Kind, Rungs, Step};
use portcullis_config::plan::{AnomaliesPlan, Plan};
use portcullis_proxy::FindingFacts;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::Gatehouse;
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Client, FakeUpstream};
use portcullis_types::Network;
use std::path::Path;
use std::time::{Duration, Instant};

/// An address that asks for what is not there needs this many requests to stand out.
const ENOUGH: usize = 40;

fn watched(step: Step) -> AnomaliesPlan {
    AnomaliesPlan {
        told: [true; Kind::ALL.len()],
        rungs: Rungs { points: [1, 2, 2], ..Rungs::up_to(step) },
        delay: Duration::from_millis(300),
        bounds: Bounds { principals: 1_000, addresses: 1_000, pairs: 2_000 },
        countries: None,
        networks: None,
    }
}

fn quiet(upstream: &FakeUpstream, step: Step, folder: Option<&Path>) -> Gatehouse {
    before(upstream, step, folder, |_| {})
}

pub(crate) fn before(
    upstream: &FakeUpstream,
    step: Step,
    folder: Option<&Path>,
    change: impl FnOnce(&mut Plan),
) -> Gatehouse {
    Gatehouse::with(upstream.address(), |plan: &mut Plan| {
        plan.listeners[0].provenance.trusted = vec![Network::parse("127.0.0.0/8").unwrap()];
        plan.anomalies = Some(watched(step));
        plan.identity.store = folder.map(Path::to_owned);
        // Only one path is there.
        plan.apis[0].versions[0].routes.truncate(1);
        change(plan);
    })
}

fn ask(gate: &Gatehouse, path: &str, from: &str) -> portcullis_testkit::Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: api.test\r\nX-Forwarded-For: {from}\r\n\r\n");
    Client::connect(gate.address()).ask(request)
}

pub(crate) fn guess(gate: &Gatehouse, from: &str) {
    for number in 0..ENOUGH {
        assert_eq!(ask(gate, &format!("/not/{number}"), from).status, 404);
    }
}

fn finding(gate: &Gatehouse) -> FindingFacts {
    eventually("a finding", || gate.handle().findings().unwrap().into_iter().find(|one| one.kind == "not_found"))
}

fn refused(gate: &Gatehouse, from: &str) -> portcullis_testkit::Answer {
    eventually("a refusal", || Some(ask(gate, "/", from)).filter(|answer| answer.status == 429))
}

#[test]
fn an_address_that_guesses_is_refused_until_it_is_pardoned() {
    let upstream = FakeUpstream::echoing();
    let gate = quiet(&upstream, Step::Block, None);
    assert_eq!(ask(&gate, "/", "192.0.2.1").status, 200);
    guess(&gate, "192.0.2.1");
    let answer = refused(&gate, "192.0.2.1");
    problem(&answer, 429, "abnormal_usage", "an address that guesses");
    let wait: u64 = answer.field("retry-after").unwrap().parse().unwrap();
    assert!((1..=1800).contains(&wait), "{wait}");
    let found = finding(&gate);
    assert!(found.is_of_address && found.caller.is_empty());
    assert_eq!((found.address.as_str(), found.step.as_str(), found.window_s), ("192.0.2.1", "block", 60));
    let [seen, _, bound] = found.numbers;
    assert!(seen > bound && bound >= 30.0, "{found:?}");
    assert_eq!(ask(&gate, "/", "192.0.2.2").status, 200, "everybody else goes on");
    assert_eq!(gate.metric("portcullis_anomaly_findings_total{kind=\"not_found\"}"), 1.0);
    assert_eq!(gate.metric("portcullis_anomaly_steps{step=\"block\"}"), 1.0);
    assert_eq!(gate.handle().pardon("192.0.2.2"), Ok(false));
    assert_eq!(gate.handle().pardon("192.0.2.1"), Ok(true));
    eventually("a pardon", || (ask(&gate, "/", "192.0.2.1").status == 200).then_some(()));
    assert_eq!(gate.metric("portcullis_anomaly_steps{step=\"block\"}"), 0.0);
}

#[test]
fn what_is_only_observed_changes_nothing() {
    let upstream = FakeUpstream::echoing();
    let gate = quiet(&upstream, Step::Observe, None);
    guess(&gate, "192.0.2.1");
    assert_eq!(finding(&gate).step, "observe");
    assert_eq!(ask(&gate, "/", "192.0.2.1").status, 200);
}

#[test]
fn whoever_is_slowed_down_is_served_later() {
    let upstream = FakeUpstream::echoing();
    let gate = quiet(&upstream, Step::Slow, None);
    guess(&gate, "192.0.2.1");
    assert_eq!(finding(&gate).step, "slow");
    let started = Instant::now();
    assert_eq!(ask(&gate, "/", "192.0.2.1").status, 200);
    assert!(started.elapsed() >= Duration::from_millis(300), "{:?}", started.elapsed());
    assert_eq!(gate.metric("portcullis_anomaly_requests_total{step=\"slow\"}"), 1.0);
}

#[test]
fn findings_and_what_followed_outlive_the_process() {
    let (upstream, folder) = (FakeUpstream::echoing(), Scratch::new());
    let mut gate = quiet(&upstream, Step::Block, Some(folder.path()));
    guess(&gate, "192.0.2.1");
    refused(&gate, "192.0.2.1");
    let found = finding(&gate);
    gate.stop(Duration::from_secs(1));
    // Half a line, as of a process that died while it wrote.
    let path = folder.path().join("findings.jsonl");
    let text = std::fs::read_to_string(&path).unwrap() + "{\"at_ms\":1,\"kind\":\"not";
    std::fs::write(&path, text).unwrap();
    let gate = quiet(&upstream, Step::Block, Some(folder.path()));
    assert_eq!(gate.handle().findings().unwrap(), vec![found.clone()]);
    assert_eq!(ask(&gate, "/", "192.0.2.1").status, 429, "the block goes on");
    guess(&gate, "192.0.2.9");
    eventually("another finding", || (gate.handle().findings().unwrap().len() == 2).then_some(()));
    drop(gate);
    let gate = quiet(&upstream, Step::Block, Some(folder.path()));
    assert_eq!(gate.handle().findings().unwrap().len(), 2, "what came after the half line is whole");
}

#[test]
fn a_pardon_outlives_the_process() {
    let (upstream, folder) = (FakeUpstream::echoing(), Scratch::new());
    let mut gate = quiet(&upstream, Step::Block, Some(folder.path()));
    guess(&gate, "192.0.2.1");
    refused(&gate, "192.0.2.1");
    assert_eq!(gate.handle().pardon("192.0.2.1"), Ok(true));
    eventually("a pardon", || (ask(&gate, "/", "192.0.2.1").status == 200).then_some(()));
    gate.stop(Duration::from_secs(1));
    let gate = quiet(&upstream, Step::Block, Some(folder.path()));
    assert_eq!(gate.handle().findings().unwrap().len(), 1, "what was found is still told");
    assert_eq!(ask(&gate, "/", "192.0.2.1").status, 200);
}

#[test]
fn a_reload_changes_what_follows_and_not_who_is_remembered() {
    let upstream = FakeUpstream::echoing();
    let gate = quiet(&upstream, Step::Block, None);
    let mut plan = gate.plan();
    plan.anomalies = Some(watched(Step::Observe));
    gate.handle().reload(plan.clone()).unwrap();
    guess(&gate, "192.0.2.1");
    assert_eq!(finding(&gate).step, "observe");
    assert_eq!(ask(&gate, "/", "192.0.2.1").status, 200);
    plan.anomalies = None;
    let error = gate.handle().reload(plan).unwrap_err().to_string();
    assert!(error.contains("anomalies"), "{error}");
}
