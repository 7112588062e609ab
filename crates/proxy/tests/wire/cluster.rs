//! A real cluster as the store of several gateways: accounts are asked for where they are, and stay exact while they move from one
//! server to another under load.

use crate::sharing::{LIMIT, UP, ask, pair, spend, store_plan};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::{FakeUpstream, StoreKind, StoreServer};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const SLOTS: u32 = 16_384;

/// A server of a cluster, with the port on which the others talk to it.
struct Node {
    server: StoreServer,
    bus: u16,
}

impl Node {
    fn new(kind: StoreKind, (first, last): (u32, u32)) -> Self {
        let bus = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let server = StoreServer::with(
            kind,
            |address| format!("port {}\ncluster-enabled yes\ncluster-port {bus}\n", address.port()),
            true,
        );
        let node = Self { server, bus };
        node.done(&format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
        node
    }

    fn say(&self, line: &str) -> String {
        self.server.say(line).unwrap_or_else(|| panic!("no answer to {line}"))
    }

    fn done(&self, line: &str) {
        let said = self.say(line);
        assert!(said.starts_with("+OK") || said.starts_with("+NOKEY"), "{line}: {said}");
    }

    /// `$40 ID`
    fn id(&self) -> String {
        self.say("CLUSTER MYID").lines().nth(1).unwrap().to_owned()
    }

    /// Names of accounts and what else the gateways keep.
    fn keys(&self) -> Vec<String> {
        self.say("KEYS *").lines().filter(|line| line.starts_with("team:")).map(str::to_owned).collect()
    }

    fn slot(&self, key: &str) -> String {
        self.say(&format!("CLUSTER KEYSLOT {key}")).trim().trim_start_matches(':').to_owned()
    }
}

fn cluster(kind: StoreKind, count: u32) -> Vec<Node> {
    let edge = |number: u32| number * SLOTS / count;
    let nodes: Vec<Node> = (0..count).map(|number| Node::new(kind, (edge(number), edge(number + 1) - 1))).collect();
    for other in &nodes[1..] {
        nodes[0].done(&format!("CLUSTER MEET 127.0.0.1 {} {}", other.server.address.port(), other.bus));
    }
    for node in &nodes {
        eventually("the cluster is one", || {
            let said = node.say("CLUSTER INFO");
            let known = format!("cluster_known_nodes:{count}");
            let whole = ["cluster_state:ok", "cluster_slots_assigned:16384", &known];
            whole.iter().all(|part| said.contains(part)).then_some(())
        });
    }
    nodes
}

/// Moves everything in a key's part from one node to another, step by step, so that gateways meet each state in between.
fn migrate(nodes: &[Node], from: usize, to: usize, key: &str) {
    let (source, target) = (&nodes[from], &nodes[to]);
    let slot = source.slot(key);
    target.done(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", source.id()));
    source.done(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", target.id()));
    // SLEEP: load in this state; nothing depends on how much it is.
    std::thread::sleep(std::time::Duration::from_millis(5));
    source.done(&format!("MIGRATE 127.0.0.1 {} {key} 0 5000", target.server.address.port()));
    // SLEEP: the same once the account has moved and its part has not.
    std::thread::sleep(std::time::Duration::from_millis(5));
    for node in [target, source] {
        node.done(&format!("CLUSTER SETSLOT {slot} NODE {}", target.id()));
    }
}

#[test]
fn a_cluster_tells_where_an_account_is() {
    for kind in StoreKind::ALL {
        let (upstream, nodes) = (FakeUpstream::echoing(), cluster(kind, 3));
        // Only the first is named.
        let [a, b] = pair(&upstream, &store_plan(nodes[0].server.address));
        for caller in 1..13 {
            assert_eq!(spend(&[&a, &b], &format!("10.0.0.{caller}")), LIMIT, "caller {caller} with {kind:?}");
        }
        let keys: Vec<Vec<String>> = nodes.iter().map(Node::keys).collect();
        let has_accounts = |keys: &Vec<String>| keys.iter().any(|key| key.starts_with("team:l:"));
        assert!(keys.iter().all(has_accounts), "accounts at each node: {keys:?}");
    }
}

#[test]
fn accounts_that_move_under_load_stay_exact() {
    StoreKind::ALL.into_iter().for_each(accounts_that_move);
}

fn accounts_that_move(kind: StoreKind) {
    const CALLERS: u64 = 12;
    let (upstream, nodes) = (FakeUpstream::echoing(), cluster(kind, 3));
    let gates = pair(&upstream, &store_plan(nodes[0].server.address));
    let served: Vec<AtomicU64> = (0..CALLERS).map(|_| AtomicU64::new(0)).collect();
    let stop = AtomicBool::new(false);
    let mut moved = 0;
    std::thread::scope(|scope| {
        for gate in &gates {
            let (served, stop) = (&served, &stop);
            scope.spawn(move || {
                for caller in (0..CALLERS).cycle() {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    match ask(gate, &format!("10.0.0.{caller}")) {
                        200 => drop(served[usize::try_from(caller).unwrap()].fetch_add(1, Ordering::Relaxed)),
                        429 => {}
                        other => panic!("{other} with {kind:?}"),
                    }
                }
            });
        }
        let end = |keys: &[String]| keys.iter().any(|key| key.starts_with("team:l:"));
        eventually("there are accounts", || nodes.iter().any(|node| end(&node.keys())).then_some(()));
        // Each account, and the set of gateways, goes round.
        for round in 0..2 {
            for from in 0..nodes.len() {
                for key in nodes[from].keys() {
                    migrate(&nodes, from, (from + 1 + round) % nodes.len(), &key);
                    moved += 1;
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(moved > 2 * CALLERS, "{moved} moves with {kind:?}");
    for (caller, served) in served.iter().enumerate() {
        let rest = spend(&[&gates[0], &gates[1]], &format!("10.0.0.{caller}"));
        assert_eq!(served.load(Ordering::Relaxed) + rest, LIMIT, "caller {caller} with {kind:?}");
    }
    for gate in &gates {
        assert_eq!(gate.metric(UP), 1.0, "{kind:?}");
        assert_eq!(gate.metric("portcullis_limit_alone_total"), 0.0, "nobody decided alone with {kind:?}");
    }
}
