//! Several targets: who is asked, who is left out and comes back, what is asked again, and where requests wait.

use crate::check::{GOOD, good_request_works, problem};
use crate::http2::peer::{Peer, Server, give, read};
use portcullis_config::plan::{
    Balance, EjectionPlan, HealthPlan, PoolPlan, Probe, QueuePlan, RetryPlan, UpstreamProtocol,
};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// How an upstream behaves now.
#[derive(Clone, Debug, Default)]
struct Mood(Arc<AtomicU8>);

const WELL: u8 = 0;
const BROKEN: u8 = 1;
const HUNG: u8 = 2;
const GARBAGE: u8 = 3;
const CLOSING: u8 = 4;
/// A call of gRPC that is answered without an answer.
const UNAVAILABLE: u8 = 5;
/// The same, where the call is to blame.
const INVALID: u8 = 6;

impl Mood {
    fn set(&self, mood: u8) {
        self.0.store(mood, Ordering::SeqCst);
    }
}

/// Answers with its name, or as its mood is.
fn moody(name: &'static str) -> (FakeUpstream, Mood) {
    let mood = Mood::default();
    let own = mood.clone();
    let upstream = FakeUpstream::with(move |talk| {
        while talk.request().is_some() {
            let going_on = match own.0.load(Ordering::SeqCst) {
                WELL => talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len())),
                BROKEN => talk.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\n\r\nbad"),
                GARBAGE => {
                    talk.send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
                    false
                }
                mood @ (UNAVAILABLE | INVALID) => talk.send(format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\ngrpc-status: {}\r\nContent-Length: 0\r\n\r\n",
                    if mood == UNAVAILABLE { 14 } else { 3 }
                )),
                HUNG => {
                    talk.hang();
                    false
                }
                _ => false,
            };
            if !going_on {
                return;
            }
        }
    });
    (upstream, mood)
}

fn gate(addresses: &[SocketAddr], pool: impl Fn(&mut PoolPlan)) -> Gatehouse {
    Gatehouse::with(addresses[0], |plan| {
        gateway::each_upstream(plan, |upstream| {
            upstream.targets = addresses.iter().map(|address| gateway::target(*address)).collect();
            pool(&mut upstream.pool);
            // One that hangs is given up soon only where that is what the test is about.
            upstream.first_byte_timeout = match (&upstream.pool.retries, &upstream.pool.ejection) {
                (Some(_), _) => Duration::from_secs(1),
                (None, Some(_)) => Duration::from_millis(300),
                (None, None) => Duration::from_secs(8),
            };
        });
    })
}

fn shares(gate: &Gatehouse, count: usize, request: impl Fn(usize) -> String) -> BTreeMap<String, usize> {
    let mut client = Client::connect(gate.address());
    let mut shares = BTreeMap::new();
    for number in 0..count {
        *shares.entry(client.ask(request(number)).text()).or_default() += 1;
    }
    shares
}

fn good(_: usize) -> String {
    GOOD.to_owned()
}

fn states(gate: &Gatehouse) -> Vec<&'static str> {
    gate.handle().upstreams()[0].servers.iter().map(|server| server.state).collect()
}

fn wait_states(gate: &Gatehouse, wanted: &[&str]) {
    eventually(&format!("{wanted:?}, now {:?}", gate.handle().upstreams()), || (states(gate) == wanted).then_some(()));
}

#[test]
fn turns_go_round_by_weight() {
    let ((a, _), (b, _)) = (moody("a"), moody("b"));
    let gate = gate(&[a.address(), b.address()], |pool| {
        pool.balance = Balance::RoundRobin;
        pool.weights = vec![3, 1];
    });
    assert_eq!(shares(&gate, 40, good), BTreeMap::from([("a".to_owned(), 30), ("b".to_owned(), 10)]));
}

#[test]
fn the_least_busy_is_asked() {
    let ((a, mood), (b, _)) = (moody("a"), moody("b"));
    let gate = gate(&[a.address(), b.address()], |pool| pool.balance = Balance::LeastRequest);
    mood.set(HUNG);
    // At most one request is caught by the one that hangs: from then on it is the busier one.
    let mut caught = Client::connect(gate.address());
    while a.requests() == 0 {
        let before = a.requests() + b.requests();
        caught = Client::connect(gate.address());
        caught.send(GOOD);
        eventually("it arrives somewhere", || (a.requests() + b.requests() > before).then_some(()));
        if a.requests() == 0 {
            caught.answer();
        }
    }
    let mut client = Client::connect(gate.address());
    for _ in 0..5 {
        assert_eq!(client.ask(GOOD).text(), "b");
    }
    drop(caught);
}

#[test]
fn the_same_key_goes_to_the_same_target() {
    let servers = [moody("a"), moody("b"), moody("c")];
    let addresses: Vec<_> = servers.iter().map(|(server, _)| server.address()).collect();
    let request = |line: String| {
        move |number: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n", line.replace("N", &number.to_string()))
    };
    for (balance, line) in [
        (Balance::Header("x-tenant".to_owned()), "X-Tenant: N"),
        (Balance::Cookie("session".to_owned()), "Cookie: other=1; session=N; x=y"),
    ] {
        let gate = gate(&addresses, |pool| pool.balance = balance.clone());
        let spread = shares(&gate, 60, request(line.to_owned()));
        assert_eq!(spread.len(), 3, "{balance:?}: keys are spread: {spread:?}");
        let same = shares(&gate, 10, request(line.replace('N', "7")));
        assert_eq!(same.len(), 1, "{balance:?}: {same:?}");
        let without = shares(&gate, 60, good);
        assert_eq!(without.len(), 3, "{balance:?}: without a key, by chance: {without:?}");
    }
    let gate = gate(&addresses, |pool| pool.balance = Balance::Address);
    assert_eq!(shares(&gate, 10, good).len(), 1);
    assert_eq!(shares(&gate, 10, good).len(), 1, "of another connection");
}

fn ejection(pool: &mut PoolPlan) {
    pool.ejection =
        Some(EjectionPlan { failures: 2, base: Duration::from_millis(400), max_percent: 50, slow_factor: None });
    pool.balance = Balance::RoundRobin;
}

#[test]
fn who_fails_is_left_out_and_comes_back() {
    for mood_now in [BROKEN, HUNG, GARBAGE, CLOSING, UNAVAILABLE] {
        let ((a, mood), (b, _)) = (moody("a"), moody("b"));
        let gate = gate(&[a.address(), b.address()], ejection);
        mood.set(mood_now);
        for _ in 0..4 {
            Client::connect(gate.address()).ask(GOOD);
        }
        assert_eq!(states(&gate), ["ejected", "healthy"], "mood {mood_now}");
        assert!(!gate.handle().upstreams()[0].servers[0].last_failure.is_empty());
        let seen = a.requests();
        assert_eq!(shares(&gate, 5, good).keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(a.requests(), seen, "mood {mood_now}");
        gate.wait_metric("portcullis_upstream_ejections_total{upstream=\"api\"}", 1.0);
        mood.set(WELL);
        wait_states(&gate, &["healthy", "healthy"]);
        assert_eq!(shares(&gate, 4, good).len(), 2, "it has its turns again");
    }
}

#[test]
fn a_call_that_is_refused_for_itself_says_nothing_about_its_server() {
    let ((a, mood), (b, _)) = (moody("a"), moody("b"));
    let gate = gate(&[a.address(), b.address()], ejection);
    mood.set(INVALID);
    for _ in 0..12 {
        assert_eq!(Client::connect(gate.address()).ask(GOOD).status, 200);
    }
    assert_eq!(states(&gate), ["healthy", "healthy"]);
    assert!(a.requests() > 2, "it has been asked");
}

#[test]
fn not_all_are_left_out() {
    let servers = [moody("a"), moody("b"), moody("c")];
    let addresses: Vec<_> = servers.iter().map(|(server, _)| server.address()).collect();
    let gate = gate(&addresses, ejection);
    servers.iter().for_each(|(_, mood)| mood.set(BROKEN));
    for _ in 0..20 {
        assert_eq!(Client::connect(gate.address()).ask(GOOD).status, 503);
    }
    assert_eq!(states(&gate).iter().filter(|state| **state == "ejected").count(), 1, "half of three");
    servers.iter().for_each(|(_, mood)| mood.set(WELL));
    good_request_works(&gate, "an outage");
}

#[test]
fn checks_take_targets_out_and_bring_them_back() {
    for probe in [Probe::Http("/healthz".to_owned()), Probe::Tcp] {
        let ((a, mood), (b, other)) = (moody("a"), moody("b"));
        let down = FakeUpstream::nobody();
        let by_tcp = probe == Probe::Tcp;
        let addresses = if by_tcp { [down, b.address()] } else { [a.address(), b.address()] };
        let gate = gate(&addresses, |pool| {
            let (interval, timeout) = (Duration::from_millis(20), Duration::from_millis(500));
            pool.health = Some(HealthPlan { probe: probe.clone(), interval, timeout, rise: 2, fall: 2 });
        });
        mood.set(BROKEN);
        wait_states(&gate, &["unhealthy", "healthy"]);
        assert_eq!(shares(&gate, 10, good).keys().collect::<Vec<_>>(), ["b"]);
        gate.wait_metric("portcullis_upstream_targets{upstream=\"api\",state=\"unhealthy\"}", 1.0);
        if by_tcp {
            continue;
        }
        assert!(a.text().starts_with("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:"), "{}", a.text());
        other.set(GARBAGE);
        wait_states(&gate, &["unhealthy", "unhealthy"]);
        let answer = Client::connect(gate.address()).ask(GOOD);
        problem(&answer, 503, "upstream_unhealthy", "all are down");
        assert_eq!(answer.field("retry-after"), Some("1"));
        mood.set(WELL);
        wait_states(&gate, &["healthy", "unhealthy"]);
        assert_eq!(shares(&gate, 5, good).keys().collect::<Vec<_>>(), ["a"]);
    }
}

#[test]
fn a_second_group_stands_in_and_steps_back() {
    let ((a, mood), (b, _)) = (moody("a"), moody("b"));
    let gate = gate(&[a.address(), b.address()], |pool| {
        pool.groups = vec![0, 1];
        ejection(pool);
    });
    assert_eq!(shares(&gate, 10, good).keys().collect::<Vec<_>>(), ["a"]);
    mood.set(BROKEN);
    shares(&gate, 2, good);
    assert_eq!(shares(&gate, 10, good).keys().collect::<Vec<_>>(), ["b"]);
    mood.set(WELL);
    wait_states(&gate, &["healthy", "healthy"]);
    assert_eq!(shares(&gate, 10, good).keys().collect::<Vec<_>>(), ["a"]);
}

fn retries(pool: &mut PoolPlan) {
    let (pause, max_pause) = (Duration::from_millis(1), Duration::from_millis(5));
    pool.retries = Some(RetryPlan { attempts: 2, statuses: vec![503], body_bytes: 1000, budget: 20, pause, max_pause });
}

#[test]
fn what_can_be_sent_again_is() {
    for mood_now in [BROKEN, CLOSING, GARBAGE, HUNG] {
        let ((a, mood), (b, _)) = (moody("a"), moody("b"));
        let gate = gate(&[a.address(), b.address()], |pool| {
            retries(pool);
            pool.balance = Balance::RoundRobin;
        });
        mood.set(mood_now);
        for _ in 0..6 {
            assert_eq!(Client::connect(gate.address()).ask(GOOD).text(), "b", "mood {mood_now}");
        }
        assert!(gate.metric("portcullis_upstream_retries_total{upstream=\"api\"}") >= 2.0);
        let before = a.requests() + b.requests();
        let mut statuses = Vec::new();
        for request in [
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        ] {
            for _ in 0..2 {
                statuses.push(Client::connect(gate.address()).ask(request).status);
            }
        }
        assert_eq!(
            a.requests() + b.requests() - before,
            4,
            "mood {mood_now}: neither POST nor a body of unknown length is sent twice"
        );
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "mood {mood_now}: {statuses:?}");
    }
}

#[test]
fn a_body_that_was_kept_is_sent_again_whole() {
    for closes in [false, true] {
        // The first reads the whole body and then gives up; the second says what it got.
        let first = FakeUpstream::with(move |talk| {
            while talk.request().is_some() {
                if closes || !talk.send("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy") {
                    return;
                }
            }
        });
        let second = FakeUpstream::with(|talk| {
            while let Some(heard) = talk.request() {
                let mut answer =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", heard.body.len()).into_bytes();
                answer.extend_from_slice(&heard.body);
                talk.send(answer);
            }
        });
        let gate = gate(&[first.address(), second.address()], |pool| {
            retries(pool);
            pool.balance = Balance::RoundRobin;
        });
        let mut peer = crate::http2::peer::Peer::connect(gate.address());
        for size in [1, 2, 999, 1000] {
            let body: String = (0..size).map(|index| char::from(b'a' + u8::try_from(index % 26).unwrap())).collect();
            let request = format!("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n{body}");
            for _ in 0..2 {
                let answer = Client::connect(gate.address()).ask(&request);
                assert_eq!((answer.status, answer.text()), (200, body.clone()), "{size}, closes {closes}");
                let shared = http::Request::put("http://a/").header("content-length", size).body(()).unwrap();
                let got = peer.ask(shared, body.as_bytes());
                assert_eq!((got.status, got.text()), (200, body.clone()), "{size} over HTTP/2, closes {closes}");
            }
        }
        // One byte more is not kept: whoever meets the first gets what the first says.
        let long = format!("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n{}", "x".repeat(1001));
        let mut statuses: Vec<u16> = (0..4).map(|_| Client::connect(gate.address()).ask(&long).status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, if closes { 502 } else { 503 }, if closes { 502 } else { 503 }]);
    }
}

#[test]
fn a_server_that_is_much_slower_than_the_others_is_left_out() {
    let named = |name: &'static str, pause: Duration| {
        FakeUpstream::with(move |talk| {
            while talk.request().is_some() {
                talk.pause(pause);
                talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{name}"));
            }
        })
    };
    let (a, b) = (named("a", Duration::ZERO), named("b", Duration::ZERO));
    let slow = named("s", Duration::from_millis(60));
    let gate = gate(&[a.address(), b.address(), slow.address()], |pool| {
        let base = Duration::from_secs(60);
        pool.ejection = Some(EjectionPlan { failures: 5, base, max_percent: 50, slow_factor: Some(3) });
        pool.balance = Balance::RoundRobin;
    });
    let mut client = Client::connect(gate.address());
    eventually("the slow one is left out", || {
        for _ in 0..12 {
            assert_eq!(client.ask(GOOD).status, 200);
        }
        (gate.metric("portcullis_upstream_ejections_total{upstream=\"api\"}") >= 1.0).then_some(())
    });
    let text = gate.handle().upstreams()[0].servers.iter().map(|one| one.state).collect::<Vec<_>>();
    assert_eq!(text, ["healthy", "healthy", "ejected"]);
    let served = shares(&gate, 20, |_| GOOD.to_owned());
    assert!(!served.contains_key("s"), "{served:?}");
}

#[test]
fn an_outage_is_not_answered_with_a_storm() {
    let ((a, mood), (b, other)) = (moody("a"), moody("b"));
    let gate = gate(&[a.address(), b.address()], retries);
    mood.set(BROKEN);
    other.set(BROKEN);
    let mut client = Client::connect(gate.address());
    for _ in 0..200 {
        let answer = client.ask(GOOD);
        assert_eq!((answer.status, answer.text().as_str()), (503, "bad"), "the server's own answer");
    }
    let seen = a.requests() + b.requests();
    assert!((200 + 20..=200 + 40 + 10).contains(&seen), "{seen} for 200, with a fifth and ten in stock");
}

#[test]
fn requests_wait_for_a_place_and_no_longer_than_they_may() {
    let upstream = FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            if heard.target() == "/slow" {
                talk.pause(Duration::from_millis(800));
            }
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let slow = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";
    let limited = |queue: Option<QueuePlan>| {
        Gatehouse::with(upstream.address(), |plan| {
            gateway::each_upstream(plan, |upstream| {
                upstream.pool.connections = Some(1);
                upstream.pool.queue = queue;
            });
        })
    };
    let queue = |millis| Some(QueuePlan { requests: 1, timeout: Duration::from_millis(millis) });
    for (queue, waits) in [(None, false), (queue(5_000), true), (queue(50), false)] {
        let mut gate = limited(queue);
        let seen = upstream.requests();
        let mut first = Client::connect(gate.address());
        first.send(slow);
        eventually("the first one is there", || (upstream.requests() > seen).then_some(()));
        let mut second = Client::connect(gate.address());
        second.send(GOOD);
        if waits {
            gate.wait_metric("portcullis_upstream_waiting{upstream=\"api\"}", 1.0);
            let answer = Client::connect(gate.address()).ask(GOOD);
            problem(&answer, 503, "upstream_busy", "the queue is full");
            assert_eq!(second.answer().status, 200);
        } else {
            let answer = second.answer();
            problem(&answer, 503, "upstream_busy", "no place");
            assert_eq!(answer.field("retry-after"), Some("1"));
        }
        assert_eq!(first.answer().status, 200);
        good_request_works(&gate, "a full target");
        gate.wait_metric("portcullis_upstream_waiting{upstream=\"api\"}", 0.0);
        gate.stop(Duration::ZERO);
    }
}

#[test]
fn a_reload_keeps_what_is_known_and_lets_new_ones_begin_slowly() {
    let ((a, mood), (b, _), (c, _)) = (moody("a"), moody("b"), moody("c"));
    let gate = gate(&[a.address(), b.address()], |pool| {
        pool.ejection =
            Some(EjectionPlan { failures: 1, base: Duration::from_secs(60), max_percent: 50, slow_factor: None });
        pool.slow_start = Duration::from_secs(3600);
        pool.balance = Balance::RoundRobin;
    });
    mood.set(BROKEN);
    shares(&gate, 4, good);
    assert_eq!(states(&gate), ["ejected", "healthy"]);
    let connections = b.connections();
    let mut plan = gate.plan();
    gateway::each_upstream(&mut plan, |upstream| upstream.targets.push(gateway::target(c.address())));
    gate.handle().reload(plan).unwrap();
    assert_eq!(states(&gate), ["ejected", "healthy", "slow_start"]);
    let after = shares(&gate, 110, good);
    assert_eq!(after, BTreeMap::from([("b".to_owned(), 100), ("c".to_owned(), 10)]), "a tenth of a share at first");
    assert_eq!(b.connections(), connections, "kept connections survive");
    // A request under way at a target that is removed ends there.
    let ((d, hung), mut caught) = (moody("d"), Client::connect(gate.address()));
    let mut plan = gate.plan();
    gateway::each_upstream(&mut plan, |upstream| upstream.targets = vec![gateway::target(d.address())]);
    gate.handle().reload(plan).unwrap();
    hung.set(HUNG);
    caught.send(GOOD);
    eventually("it is caught", || (d.requests() == 1).then_some(()));
    gate.handle().reload(gate.plan()).unwrap();
    assert_eq!(states(&gate).last(), Some(&"draining"), "{:?}", gate.handle().upstreams());
    caught.answer();
    eventually("it has left", || (states(&gate).len() == 2).then_some(()));
}

#[test]
fn grpc_servers_are_asked_whether_they_serve() {
    let status = Arc::new(AtomicU8::new(2));
    let own = Arc::clone(&status);
    let server = Server::with(move |request, mut respond| {
        let status = own.load(Ordering::SeqCst);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let asked = read(http::Response::new(body)).await.unwrap().body;
            let right = head.uri.path() == "/grpc.health.v1.Health/Check"
                && asked == [&[0, 0, 0, 0, 8, 0x0a, 6], b"orders".as_slice()].concat()
                && head.headers["content-type"] == "application/grpc"
                && head.headers["te"] == "trailers";
            let answer = http::Response::builder().header("content-type", "application/grpc").body(()).unwrap();
            let mut stream = respond.send_response(answer, false).unwrap();
            let data = bytes::Bytes::copy_from_slice(&[0, 0, 0, 0, 2, 8, if right { status } else { 3 }]);
            drop(give(&mut stream, data, true).await);
        })
    });
    let gate = Gatehouse::with(server.address, |plan| {
        gateway::each_upstream(plan, |upstream| {
            upstream.protocol = UpstreamProtocol::Http2;
            let (interval, timeout) = (Duration::from_millis(20), Duration::from_secs(2));
            let probe = Probe::Grpc("orders".to_owned());
            upstream.pool.health = Some(HealthPlan { probe, interval, timeout, rise: 1, fall: 1 });
        });
    });
    wait_states(&gate, &["unhealthy"]);
    problem(&Client::connect(gate.address()).ask(GOOD), 503, "upstream_unhealthy", "not serving");
    status.store(1, Ordering::SeqCst);
    wait_states(&gate, &["healthy"]);
    good_request_works(&gate, "a server that did not serve");
}

#[test]
fn names_are_looked_up_beside_the_path() {
    let (a, _) = moody("a");
    let port = a.address().port();
    let named = || {
        Gatehouse::with(a.address(), |plan| {
            gateway::each_upstream(plan, |upstream| {
                upstream.targets[0].host = "localhost".to_owned();
                upstream.pool.health = Some(HealthPlan {
                    probe: Probe::Tcp,
                    interval: Duration::from_millis(20),
                    timeout: Duration::from_secs(2),
                    rise: 1,
                    fall: 1,
                });
            });
        })
    };
    for _ in 0..5 {
        // A check that comes before the name is known says nothing about the server.
        assert_eq!(Client::connect(named().address()).ask(GOOD).text(), "a");
    }
    let gate = named();
    wait_states(&gate, &["healthy"]);
    assert_eq!(shares(&gate, 3, good).keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(gate.handle().upstreams()[0].servers[0].address, format!("http://localhost:{port}"));
}

/// Servers of HTTP/2 that may be ejected after one failure.
fn before_http2(servers: &[&Server], pool: impl Fn(&mut PoolPlan)) -> Gatehouse {
    Gatehouse::with(servers[0].address, |plan| {
        gateway::each_upstream(plan, |upstream| {
            upstream.targets = servers.iter().map(|server| gateway::target(server.address)).collect();
            upstream.protocol = UpstreamProtocol::Http2;
            pool(&mut upstream.pool);
        });
    })
}

#[test]
fn a_server_that_refuses_streams_is_not_asked_without_end() {
    let server = Server::with(|request, mut respond| {
        Box::pin(async move {
            if request.uri().path() == "/refused" {
                respond.send_reset(h2::Reason::REFUSED_STREAM);
            } else {
                drop(respond.send_response(http::Response::new(()), true));
            }
        })
    });
    let gate = before_http2(&[&server], |_| {});
    good_request_works(&gate, "a fresh connection");
    let before = server.requests.load(Ordering::SeqCst);
    for _ in 0..5 {
        let answer = Client::connect(gate.address()).ask("GET /refused HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(answer.status, 502);
    }
    let asked = server.requests.load(Ordering::SeqCst) - before;
    assert!((5..=10).contains(&asked), "{asked} for 5: once, and once more over a connection used before");
    good_request_works(&gate, "refused streams");
}

#[test]
fn a_hurried_client_takes_no_target_out() {
    let server = || {
        Server::with(|request, mut respond| {
            Box::pin(async move {
                if request.uri().path() == "/pkg.Service/Slow" {
                    std::future::pending::<()>().await;
                }
                drop(respond.send_response(http::Response::new(()), true));
            })
        })
    };
    let (a, b) = (server(), server());
    let gate = before_http2(&[&a, &b], |pool| {
        pool.ejection =
            Some(EjectionPlan { failures: 1, base: Duration::from_secs(60), max_percent: 100, slow_factor: None });
    });
    for stated in ["1n", "100m"] {
        for _ in 0..4 {
            let request = http::Request::post("http://api.test/pkg.Service/Slow").header("te", "trailers");
            let request = request.header("content-type", "application/grpc").header("grpc-timeout", stated);
            let got = Peer::connect(gate.address()).ask(request.body(()).unwrap(), b"x");
            assert_eq!(got.field("grpc-status"), Some("4"), "{got:?}");
        }
        assert_eq!(states(&gate), ["healthy", "healthy"], "{stated}");
    }
    let connections = [&a, &b].map(|server| server.connections.load(Ordering::SeqCst));
    assert!(connections.iter().all(|count| *count <= 1), "nor any connection: {connections:?}");
    good_request_works(&gate, "hurried calls");
}
