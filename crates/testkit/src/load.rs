//! A well-behaved client that asks a lot: HTTP/1.1 in our own bytes, HTTP/2 by the `h2` crate, with a nonce in each request
//! that its answer must repeat.
//!
//! It does what real clients do: keeps connections, takes a new one when the old one ends, asks again where nobody can have
//! acted on the request. It decides nothing about what is good enough; it counts.

mod http1;
mod http2;
mod tally;

pub use tally::Tally;

use rustls::ClientConfig;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Which of the two the load speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// One request after the other on a connection.
    Http1,
    /// Several at once: prior knowledge in plain, ALPN over TLS.
    Http2,
}

/// When the next request goes out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As soon as one of the slots is free.
    Closed,
    /// So many a second, whatever comes back: what waits for a slot has its time counted from when it was due.
    Open(f64),
}

/// What is asked of whom, and until when.
#[derive(Clone, Debug)]
pub struct Load {
    /// Where to connect.
    pub address: SocketAddr,
    /// What to speak.
    pub protocol: Protocol,
    /// How to speak TLS, and to which name.
    pub tls: Option<(Arc<ClientConfig>, String)>,
    /// Connections at once.
    pub connections: usize,
    /// Requests at once on each; 1 with HTTP/1.
    pub streams: usize,
    /// When to ask.
    pub pace: Pace,
    /// Stop after so many.
    pub requests: u64,
    /// Stop after so long.
    pub time: Duration,
    /// Each that many-th request is a POST with a body; 0 is none.
    pub post_every: u64,
    /// A request that takes longer has failed.
    pub timeout: Duration,
    /// Tells the nonces of loads apart that run side by side.
    pub name: String,
    /// Who asks.
    pub callers: Callers,
}

/// Fields that requests carry, in turn: one `name: value` of these each, and none where there is none. They may be changed
/// while the load runs.
#[derive(Clone, Debug, Default)]
pub struct Callers(Arc<Mutex<Vec<String>>>);

/// A load under way.
#[derive(Debug)]
pub struct Running {
    thread: std::thread::JoinHandle<Tally>,
    stop: Arc<AtomicBool>,
}

/// One request and the only good answer to it.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) path: String,
    /// Name and value of one more field.
    pub(crate) field: Option<(String, String)>,
    /// Of a POST.
    pub(crate) body: Option<String>,
    pub(crate) expected: String,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An answer, whole.
    Answered(u16, Vec<u8>),
    /// Part of an answer: the status, and as much of the body as came.
    Cut(u16, Vec<u8>),
    /// No answer, and the request may have been acted upon.
    Lost(&'static str),
    /// Nobody acted on it: the connection ended, by announcement or before a byte of the answer to a request that can be
    /// repeated. To be asked again.
    Again,
}

/// What all slots of a load share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) load: Load,
    pub(crate) tally: RefCell<Tally>,
    begun: Instant,
    next: Cell<u64>,
    stop: Arc<AtomicBool>,
}

/// LIMIT: how often one request is sent anew.
const ATTEMPTS_MAX: u32 = 4;

// === impl Load ===

impl Load {
    /// A closed loop over a few connections.
    #[must_use]
    pub fn new(address: SocketAddr, protocol: Protocol) -> Self {
        Self {
            address,
            protocol,
            tls: None,
            connections: 8,
            streams: if protocol == Protocol::Http2 { 4 } else { 1 },
            pace: Pace::Closed,
            requests: u64::MAX,
            time: Duration::from_secs(3600),
            post_every: 4,
            timeout: Duration::from_secs(10),
            name: format!("{protocol:?}"),
            callers: Callers::default(),
        }
    }

    /// Runs to its end.
    #[must_use]
    pub fn run(self) -> Tally {
        self.start().join()
    }

    /// Runs on a thread of its own.
    #[must_use]
    pub fn start(self) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            tokio::task::LocalSet::new().block_on(&runtime, self.drive(told))
        });
        Running { thread, stop }
    }

    async fn drive(self, stop: Arc<AtomicBool>) -> Tally {
        let shared =
            Rc::new(Shared { load: self, tally: RefCell::default(), begun: Instant::now(), next: Cell::new(0), stop });
        let mut slots = Vec::new();
        for _ in 0..shared.load.connections {
            match shared.load.protocol {
                Protocol::Http1 => slots.push(tokio::task::spawn_local(http1::slot(Rc::clone(&shared)))),
                Protocol::Http2 => {
                    let shelf = Rc::new(http2::Shelf::default());
                    for _ in 0..shared.load.streams {
                        slots.push(tokio::task::spawn_local(http2::slot(Rc::clone(&shared), Rc::clone(&shelf))));
                    }
                }
            }
        }
        for slot in slots {
            slot.await.expect("no slot panics");
        }
        let mut tally = shared.tally.take();
        tally.took = shared.begun.elapsed();
        tally
    }
}

// === impl Callers ===

impl Callers {
    /// Those of these from now on.
    pub fn become_(&self, fields: Vec<String>) {
        *self.0.lock().unwrap() = fields;
    }

    fn take(&self, number: u64) -> Option<(String, String)> {
        let fields = self.0.lock().unwrap();
        let at = usize::try_from(number).unwrap().checked_rem(fields.len())?;
        let (name, value) = fields[at].split_once(": ").expect("`name: value`");
        Some((name.to_owned(), value.to_owned()))
    }
}

// === impl Running ===

impl Running {
    /// Lets what is under way end, and counts.
    #[must_use]
    pub fn stop(self) -> Tally {
        self.stop.store(true, Ordering::SeqCst);
        self.join()
    }

    /// Waits for the end.
    #[must_use]
    pub fn join(self) -> Tally {
        self.thread.join().expect("the load runs")
    }

    /// Whether it has ended by itself.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.thread.is_finished()
    }
}

// === impl Shared ===

impl Shared {
    /// Waits for the next request's time; `None` when the load is over.
    pub(crate) async fn next(&self) -> Option<(Question, Instant)> {
        let number = self.next.get();
        let over = number >= self.load.requests || self.begun.elapsed() >= self.load.time;
        if over || self.stop.load(Ordering::SeqCst) {
            return None;
        }
        self.next.set(number + 1);
        let mut from = Instant::now();
        if let Pace::Open(per_second) = self.load.pace {
            #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
            let due = self.begun + Duration::from_secs_f64(number as f64 / per_second);
            if due > from {
                tokio::time::sleep_until(due.into()).await;
                from = Instant::now();
            } else {
                from = due;
            }
        }
        Some((Question::new(&self.load, number), from))
    }

    /// Asks until there is an outcome, and counts it.
    pub(crate) async fn settle(&self, question: &Question, from: Instant, ask: impl AsyncFn(&Question) -> Outcome) {
        // What waited for a slot has its latency counted from when it was due, and its full time all the same: otherwise a
        // load that fell behind once would fail for ever.
        let asked = Instant::now();
        for _ in 0..ATTEMPTS_MAX {
            let left = self.load.timeout.saturating_sub(asked.elapsed()).max(Duration::from_millis(1));
            let outcome = tokio::time::timeout(left, ask(question)).await.unwrap_or(Outcome::Lost("no answer in time"));
            if outcome == Outcome::Again {
                self.tally.borrow_mut().again += 1;
                continue;
            }
            self.tally.borrow_mut().count(question, &outcome, from.elapsed());
            return;
        }
        self.tally.borrow_mut().count(question, &Outcome::Lost("asked too often"), from.elapsed());
    }
}

// === impl Question ===

impl Question {
    fn new(load: &Load, number: u64) -> Self {
        let path = format!("/n/{}-{number}", load.name);
        let post = load.post_every > 0 && number % load.post_every == load.post_every - 1;
        let body = post.then(|| format!("{number} {}", "b".repeat(usize::try_from(number % 97).unwrap())));
        let expected = echo(&path, body.as_deref().unwrap_or_default());
        let field = load.callers.take(number);
        Self { path, field, body, expected }
    }

    pub(crate) fn method(&self) -> &'static str {
        if self.body.is_some() { "POST" } else { "GET" }
    }

    /// Whether it may be sent twice.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.body.is_none()
    }
}

/// A path whose answer is a mebibyte, for clients that do not read.
pub const LARGE: &str = "/large";

/// What an upstream answers that repeats what it was asked.
#[must_use]
pub fn echo(path: &str, body: &str) -> String {
    if path == LARGE {
        return "x".repeat(1 << 20);
    }
    format!("{path} {body}.")
}

#[cfg(test)]
mod tests;
