//! The life of a gateway: limits of connections, reloads under load, the drain at the end.

use crate::check::{GOOD, good_request_works};
use portcullis_config::plan::{Plan, RoutePlan};
use portcullis_proxy::ReloadError;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Answers with a name once it is let go.
fn named(name: &'static str, go: &Arc<AtomicBool>) -> FakeUpstream {
    let go = Arc::clone(go);
    FakeUpstream::with(move |talk| {
        while talk.request().is_some() {
            eventually("the test lets the upstream go", || go.load(Ordering::SeqCst).then_some(()));
            talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len()));
        }
    })
}

fn going() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(true))
}

#[test]
fn a_listener_takes_no_more_connections_than_it_may() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| gateway::limit(plan, |limits| limits.connections = 3));
    let mut open: Vec<Client> = (0..3).map(|_| Client::connect(gate.address())).collect();
    for client in &mut open {
        assert_eq!(client.ask(GOOD).status, 200);
    }
    for _ in 0..5 {
        let mut extra = Client::connect(gate.address());
        assert_eq!(extra.rest().0, b"", "closed without a word");
    }
    gate.wait_metric("portcullis_connections_refused_total", 5.0);
    gate.wait_metric("portcullis_connections", 3.0);
    for client in &mut open {
        assert_eq!(client.ask(GOOD).status, 200, "those that are in stay in");
    }
    open.pop();
    gate.wait_metric("portcullis_connections", 2.0);
    good_request_works(&gate, "the limit of connections");
}

#[test]
fn the_limit_counts_over_all_workers() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::limit(plan, |limits| limits.connections = 8);
        plan.workers = std::num::NonZeroUsize::new(4);
    });
    let clients: Vec<Client> = (0..40).map(|_| Client::connect(gate.address())).collect();
    eventually("all are taken or refused", || {
        let taken = gate.metric("portcullis_connections") + gate.metric("portcullis_connections_refused_total");
        (taken > 39.5).then_some(())
    });
    gate.wait_metric("portcullis_connections", 8.0);
    drop(clients);
    gate.wait_metric("portcullis_connections", 0.0);
}

#[test]
fn a_thousand_connections_at_once_are_served() {
    let upstream = FakeUpstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let gate = Gatehouse::with(upstream.address(), |plan| gateway::limit(plan, |limits| limits.connections = 900));
    let mut clients: Vec<Client> = (0..900).map(|_| Client::connect(gate.address())).collect();
    gate.wait_metric("portcullis_connections", 900.0);
    for client in &mut clients {
        assert_eq!(client.ask(GOOD).text(), "ok");
    }
    assert!(upstream.connections() < 20, "connections upstream are shared");
    drop(clients);
    gate.wait_metric("portcullis_connections", 0.0);
}

fn to(plan: &Plan, upstream: &FakeUpstream) -> Plan {
    let mut plan = plan.clone();
    gateway::each_upstream(&mut plan, |have| have.targets = vec![gateway::target(upstream.address())]);
    plan
}

#[test]
fn a_reload_changes_what_follows_and_nothing_that_is_under_way() {
    let held = Arc::new(AtomicBool::new(false));
    let (old, new) = (named("old", &held), named("new", &going()));
    let gate = Gatehouse::before(old.address());
    let mut under_way = Client::connect(gate.address());
    under_way.send(GOOD);
    eventually("the request is under way", || (old.requests() == 1).then_some(()));
    gate.handle().reload(to(&gate.plan(), &new)).unwrap();
    let mut client = Client::connect(gate.address());
    assert_eq!(client.ask(GOOD).text(), "new");
    held.store(true, Ordering::SeqCst);
    assert_eq!(under_way.answer().text(), "old");
    assert_eq!(under_way.ask(GOOD).text(), "new", "the same connection asks under the new plan");
    assert_eq!(old.requests(), 1);
    // A route that is gone is gone, and comes back.
    let mut empty = gate.plan();
    empty.apis[0].versions[0].routes.truncate(1);
    gate.handle().reload(empty).unwrap();
    assert_eq!(client.ask(GOOD).status, 404);
    gate.handle().reload(to(&gate.plan(), &new)).unwrap();
    assert_eq!(client.ask(GOOD).text(), "new");
    assert!(gate.metric("portcullis_reloads_total") > 2.5);
}

#[test]
fn limits_of_a_listener_change_with_a_reload_for_new_connections() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut plan = gate.plan();
    gateway::limit(&mut plan, |limits| limits.target_bytes = 10);
    gateway::each_route(&mut plan, |route: &mut RoutePlan| route.body_bytes = 1);
    gate.handle().reload(plan).unwrap();
    let answer = Client::connect(gate.address()).ask("GET /12345678901 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(answer.status, 414);
    let answer = Client::connect(gate.address()).ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
    assert_eq!(answer.status, 413);
}

#[test]
fn a_plan_that_cannot_be_served_changes_nothing() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut moved = gate.plan();
    moved.workers = std::num::NonZeroUsize::new(2);
    assert!(matches!(gate.handle().reload(moved), Err(ReloadError::NeedsRestart(_))));
    let mut clash = gate.plan();
    let mut again = clash.apis[0].versions[0].routes[1].clone();
    again.template = "/{*other}/x".to_owned();
    clash.apis[0].versions[0].routes.push(again);
    assert!(matches!(gate.handle().reload(clash), Err(ReloadError::Compile(_))));
    good_request_works(&gate, "reloads that failed");
    assert!(gate.metric("portcullis_reloads_failed_total") > 1.5);
    assert!(gate.metric("portcullis_reloads_total") < 0.5);
}

#[test]
fn reloads_under_load_fail_no_request() {
    let (one, two) = (named("one", &going()), named("two", &going()));
    let gate = Gatehouse::before(one.address());
    let (address, over) = (gate.address(), Arc::new(AtomicBool::new(false)));
    let askers: Vec<_> = (0..4)
        .map(|_| {
            let over = Arc::clone(&over);
            std::thread::spawn(move || {
                let (mut client, mut count) = (Client::connect(address), 0u32);
                while !over.load(Ordering::SeqCst) {
                    let answer = client.ask(GOOD);
                    assert_eq!(answer.status, 200);
                    assert!(matches!(answer.text().as_str(), "one" | "two"));
                    count += 1;
                }
                count
            })
        })
        .collect();
    for round in 0..1000 {
        let next = if round % 2 == 0 { &two } else { &one };
        gate.handle().reload(to(&gate.plan(), next)).unwrap();
    }
    over.store(true, Ordering::SeqCst);
    let served: u32 = askers.into_iter().map(|asker| asker.join().expect("no request failed")).sum();
    assert!(served > 0);
}

#[test]
fn a_drain_ends_what_is_idle_and_lets_finish_what_is_open() {
    let held = Arc::new(AtomicBool::new(false));
    let upstream = named("done", &held);
    let mut gate = Gatehouse::before(upstream.address());
    let mut idle = Client::connect(gate.address());
    let mut silent = Client::connect(gate.address());
    let mut open = Client::connect(gate.address());
    open.send(GOOD);
    eventually("the request is under way", || (upstream.requests() == 1).then_some(()));
    gate.wait_metric("portcullis_connections", 3.0);
    let address = gate.address();
    gate.handle().begin_drain(Duration::ZERO, Duration::from_secs(10));
    assert!(!gate.handle().is_ready());
    idle.expect_end();
    silent.expect_end();
    eventually("nobody new is let in", || TcpStream::connect(address).is_err().then_some(()));
    held.store(true, Ordering::SeqCst);
    let answer = open.answer();
    assert_eq!((answer.text().as_str(), answer.whole), ("done", true));
    assert!(answer.says_close(), "the end is announced, or the next request would be lost");
    open.expect_end();
    let began = Instant::now();
    gate.stop(Duration::from_secs(10));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(gate.records().all().len(), 1);
    assert_eq!(gate.handle().facts().cut_off, 0);
}

#[test]
fn a_drain_does_not_wait_beyond_its_deadline() {
    let upstream = named("never", &Arc::new(AtomicBool::new(false)));
    let mut gate = Gatehouse::before(upstream.address());
    let mut open = Client::connect(gate.address());
    open.send(GOOD);
    eventually("the request is under way", || (upstream.requests() == 1).then_some(()));
    let began = Instant::now();
    gate.stop(Duration::from_millis(300));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    drop(open.rest());
    assert_eq!(gate.handle().facts().cut_off, 1, "and says so, when nothing is open any more");
    let records = gate.records().all();
    assert_eq!(records.len(), 1, "a request that was cut off has its record as well");
    assert_eq!(records[0]["outcome"], "failed", "{records:?}");
}
