//! The gateway as its owner sees it: start and drain. What can be asked of it while it runs is `handle`'s business.

use crate::alerts::{self, Alerting};
use crate::anomalies::Anomalies;
use crate::carry::timer::Closing;
use crate::feed::Feed;
use crate::identity::Identity;
use crate::limits::{self, SharedStore, Shelf};
use crate::metrics::Registry;
use crate::record::log::Writer;
use crate::record::recent::Recent;
use crate::snapshot::Snapshot;
use crate::trace::export::{self, Exporter};
use crate::upstream::check;
use crate::upstream::fleet::Fleet;
use crate::worker::{Bound, Ready};
use arc_swap::ArcSwap;
use life::Leaving;
use portcullis_config::plan::Plan;
use portcullis_limit::{KeyHasher, Peers};
use portcullis_types::{Clock, Millis};
use post::Post;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

mod budgets;
mod error;
mod facts;
mod findings;
mod handle;
mod keys;
mod life;
mod listen;
mod post;
mod records;

pub use budgets::{AccountFacts, LimitFacts, StoreFacts};
pub use error::{ReloadError, StartError};
pub use facts::{CertificateFacts, Facts, ListenerFacts};
pub use handle::{Handle, Phase};
pub use keys::{IssuerFacts, KeysError};
pub(crate) use life::Life;
pub use listen::{Giver, Inherited};
pub(crate) use records::{Records, SecurityRecord};

/// What all workers share. Nothing in it is locked on the path of a request.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    /// The snapshot's generation, to be looked at before the snapshot itself.
    pub(crate) generation: AtomicU64,
    pub(crate) registry: Arc<Registry>,
    leaving: Leaving,
    /// One for each worker.
    posts: Box<[Post]>,
    pub(crate) fleet: Fleet,
    pub(crate) identity: Arc<Identity>,
    /// Makes the names of accounts, with a secret that lives as long as they do.
    pub(crate) hasher: KeyHasher,
    /// Present where several gateways share limits.
    pub(crate) store: Option<SharedStore>,
    /// Present where somebody looks for what is unusual.
    pub(crate) anomalies: Option<Arc<Anomalies>>,
    workers_left: AtomicUsize,
    started: Millis,
    pub(crate) records: Records,
    /// The last records, where there is a console to show them.
    pub(crate) recent: Option<Arc<Recent>>,
    /// Whether developers look at how much they have called.
    pub(crate) has_accounts: bool,
    /// What became of alerts.
    pub(crate) alerts: Arc<alerts::Counts>,
    /// Bundles that were not taken over.
    pub(crate) bundles_refused: AtomicU64,
    export: Mutex<Option<Arc<export::Queue>>>,
}

/// A running gateway. Dropping it does not stop it; [`Gateway::drain`] does.
#[derive(Debug)]
pub struct Gateway {
    handle: Handle,
    threads: Vec<JoinHandle<()>>,
    writers: Vec<Writer>,
    exporter: Option<Exporter>,
    alerting: Option<Alerting>,
}

/// A listener that is open.
#[derive(Clone, Debug)]
struct Listener {
    name: Arc<str>,
    /// As the plan says.
    bind: SocketAddr,
    /// As it is: a port of 0 in the plan is a real one here.
    address: SocketAddr,
    life: Arc<Life>,
    /// Its sockets, as long as workers accept at them.
    open: Vec<Weak<TcpListener>>,
}

// === impl Shared ===

impl Shared {
    /// Whether connections end with the request under way, because the gateway ends. It asks the clock only once a
    /// drain has begun.
    pub(crate) fn is_draining(&self) -> bool {
        self.leaving.is_draining(|| self.clock.millis())
    }

    /// What happens to connections between two requests.
    pub(crate) fn closing(&self) -> Closing {
        match (self.is_draining(), self.leaving.is_gentle()) {
            (false, _) => Closing::No,
            (true, true) => Closing::Gently,
            (true, false) => Closing::AtOnce,
        }
    }

    /// Whether a draining worker with so many connections may end.
    pub(crate) fn may_end(&self, open: u64) -> bool {
        open == 0 || self.leaving.is_over(self.clock.millis())
    }

    /// Notes that a worker ends so many connections by force.
    pub(crate) fn cuts(&self, open: u64) {
        self.leaving.cut(open);
    }

    pub(crate) fn export_queue(&self) -> Option<Arc<export::Queue>> {
        self.export.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is new for a worker.
    pub(crate) fn collect(&self, worker: usize) -> Vec<Bound> {
        let now = self.clock.millis();
        self.posts.get(worker).map(|post| post.collect(now)).unwrap_or_default()
    }

    fn stamp_reload(&self) {
        self.registry.last_reload_seconds.store(self.wall_s(), Ordering::Relaxed);
    }

    /// What is known of contracts counts from now on, where it is new.
    fn begin_knowledge(&self, snapshot: &Snapshot) {
        let now_s = self.wall_s();
        snapshot.contracts.all.iter().for_each(|knowledge| knowledge.begin(now_s));
    }

    fn wall_s(&self) -> u64 {
        self.clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
    }
}

// === impl Gateway ===

impl Gateway {
    /// Binds every listener, starts the workers and serves. `problem_base` is what the `type` of a problem starts
    /// with: the address of the pages, ending with a slash.
    ///
    /// # Errors
    /// Nothing serves unless everything does.
    pub fn start(plan: Plan, clock: Clock, problem_base: String) -> Result<Self, StartError> {
        Self::start_with(plan, clock, problem_base, (Vec::new(), None))
    }

    /// The same with sockets that somebody else opened, and a bundle that is in force from the first request on.
    ///
    /// # Errors
    /// Nothing serves unless everything does.
    pub fn start_with(
        plan: Plan,
        clock: Clock,
        problem_base: String,
        (inherited, feed): (Vec<Inherited>, Option<Arc<Feed>>),
    ) -> Result<Self, StartError> {
        let workers = plan.workers.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let peers = plan.shared_store.as_ref().map(|plan| Arc::new(Peers::new(plan.gateways)));
        let shelf =
            Shelf { books: &[], ownerships: &[], knowledge: &[], workers, feed: feed.as_ref(), peers: peers.as_ref() };
        let mut snapshot = Snapshot::compile(&plan, 1, problem_base.clone(), shelf).map_err(StartError::Compile)?;
        let fresh = listen::bind_all(&plan.listeners, workers, inherited)?;
        let (records, writers) = records::start(&plan, &clock)?;
        let identity = Identity::start(&plan.identity, &clock).map_err(StartError::Store)?;
        identity.take_over(&mut snapshot.callers, &plan.identity).map_err(StartError::Store)?;
        let registry: Arc<Registry> = Arc::default();
        let exporting = plan.tracing.export.as_ref().map(|plan| export::start(plan, &clock, &registry.exported));
        let (export, exporter) = exporting.transpose()?.unzip();
        let store = budgets::shared_store(&plan, peers, &clock)?;
        let anomalies = findings::anomalies(&plan, records.security(), &clock)?;
        let shared = Arc::new(Shared {
            snapshot: ArcSwap::from_pointee(snapshot),
            generation: AtomicU64::new(1),
            registry,
            leaving: Leaving::default(),
            posts: (0..workers).map(|_| Post::default()).collect(),
            fleet: Fleet::default(),
            identity,
            hasher: plan
                .shared_store
                .as_ref()
                .map_or_else(listen::hasher, |plan| Ok(limits::hasher(plan)))
                .map_err(StartError::System)?,
            store,
            anomalies,
            workers_left: AtomicUsize::new(0),
            started: clock.millis(),
            records,
            recent: plan.is_looked_at().then(Arc::default),
            has_accounts: plan.has_accounts(),
            alerts: Arc::default(),
            bundles_refused: AtomicU64::new(0),
            export: Mutex::new(export),
            clock,
        });
        shared.stamp_reload();
        shared.begin_knowledge(&shared.snapshot.load());
        shared.fleet.take_over(&plan, 0);
        check::start(&shared).map_err(StartError::System)?;
        let mut by_worker: Vec<Vec<Bound>> = (0..workers).map(|_| Vec::new()).collect();
        let mut listeners = Vec::new();
        for fresh in fresh {
            listeners.push(fresh.listener);
            // There may be more sockets than workers, if whoever opened them had more.
            for (at, socket) in fresh.sockets.into_iter().enumerate() {
                if let Some(bound) = by_worker.get_mut(at % workers) {
                    bound.push(socket);
                }
            }
        }
        let mut threads = Vec::with_capacity(workers);
        for (index, bound) in by_worker.into_iter().enumerate() {
            threads.push(spawn(&shared, index, bound).map_err(StartError::System)?);
        }
        let alerts = plan.alerts.clone();
        let handle = Handle::new(shared, plan, (problem_base, feed), listeners);
        let alerting = alerts.map(|plan| handle.alert(&plan)).transpose()?;
        Ok(Self { handle, threads, writers, exporter, alerting })
    }

    /// The part that can be shared.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Stops accepting, lets open requests end within `deadline`, and writes out the last records. Blocks. A drain that
    /// has begun goes on as it began.
    pub fn drain(self, deadline: Duration) {
        self.handle.begin_drain(Duration::ZERO, deadline);
        for thread in self.threads {
            // A worker that ended badly has nothing left to wait for.
            drop(thread.join());
        }
        if let Some(alerting) = self.alerting {
            alerting.end();
        }
        self.handle.close_log();
        if let Some(exporter) = self.exporter {
            exporter.end();
        }
        self.writers.into_iter().for_each(Writer::end);
    }
}

fn spawn(shared: &Arc<Shared>, index: usize, bound: Vec<Bound>) -> io::Result<JoinHandle<()>> {
    let seed = listen::seed(index)?;
    let ready = Ready::new(bound)?;
    let present = Present::new(shared);
    std::thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
        ready.run(Arc::clone(&present.0), index, seed);
        drop(present);
    })
}

/// Counts a worker for as long as its thread runs, however it ends.
struct Present(Arc<Shared>);

// === impl Present ===

impl Present {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.workers_left.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(shared))
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.workers_left.fetch_sub(1, Ordering::Relaxed);
    }
}
