//! All questions to the store: everything that one call can ask, to the server that has it. Also counts the gateways that live,
//! and says whether the store is there.

use super::desk::{Account, Desk, Entry, Parcel};
use super::node::Node;
use super::resp::{self, Reply};
use super::script::{ACCOUNTS, GATEWAYS, Script, answers, arguments};
use super::slot::{SLOTS, slot};
use super::{Asked, Counts, What};
use crate::limits::Book;
use crate::upstream::tls::UpstreamTls;
use portcullis_config::plan::{SharedStorePlan, TargetPlan};
use portcullis_limit::{Key, Kind, Moment, Peers, StoreAnswer, StoreAsk};
use portcullis_types::Clock;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;

/// How often a gateway says that it lives, and how long the others believe it.
const LIVE_EVERY: Duration = Duration::from_millis(500);
const LIVE_MS: &[u8] = b"3000";
// LIMIT: parcels that are taken before the first of them leaves.
const TAKEN_MAX: usize = 256;
// LIMIT: servers of a cluster.
const NODES_MAX: usize = 64;
// LIMIT: how often a question is sent on to another server.
const REDIRECTS_MAX: u8 = 5;
const UNKNOWN: u16 = u16::MAX;

/// Everything that the thread knows.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) plan: SharedStorePlan,
    pub(super) tls: Option<UpstreamTls>,
    pub(super) clock: Clock,
    peers: Arc<Peers>,
    counts: Arc<Counts>,
    /// What this gateway calls itself among the others.
    name: String,
    nodes: RefCell<Vec<Rc<Node>>>,
    /// Which node has which part; empty while nothing points to a cluster.
    slots: RefCell<Vec<u16>>,
    /// Whether keys of several parts cannot stand in one call.
    is_cluster: Cell<bool>,
    desk: RefCell<Desk>,
    rose: Notify,
}

/// One command on its way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) command: Vec<u8>,
    pub(super) sent: Moment,
    pub(super) is_late: bool,
    slot: usize,
    call: Call,
    redirects: u8,
    /// Whether the server that has it now is told that it need not be the one of its part yet.
    is_asking: bool,
}

#[derive(Debug)]
enum Call {
    Accounts {
        lines: Vec<Line>,
        script: Script,
    },
    Live {
        script: Script,
    },
    /// Whose answer says nothing.
    Other,
}

/// What is asked of one account, and who wants to know.
#[derive(Debug)]
struct Line {
    account: Account,
    book: Arc<Book>,
    key: Key,
    ask: StoreAsk,
    asked: Vec<Asked>,
}

/// How an error is answered.
enum Mended {
    /// By that server.
    At(Rc<Node>),
    /// In several calls.
    Apart,
}

/// Answers questions until the gateway is gone.
pub(super) async fn serve(
    (plan, tls): (SharedStorePlan, Option<UpstreamTls>),
    (peers, counts): (Arc<Peers>, Arc<Counts>),
    mut line: Receiver<Parcel>,
    (clock, id): (Clock, u128),
) {
    let hub = Rc::new(Hub {
        tls,
        clock,
        peers,
        counts,
        name: format!("{id:032x}"),
        nodes: RefCell::default(),
        slots: RefCell::default(),
        is_cluster: Cell::new(false),
        desk: RefCell::default(),
        rose: Notify::new(),
        plan,
    });
    for server in hub.plan.servers.clone() {
        hub.node(server);
    }
    let living = tokio::task::spawn_local(live(Rc::clone(&hub)));
    let mut parcels = Vec::new();
    // Whatever else is there leaves together with the first.
    while line.recv_many(&mut parcels, TAKEN_MAX).await > 0 {
        hub.take(std::mem::take(&mut parcels));
    }
    living.abort();
}

/// Says that this gateway lives, and hears how many do.
async fn live(hub: Rc<Hub>) {
    loop {
        hub.say_live();
        // Either is a reason to say it again.
        drop(tokio::time::timeout(LIVE_EVERY, hub.rose.notified()).await);
    }
}

// === impl Flight ===

impl Flight {
    /// Whether it shows that the server lives.
    pub(super) fn is_vital(&self) -> bool {
        matches!(self.call, Call::Live { .. })
    }
}

// === impl Hub ===

impl Hub {
    fn now(&self) -> Moment {
        let wall = self.clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Moment { nanos: self.clock.nanos(), unix_s: wall.as_secs() }
    }

    /// Its place among the nodes; a new one gets a connection.
    fn node(self: &Rc<Self>, at: TargetPlan) -> Option<usize> {
        let mut nodes = self.nodes.borrow_mut();
        let same = |node: &Rc<Node>| (&node.at.host, node.at.port) == (&at.host, at.port);
        if let Some(place) = nodes.iter().position(same) {
            return Some(place);
        }
        if nodes.len() >= NODES_MAX {
            return None;
        }
        let node = Node::new(at);
        nodes.push(Rc::clone(&node));
        tokio::task::spawn_local(node.serve(Rc::clone(self)));
        nodes.len().checked_sub(1)
    }

    /// A server answers.
    pub(super) fn rose(&self) {
        self.rose.notify_one();
    }

    /// One does not any more.
    pub(super) fn fell(&self) {
        if !self.nodes.borrow().iter().any(|node| node.is_up()) {
            self.peers.set_away(true);
        }
    }

    /// The node that has this part, as far as is known; else any that could tell.
    fn node_of(&self, slot: usize) -> Option<Rc<Node>> {
        let nodes = self.nodes.borrow();
        let known = self.slots.borrow().get(slot).copied().unwrap_or(UNKNOWN);
        let known = nodes.get(usize::from(known)).filter(|node| node.is_up());
        known.or_else(|| nodes.iter().find(|node| node.is_up())).map(Rc::clone)
    }

    /// Sends a command to whoever has its part; gives it back where there is nobody.
    fn send(&self, flight: Box<Flight>) -> Result<(), Box<Flight>> {
        match self.node_of(flight.slot) {
            Some(node) => node.send(flight),
            None => Err(flight),
        }
    }

    fn send_to(&self, node: &Node, flight: Box<Flight>) -> Result<(), Box<Flight>> {
        if flight.is_asking {
            let mut command = Vec::new();
            resp::command(&mut command, &[b"ASKING"]);
            let (sent, slot, call) = (flight.sent, flight.slot, Call::Other);
            let asking = Flight { command, sent, is_late: false, slot, call, redirects: 0, is_asking: false };
            if node.send(Box::new(asking)).is_err() {
                return Err(flight);
            }
        }
        node.send(flight)
    }

    fn say_live(&self) {
        let key = format!("{}:gateways", self.plan.prefix);
        let slot = slot(key.as_bytes());
        let arguments = vec![self.name.clone().into_bytes(), LIVE_MS.to_vec()];
        let script = Script { source: &GATEWAYS, keys: vec![key], arguments };
        let command = script.command(true);
        let call = Call::Live { script };
        let flight = Flight { command, sent: self.now(), is_late: false, slot, call, redirects: 0, is_asking: false };
        if let Err(flight) = self.send(Box::new(flight)) {
            self.failed(*flight);
        }
    }

    /// Questions have come, or may go on.
    fn take(&self, parcels: Vec<Parcel>) {
        let mut parcels = parcels;
        while !parcels.is_empty() {
            let mut fallen = Vec::new();
            for mut parcel in parcels.drain(..) {
                parcel.extract_if(.., |asked| matches!(asked.what, What::Reset)).for_each(|asked| self.reset(&asked));
                self.desk.borrow_mut().take(parcel);
                if self.desk.borrow().is_full() {
                    fallen.extend(self.leave());
                }
            }
            fallen.extend(self.leave());
            // Whoever waited for those that cannot be asked is told, and may have kept others waiting.
            parcels = fallen.into_iter().flat_map(|flight| self.fall(flight)).collect();
        }
    }

    /// Sends the next call: one, or in a cluster one for each part, all in the same write. Gives back what could not be sent.
    fn leave(&self) -> Vec<Flight> {
        let entries = self.desk.borrow_mut().leave();
        let now = self.now();
        let mut parts: BTreeMap<usize, (Vec<Line>, Vec<String>)> = BTreeMap::new();
        for entry in entries {
            let account = entry.0;
            let Some(line) = line(entry, now) else {
                self.desk.borrow_mut().free(&[account]);
                continue;
            };
            let name = self.name_of(&line.book, line.key);
            let part = if self.is_cluster.get() { slot(name.as_bytes()) } else { 0 };
            let (lines, keys) = parts.entry(part).or_default();
            lines.push(line);
            keys.push(name);
        }
        let flight = |(slot, (lines, keys)): (usize, (Vec<Line>, Vec<String>))| {
            let arguments = lines.iter().flat_map(|line| arguments(&line.ask)).collect();
            let script = Script { source: &ACCOUNTS, keys, arguments };
            let command = script.command(true);
            let call = Call::Accounts { lines, script };
            Box::new(Flight { command, sent: now, is_late: false, slot, call, redirects: 0, is_asking: false })
        };
        parts.into_iter().map(flight).filter_map(|flight| self.send_call(flight).err().map(|flight| *flight)).collect()
    }

    fn send_call(&self, flight: Box<Flight>) -> Result<(), Box<Flight>> {
        self.counts.calls.fetch_add(1, Ordering::Relaxed);
        self.send(flight)
    }

    fn name_of(&self, book: &Book, key: Key) -> String {
        format!("{}:l:{:016x}:{:032x}", self.plan.prefix, book.store_id, key.bits())
    }

    /// Forgives what was spent: an account that is there and full, which no gateway's memory overrules.
    fn reset(&self, asked: &Asked) {
        let name = self.name_of(&asked.book, asked.key);
        let slot = slot(name.as_bytes());
        let full: &[u8] = match asked.book.ledger.policy().kind() {
            Kind::Rate { .. } => b"0",
            Kind::Window { .. } => b"0 0 0",
            Kind::Quota { .. } => b"0 0",
            Kind::Concurrency { .. } => return,
        };
        let seconds = asked.book.ledger.policy().window_s().unwrap_or(1).saturating_add(1).to_string();
        let mut command = Vec::new();
        resp::command(&mut command, &[b"SET", name.as_bytes(), full, b"EX", seconds.as_bytes()]);
        let call = Call::Other;
        // Where there is nobody to tell, nothing is known to be spent there either.
        drop(self.send(Box::new(Flight {
            command,
            sent: self.now(),
            is_late: false,
            slot,
            call,
            redirects: 0,
            is_asking: false,
        })));
    }

    /// An answer has come.
    pub(super) fn answered(self: &Rc<Self>, mut flight: Box<Flight>, from: &Rc<Node>, reply: &Reply) {
        if let Reply::Error(text) = reply {
            let outcome = match self.mended(&mut flight, from, text) {
                Some(Mended::At(node)) => self.send_to(&node, flight),
                Some(Mended::Apart) => return self.take_apart(*flight),
                None => Err(flight),
            };
            if let Err(flight) = outcome {
                self.failed(*flight);
            }
            return;
        }
        match (&flight.call, reply) {
            (Call::Live { .. }, Reply::Number(count)) => {
                self.peers.count(u64::try_from(*count).unwrap_or(1));
                self.counts.reached.store(true, Ordering::Relaxed);
                self.peers.set_away(false);
            }
            (Call::Accounts { lines, .. }, Reply::List(list)) => match answers(list, lines.len()) {
                Some(answers) => self.settled(*flight, &answers),
                None => self.failed(*flight),
            },
            (Call::Other, _) => {}
            (Call::Live { .. } | Call::Accounts { .. }, _) => self.failed(*flight),
        }
    }

    /// What can be done about an error: sent again, to a server that is named or to the same. `None` where nothing can.
    fn mended(self: &Rc<Self>, flight: &mut Flight, from: &Rc<Node>, error: &[u8]) -> Option<Mended> {
        flight.redirects = flight.redirects.checked_add(1).filter(|count| *count <= REDIRECTS_MAX)?;
        let text = std::str::from_utf8(error).ok()?;
        let mut words = text.split(' ');
        match words.next()? {
            "NOSCRIPT" => {
                let (Call::Accounts { script, .. } | Call::Live { script }) = &flight.call else { return None };
                flight.command = script.command(false);
                Some(Mended::At(Rc::clone(from)))
            }
            // Several parts, or one of which some has moved already.
            "CROSSSLOT" | "TRYAGAIN" => Some(Mended::Apart),
            // Only a cluster says so; from now on each account is asked for where it is.
            kind @ ("MOVED" | "ASK") => {
                self.is_cluster.set(true);
                let slot: usize = words.next()?.parse().ok().filter(|slot| *slot < SLOTS)?;
                let place = self.node(elsewhere(words.next()?, self.plan.servers.first()?)?)?;
                let node = self.nodes.borrow().get(place).map(Rc::clone)?;
                flight.is_asking = kind == "ASK";
                if !flight.is_asking {
                    let mut slots = self.slots.borrow_mut();
                    slots.resize(SLOTS, UNKNOWN);
                    if let Some(entry) = slots.get_mut(slot) {
                        *entry = u16::try_from(place).unwrap_or(UNKNOWN);
                    }
                }
                Some(Mended::At(node))
            }
            _ => None,
        }
    }

    /// This is a cluster, whose calls are about one part each.
    fn take_apart(&self, flight: Flight) {
        self.is_cluster.set(true);
        let Call::Accounts { lines, script } = flight.call else { return };
        let mut fallen = Vec::new();
        for (line, key) in lines.into_iter().zip(script.keys) {
            let slot = slot(key.as_bytes());
            let script = Script { source: &ACCOUNTS, keys: vec![key], arguments: arguments(&line.ask).collect() };
            let (command, call) = (script.command(true), Call::Accounts { lines: vec![line], script });
            let (sent, redirects) = (flight.sent, flight.redirects);
            let part = Flight { command, sent, is_late: flight.is_late, slot, call, redirects, is_asking: false };
            fallen.extend(self.send_call(Box::new(part)).err().map(|flight| *flight));
        }
        self.take(fallen.into_iter().flat_map(|flight| self.fall(flight)).collect());
    }

    /// Hands out what was granted, in the order of asking, and keeps the rest as leases.
    fn settled(&self, flight: Flight, answers: &[StoreAnswer]) {
        let Call::Accounts { lines, .. } = flight.call else { return };
        let accounts: Vec<Account> = lines.iter().map(|line| line.account).collect();
        for (line, answer) in lines.into_iter().zip(answers) {
            let mut left = answer.granted;
            for asked in line.asked {
                let What::Need(units, reply) = asked.what else { continue };
                let granted = units <= left;
                let count = if granted { &self.counts.granted } else { &self.counts.denied };
                count.fetch_add(1, Ordering::Relaxed);
                // Who does not wait any more has spent nothing.
                if reply.send(granted).is_ok() && granted {
                    left = left.saturating_sub(units);
                }
            }
            let spent = answer.granted.saturating_sub(left);
            line.book.ledger.answered(line.key, answer, spent, (flight.sent, self.now()));
        }
        let next = self.desk.borrow_mut().free(&accounts);
        self.take(next);
    }

    /// No answer will come. Whoever waits goes by this gateway's share.
    pub(super) fn failed(&self, flight: Flight) {
        let next = self.fall(flight);
        self.take(next);
    }

    /// The same; gives back what waited behind it and may go on.
    fn fall(&self, flight: Flight) -> Vec<Parcel> {
        match flight.call {
            Call::Accounts { lines, .. } => {
                let now = self.now();
                let accounts: Vec<Account> = lines.iter().map(|line| line.account).collect();
                for line in &lines {
                    self.counts.failed.fetch_add(1, Ordering::Relaxed);
                    line.book.ledger.unanswered(line.key, &line.ask, now);
                }
                self.desk.borrow_mut().give_up(&accounts)
            }
            // A store that cannot count gateways, because it is read-only or full, cannot count anything.
            Call::Live { .. } => {
                self.peers.set_away(true);
                Vec::new()
            }
            Call::Other => Vec::new(),
        }
    }
}

/// What is asked of an account for all who want to know; `None` where it is not in the store.
fn line((account, asked): Entry, now: Moment) -> Option<Line> {
    let needs =
        || asked.iter().filter_map(|asked| if let What::Need(units, _) = asked.what { Some(units) } else { None });
    let spent: u64 = asked.iter().map(|asked| if let What::Spent(units) = asked.what { units } else { 0 }).sum();
    let (need, least) = (needs().sum(), needs().min().unwrap_or(0));
    let first = asked.first()?;
    let (book, key) = (Arc::clone(&first.book), first.key);
    let mut ask = book.ledger.question(key, need, least, now)?;
    ask.owed = ask.owed.saturating_add(spent);
    Some(Line { account, book, key, ask, asked })
}

/// The server that a redirection names: `HOST:PORT`, the host of the first where it names none.
fn elsewhere(text: &str, like: &TargetPlan) -> Option<TargetPlan> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = if host.is_empty() || host == "?" { like.host.clone() } else { host.to_owned() };
    Some(TargetPlan { tls: like.tls, host, port: port.parse().ok()?, from: None })
}
