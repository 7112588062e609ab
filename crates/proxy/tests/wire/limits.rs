//! What callers may ask for: who is served, who is not, what both are told, and what comes back.

use crate::check::{GOOD, problem};
use crate::http2::peer::{Peer, get, post};
use crate::identity::{House, either};
use portcullis_config::plan::{KeyPart, LimitPlan, Plan, RouteLimits, TierBy, TiersPlan};
use portcullis_limit::{Kind, Policy, Unit};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Answer, Client, FakeUpstream};
use portcullis_types::Network;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// So slow that nothing comes back while a test runs.
const HOUR_NS: u64 = 3_600_000_000_000;

pub(crate) fn rate(burst: u64) -> Kind {
    Kind::Rate { units: 1, per_ns: HOUR_NS, burst }
}

pub(crate) fn policy(name: &str, kind: Kind, unit: Unit) -> Policy {
    Policy::new(name, kind, unit).unwrap()
}

pub(crate) fn limit(name: &str, key: Vec<KeyPart>, policies: Vec<Policy>) -> LimitPlan {
    LimitPlan {
        scope: "defaults".into(),
        name: name.into(),
        key,
        policies,
        tiers: None,
        answer_cost: None,
        exempt: Vec::new(),
        shared: false,
        accounts: 64,
        text: "test".to_owned(),
        origin: None,
    }
}

fn per_address(kind: Kind) -> LimitPlan {
    limit("per_address", vec![KeyPart::Address], vec![policy("per_address", kind, Unit::Requests)])
}

fn limited(plan: &mut Plan, limits: Vec<LimitPlan>) {
    limited_with(plan, limits, |_| {});
}

pub(crate) fn limited_with(plan: &mut Plan, limits: Vec<LimitPlan>, change: impl Fn(&mut RouteLimits)) {
    let entries: Vec<Arc<LimitPlan>> = limits.into_iter().map(Arc::new).collect();
    plan.listeners[0].provenance.trusted = vec![Network::parse("127.0.0.0/8").unwrap()];
    gateway::each_route(plan, |route| {
        route.limits.entries = entries.clone();
        change(&mut route.limits);
    });
}

pub(crate) fn before(upstream: &FakeUpstream, limits: Vec<LimitPlan>) -> Gatehouse {
    Gatehouse::with(upstream.address(), |plan| limited(plan, limits))
}

pub(crate) fn ask(gate: &Gatehouse, fields: &str) -> Answer {
    Client::connect(gate.address()).ask(format!("GET /a HTTP/1.1\r\nHost: api.test\r\n{fields}\r\n"))
}

pub(crate) fn from(gate: &Gatehouse, address: &str) -> Answer {
    ask(gate, &format!("X-Forwarded-For: {address}\r\n"))
}

pub(crate) fn told(answer: &Answer) -> (Option<&str>, Option<&str>) {
    (answer.field("ratelimit-policy"), answer.field("ratelimit"))
}

#[test]
fn a_limit_is_told_with_every_answer_and_refuses_when_it_is_spent() {
    let upstream = FakeUpstream::echoing();
    let gate = before(&upstream, vec![per_address(rate(3))]);
    let mut peer = Peer::connect(gate.address());
    let policy = "\"per_address\";q=3;w=10800";
    let first = ask(&gate, "");
    assert_eq!((first.status, told(&first)), (200, (Some(policy), Some("\"per_address\";r=2;t=3600"))));
    let second = peer.ask(get("/a"), b"");
    assert_eq!((second.status, second.field("ratelimit-policy")), (200, Some(policy)));
    assert_eq!(second.field("ratelimit"), Some("\"per_address\";r=1;t=3600"));
    // An answer of ours about something else carries them as well.
    let large = ask(&gate, "Content-Length: 99999999\r\n");
    problem(&large, 413, "body_too_large", "a large body");
    assert_eq!(told(&large).1, Some("\"per_address\";r=0;t=3600"));

    let refused = ask(&gate, "");
    problem(&refused, 429, "quota_exceeded", "the fourth request");
    assert_eq!(refused.json()["violated-policies"][0], "per_address");
    assert_eq!(refused.field("retry-after"), Some("3600"));
    assert_eq!(told(&refused), (Some(policy), Some("\"per_address\";r=0;t=3600")));
    let over_http2 = peer.ask(get("/a"), b"");
    assert_eq!((over_http2.status, over_http2.field("retry-after")), (429, Some("3600")));
    assert_eq!(over_http2.field("ratelimit"), Some("\"per_address\";r=0;t=3600"));
    assert_eq!(upstream.requests(), 2);

    let record = gate.records().of(refused.field("x-request-id").unwrap());
    assert_eq!((record["stage"].as_str(), record["reason"].as_str()), (Some("guard"), Some("quota_exceeded")));
    assert_eq!(record["limit"], "defaults.limits.per_address");
    gate.wait_metric("portcullis_limit_exceeded_total{limit=\"defaults.limits.per_address\",mode=\"enforce\"}", 2.0);
    // Whoever comes from elsewhere is served.
    assert_eq!(from(&gate, "192.0.2.7").status, 200);
}

#[test]
fn a_call_of_grpc_is_told_in_its_own_way() {
    let upstream = FakeUpstream::echoing();
    let gate = before(&upstream, vec![per_address(rate(1))]);
    assert_eq!(ask(&gate, "").status, 200);
    let mut call = post("/pkg.Service/Call");
    call.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    let refused = Peer::connect(gate.address()).ask(call, b"");
    assert_eq!((refused.status, refused.field("grpc-status")), (200, Some("8")));
    assert_eq!(refused.field("ratelimit"), Some("\"per_address\";r=0;t=3600"));
}

#[test]
fn neighbours_in_a_network_of_ipv6_share_an_account_and_others_do_not() {
    let upstream = FakeUpstream::echoing();
    let gate = before(&upstream, vec![per_address(rate(1))]);
    for (address, status) in [
        ("2001:db8:1:2::1", 200),
        ("2001:db8:1:2:ffff::9", 429),
        ("2001:db8:1:3::1", 200),
        ("192.0.2.1", 200),
        ("::ffff:192.0.2.1", 429),
        ("192.0.2.2", 200),
    ] {
        assert_eq!(from(&gate, address).status, status, "{address}");
    }
}

#[test]
fn an_address_that_only_a_stranger_names_does_not_count() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        limited(plan, vec![per_address(rate(1))]);
        plan.listeners[0].provenance.trusted.clear();
    });
    assert_eq!(from(&gate, "192.0.2.1").status, 200);
    assert_eq!(from(&gate, "192.0.2.2").status, 429, "both are the same peer");
}

#[test]
fn exempt_networks_are_not_counted() {
    let upstream = FakeUpstream::echoing();
    let exempt = vec![Network::parse("192.0.2.0/24").unwrap()];
    let gate = before(&upstream, vec![LimitPlan { exempt, ..per_address(rate(1)) }]);
    for _ in 0..5 {
        let answer = from(&gate, "192.0.2.9");
        assert_eq!((answer.status, told(&answer)), (200, (None, None)));
    }
    assert_eq!(from(&gate, "198.51.100.1").status, 200);
    assert_eq!(from(&gate, "198.51.100.1").status, 429);
}

#[test]
fn what_only_watches_refuses_nobody_and_is_not_told() {
    let upstream = FakeUpstream::echoing();
    let watching =
        limit("watching", vec![KeyPart::Address], vec![policy("watching", rate(1), Unit::Requests).shadow()]);
    let gate = before(&upstream, vec![watching]);
    let answers: Vec<Answer> = (0..3).map(|_| ask(&gate, "")).collect();
    assert!(answers.iter().all(|answer| answer.status == 200 && told(answer) == (None, None)));
    let record = gate.records().of(answers[2].field("x-request-id").unwrap());
    assert_eq!(record["limit_observed"], "defaults.limits.watching");
    gate.wait_metric("portcullis_limit_exceeded_total{limit=\"defaults.limits.watching\",mode=\"observe\"}", 2.0);
}

#[test]
fn several_limits_are_all_told_and_one_that_refuses_charges_none() {
    let upstream = FakeUpstream::echoing();
    let by_team = limit(
        "team",
        vec![KeyPart::Header("X-Team".to_owned()), KeyPart::Route],
        vec![policy("team", rate(2), Unit::Requests)],
    );
    let gate = Gatehouse::with(upstream.address(), |plan| {
        limited_with(plan, vec![per_address(rate(5)), by_team.clone()], |limits| limits.legacy_fields = true);
    });
    let first = ask(&gate, "X-Team: a\r\n");
    assert_eq!(told(&first).1, Some("\"per_address\";r=4;t=3600, \"team\";r=1;t=3600"));
    let legacy = |answer: &Answer| {
        ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]
            .map(|name| answer.field(name).unwrap().to_owned())
    };
    assert_eq!(legacy(&first), ["2", "1", "3600"], "the one that is nearest to its end");
    assert_eq!(ask(&gate, "X-Team: a\r\n").status, 200);
    for _ in 0..5 {
        let refused = ask(&gate, "X-Team: a\r\n");
        problem(&refused, 429, "quota_exceeded", "a team that has spent its budget");
        assert_eq!(refused.json()["violated-policies"], serde_json::json!(["team"]));
        assert_eq!(told(&refused).1, Some("\"per_address\";r=3;t=3600, \"team\";r=0;t=3600"));
    }
    assert_eq!(ask(&gate, "X-Team: b\r\n").status, 200);
    // Without the header the address stands in for it.
    assert_eq!(ask(&gate, "").status, 200);
    assert_eq!(ask(&gate, "").status, 200);
    assert_eq!(ask(&gate, "").status, 429);
}

#[test]
fn places_come_back_however_a_request_ends() {
    let held = Arc::new(AtomicBool::new(true));
    let holding = Arc::clone(&held);
    let upstream = FakeUpstream::with(move |talk| {
        while talk.request().is_some() {
            eventually("the test lets answers go", || (!holding.load(Ordering::SeqCst)).then_some(()));
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let gate = before(&upstream, vec![per_address(Kind::Concurrency { limit: 1 })]);
    let refused = |about: &str| {
        let answer = ask(&gate, "");
        problem(&answer, 429, "quota_exceeded", about);
        assert_eq!(answer.field("retry-after"), Some("1"), "{about}");
        assert_eq!(told(&answer).1, Some("\"per_address\";r=0"), "{about}");
    };
    // Served to its end.
    let mut client = Client::connect(gate.address());
    client.send(GOOD);
    eventually("the upstream is asked", || (upstream.requests() == 1).then_some(()));
    refused("while one runs");
    held.store(false, Ordering::SeqCst);
    assert_eq!(client.answer().status, 200);
    // A client that goes away in the middle.
    held.store(true, Ordering::SeqCst);
    client.send(GOOD);
    eventually("the upstream is asked", || (upstream.requests() == 2).then_some(()));
    refused("while the second runs");
    drop(client);
    let gone = || gate.records().all().iter().any(|record| record["outcome"] == "gone");
    eventually("its end is noticed", || gone().then_some(()));
    held.store(false, Ordering::SeqCst);
    assert_eq!(ask(&gate, "").status, 200);
    // One that gets no answer, and one whose stream is torn down.
    assert_eq!(ask(&gate, "Content-Length: 99999999\r\n").status, 413);
    held.store(true, Ordering::SeqCst);
    let mut peer = Peer::connect(gate.address());
    peer.run(|send| async move {
        let mut send = send.ready().await.unwrap();
        let (answer, mut stream) = send.send_request(get("/a"), true).unwrap();
        drop(answer);
        stream.send_reset(h2::Reason::CANCEL);
    });
    drop(peer);
    held.store(false, Ordering::SeqCst);
    eventually("all places are back", || {
        let answers = [ask(&gate, "").status, ask(&gate, "").status];
        (answers == [200; 2]).then_some(())
    });
}

#[test]
fn accounts_outlive_a_reload_that_leaves_their_limit() {
    let upstream = FakeUpstream::echoing();
    let gate = before(&upstream, vec![per_address(rate(2))]);
    assert_eq!(ask(&gate, "").status, 200);
    let mut plan = gate.plan();
    gateway::each_route(&mut plan, |route| route.timeout *= 2);
    gate.handle().reload(plan.clone()).unwrap();
    assert_eq!(ask(&gate, "").status, 200);
    assert_eq!(ask(&gate, "").status, 429, "a reload is no new budget");
    limited(&mut plan, vec![per_address(rate(3))]);
    gate.handle().reload(plan).unwrap();
    assert_eq!(ask(&gate, "").status, 200, "another limit begins anew");
}

#[test]
fn bytes_are_owed_once_they_have_passed() {
    let upstream =
        FakeUpstream::answering(format!("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n{}", "x".repeat(2000)));
    let bytes = limit("bytes", vec![KeyPart::Address], vec![policy("bytes", rate(1500), Unit::ContentBytes)]);
    let gate = before(&upstream, vec![bytes]);
    let first = ask(&gate, "");
    assert_eq!((first.status, told(&first).0), (200, Some("\"bytes\";q=1500;qu=\"content-bytes\";w=5400000")));
    eventually("what it came to is owed", || (ask(&gate, "").status == 429).then_some(()));
    assert_eq!(from(&gate, "192.0.2.1").status, 200);
}

#[test]
fn operations_cost_what_they_say() {
    let upstream = FakeUpstream::echoing();
    let cost = limit("cost", vec![KeyPart::Address], vec![policy("cost", rate(10), Unit::Cost)]);
    let gate =
        Gatehouse::with(upstream.address(), |plan| limited_with(plan, vec![cost.clone()], |limits| limits.cost = 4));
    assert_eq!(told(&ask(&gate, "")).1, Some("\"cost\";r=6;t=3600"));
    assert_eq!(ask(&gate, "").status, 200);
    assert_eq!(ask(&gate, "").status, 429);
}

#[test]
fn callers_are_counted_by_who_they_are_and_by_their_plan() {
    let consumer =
        limit("per_principal", vec![KeyPart::Consumer], vec![policy("per_principal", rate(1), Unit::Requests)]);
    let plans = vec![("gold".to_owned(), vec![policy("per_principal", rate(3), Unit::Requests)])];
    let tiers = Some(TiersPlan { by: TierBy::Role, plans });
    let house = House::with(&either(), |plan| limited(plan, vec![LimitPlan { tiers, ..consumer }]));
    let key = |consumer: &'static str, roles: &[&str]| {
        house.key(|record| {
            record.consumer = consumer.to_owned();
            record.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        })
    };
    let (plain, other_key, gold) = (key("ada", &[]), key("ada", &[]), key("bob", &["writer", "gold"]));
    let ask = |key: &portcullis_auth::key::KeyText| {
        let (text, address) = (key.reveal(), house.fresh_address());
        ask(house.gate(), &format!("X-API-Key: {text}\r\nX-Forwarded-For: {address}\r\n"))
    };
    eventually("the keys are known", || (ask(&gold).status == 200).then_some(()));
    let first = ask(&plain);
    assert_eq!((first.status, told(&first).1), (200, Some("\"per_principal\";r=0;t=3600")));
    let refused = ask(&other_key);
    problem(&refused, 429, "quota_exceeded", "the same consumer with another key and from another address");
    let record = house.gate().records().of(refused.field("x-request-id").unwrap());
    assert_eq!((record["stage"].as_str(), record["principal"].as_str()), (Some("charge"), Some("ada")));
    assert_eq!(ask(&gold).status, 200);
    assert_eq!(ask(&gold).status, 200);
    let refused = ask(&gold);
    problem(&refused, 429, "quota_exceeded", "gold has three");
    let record = house.gate().records().of(refused.field("x-request-id").unwrap());
    assert_eq!(record["limit"], "defaults.limits.per_principal (gold)");
    let nobody = super::limits::ask(house.gate(), &format!("X-Forwarded-For: {}\r\n", house.fresh_address()));
    problem(&nobody, 401, "missing_credential", "who is charged is not known");
    assert_eq!(told(&nobody), (Some("\"per_principal\";q=1;w=3600"), None));
}

/// Many clients through several workers at once: the sum stays within what is stated.
#[test]
fn workers_keep_a_limit_together() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        limited(plan, vec![per_address(Kind::Window { limit: 200, width_ns: HOUR_NS })]);
        plan.workers = NonZeroUsize::new(4);
    });
    let served = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = Client::connect(gate.address());
                for _ in 0..50 {
                    served.fetch_add(usize::from(client.ask(GOOD).status == 200), Ordering::SeqCst);
                }
            });
        }
    });
    let served = served.into_inner();
    assert!((175..=200).contains(&served), "{served} of 200");
}
