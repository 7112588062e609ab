//! A gateway with its status listener, from a configuration file that is watched.

mod journal;
mod signals;
mod watch;

pub(crate) use journal::Journal;
pub(crate) use signals::{Asked, Signals};

use crate::ending::{Ending, Stop};
use portcullis_admin::Status;
use portcullis_config::plan::{CertificateSource, Plan, TlsPlan};
use portcullis_config::{Environment, Loaded, load};
use portcullis_proxy::{ExplainRequest, Gateway, Handle, ReloadError, StartError};
use portcullis_types::{Clock, Millis};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use watch::Watch;

/// Within it a second signal is the first one, delivered to the process and to its group.
const SAME_SIGNAL_MS: u64 = 500;
// LIMIT: what the last records may take once no request is open any more.
const WRITE_OUT_MS: u64 = 3_000;
/// How often files are looked at.
pub(crate) const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Something that serves.
#[derive(Debug)]
pub(crate) struct Service {
    path: PathBuf,
    journal: Journal,
    gateway: Gateway,
    status: Status,
    watch: Watch,
    shutdown_deadline: Duration,
}

/// Reads a configuration. A file that isn't there is a matter of the command line, not a mistake in it.
pub(crate) fn read(path: &Path) -> Result<Loaded, Stop> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            Err(Stop::environment(format!("{} is a folder; name the configuration file in it", path.display())))
        }
        Ok(_) => Ok(load(path, &Environment::process())?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Stop::environment(format!(
            "{} is not there; name the file with `-c FILE`, or write a first one with `portcullis init`",
            path.display()
        ))),
        Err(error) => Err(Stop::environment(format!("{} cannot be read: {error}", path.display()))),
    }
}

/// A plan to look at. Compiling one makes its development certificates, and looking must not write.
pub(crate) fn unwritten(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    for listener in &mut plan.listeners {
        let made = |tls: &TlsPlan| matches!(tls.certificates, CertificateSource::SelfSigned { .. });
        listener.tls = listener.tls.take().filter(|tls| !made(tls));
    }
    plan
}

/// Whether a plan can be served, as far as that can be told without opening a port: certificates, keys, paths.
pub(crate) fn check(plan: &Plan) -> Result<(), Stop> {
    let any = ExplainRequest { method: "GET".to_owned(), url: "http://localhost/".to_owned(), ..Default::default() };
    match portcullis_proxy::explain(&unwritten(plan), "", &any) {
        Ok(_) => Ok(()),
        Err(error) => Err(Stop::Unfit(error.to_string())),
    }
}

// === impl Service ===

impl Service {
    /// Serves what the file says, or says why not.
    pub(crate) fn start(path: &Path, journal: Journal) -> Result<Self, Stop> {
        let mut watch = Watch::new(path);
        let plan = watch.read(|| read(path))?.plan;
        announce_dangers(&journal, &plan);
        let status = Status::listen(plan.status.bind).map_err(|error| Stop::environment(error.to_string()))?;
        let shutdown_deadline = plan.shutdown_deadline;
        let facts = Facts::of(&plan);
        let gateway = match Gateway::start(plan, Clock::system(), status.problem_base()) {
            Ok(gateway) => gateway,
            Err(error) => {
                status.stop();
                return Err(match error {
                    StartError::Compile(error) => Stop::Unfit(error.to_string()),
                    StartError::Listen { .. } | StartError::Log(_) | StartError::System(_) => {
                        Stop::environment(error.to_string())
                    }
                });
            }
        };
        status.attach(gateway.handle());
        let service = Self { path: path.to_owned(), journal, gateway, status, watch, shutdown_deadline };
        service.announce(&facts);
        Ok(service)
    }

    pub(crate) fn handle(&self) -> Handle {
        self.gateway.handle()
    }

    pub(crate) fn status_address(&self) -> SocketAddr {
        self.status.address()
    }

    /// Reloads when asked or when a file changed, until told to stop; then lets open requests end.
    pub(crate) fn serve(mut self, signals: &Signals, interval: Duration) -> Result<Ending, Stop> {
        loop {
            match signals.next(interval) {
                Ok(Asked::Reload) => self.reload("SIGHUP"),
                Err(RecvTimeoutError::Timeout) => {
                    if self.watch.has_changed() {
                        self.reload("a file changed");
                    }
                }
                Ok(Asked::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(self.end(signals))
    }

    /// Takes over the whole file or nothing of it.
    fn reload(&mut self, cause: &str) {
        let handle = self.handle();
        let loaded = match self.watch.read(|| read(&self.path)) {
            Ok(loaded) => loaded,
            Err(stop) => {
                handle.count_failed_reload();
                self.journal.event("reload_failed", &[("cause", cause.to_owned()), ("kept", "true".to_owned())]);
                self.journal.detail(&stop);
                return;
            }
        };
        let (facts, deadline) = (Facts::of(&loaded.plan), loaded.plan.shutdown_deadline);
        announce_dangers(&self.journal, &loaded.plan);
        match handle.reload(loaded.plan) {
            Ok(()) => {
                self.shutdown_deadline = deadline;
                self.journal.event("reloaded", &[("cause", cause.to_owned()), ("config_hash", facts.hash)]);
            }
            Err(error) => {
                self.journal.event("reload_failed", &[("cause", cause.to_owned()), ("kept", "true".to_owned())]);
                self.journal.detail(&match error {
                    ReloadError::Compile(_) => Stop::Unfit(error.to_string()),
                    ReloadError::NeedsRestart(_) => Stop::environment(error.to_string()),
                });
            }
        }
    }

    /// Not ready from this moment; open requests may end until the deadline or until somebody asks again. A log that
    /// takes nothing holds nobody back for longer than that.
    fn end(self, signals: &Signals) -> Ending {
        let deadline = self.shutdown_deadline;
        // Before it is told, so that whoever reads the line finds /readyz down.
        self.gateway.handle().begin_drain(deadline);
        self.journal.event("draining", &[("deadline_s", deadline.as_secs().to_string())]);
        let (ended, wait) = std::sync::mpsc::sync_channel(1);
        let gateway = self.gateway;
        let draining = std::thread::Builder::new().name("drain".to_owned()).spawn(move || {
            gateway.drain(deadline);
            let _told = ended.send(());
        });
        let how = if draining.is_err() { Drain::AtOnce } else { drained(&wait, signals, deadline) };
        self.status.stop();
        if how == Drain::Forced {
            let fields = [
                ("what", "the last records of the access log".to_owned()),
                ("why", "access_log takes nothing; look at the file or pipe behind it".to_owned()),
            ];
            self.journal.event("not_written", &fields);
        }
        self.journal.event("stopped", &[("how", how.name().to_owned())]);
        if how == Drain::Forced { Ending::No } else { Ending::Done }
    }

    fn announce(&self, facts: &Facts) {
        for (name, address) in self.handle().addresses() {
            let tls = facts.encrypted.iter().any(|encrypted| encrypted == &**name);
            let scheme = if tls { "https" } else { "http" };
            let fields =
                [("listener", name.to_string()), ("address", address.to_string()), ("scheme", scheme.to_owned())];
            self.journal.event("listening", &fields);
        }
        self.journal.event("status", &[("address", self.status_address().to_string())]);
        let (file, hash) = (self.path.display().to_string(), facts.hash.clone());
        let fields = [
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("config", file),
            ("config_hash", hash),
            ("routes", facts.routes.to_string()),
        ];
        self.journal.event("ready", &fields);
    }
}

/// How the wait for open requests and last records ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drain {
    /// Nothing was left.
    Drained,
    /// Somebody asked again.
    AtOnce,
    /// Time was up, and records were left.
    Forced,
}

/// Waits until it is told that all has ended, for no longer than the deadline and what writing out may take.
fn drained(ended: &Receiver<()>, signals: &Signals, deadline: Duration) -> Drain {
    let clock = Clock::system();
    let due = Millis::try_from(deadline.as_millis()).unwrap_or(Millis::MAX).saturating_add(WRITE_OUT_MS);
    while ended.recv_timeout(Duration::from_millis(20)) == Err(RecvTimeoutError::Timeout) {
        if signals.next(Duration::ZERO) == Ok(Asked::Stop) && clock.millis() > SAME_SIGNAL_MS {
            return Drain::AtOnce;
        }
        if clock.millis() > due {
            return Drain::Forced;
        }
    }
    Drain::Drained
}

// === impl Drain ===

impl Drain {
    fn name(self) -> &'static str {
        match self {
            Self::Drained => "drained",
            Self::AtOnce => "at_once",
            Self::Forced => "forced",
        }
    }
}

/// What is told about a plan after it has been given away.
#[derive(Debug)]
struct Facts {
    hash: String,
    routes: usize,
    encrypted: Vec<String>,
}

// === impl Facts ===

impl Facts {
    fn of(plan: &Plan) -> Self {
        let encrypted = plan.listeners.iter().filter(|listener| listener.tls.is_some());
        Self {
            hash: plan.hash.clone(),
            routes: plan.apis.iter().flat_map(|api| &api.versions).map(|version| version.routes.len()).sum(),
            encrypted: encrypted.map(|listener| listener.name.to_string()).collect(),
        }
    }
}

fn announce_dangers(journal: &Journal, plan: &Plan) {
    for danger in &plan.dangers {
        let fields = [
            ("setting", danger.path.clone()),
            ("at", danger.origin.to_string()),
            ("consequence", danger.message.clone()),
        ];
        journal.event("danger", &fields);
    }
}
