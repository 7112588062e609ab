//! All questions to the store: one at a time about an account, whoever wants to know, to the server that has it. Also counts
//! the gateways that live, and says whether the store is there.

use super::node::Node;
use super::resp::{self, Reply};
use super::slot::{SLOTS, slot};
use super::{Asked, Counts, What};
use crate::limits::Book;
use crate::upstream::tls::UpstreamTls;
use portcullis_config::plan::{SharedStorePlan, TargetPlan};
use portcullis_limit::{Key, Kind, Moment, Peers, Period, StoreAnswer, StoreAsk};
use portcullis_types::Clock;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;

const ACCOUNT: &str = include_str!("account.lua");
const GATEWAYS: &str = include_str!("gateways.lua");
/// How often a gateway says that it lives, and how long the others believe it.
const LIVE_EVERY: Duration = Duration::from_millis(500);
const LIVE_MS: &[u8] = b"3000";
// LIMIT: who waits for the next question about an account.
const NEXT_MAX: usize = 1_024;
// LIMIT: servers of a cluster.
const NODES_MAX: usize = 64;
// LIMIT: how often a question is sent on to another server.
const REDIRECTS_MAX: u8 = 3;
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
    /// Accounts that are being asked about, with those who came after.
    desks: RefCell<HashMap<Account, Vec<Asked>>>,
    rose: Notify,
}

type Account = (u64, u128);

/// One command on its way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) command: Vec<u8>,
    pub(super) sent: Moment,
    pub(super) is_late: bool,
    slot: usize,
    call: Call,
    redirects: u8,
}

#[derive(Debug)]
enum Call {
    Account {
        book: Arc<Book>,
        key: Key,
        ask: StoreAsk,
        waiting: Vec<Asked>,
        script: Script,
    },
    Live {
        script: Script,
    },
    /// Whose answer says nothing.
    Other,
}

/// A call of a script, by its digest at first.
#[derive(Debug)]
struct Script {
    text: &'static str,
    key: String,
    arguments: Vec<Vec<u8>>,
}

/// Answers questions until the gateway is gone.
pub(super) async fn serve(
    (plan, tls): (SharedStorePlan, Option<UpstreamTls>),
    (peers, counts): (Arc<Peers>, Arc<Counts>),
    mut line: Receiver<Asked>,
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
        desks: RefCell::default(),
        rose: Notify::new(),
        plan,
    });
    for server in hub.plan.servers.clone() {
        hub.node(server);
    }
    let living = tokio::task::spawn_local(live(Rc::clone(&hub)));
    while let Some(asked) = line.recv().await {
        hub.take(asked);
        // Whatever else is there goes into the same write.
        while let Ok(asked) = line.try_recv() {
            hub.take(asked);
        }
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

// === impl Script ===

impl Script {
    fn command(&self, by_digest: bool) -> Vec<u8> {
        let digest = hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, self.text.as_bytes()));
        let mut words: Vec<&[u8]> = match by_digest {
            true => vec![b"EVALSHA", digest.as_bytes()],
            false => vec![b"EVAL", self.text.as_bytes()],
        };
        words.extend([b"1".as_slice(), self.key.as_bytes()]);
        words.extend(self.arguments.iter().map(Vec::as_slice));
        let mut out = Vec::with_capacity(512);
        resp::command(&mut out, &words);
        out
    }
}

fn hex(digest: aws_lc_rs::digest::Digest) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
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

    fn send(&self, flight: Box<Flight>) {
        let outcome = match self.node_of(flight.slot) {
            Some(node) => node.send(flight),
            None => Err(flight),
        };
        if let Err(flight) = outcome {
            self.failed(flight);
        }
    }

    fn say_live(&self) {
        let key = format!("{}:gateways", self.plan.prefix);
        let slot = slot(key.as_bytes());
        let arguments = vec![self.name.clone().into_bytes(), LIVE_MS.to_vec()];
        let script = Script { text: GATEWAYS, key, arguments };
        let command = script.command(true);
        let call = Call::Live { script };
        self.send(Box::new(Flight { command, sent: self.now(), is_late: false, slot, call, redirects: 0 }));
    }

    /// A question has come.
    fn take(&self, asked: Asked) {
        if let What::Reset = asked.what {
            return self.reset(&asked);
        }
        let account = (asked.book.store_id, asked.key.bits());
        let mut desks = self.desks.borrow_mut();
        if let Some(next) = desks.get_mut(&account) {
            let is_wanted = !matches!(asked.what, What::More);
            if is_wanted && next.len() < NEXT_MAX {
                next.push(asked);
            }
            return;
        }
        desks.insert(account, Vec::new());
        drop(desks);
        self.launch(account, vec![asked]);
    }

    fn launch(&self, account: Account, waiting: Vec<Asked>) {
        let now = self.now();
        let needs = || {
            waiting.iter().filter_map(|asked| if let What::Need(units, _) = asked.what { Some(units) } else { None })
        };
        let spent: u64 = waiting.iter().map(|asked| if let What::Spent(units) = asked.what { units } else { 0 }).sum();
        let (need, least) = (needs().sum(), needs().min().unwrap_or(0));
        let Some((book, key)) = waiting.first().map(|first| (Arc::clone(&first.book), first.key)) else { return };
        let Some(mut ask) = book.ledger.question(key, need, least, now) else {
            self.desks.borrow_mut().remove(&account);
            return;
        };
        ask.owed = ask.owed.saturating_add(spent);
        let name = self.name_of(&book, key);
        let slot = slot(name.as_bytes());
        let script = Script { text: ACCOUNT, key: name, arguments: arguments(&ask) };
        let command = script.command(true);
        let call = Call::Account { book, key, ask, waiting, script };
        self.send(Box::new(Flight { command, sent: now, is_late: false, slot, call, redirects: 0 }));
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
        self.send(Box::new(Flight {
            command,
            sent: self.now(),
            is_late: false,
            slot,
            call: Call::Other,
            redirects: 0,
        }));
    }

    /// An answer has come.
    pub(super) fn answered(self: &Rc<Self>, mut flight: Box<Flight>, reply: &Reply) {
        if let Reply::Error(text) = reply {
            match self.mended(&mut flight, text) {
                Some(Some(node)) => {
                    if let Err(flight) = node.send(flight) {
                        self.failed(flight);
                    }
                }
                Some(None) => self.send(flight),
                None => self.failed(flight),
            }
            return;
        }
        match (&flight.call, reply) {
            (Call::Live { .. }, Reply::Number(count)) => {
                self.peers.count(u64::try_from(*count).unwrap_or(1));
                self.counts.reached.store(true, Ordering::Relaxed);
                self.peers.set_away(false);
            }
            (Call::Account { .. }, Reply::List(list)) => match answer(list) {
                Some(answer) => self.settled(flight, &answer),
                None => self.failed(flight),
            },
            (Call::Other, _) => {}
            (Call::Live { .. } | Call::Account { .. }, _) => self.failed(flight),
        }
    }

    /// What can be done about an error: sent again, to a server that is named or to the same. `None` where nothing can.
    fn mended(self: &Rc<Self>, flight: &mut Flight, error: &[u8]) -> Option<Option<Rc<Node>>> {
        flight.redirects = flight.redirects.checked_add(1).filter(|count| *count <= REDIRECTS_MAX)?;
        let text = std::str::from_utf8(error).ok()?;
        let mut words = text.split(' ');
        match words.next()? {
            "NOSCRIPT" => {
                let (Call::Account { script, .. } | Call::Live { script }) = &flight.call else { return None };
                flight.command = script.command(false);
                Some(None)
            }
            kind @ ("MOVED" | "ASK") => {
                let slot: usize = words.next()?.parse().ok().filter(|slot| *slot < SLOTS)?;
                let place = self.node(elsewhere(words.next()?, self.plan.servers.first()?)?)?;
                let node = self.nodes.borrow().get(place).map(Rc::clone)?;
                if kind == "MOVED" {
                    let mut slots = self.slots.borrow_mut();
                    slots.resize(SLOTS, UNKNOWN);
                    if let Some(entry) = slots.get_mut(slot) {
                        *entry = u16::try_from(place).unwrap_or(UNKNOWN);
                    }
                } else {
                    let mut command = Vec::new();
                    resp::command(&mut command, &[b"ASKING"]);
                    let (sent, call) = (flight.sent, Call::Other);
                    drop(node.send(Box::new(Flight { command, sent, is_late: false, slot, call, redirects: 0 })));
                }
                Some(Some(node))
            }
            _ => None,
        }
    }

    /// Hands out what was granted, in the order of asking, and keeps the rest as a lease.
    fn settled(&self, flight: Box<Flight>, answer: &StoreAnswer) {
        let Call::Account { book, key, waiting, .. } = flight.call else { return };
        let mut left = answer.granted;
        for asked in waiting {
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
        book.ledger.answered(key, answer, spent, (flight.sent, self.now()));
        let account = (book.store_id, key.bits());
        let mut desks = self.desks.borrow_mut();
        let next = desks.get_mut(&account).map(std::mem::take).unwrap_or_default();
        if next.is_empty() {
            desks.remove(&account);
            return;
        }
        drop(desks);
        self.launch(account, next);
    }

    /// No answer will come. Whoever waits goes by this gateway's share.
    pub(super) fn failed(&self, flight: Box<Flight>) {
        match flight.call {
            Call::Account { book, key, ask, .. } => {
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
                book.ledger.unanswered(key, &ask, self.now());
                self.desks.borrow_mut().remove(&(book.store_id, key.bits()));
            }
            // A store that cannot count gateways, because it is read-only or full, cannot count anything.
            Call::Live { .. } => self.peers.set_away(true),
            Call::Other => {}
        }
    }
}

/// What the script is told.
fn arguments(ask: &StoreAsk) -> Vec<Vec<u8>> {
    let (kind, limit, step, offset) = match ask.kind {
        Kind::Rate { units, per_ns, burst } => {
            let picos = u128::from(per_ns).saturating_mul(1_000).div_ceil(u128::from(units.max(1)));
            ("rate", burst, format!("{}.{:06}", picos / 1_000_000, picos % 1_000_000), 0)
        }
        Kind::Window { limit, width_ns } => ("window", limit, (width_ns / 1_000).max(1).to_string(), 0),
        Kind::Quota { limit, period, offset_min } => {
            let step = match period {
                Period::Hour => "1",
                Period::Day => "2",
                Period::Month => "3",
            };
            ("quota", limit, step.to_owned(), offset_min)
        }
        // Never asked: each gateway has its share of permits.
        Kind::Concurrency { limit } => ("window", limit, "1".to_owned(), 0),
    };
    let mut arguments = vec![kind.to_owned(), limit.to_string(), step, offset.to_string()];
    let numbers = [ask.need, ask.least, ask.ahead, ask.owed, ask.known, ask.gateways];
    arguments.extend(numbers.iter().map(u64::to_string));
    arguments.into_iter().map(String::into_bytes).collect()
}

fn answer(list: &[Reply]) -> Option<StoreAnswer> {
    let [Reply::Number(granted), Reply::Number(room), Reply::Number(valid_ms)] = list else { return None };
    let number = |value: &i64| u64::try_from(*value).ok();
    let valid_ns = number(valid_ms)?.saturating_mul(1_000_000);
    Some(StoreAnswer { granted: number(granted)?, room: number(room)?, valid_ns })
}

/// The server that a redirection names: `HOST:PORT`, the host of the first where it names none.
fn elsewhere(text: &str, like: &TargetPlan) -> Option<TargetPlan> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = if host.is_empty() || host == "?" { like.host.clone() } else { host.to_owned() };
    Some(TargetPlan { tls: like.tls, host, port: port.parse().ok()?, from: None })
}
