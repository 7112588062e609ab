//! Upstreams that fail or have become slow: who is refused at once, what they are told, and how it ends.

use crate::check::problem;
use portcullis_limit::{AdaptiveRules, BreakerRules, Priority};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Answer, Client, FakeUpstream, Talk};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const GOOD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const BAD: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nsick";
const MS: u64 = 1_000_000;
const REFUSED: &str = "portcullis_upstream_refused_total";

/// One worker, since each has a breaker of its own.
fn gate(upstream: &FakeUpstream, breaker: Option<BreakerRules>, adaptive: Option<AdaptiveRules>) -> Gatehouse {
    Gatehouse::with(upstream.address(), |plan| {
        plan.workers = NonZeroUsize::new(1);
        gateway::each_upstream(plan, |upstream| {
            upstream.pool.breaker = breaker;
            upstream.pool.adaptive = adaptive;
        });
    })
}

fn ask(gate: &Gatehouse) -> Answer {
    Client::connect(gate.address()).ask("GET /a HTTP/1.1\r\nHost: api.test\r\n\r\n")
}

fn moody(sick: &Arc<AtomicBool>) -> FakeUpstream {
    let sick = Arc::clone(sick);
    FakeUpstream::with(move |talk: &mut Talk| {
        while talk.request().is_some() && talk.send(if sick.load(Ordering::SeqCst) { BAD } else { GOOD }) {}
    })
}

fn rules(open_ms: u64) -> BreakerRules {
    let open_ns = open_ms * MS;
    BreakerRules { window_ns: 600_000 * MS, calls_min: 4, failed_percent: 50, open_ns, open_max_ns: open_ns, trials: 1 }
}

#[test]
fn an_upstream_that_fails_is_left_alone() {
    let sick = Arc::new(AtomicBool::new(true));
    let upstream = moody(&sick);
    let gate = gate(&upstream, Some(rules(600_000)), None);
    for _ in 0..4 {
        let answer = ask(&gate);
        assert_eq!((answer.status, answer.text().as_str()), (503, "sick"), "the server's own answer");
    }
    let answer = ask(&gate);
    problem(&answer, 503, "reduced_capacity", "an open breaker");
    let wait: u64 = answer.field("retry-after").unwrap().parse().unwrap();
    assert!((1..=600).contains(&wait), "{wait}");
    assert_eq!(upstream.requests(), 4, "nothing was sent");
    gate.wait_metric(&format!("{REFUSED}{{upstream=\"api\",by=\"breaker\"}}"), 1.0);
    gate.wait_metric("portcullis_upstream_breakers_open{upstream=\"api\"}", 1.0);
    // A reload that leaves the rules as they are forgets nothing.
    gate.handle().reload(gate.plan()).unwrap();
    eventually("the new snapshot is in force", || {
        (ask(&gate).code() == "reduced_capacity" && upstream.requests() == 4).then_some(())
    });
}

#[test]
fn a_trial_that_passes_ends_it() {
    let sick = Arc::new(AtomicBool::new(true));
    let upstream = moody(&sick);
    let gate = gate(&upstream, Some(rules(10)), None);
    for _ in 0..20 {
        let answer = ask(&gate);
        assert!(answer.text() == "sick" || answer.code() == "reduced_capacity", "{}", answer.text());
    }
    sick.store(false, Ordering::SeqCst);
    eventually("a trial passes", || (ask(&gate).status == 200).then_some(()));
    for _ in 0..20 {
        assert_eq!(ask(&gate).status, 200, "closed again");
    }
    gate.wait_metric("portcullis_upstream_breakers_open{upstream=\"api\"}", 0.0);
}

#[test]
fn the_less_urgent_are_refused_first() {
    let free = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&free);
    let upstream = FakeUpstream::with(move |talk: &mut Talk| {
        while let Some(heard) = talk.request() {
            if heard.target().contains("wait") {
                eventually("the test lets go", || told.load(Ordering::SeqCst).then_some(()));
            }
            if !talk.send(GOOD) {
                return;
            }
        }
    });
    // Room for two: one of low priority, two of others.
    let room = AdaptiveRules {
        limit_min: 2,
        limit_max: 2,
        slow_percent: 10_000,
        memory_ns: 60_000 * MS,
        decrease_every_ns: 100 * MS,
    };
    let urgent = gate(&upstream, None, Some(room));
    let patient = Gatehouse::with(upstream.address(), |plan| {
        plan.workers = NonZeroUsize::new(1);
        gateway::each_upstream(plan, |upstream| upstream.pool.adaptive = Some(room));
        gateway::each_route(plan, |route| route.limits.priority = Priority::Low);
    });
    for (gate, is_urgent) in [(&urgent, true), (&patient, false)] {
        free.store(false, Ordering::SeqCst);
        let before = upstream.requests();
        let mut waiting = Client::connect(gate.address());
        waiting.send("GET /wait HTTP/1.1\r\nHost: api.test\r\n\r\n");
        eventually("one is under way", || (upstream.requests() > before).then_some(()));
        let answer = ask(gate);
        if is_urgent {
            assert_eq!(answer.status, 200, "there is room for a second");
        } else {
            problem(&answer, 503, "reduced_capacity", "no room for what is not urgent");
            assert_eq!(answer.field("retry-after"), Some("1"));
            gate.wait_metric(&format!("{REFUSED}{{upstream=\"api\",by=\"adaptive\"}}"), 1.0);
        }
        free.store(true, Ordering::SeqCst);
        assert_eq!(waiting.answer().status, 200);
        assert_eq!(ask(gate).status, 200, "a good request afterwards");
    }
    urgent.wait_metric("portcullis_upstream_room{upstream=\"api\"}", 2.0);
}
