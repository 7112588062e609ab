//! Listeners that a reload adds, moves and removes, and a gateway that says goodbye before it goes.

use crate::check::{GOOD, good_request_works};
use portcullis_config::plan::Plan;
use portcullis_proxy::{Phase, ReloadError};
use portcullis_testkit::certificates::Authority;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::frames::{self, Frame, Frames, code, kind};
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn two_workers(upstream: &FakeUpstream) -> Gatehouse {
    Gatehouse::with(upstream.address(), |plan| plan.workers = NonZeroUsize::new(2))
}

/// The plan with another listener.
fn with(plan: &Plan, name: &str, bind: Option<SocketAddr>) -> Plan {
    let mut plan = plan.clone();
    let mut listener = gateway::listener(name, None);
    listener.bind = bind.unwrap_or(listener.bind);
    plan.listeners.push(listener);
    plan
}

fn refuses(address: SocketAddr) {
    eventually("the port is closed", || TcpStream::connect(address).is_err().then_some(()));
}

/// Every worker serves: each has its own socket, and the system chooses.
fn is_served(address: SocketAddr) {
    for _ in 0..20 {
        assert_eq!(Client::connect(address).ask(GOOD).status, 200);
    }
}

#[test]
fn a_listener_is_added_and_removed_beside_one_that_stays() {
    let upstream = FakeUpstream::echoing();
    let gate = two_workers(&upstream);
    let mut lasting = Client::connect(gate.address());
    assert_eq!(lasting.ask(GOOD).status, 200);
    gate.handle().reload(with(&gate.plan(), "more", None)).unwrap();
    let more = gate.listener("more");
    is_served(more);
    let mut idle = Client::connect(more);
    assert_eq!(idle.ask(GOOD).status, 200);
    gate.handle().reload(gate.plan()).unwrap();
    refuses(more);
    idle.expect_end();
    assert_eq!(gate.handle().addresses().len(), 1);
    assert_eq!(lasting.ask(GOOD).status, 200, "the same connection, before and after");
    good_request_works(&gate, "a listener came and went");
}

#[test]
fn a_request_on_a_removed_listener_ends_whole_and_is_the_last() {
    let held = Arc::new(AtomicBool::new(false));
    let go = Arc::clone(&held);
    let upstream = FakeUpstream::with(move |talk| {
        while talk.request().is_some() {
            eventually("the test lets the upstream go", || go.load(Ordering::SeqCst).then_some(()));
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
        }
    });
    let mut gate = Gatehouse::before(upstream.address());
    gate.handle().reload(with(&gate.plan(), "more", None)).unwrap();
    let more = gate.listener("more");
    let mut open = Client::connect(more);
    open.send(GOOD);
    eventually("the request is under way", || (upstream.requests() == 1).then_some(()));
    gate.handle().reload(gate.plan()).unwrap();
    refuses(more);
    held.store(true, Ordering::SeqCst);
    let answer = open.answer();
    assert_eq!((answer.text().as_str(), answer.whole, answer.says_close()), ("done", true, true));
    open.expect_end();
    let mut other = Client::connect(gate.address());
    let answer = other.ask(GOOD);
    assert_eq!((answer.status, answer.says_close()), (200, false), "others go on");
    gate.stop(Duration::from_secs(5));
}

#[test]
fn what_waits_for_its_server_on_a_removed_listener_ends_with_the_deadline() {
    let upstream = FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            match heard.text() {
                text if text.contains("/events") => {
                    talk.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
                    talk.hang();
                }
                text if text.contains("/silent") => talk.hang(),
                _ => drop(talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
            }
        }
    });
    let gate = Gatehouse::before(upstream.address());
    gate.handle().reload(with(&gate.plan(), "more", None)).unwrap();
    let more = gate.listener("more");
    let (mut silent, mut events) = (Client::connect(more), Client::connect(more));
    silent.send("GET /silent HTTP/1.1\r\nHost: api.test\r\n\r\n");
    events.send("GET /events HTTP/1.1\r\nHost: api.test\r\n\r\n");
    eventually("the requests are under way", || (upstream.requests() == 2).then_some(()));
    gate.handle().reload(gate.plan()).unwrap();
    // The plan's deadline is a second, the route's and the stream's own times are many.
    let removed = std::time::Instant::now();
    let answer = silent.answer();
    assert_eq!((answer.status, answer.code().as_str(), answer.says_close()), (504, "upstream_timeout", true));
    silent.expect_end();
    let (bytes, _) = events.rest();
    assert!(String::from_utf8_lossy(&bytes).contains("data: 1"));
    assert!(!bytes.ends_with(b"0\r\n\r\n"), "it does not look whole");
    let took = removed.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    eventually("the records", || {
        let all = gate.records().all();
        let outcome = |name: &str| all.iter().any(|record| record["outcome"] == name);
        (outcome("failed") && outcome("truncated")).then_some(())
    });
    good_request_works(&gate, "a listener that was removed");
}

#[test]
fn over_http2_a_removed_listener_says_goodbye_after_what_is_under_way() {
    let upstream = FakeUpstream::with(|talk| {
        while talk.request().is_some() {
            talk.pause(Duration::from_millis(400));
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let gate = Gatehouse::before(upstream.address());
    gate.handle().reload(with(&gate.plan(), "more", None)).unwrap();
    let mut client = Client::connect(gate.listener("more"));
    client.send([frames::hello(&[]), frames::get(1, "/a").bytes()].concat());
    eventually("the request is under way", || (upstream.requests() == 1).then_some(()));
    gate.handle().reload(gate.plan()).unwrap();
    let (bytes, _) = client.rest();
    let mut read = Frames::default();
    read.push(&bytes);
    let all: Vec<_> = std::iter::from_fn(|| read.next_frame()).collect();
    let place = |what: &str, is_it: &dyn Fn(&Frame) -> bool| all.iter().position(is_it).expect(what);
    let goodbye = place("a goodbye", &|frame| frame.kind == kind::GOAWAY);
    let body = place("the answer's body", &|frame| frame.kind == kind::DATA && frame.stream == 1);
    assert_eq!(all[goodbye].code(), Some(code::NO_ERROR));
    // Announced before it is known which stream is the last (RFC 9113 section 6.8); then nothing is cut off.
    assert!(all[goodbye].payload.starts_with(&0x7fff_ffff_u32.to_be_bytes()));
    assert_eq!((goodbye < body, all[body].payload.as_slice()), (true, &b"ok"[..]));
    good_request_works(&gate, "a listener that was removed");
}

#[test]
fn a_port_that_is_taken_refuses_the_whole_reload() {
    let upstream = FakeUpstream::echoing();
    let gate = two_workers(&upstream);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut plan = with(&gate.plan(), "fine", None);
    plan = with(&plan, "more", Some(taken.local_addr().unwrap()));
    gateway::each_route(&mut plan, |route| route.body_bytes = 0);
    let error = gate.handle().reload(plan).unwrap_err();
    assert!(matches!(error, ReloadError::Listen(_)));
    assert!(error.to_string().starts_with("listeners.more: cannot listen on 127.0.0.1:"), "{error}");
    assert_eq!(gate.handle().addresses().len(), 1);
    assert_eq!(gate.handle().facts().last_error, Some(error.to_string()));
    let answer = Client::connect(gate.address()).ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    assert_eq!(answer.status, 200, "nothing of the refused plan is in force");
    gate.handle().reload(gate.plan()).unwrap();
    assert_eq!(gate.handle().facts().last_error, None);
}

#[test]
fn a_listener_moves_and_another_takes_its_place() {
    let upstream = FakeUpstream::echoing();
    let gate = two_workers(&upstream);
    // A port of this moment's choice, free again.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let old = gate.address();
    let mut moved = gate.plan();
    moved.listeners[0].bind = free;
    gate.handle().reload(moved.clone()).unwrap();
    assert_eq!(gate.address(), free);
    is_served(free);
    refuses(old);
    // Another name on the same port: what is open there is ours. Until the old one has closed, the system may still
    // give it a connection, which ends as its others do.
    let mut renamed = moved;
    renamed.listeners[0].name = "renamed".into();
    gate.handle().reload(renamed).unwrap();
    assert_eq!(gate.listener("renamed"), free);
    eventually("only the new one is left", || {
        let served = |_| {
            let mut client = Client::connect(free);
            client.try_send(GOOD).is_ok() && client.try_answer(false).is_some_and(|answer| answer.status == 200)
        };
        (0..20).all(served).then_some(())
    });
    good_request_works(&gate, "a listener moved");
}

#[test]
fn listeners_come_and_go_under_load_and_no_request_is_lost() {
    let upstream = FakeUpstream::echoing();
    let gate = two_workers(&upstream);
    let over = Arc::new(AtomicBool::new(false));
    let asking = {
        let (over, address) = (Arc::clone(&over), gate.address());
        std::thread::spawn(move || {
            let mut count = 0u32;
            while !over.load(Ordering::SeqCst) {
                assert_eq!(Client::connect(address).ask(GOOD).status, 200);
                count += 1;
            }
            count
        })
    };
    for round in 0..100 {
        let plan = if round % 2 == 0 { with(&gate.plan(), "more", None) } else { gate.plan() };
        gate.handle().reload(plan).unwrap();
    }
    over.store(true, Ordering::SeqCst);
    assert!(asking.join().expect("no request failed") > 0);
    gate.wait_metric("portcullis_connections", 0.0);
}

#[test]
fn a_gateway_that_leaves_serves_until_its_grace_is_over() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut kept = Client::connect(gate.address());
    assert_eq!(kept.ask(GOOD).status, 200);
    gate.handle().begin_drain(Duration::from_secs(2), Duration::from_secs(10));
    assert!(!gate.handle().is_ready(), "load balancers hear it first");
    assert_eq!(gate.handle().phase(), Phase::Leaving);
    let answer = Client::connect(gate.address()).ask(GOOD);
    assert_eq!((answer.status, answer.says_close()), (200, false), "new connections are served meanwhile");
    assert_eq!(kept.ask(GOOD).status, 200);
    assert!(matches!(gate.handle().reload(gate.plan()), Err(ReloadError::Draining)));
    kept.expect_end();
    refuses(gate.address());
    assert_eq!(gate.handle().phase(), Phase::Draining);
}

#[test]
fn the_end_of_each_certificate_is_a_metric() {
    let (upstream, authority) = (FakeUpstream::echoing(), Authority::new());
    let leaves = vec![authority.leaf(&["api.test"]), authority.leaf(&["api.test"]), authority.leaf(&["other.test"])];
    let gate = Gatehouse::with(upstream.address(), |plan| plan.listeners[0].tls = Some(gateway::tls(leaves)));
    let text = gate.handle().metrics();
    for name in ["api.test", "certificate-2", "other.test"] {
        let series = format!("portcullis_certificate_expiry_timestamp_seconds{{listener=\"plain\",name=\"{name}\"}}");
        assert!(gate.metric(&series) > 1_800_000_000.0, "{series} in {text}");
    }
    let facts = gate.handle().facts();
    assert_eq!(facts.certificates.len(), 3);
    assert!(facts.listeners[0].tls && facts.ready && facts.workers == 1);
    let server = &facts.upstreams[0].servers[0];
    assert_eq!((server.address.clone(), server.state), (format!("http://{}", upstream.address()), "healthy"));
}

#[test]
fn workers_that_do_not_look_around_are_not_lively() {
    let upstream = FakeUpstream::echoing();
    let mut gate = two_workers(&upstream);
    let handle = gate.handle().clone();
    eventually("every worker looks around", || handle.is_lively(Duration::from_secs(1)).then_some(()));
    gate.stop(Duration::ZERO);
    eventually("none does any more", || (!handle.is_lively(Duration::from_millis(200))).then_some(()));
    assert!(!handle.has_workers());
}
