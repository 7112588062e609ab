//! What all workers know of every upstream together. It outlives reloads: a server that stays keeps its health, its
//! ejection and its requests under way; one that was added starts slowly; one that was removed is shown until its last
//! request has ended.
//!
//! The lock is taken at a reload, when a worker takes one over, and by those who look; never for a request.

use arc_swap::ArcSwap;
use portcullis_balance::{Endpoint, Standing};
use portcullis_config::plan::{Plan, PoolPlan, TargetPlan, UpstreamPlan};
use portcullis_types::Millis;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// LIMIT: characters of a failure that are kept for those who look.
const FAILURE_CHARS_MAX: usize = 200;

/// All upstreams.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    crews: Mutex<HashMap<Arc<str>, Arc<Crew>>>,
}

/// The servers of one upstream.
#[derive(Debug, Default)]
pub(crate) struct Crew {
    servers: Mutex<Vec<Arc<Server>>>,
    slow_start: AtomicU64,
    /// Whether somebody is deciding about an ejection; who comes second leaves it.
    pub(crate) deciding: AtomicBool,
    pub(crate) waiting: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) ejections: AtomicU64,
    /// Requests that a breaker, and the room for requests, refused; breakers that are open, and the room, over all workers.
    pub(crate) broken: AtomicU64,
    pub(crate) shed: AtomicU64,
    pub(crate) open: AtomicU64,
    pub(crate) room: AtomicU64,
}

/// One server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) plan: TargetPlan,
    pub(crate) endpoint: Endpoint,
    leaving: AtomicBool,
    /// What its name stands for; empty for an address, and while nothing is known yet.
    pub(crate) addresses: ArcSwap<Vec<SocketAddr>>,
    /// Whether the last look-up of its name found nothing.
    pub(super) nameless: AtomicBool,
    /// Rung after each look-up of its name.
    pub(super) looked_up: Notify,
    /// Requests under way and connections kept, as the workers last said.
    pub(crate) active: AtomicU64,
    pub(crate) kept: AtomicU64,
    failure: Mutex<String>,
}

/// An upstream for those who look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamStatus {
    /// The API's name, or `api/version`.
    pub name: String,
    /// Requests that wait for a server.
    pub waiting: u64,
    /// Its servers, those that are leaving last.
    pub servers: Vec<ServerStatus>,
}

/// A server for those who look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerStatus {
    /// As it is written, or where it comes from if it is a value that is never printed.
    pub address: String,
    /// `healthy`, `slow_start`, `ejected`, `unhealthy` or `draining`.
    pub state: &'static str,
    /// Requests under way, up to a tenth of a second ago.
    pub active: u64,
    /// Unused connections that are kept.
    pub kept: u64,
    /// What failed last; empty if nothing has.
    pub last_failure: String,
}

// === impl Server ===

impl Server {
    pub(super) fn new(plan: &TargetPlan, since: Millis) -> Self {
        Self {
            plan: plan.clone(),
            endpoint: Endpoint::new(since),
            leaving: AtomicBool::new(false),
            addresses: ArcSwap::default(),
            nameless: AtomicBool::new(false),
            looked_up: Notify::new(),
            active: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            failure: Mutex::default(),
        }
    }

    /// Keeps the words of a failure for those who look.
    pub(crate) fn note_failure(&self, text: &str) {
        // Whoever finds it taken has failed at the same time and has nothing better to say.
        if let Ok(mut failure) = self.failure.try_lock() {
            failure.clear();
            failure.extend(text.chars().take(FAILURE_CHARS_MAX));
        }
    }

    fn status(&self, now: Millis, slow_start: Millis) -> ServerStatus {
        let state = match self.endpoint.standing(now, slow_start) {
            _ if self.leaving.load(Ordering::Relaxed) => "draining",
            Standing::Well => "healthy",
            Standing::Warming => "slow_start",
            Standing::Ejected(_) => "ejected",
            Standing::Down => "unhealthy",
        };
        ServerStatus {
            address: self.plan.to_string(),
            state,
            active: self.active.load(Ordering::Relaxed),
            kept: self.kept.load(Ordering::Relaxed),
            last_failure: self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

// === impl Fleet ===

impl Fleet {
    /// Takes over a plan: `since` is 0 at the start, when nobody has to begin slowly.
    pub(crate) fn take_over(&self, plan: &Plan, since: Millis) {
        let mut crews = lock(&self.crews);
        let mut stay: HashMap<Arc<str>, &UpstreamPlan> = HashMap::new();
        for route in plan.apis.iter().flat_map(|api| &api.versions).flat_map(|version| &version.routes) {
            stay.insert(Arc::clone(&route.upstream.name), &route.upstream);
        }
        for (name, upstream) in &stay {
            crews.entry(Arc::clone(name)).or_default().take_over(upstream, since);
        }
        crews.retain(|name, crew| stay.contains_key(name) || crew.leave());
    }

    pub(crate) fn crew(&self, name: &Arc<str>) -> Arc<Crew> {
        Arc::clone(lock(&self.crews).entry(Arc::clone(name)).or_default())
    }

    /// All upstreams by name.
    pub(crate) fn status(&self, now: Millis) -> Vec<UpstreamStatus> {
        let mut all: Vec<_> = lock(&self.crews).iter().map(|(name, crew)| crew.status(name, now)).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// What relieved each upstream, by name: refused by breakers, refused for want of room, breakers that are open, room.
    pub(crate) fn relieved(&self) -> Vec<(Arc<str>, [u64; 4])> {
        let crews = lock(&self.crews);
        let counts =
            |crew: &Crew| [&crew.broken, &crew.shed, &crew.open, &crew.room].map(|value| value.load(Ordering::Relaxed));
        let mut all: Vec<_> = crews.iter().map(|(name, crew)| (Arc::clone(name), counts(crew))).collect();
        all.sort();
        all
    }

    /// Retries and ejections of all upstreams by name.
    pub(crate) fn counts(&self) -> Vec<(Arc<str>, u64, u64)> {
        let load = |value: &AtomicU64| value.load(Ordering::Relaxed);
        let crews = lock(&self.crews);
        let mut all: Vec<_> =
            crews.iter().map(|(name, crew)| (Arc::clone(name), load(&crew.retries), load(&crew.ejections))).collect();
        all.sort();
        all
    }
}

// === impl Crew ===

impl Crew {
    fn take_over(&self, plan: &UpstreamPlan, since: Millis) {
        let PoolPlan { slow_start, health, .. } = &plan.pool;
        let slow_start = Millis::try_from(slow_start.as_millis()).unwrap_or(Millis::MAX);
        self.slow_start.store(slow_start, Ordering::Relaxed);
        let mut servers = lock(&self.servers);
        let mut next = Vec::with_capacity(plan.targets.len());
        for target in &plan.targets {
            // One that was leaving and is wanted again has lost its place, but not what is known of it.
            let known = servers.iter().position(|server| server.plan == *target).map(|at| servers.remove(at));
            let server = known.unwrap_or_else(|| Arc::new(Server::new(target, since)));
            server.leaving.store(false, Ordering::Relaxed);
            if health.is_none() {
                server.endpoint.uncheck();
            }
            next.push(server);
        }
        servers.retain(|server| server.leaves());
        next.append(&mut servers);
        *servers = next;
    }

    /// The upstream is gone; says whether somebody still works for it.
    fn leave(&self) -> bool {
        let mut servers = lock(&self.servers);
        servers.retain(|server| server.leaves());
        !servers.is_empty()
    }

    /// The server of a target.
    pub(crate) fn server(&self, target: &TargetPlan) -> Arc<Server> {
        let mut servers = lock(&self.servers);
        let known = servers.iter().find(|server| server.plan == *target).map(Arc::clone);
        known.unwrap_or_else(|| {
            // A worker that is a reload behind.
            let server = Arc::new(Server::new(target, 0));
            server.leaving.store(true, Ordering::Relaxed);
            servers.push(Arc::clone(&server));
            server
        })
    }

    fn status(&self, name: &str, now: Millis) -> UpstreamStatus {
        let slow_start = self.slow_start.load(Ordering::Relaxed);
        let mut servers = lock(&self.servers);
        servers.retain(|server| !server.leaving.load(Ordering::Relaxed) || Arc::strong_count(server) > 1);
        let servers = servers.iter().map(|server| server.status(now, slow_start)).collect();
        UpstreamStatus { name: name.to_owned(), waiting: self.waiting.load(Ordering::Relaxed), servers }
    }
}

impl Server {
    /// Marks it as leaving; says whether somebody still holds it.
    fn leaves(self: &Arc<Self>) -> bool {
        self.leaving.store(true, Ordering::Relaxed);
        Arc::strong_count(self) > 1
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
