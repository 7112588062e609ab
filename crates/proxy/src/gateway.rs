//! The gateway as its owner sees it: start, reload, drain, and what it counts.

use crate::metrics::{Extras, Registry};
use crate::record::log::{self, Queue};
use crate::snapshot::{CompileError, Snapshot};
use crate::trace::export::{self, ExportError, Exporter};
use crate::worker::{Bound, Ready};
use arc_swap::ArcSwap;
use portcullis_config::plan::{ListenerPlan, Plan};
use portcullis_types::{Clock, Millis};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

mod listen;

/// What all workers share. Nothing in it is locked on the path of a request.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    /// The snapshot's generation, to be looked at before the snapshot itself.
    pub(crate) generation: AtomicU64,
    pub(crate) registry: Arc<Registry>,
    /// 0 while serving; else the moment in milliseconds when open requests are cut off.
    drain_until: AtomicU64,
    workers_left: AtomicUsize,
    queue: Mutex<Option<Arc<Queue>>>,
    export: Mutex<Option<Arc<export::Queue>>>,
}

/// A running gateway. Dropping it does not stop it; [`Gateway::drain`] does.
#[derive(Debug)]
pub struct Gateway {
    handle: Handle,
    threads: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
    exporter: Option<Exporter>,
}

/// What the admin side and the command line hold of a gateway.
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
    state: Arc<Mutex<State>>,
    addresses: Arc<[(Arc<str>, SocketAddr)]>,
}

#[derive(Debug)]
struct State {
    plan: Plan,
    problem_base: String,
}

/// Why a gateway does not start. The text is one line that says what to do.
#[derive(Debug)]
pub enum StartError {
    /// The plan cannot be compiled.
    Compile(CompileError),
    /// An address cannot be listened on.
    Listen {
        /// The listener's name.
        listener: Arc<str>,
        /// Its address.
        bind: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// The access log cannot be opened.
    Log(io::Error),
    /// The system grants no threads or randomness.
    System(io::Error),
}

/// Why a reload was not taken over; the configuration in force stays.
#[derive(Debug)]
pub enum ReloadError {
    /// The plan cannot be compiled.
    Compile(CompileError),
    /// A setting that only a restart can change: its path.
    NeedsRestart(String),
}

// === impl Shared ===

impl Shared {
    pub(crate) fn is_draining(&self) -> bool {
        self.drain_until.load(Ordering::Relaxed) != 0
    }

    /// Whether a draining worker with so many connections may end.
    pub(crate) fn may_end(&self, open: u64) -> bool {
        open == 0 || self.clock.millis() >= self.drain_until.load(Ordering::Relaxed)
    }

    pub(crate) fn log_queue(&self) -> Option<Arc<Queue>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn export_queue(&self) -> Option<Arc<export::Queue>> {
        self.export.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
        let snapshot = Snapshot::compile(&plan, 1, problem_base.clone()).map_err(StartError::Compile)?;
        let workers = plan.workers.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let (listeners, addresses) = listen::bind(&plan.listeners, workers)?;
        let started = log::start(&plan.access_log.sink, plan.access_log.queue).map_err(StartError::Log)?;
        let (queue, writer) = started.map_or((None, None), |(queue, thread)| (Some(queue), Some(thread)));
        let registry: Arc<Registry> = Arc::default();
        let exporting = plan.tracing.export.as_ref().map(|plan| export::start(plan, &clock, &registry.exported));
        let (export, exporter) = exporting.transpose()?.unzip();
        let shared = Arc::new(Shared {
            snapshot: ArcSwap::from_pointee(snapshot),
            generation: AtomicU64::new(1),
            registry,
            drain_until: AtomicU64::new(0),
            workers_left: AtomicUsize::new(0),
            queue: Mutex::new(queue),
            export: Mutex::new(export),
            clock,
        });
        shared.stamp_reload();
        let mut threads = Vec::with_capacity(workers);
        for (index, bound) in listeners.into_iter().enumerate() {
            threads.push(spawn(&shared, index, bound).map_err(StartError::System)?);
        }
        let handle =
            Handle { shared, state: Arc::new(Mutex::new(State { plan, problem_base })), addresses: addresses.into() };
        Ok(Self { handle, threads, writer, exporter })
    }

    /// The part that can be shared.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Stops accepting, lets open requests end within `deadline`, and writes out the last records. Blocks.
    pub fn drain(self, deadline: Duration) {
        self.handle.begin_drain(deadline);
        for thread in self.threads {
            // A worker that ended badly has nothing left to wait for.
            drop(thread.join());
        }
        self.handle.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.handle.shared.export.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(exporter) = self.exporter {
            exporter.end();
        }
        if let Some(writer) = self.writer {
            drop(writer.join());
        }
    }
}

fn spawn(shared: &Arc<Shared>, index: usize, bound: Vec<Bound>) -> io::Result<JoinHandle<()>> {
    let seed = listen::seed(index)?;
    let ready = Ready::new(bound)?;
    let present = Present::new(shared);
    std::thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
        ready.run(Arc::clone(&present.0), seed);
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

impl Shared {
    fn stamp_reload(&self) {
        let wall = self.clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.registry.last_reload_seconds.store(wall.as_secs(), Ordering::Relaxed);
    }
}

// === impl Handle ===

impl Handle {
    /// Where each listener listens; a port of 0 in the plan is a real one here.
    #[must_use]
    pub fn addresses(&self) -> &[(Arc<str>, SocketAddr)] {
        &self.addresses
    }

    /// Whether new requests are welcome.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.shared.is_draining() && self.shared.workers_left.load(Ordering::Relaxed) > 0
    }

    /// Stops accepting and lets open requests end within `deadline`.
    pub fn begin_drain(&self, deadline: Duration) {
        let millis = Millis::try_from(deadline.as_millis()).unwrap_or(Millis::MAX);
        let until = self.shared.clock.millis().saturating_add(millis).max(1);
        // The first call counts: a second signal must not prolong what the first one began.
        let first = |now: u64| (now == 0).then_some(until);
        let _first = self.shared.drain_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, first);
    }

    /// Takes over a new plan, all of it or nothing. Requests under way end under the old one.
    ///
    /// # Errors
    /// The configuration in force stays.
    pub fn reload(&self, plan: Plan) -> Result<(), ReloadError> {
        let outcome = self.try_reload(plan);
        let registry = &self.shared.registry;
        let counter = if outcome.is_ok() { &registry.reloads } else { &registry.reloads_failed };
        counter.fetch_add(1, Ordering::Relaxed);
        outcome
    }

    /// Counts a reload that failed before there was a plan.
    pub fn count_failed_reload(&self) {
        self.shared.registry.reloads_failed.fetch_add(1, Ordering::Relaxed);
    }

    fn try_reload(&self, plan: Plan) -> Result<(), ReloadError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(setting) = fixed_setting(&state.plan, &plan) {
            return Err(ReloadError::NeedsRestart(setting));
        }
        let generation = self.shared.generation.load(Ordering::Relaxed) + 1;
        let snapshot =
            Snapshot::compile(&plan, generation, state.problem_base.clone()).map_err(ReloadError::Compile)?;
        self.shared.snapshot.store(Arc::new(snapshot));
        self.shared.generation.store(generation, Ordering::Release);
        self.shared.stamp_reload();
        state.plan = plan;
        Ok(())
    }

    /// All metrics in the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self) -> String {
        let hash = self.state.lock().unwrap_or_else(PoisonError::into_inner).plan.hash.clone();
        let queue = self.shared.log_queue();
        let extras = Extras { config_hash: hash, ready: self.is_ready() };
        self.shared.registry.text(queue.as_deref(), &extras)
    }
}

/// The first setting that only a restart can change.
fn fixed_setting(old: &Plan, new: &Plan) -> Option<String> {
    let sockets = |plan: &Plan| -> Vec<(Arc<str>, SocketAddr)> {
        plan.listeners.iter().map(|listener: &ListenerPlan| (Arc::clone(&listener.name), listener.bind)).collect()
    };
    [
        (sockets(old) != sockets(new), "listeners (their names and bind)"),
        (old.status != new.status, "status"),
        (old.workers != new.workers, "workers"),
        (old.access_log.sink != new.access_log.sink, "access_log.file"),
        (old.tracing.export != new.tracing.export, "tracing (but for continue and sample)"),
        (old.access_log.queue != new.access_log.queue, "access_log.queue"),
    ]
    .into_iter()
    .find_map(|(changed, setting)| changed.then(|| setting.to_owned()))
}

// === impl StartError ===

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compile(error) => error.fmt(formatter),
            Self::Listen { listener, bind, source } => {
                write!(formatter, "listeners.{listener}: cannot listen on {bind}: {}", listen_advice(source))
            }
            Self::Log(error) => write!(formatter, "access_log.file: cannot be opened for appending: {error}"),
            Self::System(error) => write!(formatter, "the system refuses what is needed to start: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

fn listen_advice(source: &io::Error) -> String {
    let is = |kind| source.kind() == kind;
    if is(io::ErrorKind::AddrInUse) {
        "the port is taken by another process; stop it or choose another port".to_owned()
    } else if is(io::ErrorKind::PermissionDenied) {
        "this needs a privilege; choose a port above 1023 or grant CAP_NET_BIND_SERVICE".to_owned()
    } else if is(io::ErrorKind::AddrNotAvailable) {
        "this is no address of this machine; use one that is, or 0.0.0.0".to_owned()
    } else {
        source.to_string()
    }
}

impl From<ExportError> for StartError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Tls(error) => Self::Compile(CompileError::Tls { place: "tracing".to_owned(), error }),
            ExportError::System(error) => Self::System(error),
        }
    }
}

// === impl ReloadError ===

impl fmt::Display for ReloadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compile(error) => error.fmt(formatter),
            Self::NeedsRestart(setting) => write!(formatter, "a change of {setting} needs a restart"),
        }
    }
}

impl std::error::Error for ReloadError {}
