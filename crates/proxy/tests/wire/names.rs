//! Names of targets at name servers of the configuration: asked again when their time is over, kept while nobody answers,
//! waited for together by the first requests.

use crate::check::{GOOD, good_request_works, problem};
use portcullis_config::plan::{HealthPlan, Probe};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What a name server says, and how often it has been asked.
#[derive(Debug, Default)]
struct Zone {
    addresses: Vec<Ipv4Addr>,
    ttl: u32,
    /// How long it thinks.
    pause: Duration,
    is_silent: bool,
    asked: usize,
}

/// A name server for one name. It lives as long as the test's process.
#[derive(Debug, Clone)]
struct NameServer {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
}

// === impl NameServer ===

impl NameServer {
    fn saying(addresses: &[[u8; 4]], ttl: u32) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let zone = Zone { addresses: addresses.iter().map(|four| (*four).into()).collect(), ttl, ..Zone::default() };
        let server = Self { address: socket.local_addr().unwrap(), zone: Arc::new(Mutex::new(zone)) };
        let own = server.clone();
        std::thread::spawn(move || {
            let mut room = [0; 512];
            while let Ok((count, from)) = socket.recv_from(&mut room) {
                if let Some(answer) = own.answer(&room[..count]) {
                    socket.send_to(&answer, from).unwrap();
                }
            }
        });
        server
    }

    fn answer(&self, asked: &[u8]) -> Option<Vec<u8>> {
        let pause = {
            let mut zone = self.zone.lock().unwrap();
            zone.asked += 1;
            zone.pause
        };
        // SLEEP: a name server that takes its time.
        std::thread::sleep(pause);
        let zone = self.zone.lock().unwrap();
        let mut answer = asked.to_vec();
        answer[2] |= 0x80;
        let is_a = asked[asked.len() - 3] == 1;
        if is_a {
            answer[7] = u8::try_from(zone.addresses.len()).unwrap();
            for address in &zone.addresses {
                answer.extend([0xc0, 12, 0, 1, 0, 1].into_iter().chain(zone.ttl.to_be_bytes()).chain([0, 4]));
                answer.extend(address.octets());
            }
        }
        // No such name.
        answer[3] |= if zone.addresses.is_empty() { 3 } else { 0 };
        (!zone.is_silent).then_some(answer)
    }

    fn change(&self, change: impl FnOnce(&mut Zone)) {
        change(&mut self.zone.lock().unwrap());
    }

    fn asked(&self) -> usize {
        self.zone.lock().unwrap().asked
    }

    /// A gateway before `orders.test` on this port, which keeps no connection.
    fn gate(&self, port: u16, health: Option<Duration>) -> Gatehouse {
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Gatehouse::with(nowhere, |plan| {
            plan.dns = vec![self.address];
            gateway::each_upstream(plan, |upstream| {
                upstream.targets[0].host = "orders.test".to_owned();
                upstream.idle_connections = 0;
                upstream.pool.health = health.map(|interval| HealthPlan {
                    probe: Probe::Http("/".to_owned()),
                    interval,
                    timeout: Duration::from_secs(2),
                    rise: 1,
                    fall: 1,
                });
            });
        })
    }
}

const ONE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";
const TWO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo";

/// Two servers on one port of two addresses of this machine.
fn two() -> (FakeUpstream, FakeUpstream) {
    let one = FakeUpstream::answering(ONE);
    let two = FakeUpstream::answering_at(SocketAddr::new([127, 0, 0, 2].into(), one.address().port()), TWO);
    (one, two)
}

fn asked_now(gate: &Gatehouse) -> String {
    Client::connect(gate.address()).ask(GOOD).text()
}

#[test]
fn addresses_change_when_their_time_is_over_and_stay_while_nobody_answers() {
    let (one, _two) = two();
    let names = NameServer::saying(&[[127, 0, 0, 1]], 1);
    let gate = names.gate(one.address().port(), None);
    assert_eq!(asked_now(&gate), "one");
    names.change(|zone| zone.addresses = vec![[127, 0, 0, 2].into()]);
    eventually("the new address", || (asked_now(&gate) == "two").then_some(()));
    names.change(|zone| zone.is_silent = true);
    let before = names.asked();
    let failure = eventually("a failed look-up", || {
        let failure = gate.handle().upstreams()[0].servers[0].last_failure.clone();
        failure.starts_with("name: ").then_some(failure)
    });
    assert_eq!(failure, format!("name: no answer of {}", names.address));
    assert!(names.asked() > before);
    assert_eq!(asked_now(&gate), "two", "the last good address");
    names.change(|zone| (zone.is_silent, zone.addresses) = (false, vec![[127, 0, 0, 1].into()]));
    eventually("the server's return", || (asked_now(&gate) == "one").then_some(()));
}

#[test]
fn a_long_time_is_not_asked_within() {
    let (one, _two) = two();
    let names = NameServer::saying(&[[127, 0, 0, 1]], 300);
    let gate = names.gate(one.address().port(), None);
    assert_eq!(asked_now(&gate), "one");
    names.change(|zone| zone.addresses = vec![[127, 0, 0, 2].into()]);
    let until = Instant::now() + Duration::from_millis(2500);
    while Instant::now() < until {
        assert_eq!(asked_now(&gate), "one");
    }
    assert_eq!(names.asked(), 2, "once for each family");
}

#[test]
fn the_first_requests_wait_for_one_look_up_together() {
    let (one, _two) = two();
    let names = NameServer::saying(&[[127, 0, 0, 1]], 300);
    names.change(|zone| zone.pause = Duration::from_millis(200));
    let gate = names.gate(one.address().port(), None);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(|| asked_now(&gate))).collect();
        for client in clients {
            assert_eq!(client.join().unwrap(), "one");
        }
    });
    assert_eq!(names.asked(), 2, "once for each family");
}

#[test]
fn a_name_without_an_address_fails_at_once_and_recovers() {
    let (one, _two) = two();
    let names = NameServer::saying(&[], 1);
    let gate = names.gate(one.address().port(), None);
    problem(&Client::connect(gate.address()).ask(GOOD), 502, "upstream_unreachable", "no address");
    names.change(|zone| zone.addresses = vec![[127, 0, 0, 1].into()]);
    eventually("the name", || (asked_now(&gate) == "one").then_some(()));
    good_request_works(&gate, "a name that was unknown");
}

#[test]
fn a_check_passes_where_one_of_the_addresses_answers() {
    let one = FakeUpstream::answering(ONE);
    let port = one.address().port();
    // Nobody listens on the first.
    let names = NameServer::saying(&[[127, 0, 0, 0], [127, 0, 0, 1]], 300);
    let gate = names.gate(port, Some(Duration::from_millis(50)));
    eventually("some checks", || (one.requests() >= 3).then_some(()));
    assert_eq!(gate.handle().upstreams()[0].servers[0].state, "healthy");
    assert_eq!(asked_now(&gate), "one");
    drop(one);
    eventually("checks that fail", || (gate.handle().upstreams()[0].servers[0].state == "unhealthy").then_some(()));
}
