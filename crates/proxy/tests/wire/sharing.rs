//! Several gateways, one limit, a real store: together exact while it answers, each by its share while it does not, and exact
//! again afterwards.

use portcullis_config::plan::{KeyPart, LimitPlan, Plan, SharedStorePlan, TargetPlan, UpstreamTlsPlan};
use portcullis_limit::{Kind, Policy, Unit};
use portcullis_testkit::certificates::Authority;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream, StoreKind, StoreServer};
use portcullis_types::{Network, Secret};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// So slow that nothing comes back while a test runs.
const HOUR_NS: u64 = 3_600_000_000_000;
pub(crate) const LIMIT: u64 = 60;
/// Longer than any answer takes on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(5);
pub(crate) const UP: &str = "portcullis_limit_store_up";
const GATEWAYS: &str = "portcullis_limit_gateways";

pub(crate) fn limited(plan: &mut Plan, kind: Kind) {
    let policy = Policy::new("shared", kind, Unit::Requests).unwrap();
    let entry = Arc::new(LimitPlan {
        scope: "defaults".into(),
        name: "shared".into(),
        key: vec![KeyPart::Address],
        policies: vec![policy],
        tiers: None,
        answer_cost: None,
        exempt: Vec::new(),
        shared: true,
        accounts: 1_024,
        text: "test".to_owned(),
        origin: None,
    });
    plan.listeners[0].provenance.trusted = vec![Network::parse("127.0.0.0/8").unwrap()];
    gateway::each_route(plan, |route| route.limits.entries = vec![Arc::clone(&entry)]);
}

fn at(address: SocketAddr, tls: bool) -> TargetPlan {
    TargetPlan { tls, host: address.ip().to_string(), port: address.port(), from: None }
}

pub(crate) fn store_plan(address: SocketAddr) -> SharedStorePlan {
    SharedStorePlan {
        servers: vec![at(address, false)],
        user: None,
        password: None,
        tls: None,
        prefix: "team".to_owned(),
        timeout: PATIENCE,
        gateways: 1,
    }
}

fn gate(upstream: &FakeUpstream, store: &SharedStorePlan) -> Gatehouse {
    Gatehouse::with(upstream.address(), |plan| {
        limited(plan, Kind::Rate { units: 1, per_ns: HOUR_NS, burst: LIMIT });
        plan.shared_store = Some(store.clone());
    })
}

/// Two gateways that know of each other.
pub(crate) fn pair(upstream: &FakeUpstream, store: &SharedStorePlan) -> [Gatehouse; 2] {
    let pair = [gate(upstream, store), gate(upstream, store)];
    together(&pair);
    pair
}

pub(crate) fn together(pair: &[Gatehouse; 2]) {
    for gate in pair {
        gate.wait_metric(UP, 1.0);
        gate.wait_metric(GATEWAYS, 2.0);
    }
}

pub(crate) fn ask(gate: &Gatehouse, caller: &str) -> u16 {
    let request = format!("GET /a HTTP/1.1\r\nHost: api.test\r\nX-Forwarded-For: {caller}\r\n\r\n");
    Client::connect(gate.address()).ask(request).status
}

/// Asks all of them in turn until none serves this caller; how often one did.
pub(crate) fn spend(gates: &[&Gatehouse], caller: &str) -> u64 {
    let mut served = 0;
    loop {
        let mut any = false;
        for gate in gates {
            match ask(gate, caller) {
                200 => (served, any) = (served + 1, true),
                429 => {}
                other => panic!("{other}"),
            }
        }
        assert!(served <= 10 * LIMIT, "it never ends");
        if !any {
            return served;
        }
    }
}

#[test]
fn two_gateways_keep_one_limit() {
    StoreKind::ALL.into_iter().for_each(two_gateways);
}

fn two_gateways(kind: StoreKind) {
    let (upstream, store) = (FakeUpstream::echoing(), StoreServer::of(kind));
    let [a, b] = pair(&upstream, &store_plan(store.address));
    assert_eq!(spend(&[&a, &b], "10.0.0.1"), LIMIT, "in turn");
    assert_eq!(spend(&[&a], "10.0.0.2") + spend(&[&b], "10.0.0.2"), LIMIT, "one after the other");
    // What is held here spares most questions: at most one waits for each lease of an eighth of what is left.
    let waits = a.metric("portcullis_limit_store_waits_total");
    let asked = a.metric("portcullis_limit_store_questions_total{result=\"granted\"}");
    assert!(waits > 0.0 && asked < 45.0, "{asked} of about 90 requests waited");
    assert_eq!(a.metric("portcullis_limit_alone_total"), 0.0, "nobody decided alone");
    // Names in the store say nothing, and all begin with the prefix.
    let keys = store.say("KEYS *").unwrap();
    assert!(keys.contains("team:l:") && !keys.contains("10.0.0"), "{keys}");
    // An operator forgives at one gateway; it holds at both.
    assert_eq!(a.handle().forgive("defaults.limits.shared", &["10.0.0.1".to_owned()]), Ok(true));
    eventually("the other gateway serves again", || (ask(&b, "10.0.0.1") == 200).then_some(()));
}

/// Two limits that are too small for anything to be held in advance: every request needs both accounts.
#[test]
fn a_request_asks_once_about_all_its_accounts() {
    StoreKind::ALL.into_iter().for_each(asks_once);
}

fn asks_once(kind: StoreKind) {
    const CALLS: &str = "portcullis_limit_store_calls_total";
    const ASKING: u64 = 40;
    let (upstream, store) = (FakeUpstream::echoing(), StoreServer::of(kind));
    let gate = Gatehouse::with(upstream.address(), |plan| {
        limited(plan, Kind::Rate { units: 1, per_ns: HOUR_NS, burst: 3 });
        plan.shared_store = Some(store_plan(store.address));
        gateway::each_route(plan, |route| {
            let window = Policy::new("window", Kind::Window { limit: 2, width_ns: HOUR_NS }, Unit::Requests).unwrap();
            let second = LimitPlan {
                name: "window".into(),
                policies: vec![window],
                ..LimitPlan::clone(&route.limits.entries[0])
            };
            route.limits.entries.push(Arc::new(second));
        });
    });
    gate.wait_metric(UP, 1.0);
    for (number, status) in [200, 200, 429, 429].into_iter().enumerate() {
        assert_eq!(ask(&gate, "10.0.0.1"), status, "request {number} with {kind:?}");
        assert_eq!(gate.metric(CALLS), f64::from(u8::try_from(number).unwrap()) + 1.0, "calls with {kind:?}");
    }
    // At the same time, of callers who get into each other's way: no more calls than requests.
    let before = gate.metric(CALLS);
    std::thread::scope(|scope| {
        for number in 0..ASKING {
            let gate = &gate;
            scope.spawn(move || ask(gate, &format!("10.0.1.{}", number % 5)));
        }
    });
    let calls = gate.metric(CALLS) - before;
    assert!((1.0..=40.0).contains(&calls), "{calls} calls for {ASKING} requests with {kind:?}");
    assert_eq!(gate.metric("portcullis_limit_alone_total"), 0.0, "nobody decided alone with {kind:?}");
}

#[test]
fn without_the_store_each_has_its_share_and_afterwards_all_is_exact_again() {
    StoreKind::ALL.into_iter().for_each(without_the_store);
}

fn without_the_store(kind: StoreKind) {
    let (upstream, store) = (FakeUpstream::echoing(), StoreServer::of(kind));
    let pair = pair(&upstream, &store_plan(store.address));
    let [a, b] = &pair;
    assert_eq!(spend(&[a, b], "10.0.0.1"), LIMIT, "before");
    store.kill();
    for gate in &pair {
        gate.wait_metric(UP, 0.0);
    }
    assert_eq!(spend(&[a, b], "10.0.0.1"), 0, "what is known to be spent stays spent");
    assert_eq!((spend(&[a], "10.0.0.2"), spend(&[b], "10.0.0.2")), (LIMIT / 2, LIMIT / 2), "a share each");
    assert!(a.metric("portcullis_limit_alone_total") >= 30.0);
    store.revive();
    together(&pair);
    // The store has lost its memory; the gateways have not.
    assert_eq!(spend(&[b, a], "10.0.0.2"), 0, "what was spent meanwhile");
    assert_eq!(spend(&[a, b], "10.0.0.3"), LIMIT, "a new caller, together again");
}

#[test]
fn a_store_that_hangs_holds_nobody_up() {
    StoreKind::ALL.into_iter().for_each(a_store_that_hangs);
}

fn a_store_that_hangs(kind: StoreKind) {
    let (upstream, store) = (FakeUpstream::echoing(), StoreServer::of(kind));
    let plan = SharedStorePlan { timeout: Duration::from_millis(50), gateways: 3, ..store_plan(store.address) };
    let gate = gate(&upstream, &plan);
    gate.wait_metric(UP, 1.0);
    store.hang(true);
    for caller in 1..20 {
        assert_eq!(ask(&gate, &format!("10.0.1.{caller}")), 200, "by the share");
    }
    gate.wait_metric(UP, 0.0);
    // Three gateways at least, says the configuration.
    assert_eq!(spend(&[&gate], "10.0.2.1"), LIMIT / 3);
    store.hang(false);
    gate.wait_metric(UP, 1.0);
    assert_eq!(ask(&gate, "10.0.3.1"), 200);
}

#[test]
fn a_gateway_that_never_reached_the_store_serves_its_share() {
    let upstream = FakeUpstream::echoing();
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let gate = gate(&upstream, &SharedStorePlan { gateways: 4, ..store_plan(closed) });
    assert_eq!(spend(&[&gate], "10.0.0.1"), LIMIT / 4);
}

#[test]
fn the_store_is_verified_and_logged_in_to() {
    let (upstream, authority) = (FakeUpstream::echoing(), Authority::new());
    let files = authority.leaf(&["127.0.0.1"]);
    let lines = |address: SocketAddr| {
        let (cert, key, ca) = (files.cert_file.display(), files.key_file.display(), authority.file());
        format!(
            "port 0\ntls-port {}\ntls-cert-file {cert}\ntls-key-file {key}\ntls-ca-cert-file {}\ntls-auth-clients no\n\
             user default off\nuser gateway on >open-sesame ~team:* +@all\n",
            address.port(),
            ca.display()
        )
    };
    let store = StoreServer::with(StoreKind::Redis, lines, false);
    let tls = UpstreamTlsPlan { ca_file: Some(authority.file()), ..UpstreamTlsPlan::default() };
    let good = SharedStorePlan {
        servers: vec![at(store.address, true)],
        user: Some("gateway".to_owned()),
        password: Some(Secret::new("open-sesame".to_owned())),
        tls: Some(tls),
        ..store_plan(store.address)
    };
    let [a, b] = pair(&upstream, &good);
    assert_eq!(spend(&[&a, &b], "10.0.0.1"), LIMIT);
    let stranger = Authority::new();
    let tls = UpstreamTlsPlan { ca_file: Some(stranger.file()), ..UpstreamTlsPlan::default() };
    for (bad, about) in [
        (SharedStorePlan { password: Some(Secret::new("guess".to_owned())), ..good.clone() }, "a wrong password"),
        (SharedStorePlan { tls: Some(tls), ..good.clone() }, "a certificate of strangers"),
    ] {
        let gate = gate(&upstream, &SharedStorePlan { gateways: 2, ..bad });
        assert_eq!(spend(&[&gate], "10.0.0.2"), LIMIT / 2, "{about}");
        assert_eq!(gate.metric(UP), 0.0, "{about}");
    }
}
