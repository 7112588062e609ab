//! A gateway with its status listener, from a configuration file that is watched.

mod console;
mod feed;
mod inherited;
mod journal;
mod notify;
mod reload;
mod shared_store;
mod signals;
mod site;
mod succession;
mod watch;

pub(crate) use journal::Journal;
pub(crate) use signals::{Asked, Signals};
pub(crate) use site::{FILE_BYTES_MAX, bounded, model, site};

use crate::audit::{Audit, by_user};
use crate::ending::{Ending, Stop};
use feed::FeedWatch;
use notify::Notify;
use portcullis_admin::{Admin, AdminError, AdminSocket, ConsoleListener, Portal, Status};
use portcullis_audit_log::Entry;
use portcullis_config::plan::{CertificateSource, Plan, TlsPlan};
use portcullis_config::{Environment, Loaded, load};
use portcullis_console::{Order, Orders, Reloaded, SelfService};
use portcullis_proxy::{ExplainRequest, Gateway, Giver, Handle, Inherited, StartError};
use portcullis_store::Home;
use portcullis_types::{Clock, Millis};
use serde_json::{Value, json};
use shared_store::SharedStoreWatch;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use succession::{Given, Predecessor, Successor};
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
    admin: Option<Admin>,
    portal: Option<Portal>,
    console: Option<ConsoleListener>,
    watch: Watch,
    notify: Notify,
    shutdown: Shutdown,
    audit: Option<Audit>,
    /// Follows the feed for as long as this lives.
    feed: Option<FeedWatch>,
}

/// How long the end may take.
#[derive(Clone, Copy, Debug)]
struct Shutdown {
    grace: Duration,
    deadline: Duration,
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
    // A store that has not been made yet is as good as an empty one.
    plan.identity.store = plan.identity.store.take().filter(|path| Home::new(path).is_there());
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
        Ok(_) => console::check(plan),
        Err(error) => Err(Stop::Unfit(error.to_string())),
    }
}

// === impl Service ===

impl Service {
    /// Serves what the file says, or says why not. Whoever runs it alone takes sockets from systemd and tells it how it
    /// goes; what admin commands ask for is heard among the signals.
    pub(crate) fn start(path: &Path, journal: Journal, signals: &Signals) -> Result<Self, Stop> {
        Self::start_with(path, journal, signals, None)
    }

    /// The same with the sockets of the gateway that started this process, which hears what came of it.
    pub(crate) fn start_over(path: &Path, journal: Journal, signals: &Signals) -> Result<Self, Stop> {
        let (predecessor, given) = Predecessor::at_standard_input()?;
        let started = Self::start_with(path, journal, signals, Some(given));
        predecessor.tell(&started);
        started
    }

    fn start_with(path: &Path, journal: Journal, signals: &Signals, given: Option<Given>) -> Result<Self, Stop> {
        let mut watch = Watch::new(path);
        let loaded = watch.read(|| read(path))?;
        let plan = loaded.plan.clone();
        announce_dangers(&journal, &plan);
        let environment = Environment::process();
        let notify = Notify::new(&environment)?;
        let names = plan.listeners.iter().map(|listener| &*listener.name);
        let given = match given {
            Some(given) => given,
            None => Given { listeners: inherited::inherited(&environment, names)?, ..Given::default() },
        };
        let unusable = |error: &dyn std::fmt::Display| Stop::environment(error.to_string());
        // First, so that nothing has to be taken back where it cannot be written.
        let audit = plan.identity.store.as_deref().map(Audit::open).transpose()?;
        let admin = admin_socket(&plan, given.admin).map_err(|error| unusable(&error))?;
        let status = match succession::at(given.status, plan.status.bind) {
            Some(socket) => Status::adopt(socket),
            None => Status::listen(plan.status.bind),
        };
        let status = status.map_err(|error| unusable(&error))?;
        let portal = portal(&plan, &status.problem_base(), given.portal)?;
        let (facts, shutdown, plan_store) = (Facts::of(&plan), Shutdown::of(&plan), plan.identity.store.clone());
        // Before anybody is served: what patches close must not be open for a moment.
        let (feed, bundle) = feed::begin(&plan)?;
        let gateway = Gateway::start_with(plan, Clock::system(), status.problem_base(), (given.listeners, bundle));
        let gateway = match gateway {
            Ok(gateway) => gateway,
            Err(error) => {
                status.stop();
                return Err(match error {
                    StartError::Compile(error) => Stop::Unfit(error.to_string()),
                    StartError::Listen { .. }
                    | StartError::Inherited(_)
                    | StartError::Log(_)
                    | StartError::Store(_)
                    | StartError::System(_) => unusable(&error),
                });
            }
        };
        status.attach(gateway.handle());
        let orders = console::orders(signals, path, plan_store.as_deref());
        let loaded = Arc::new(loaded);
        self_service(portal.as_ref(), &loaded.plan, gateway.handle(), &orders)?;
        let console = console::start(loaded, gateway.handle(), &orders, given.console)?;
        let shown = console.as_ref().map(|listener| listener.console().clone());
        let admin = admin.map(|socket| socket.serve(gateway.handle(), orders, shown)).transpose();
        let admin = admin.map_err(|error| unusable(&error))?;
        let mut service = Self {
            path: path.to_owned(),
            journal,
            gateway,
            status,
            admin,
            portal,
            console,
            watch,
            notify,
            shutdown,
            audit,
            feed: None,
        };
        let start = by_user("gateway.start").with("version", env!("CARGO_PKG_VERSION"));
        let _said = service.note(&start.with("config", path.display().to_string()).with("config_hash", &*facts.hash));
        service.announce(&facts);
        service.feed = feed.map(|feed| feed.follow(&service.gateway.handle(), journal)).transpose()?;
        service.notify.ready(&format!("serving {} routes", facts.routes));
        Ok(service)
    }

    pub(crate) fn handle(&self) -> Handle {
        self.gateway.handle()
    }

    pub(crate) fn status_address(&self) -> SocketAddr {
        self.status.address()
    }

    /// Where the console is, if there is one.
    pub(crate) fn console_address(&self) -> Option<SocketAddr> {
        self.console.as_ref().map(ConsoleListener::address)
    }

    /// Where the portal is, if there is one.
    pub(crate) fn portal_address(&self) -> Option<SocketAddr> {
        self.portal.as_ref().map(Portal::address)
    }

    /// Reloads when asked or when a file changed, until told to stop; then lets open requests end.
    pub(crate) fn serve(mut self, signals: &Signals, interval: Duration) -> Result<Ending, Stop> {
        let clock = Clock::system();
        let mut looked = clock.millis();
        let mut store = SharedStoreWatch::default();
        let (actor, parting) = loop {
            self.notify.alive(|within| self.gateway.handle().is_lively(within));
            match signals.next(self.notify.interval(interval)) {
                Ok(Asked::Reload) => drop(self.reload("SIGHUP", "signal")),
                Ok(Asked::Reopen) => {
                    self.handle().reopen_logs();
                    self.journal.event("logs_reopened", &[]);
                }
                Ok(Asked::Told(Order::Reload { by, answer })) => {
                    let reloaded = self.reload("admin", &by.to_string());
                    // Whoever asked may have gone.
                    drop(answer.send(reloaded));
                }
                Err(RecvTimeoutError::Timeout) => {
                    let now = clock.millis();
                    if now.saturating_sub(looked) >= Millis::try_from(interval.as_millis()).unwrap_or(Millis::MAX) {
                        looked = now;
                        store.look(self.journal, &self.gateway.handle());
                        if self.watch.has_changed() {
                            drop(self.reload("a file changed", "file"));
                        }
                    }
                }
                Ok(Asked::Told(Order::Note { by, what, details, written })) => {
                    let done = self.note(&Entry::new(what, &by.to_string()).with("of", details));
                    // Whoever asked may have gone.
                    if let Some(waits) = written {
                        let _heard = waits.send(done);
                    }
                }
                Ok(Asked::Told(Order::Upgrade { by, binary, answer })) => {
                    let actor = by.to_string();
                    let outcome = self.upgrade(&binary, &actor);
                    let done = outcome.done;
                    drop(answer.send(outcome));
                    if done {
                        break (actor, Parting::Succeeded);
                    }
                }
                // Answered where they are asked.
                Ok(Asked::Told(Order::Look { .. } | Order::Recall { .. })) => {}
                Ok(Asked::Told(Order::Drain { by })) => break (by.to_string(), Parting::Alone),
                Ok(Asked::Stop) | Err(RecvTimeoutError::Disconnected) => break ("signal".to_owned(), Parting::Alone),
            }
        };
        let _said = self.note(&Entry::new("gateway.drain", &actor));
        Ok(self.end(signals, parting))
    }

    /// Lets another program take over, if it can.
    fn upgrade(&mut self, binary: &Path, by: &str) -> Reloaded {
        let outcome = self.succeeded_by(binary);
        let (kind, text, details) = match &outcome {
            Ok(process) => ("gateway.upgrade", format!("process {process} serves"), json!({ "process": process })),
            Err(why) => ("gateway.upgrade_failed", why.clone(), Value::Null),
        };
        let entry = Entry::new(kind, by).with("binary", binary.display().to_string());
        let _said = self.note(&entry.with("outcome", text.clone()));
        let event = if outcome.is_ok() { "upgraded" } else { "upgrade_failed" };
        self.journal.event(event, &[("binary", binary.display().to_string()), ("outcome", text.clone())]);
        Reloaded { done: outcome.is_ok(), text, details }
    }

    /// The number of the process that serves from now on. Until it does, nothing here changes.
    fn succeeded_by(&mut self, binary: &Path) -> Result<u32, String> {
        let system = |error: std::io::Error| error.to_string();
        let listeners = self.handle().sockets().map_err(system)?.into_iter().map(|(name, socket)| Inherited {
            giver: Giver::Predecessor,
            listener: name.to_string(),
            socket,
        });
        let admin = self.admin.as_ref().map(|admin| Ok((admin.path().to_owned(), admin.socket()?)));
        let given = Given {
            listeners: listeners.collect(),
            status: Some(self.status.socket().map_err(system)?),
            portal: self.portal.as_ref().map(Portal::socket).transpose().map_err(system)?,
            console: self.console.as_ref().map(ConsoleListener::socket).transpose().map_err(system)?,
            admin: admin.transpose().map_err(system)?,
        };
        let successor = Successor::start(binary, &self.path, self.journal.format(), given)?;
        let handle = self.gateway.handle();
        let process = successor.wait(|| self.notify.alive(|within| handle.is_lively(within)))?;
        self.notify.succeeded_by(process);
        Ok(process)
    }

    /// Not ready from this moment; after the grace nobody is accepted, and open requests may end until the deadline or
    /// until somebody asks again. A log that takes nothing holds nobody back for longer than that.
    fn end(mut self, signals: &Signals, parting: Parting) -> Ending {
        let Shutdown { mut grace, deadline } = self.shutdown;
        let handle = self.gateway.handle();
        // Before it is told, so that whoever reads the line finds /readyz down.
        match parting {
            Parting::Alone => handle.begin_drain(grace, deadline),
            Parting::Succeeded => {
                handle.give_way(deadline);
                grace = Duration::ZERO;
                self.admin.iter_mut().for_each(Admin::leave);
            }
        }
        // What a successor answers is not to be answered here.
        let (status, portal, console) = match parting {
            Parting::Alone => (Some(self.status), self.portal, self.console),
            Parting::Succeeded => {
                self.status.stop();
                self.portal.into_iter().for_each(Portal::stop);
                self.console.into_iter().for_each(ConsoleListener::stop);
                (None, None, None)
            }
        };
        let mut fields = vec![("deadline_s", deadline.as_secs().to_string())];
        if !grace.is_zero() {
            fields.insert(0, ("grace_s", grace.as_secs().to_string()));
        }
        self.journal.event("draining", &fields);
        if parting == Parting::Alone {
            self.notify.stopping("open requests end");
        }
        let (ended, wait) = std::sync::mpsc::sync_channel(1);
        let gateway = self.gateway;
        let draining = std::thread::Builder::new().name("drain".to_owned()).spawn(move || {
            gateway.drain(deadline);
            let _told = ended.send(());
        });
        let how = match draining {
            Err(_) => Drain::AtOnce,
            // Workers that have ended are as well as they can be.
            Ok(_) => drained(&wait, signals, grace + deadline, || {
                self.notify.alive(|within| handle.is_lively(within) || !handle.has_workers());
            }),
        };
        status.into_iter().for_each(Status::stop);
        portal.into_iter().for_each(Portal::stop);
        console.into_iter().for_each(ConsoleListener::stop);
        if how == Drain::Forced {
            let fields = [
                ("what", "the last records of the access log".to_owned()),
                ("why", "access_log takes nothing; look at the file or pipe behind it".to_owned()),
            ];
            self.journal.event("not_written", &fields);
        }
        if let Some(audit) = &self.audit {
            let _said =
                audit.add_or_say(&self.journal, &Entry::new("gateway.stop", "portcullis").with("how", how.name()));
        }
        self.journal.event("stopped", &[("how", how.name().to_owned())]);
        // Last, so that whoever waits for the end over it has seen everything else end.
        if let Some(admin) = self.admin {
            admin.stop();
        }
        if how == Drain::Forced { Ending::No } else { Ending::Done }
    }

    /// Writes down what was done; whether that is possible. A gateway whose audit log cannot be written serves on, and says so: to
    /// stop would be worse.
    fn note(&self, entry: &Entry) -> bool {
        let written = self.audit.as_ref().is_none_or(|audit| audit.add_or_say(&self.journal, entry));
        let details = entry.details().iter();
        let details: Vec<(&str, String)> = details.map(|(name, value)| (name.as_str(), plain(value))).collect();
        self.handle().note_action(entry.kind(), entry.actor(), &details);
        written
    }

    fn announce(&self, facts: &Facts) {
        for (name, address) in self.handle().addresses() {
            let tls = facts.encrypted.iter().any(|encrypted| **encrypted == *name);
            let scheme = if tls { "https" } else { "http" };
            let fields =
                [("listener", name.to_string()), ("address", address.to_string()), ("scheme", scheme.to_owned())];
            self.journal.event("listening", &fields);
        }
        self.journal.event("status", &[("address", self.status_address().to_string())]);
        if let Some(portal) = &self.portal {
            self.journal.event("portal", &[("address", portal.address().to_string())]);
        }
        if let Some(console) = &self.console {
            let (address, scheme) = (console.address().to_string(), if facts.console_tls { "https" } else { "http" });
            self.journal.event("console", &[("address", address), ("scheme", scheme.to_owned())]);
        }
        if let Some(admin) = &self.admin {
            self.journal.event("admin", &[("socket", admin.path().display().to_string())]);
        }
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

/// The listener with the pages for developers, where there is to be one.
fn portal(plan: &Plan, problems: &str, given: Option<TcpListener>) -> Result<Option<Portal>, Stop> {
    let Some(settings) = &plan.portal else { return Ok(None) };
    let site = site(plan, problems)?;
    let portal = match succession::at(given, settings.bind) {
        Some(socket) => Portal::adopt(socket, site),
        None => Portal::listen(settings.bind, site),
    };
    portal.map(Some).map_err(|error| Stop::environment(error.to_string()))
}

/// Lets developers sign in, where they may.
fn self_service(portal: Option<&Portal>, plan: &Plan, handle: Handle, orders: &Orders) -> Result<(), Stop> {
    let Some(portal) = portal.filter(|_| plan.has_accounts()) else { return Ok(()) };
    let frame = portal.frame();
    let service = SelfService::new(handle, Arc::clone(orders), plan, frame, Clock::system());
    portal.attach(service.ok_or_else(|| Stop::environment("the system has no randomness"))?);
    Ok(())
}

/// The admin socket of a plan: the one that was given, if it is at that place.
fn admin_socket(plan: &Plan, given: Option<(PathBuf, UnixListener)>) -> Result<Option<AdminSocket>, AdminError> {
    let Some(path) = plan.admin.socket.as_deref() else { return Ok(None) };
    match given.filter(|(have, _)| have == path) {
        Some((_, socket)) => AdminSocket::adopt(path, socket).map(Some),
        None => AdminSocket::bind(path).map(Some),
    }
}

/// Whether somebody else serves on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parting {
    Alone,
    Succeeded,
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
fn drained(ended: &Receiver<()>, signals: &Signals, deadline: Duration, mut meanwhile: impl FnMut()) -> Drain {
    let clock = Clock::system();
    let due = Millis::try_from(deadline.as_millis()).unwrap_or(Millis::MAX).saturating_add(WRITE_OUT_MS);
    while ended.recv_timeout(Duration::from_millis(20)) == Err(RecvTimeoutError::Timeout) {
        meanwhile();
        if matches!(signals.next(Duration::ZERO), Ok(Asked::Stop)) && clock.millis() > SAME_SIGNAL_MS {
            return Drain::AtOnce;
        }
        if clock.millis() > due {
            return Drain::Forced;
        }
    }
    Drain::Drained
}

/// A value as a text, without the quotes of one.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

// === impl Shutdown ===

impl Shutdown {
    fn of(plan: &Plan) -> Self {
        Self { grace: plan.shutdown_grace, deadline: plan.shutdown_deadline }
    }
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
    console_tls: bool,
}

// === impl Facts ===

impl Facts {
    fn of(plan: &Plan) -> Self {
        let encrypted = plan.listeners.iter().filter(|listener| listener.tls.is_some());
        Self {
            hash: plan.hash.clone(),
            routes: plan.apis.iter().flat_map(|api| &api.versions).map(|version| version.routes.len()).sum(),
            encrypted: encrypted.map(|listener| listener.name.to_string()).collect(),
            console_tls: plan.admin.console.as_ref().is_some_and(|console| console.tls.is_some()),
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
