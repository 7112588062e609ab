//! What can be asked of a gateway while it runs: its state, another configuration, its end.

use super::listen::{self, Fresh};
use super::{Listener, ReloadError, Shared, StartError, facts};
use crate::feed::Feed;
use crate::limits::Shelf;
use crate::metrics::Extras;
use crate::snapshot::Snapshot;
use portcullis_config::plan::{ListenerPlan, LogFormat, Plan, RotationPlan};
use portcullis_types::Millis;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// What the admin side and the command line hold of a gateway.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) plan: Plan,
    problem_base: String,
    /// The bundle in force.
    feed: Option<Arc<Feed>>,
    pub(super) listeners: Vec<Listener>,
    /// Why the last configuration was not taken over.
    pub(super) last_error: Option<String>,
}

/// What is new of what is in force.
enum Change {
    Plan(Box<Plan>),
    Feed(Option<Arc<Feed>>),
}

/// How far a gateway is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// New requests are welcome.
    Serving,
    /// It is not ready any more, and serves whoever has not noticed yet.
    Leaving,
    /// It accepts nothing; open requests end.
    Draining,
}

// === impl Phase ===

impl Phase {
    /// The name for operators.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Leaving => "leaving",
            Self::Draining => "draining",
        }
    }
}

// === impl Handle ===

impl Handle {
    pub(super) fn new(
        shared: Arc<Shared>,
        plan: Plan,
        (problem_base, feed): (String, Option<Arc<Feed>>),
        listeners: Vec<Listener>,
    ) -> Self {
        let state = State { plan, problem_base, feed, listeners, last_error: None };
        Self { shared, state: Arc::new(Mutex::new(state)) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where each listener listens; a port of 0 in the plan is a real one here.
    #[must_use]
    pub fn addresses(&self) -> Vec<(Arc<str>, SocketAddr)> {
        let place = |listener: &Listener| (Arc::clone(&listener.name), listener.address);
        self.state().listeners.iter().map(place).collect()
    }

    /// Whether new requests are welcome.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.shared.leaving.has_begun() && self.shared.workers_left.load(Ordering::Relaxed) > 0
    }

    /// Whether a worker still runs.
    #[must_use]
    pub fn has_workers(&self) -> bool {
        self.shared.workers_left.load(Ordering::Relaxed) > 0
    }

    /// How far it is on its way.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match (self.shared.leaving.has_begun(), self.shared.is_draining()) {
            (false, _) => Phase::Serving,
            (true, false) => Phase::Leaving,
            (true, true) => Phase::Draining,
        }
    }

    /// Whether every worker has looked around within this time; one that hangs has not.
    #[must_use]
    pub fn is_lively(&self, within: Duration) -> bool {
        let within = Millis::try_from(within.as_millis()).unwrap_or(Millis::MAX);
        let since = self.shared.clock.millis().saturating_sub(within);
        self.shared.posts.iter().all(|post| post.looked_since(since))
    }

    /// Is not ready from now on, stops accepting after `grace`, and lets open requests end within `deadline` after
    /// that. The first call counts.
    pub fn begin_drain(&self, grace: Duration, deadline: Duration) {
        let millis = |time: Duration| Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX);
        let from = self.shared.clock.millis().saturating_add(millis(grace));
        self.shared.leaving.begin(from, from.saturating_add(millis(deadline)));
    }

    /// The sockets at which it accepts, for a successor; the name of the listener with each. Both may accept until this one drains.
    ///
    /// # Errors
    /// The system grants no more files.
    pub fn sockets(&self) -> io::Result<Vec<(Arc<str>, TcpListener)>> {
        let state = self.state();
        let open = state.listeners.iter().flat_map(|listener| {
            listener.open.iter().filter_map(Weak::upgrade).map(|socket| (Arc::clone(&listener.name), socket))
        });
        open.map(|(name, socket)| Ok((name, socket.try_clone()?))).collect()
    }

    /// Drains for a successor that accepts at the same sockets: nothing is accepted from now on, and what is open may go on within
    /// `deadline`. Connections of HTTP/1 end with their next request, those of HTTP/2 are told to go.
    pub fn give_way(&self, deadline: Duration) {
        let from = self.shared.clock.millis();
        let deadline = Millis::try_from(deadline.as_millis()).unwrap_or(Millis::MAX);
        self.shared.leaving.begin_gently(from, from.saturating_add(deadline));
    }

    pub(super) fn close_log(&self) {
        self.shared.records.close();
        self.shared.export.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Takes over a new plan, all of it or nothing. Requests under way end under the old one. Listeners that it adds
    /// are bound before anything changes; those that it removes end after what their connections are doing.
    ///
    /// # Errors
    /// The configuration in force stays.
    pub fn reload(&self, plan: Plan) -> Result<(), ReloadError> {
        let outcome = self.change(Change::Plan(Box::new(plan)));
        match &outcome {
            Ok(()) => {
                self.shared.registry.reloads.fetch_add(1, Ordering::Relaxed);
                self.state().last_error = None;
            }
            Err(error) => self.note_failed_reload(&error.to_string()),
        }
        outcome
    }

    /// Counts a reload that failed before there was a plan, and keeps why.
    pub fn note_failed_reload(&self, why: &str) {
        self.shared.registry.reloads_failed.fetch_add(1, Ordering::Relaxed);
        self.state().last_error = Some(why.to_owned());
    }

    /// Puts a bundle in force, or takes the one that is out of it, with everything else as it is.
    ///
    /// # Errors
    /// The bundle in force stays.
    pub fn feed(&self, feed: Option<Arc<Feed>>) -> Result<(), ReloadError> {
        self.change(Change::Feed(feed))
    }

    /// The bundle in force.
    #[must_use]
    pub fn bundle(&self) -> Option<Arc<Feed>> {
        self.state().feed.clone()
    }

    /// Counts a bundle that was not taken over.
    pub fn note_refused_bundle(&self) {
        self.shared.bundles_refused.fetch_add(1, Ordering::Relaxed);
    }

    fn change(&self, change: Change) -> Result<(), ReloadError> {
        if self.shared.leaving.has_begun() {
            return Err(ReloadError::Draining);
        }
        let mut state = self.state();
        let (plan, feed, is_reload) = match change {
            Change::Plan(plan) => (*plan, state.feed.clone(), true),
            Change::Feed(feed) => (state.plan.clone(), feed, false),
        };
        if let Some(setting) = fixed_setting(&state.plan, &plan) {
            return Err(ReloadError::NeedsRestart(setting));
        }
        let generation = self.shared.generation.load(Ordering::Relaxed) + 1;
        let current = self.shared.snapshot.load_full();
        let shelf = Shelf {
            books: &current.books,
            ownerships: &current.ownerships,
            knowledge: &current.contracts.all,
            workers: self.shared.posts.len(),
            feed: feed.as_ref(),
            peers: self.shared.store.as_ref().map(|store| &store.peers),
        };
        let compiled = Snapshot::compile(&plan, generation, state.problem_base.clone(), shelf);
        let mut snapshot = compiled.map_err(ReloadError::Compile)?;
        let added = self.bind_added(&state.listeners, &plan)?;
        let followed = self.shared.identity.take_over(&mut snapshot.callers, &plan.identity);
        followed.map_err(|error| ReloadError::Listen(StartError::System(error)))?;
        // From here on nothing can fail.
        if let (Some(anomalies), Some(plan)) = (&self.shared.anomalies, &plan.anomalies) {
            anomalies.take_over(plan);
        }
        self.shared.fleet.take_over(&plan, self.shared.clock.millis().max(1));
        self.shared.begin_knowledge(&snapshot);
        self.shared.snapshot.store(Arc::new(snapshot));
        self.shared.generation.store(generation, Ordering::Release);
        self.exchange_listeners(&mut state.listeners, &plan, added);
        if is_reload {
            self.shared.stamp_reload();
        }
        (state.plan, state.feed) = (plan, feed);
        Ok(())
    }

    /// Sockets of listeners that are not open yet, or elsewhere.
    fn bind_added(&self, open: &[Listener], plan: &Plan) -> Result<Vec<Fresh>, ReloadError> {
        let is_new = |wanted: &&ListenerPlan| !open.iter().any(|have| is_same(have, wanted));
        let added = plan.listeners.iter().filter(is_new);
        let workers = self.shared.posts.len();
        added.map(|wanted| listen::bind(wanted, workers, open).map_err(ReloadError::Listen)).collect()
    }

    fn exchange_listeners(&self, open: &mut Vec<Listener>, plan: &Plan, added: Vec<Fresh>) {
        let deadline = Millis::try_from(plan.shutdown_deadline.as_millis()).unwrap_or(Millis::MAX);
        let until = self.shared.clock.millis().saturating_add(deadline);
        open.retain(|have| {
            let kept = plan.listeners.iter().any(|wanted| is_same(have, wanted));
            if !kept {
                have.life.end(until);
            }
            kept
        });
        for fresh in added {
            self.shared.posts.iter().zip(fresh.sockets).for_each(|(post, socket)| post.open(socket));
            open.push(fresh.listener);
        }
        // In the order of the file, as at a start.
        let place = |listener: &Listener| plan.listeners.iter().position(|wanted| wanted.name == listener.name);
        open.sort_by_key(place);
    }

    /// All metrics in the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self) -> String {
        let queue = self.shared.records.access();
        let extras = {
            let state = self.state();
            let certificates = facts::certificates(&state.listeners, &self.shared.snapshot.load());
            Extras { config_hash: state.plan.hash.clone(), ready: self.is_ready(), certificates }
        };
        let mut text = self.shared.registry.text(queue.as_deref(), &extras);
        crate::metrics::issuers_text(&self.shared.identity.issuers(), &mut text);
        crate::metrics::version_callers_text(&self.shared.identity.version_callers(), &mut text);
        crate::metrics::introspections_text(&self.shared.identity.introspections(), &mut text);
        crate::metrics::limits_text(&self.shared.snapshot.load().books, &mut text);
        crate::metrics::alerts_text(&self.shared.alerts, &mut text);
        crate::metrics::state_text(&self.shared.identity, self.shared.workers_left.load(Ordering::Relaxed), &mut text);
        crate::metrics::feed_text(self, &mut text);
        if let Some(security) = self.shared.records.security() {
            crate::metrics::security_text(security, &mut text);
        }
        if let Some(store) = &self.shared.store {
            crate::metrics::store_text(store, &mut text);
        }
        if let Some(anomalies) = &self.shared.anomalies {
            crate::metrics::anomalies_text(&anomalies.counted(), &mut text);
        }
        crate::metrics::upstreams_text(&self.upstreams(), &self.shared.fleet.counts(), &mut text);
        crate::metrics::knowledge_text(&self.shared.snapshot.load().contracts.all, &mut text);
        crate::metrics::relief_text(&self.shared.fleet.relieved(), &mut text);
        text
    }

    /// The same as OpenMetrics 1.0, with exemplars: requests whose traces went to the collector.
    #[must_use]
    pub fn openmetrics(&self) -> String {
        // Read first: a series that comes into being meanwhile has none yet.
        let exemplars = self.shared.registry.exemplars();
        crate::metrics::openmetrics(&self.metrics(), &exemplars)
    }

    /// The keys by which what the gateway signs about callers is verified (RFC 7517); `None` where it signs nothing.
    #[must_use]
    pub fn identity_keys(&self) -> Option<String> {
        let states = self.shared.snapshot.load().callers.states;
        let (identity, keys) = (&self.shared.identity, &self.shared.identity.statements);
        states.then(|| keys.key_set(identity.seconds())).flatten()
    }

    /// Every upstream with its servers, by name.
    #[must_use]
    pub fn upstreams(&self) -> Vec<crate::UpstreamStatus> {
        self.shared.fleet.status(self.shared.clock.millis())
    }
}

/// Whether an open listener is the one that a plan wants: everything else about it can change while it is open.
fn is_same(open: &Listener, wanted: &ListenerPlan) -> bool {
    open.name == wanted.name && open.bind == wanted.bind
}

/// The first setting that only a restart can change.
fn fixed_setting(old: &Plan, new: &Plan) -> Option<String> {
    [
        (old.status != new.status, "status"),
        (shown(old) != shown(new), "portal (whether there is one, whether it has `accounts`, and `bind`)"),
        (old.admin.socket != new.admin.socket, "admin.socket"),
        (entered(old) != entered(new), "admin (whether there is a console, its `bind` and whether it has `tls`)"),
        (old.workers != new.workers, "workers"),
        (old.identity.store != new.identity.store, "store"),
        (old.identity.proofs.remembered != new.identity.proofs.remembered, "proofs.remembered"),
        (old.access_log.sink != new.access_log.sink, "access_log.file"),
        (access_form(old) != access_form(new), "access_log (but for show_query)"),
        (old.security_log != new.security_log, "security_log"),
        (old.alerts != new.alerts, "alerts"),
        (old.feed != new.feed, "feed"),
        (old.tracing.export != new.tracing.export, "tracing (but for continue and sample)"),
        (old.shared_store != new.shared_store, "shared_store"),
        (
            watched(old) != watched(new),
            "anomalies (whether anybody looks, `callers`, and whether there are `countries` and `networks`)",
        ),
    ]
    .into_iter()
    .find_map(|(changed, setting)| changed.then(|| setting.to_owned()))
}

/// Where the pages for developers are, and whether somebody signs in there.
fn shown(plan: &Plan) -> Option<(std::net::SocketAddr, bool)> {
    plan.portal.as_ref().map(|plan| (plan.bind, plan.accounts.is_some()))
}

/// Where the console is, and whether it is encrypted.
fn entered(plan: &Plan) -> Option<(std::net::SocketAddr, bool)> {
    plan.admin.console.as_ref().map(|console| (console.bind, console.tls.is_some()))
}

/// What of access records is taken once, besides where they go.
fn access_form(plan: &Plan) -> (LogFormat, Option<RotationPlan>, usize) {
    (plan.access_log.format, plan.access_log.rotation, plan.access_log.queue)
}

/// What of watching is taken once: the tables, and by what networks and countries are told apart, since those of before would all be new.
fn watched(plan: &Plan) -> Option<(portcullis_anomaly::Bounds, bool, bool)> {
    plan.anomalies.as_ref().map(|plan| (plan.bounds, plan.countries.is_some(), plan.networks.is_some()))
}
