//! One worker: a thread with a runtime of its own, its listeners, its connections to upstreams, its counters.
//!
//! Nothing on the path of a request takes a lock or crosses to another worker.

mod opaque;
mod run;
mod tokens;

use crate::anomalies::{Anomalies, Ended, Tally};
use crate::carry::buffer::Buffers;
use crate::carry::room::Rooms;
use crate::carry::timer::Timers;
use crate::exchange::Exchange;
use crate::gateway::Shared;
use crate::identity::Bench;
use crate::inspection::Inspector;
use crate::knowledge::Notes;
use crate::limits::{Drawer, Till};
use crate::metrics::Counters;
use crate::record::AccessRecord;
use crate::record::form::{self, Turned};
use crate::record::json::Subject;
use crate::record::log::LogLines;
use crate::record::recent::RecentLines;
use crate::record::security::SecurityLines;
use crate::record::syslog::Severity;
use crate::record::wall::WallTexts;
use crate::snapshot::{Route, Snapshot};
use crate::trace::export::Spool;
use crate::trace::spans::Finished;
use crate::upstream::Targets;
use crate::upstream::pool::Target;
use portcullis_config::plan::TargetPlan;
use portcullis_limit::Moment;
use portcullis_types::id::Ids;
use portcullis_types::{Millis, Reason, Stage};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

pub(crate) use opaque::{Look, Pending, Told};
pub(crate) use run::{Bound, Guest, Ready};
pub(crate) use tokens::Tokens;

// LIMIT: exchanges whose memory a worker keeps for the next connection.
const SPARE_EXCHANGES_MAX: usize = 256;

/// The targets that a worker holds, by upstream.
type Known = HashMap<(Arc<str>, TargetPlan), Rc<Target>>;

/// What every connection of a thread shares.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) timers: Timers,
    pub(crate) buffers: Buffers,
    /// What all bodies that it holds may take.
    pub(crate) rooms: Rooms,
    pub(crate) ids: RefCell<Ids>,
    pub(crate) log: RefCell<LogLines>,
    /// The last records, for people who look; `None` where nobody can.
    recent: Option<RefCell<RecentLines>>,
    /// The security record; `None` where there is none.
    security: Option<RefCell<SecurityLines>>,
    /// What is told to a collector; `None` without one.
    spool: Option<RefCell<Spool>>,
    pub(crate) counters: RefCell<Counters>,
    /// What is told to whoever looks for what is unusual; `None` where nobody does.
    tally: Option<RefCell<Tally>>,
    pub(crate) wall: RefCell<WallTexts>,
    /// What this worker remembers of credentials.
    tokens: RefCell<Tokens>,
    /// What this worker keeps for rules about attacks.
    pub(crate) inspector: RefCell<Inspector>,
    /// What this worker has met that contracts do not have.
    pub(crate) notes: RefCell<Notes>,
    local: RefCell<Rc<Local>>,
    /// By the name of their upstream.
    targets: RefCell<Known>,
    #[expect(clippy::vec_box, reason = "an exchange moves between connections and this list as one pointer")]
    spare: RefCell<Vec<Box<Exchange>>>,
    /// Open client connections of this worker.
    pub(crate) open: Cell<u64>,
    /// The time of day in milliseconds at the last sweep, and the monotonic nanoseconds that belong to it.
    wall_base: Cell<(u64, u64)>,
}

/// The current snapshot as this worker uses it: with the targets' connections of its own.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) snapshot: Arc<Snapshot>,
    /// Side by side with the snapshot's upstreams.
    pub(crate) targets: Vec<Targets>,
    /// What it holds of the snapshot's limits.
    pub(crate) drawer: RefCell<Drawer>,
}

// === impl Worker ===

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, seed: [u64; 2]) -> Self {
        let worker = Self {
            timers: Timers::default(),
            buffers: Buffers::default(),
            rooms: Rooms::default(),
            ids: RefCell::new(Ids::new(seed)),
            log: RefCell::new(LogLines::new(shared.records.access())),
            recent: shared.recent.as_ref().map(|recent| RefCell::new(recent.lines())),
            security: shared.records.security().and_then(|record| record.shared.lines()).map(RefCell::new),
            spool: shared.export_queue().map(|queue| RefCell::new(Spool::new(queue))),
            tally: shared.anomalies.as_ref().map(|anomalies| RefCell::new(Tally::new(Arc::clone(anomalies)))),
            counters: RefCell::new(Counters::new(Arc::clone(&shared.registry))),
            wall: RefCell::default(),
            tokens: RefCell::default(),
            inspector: RefCell::default(),
            notes: RefCell::default(),
            local: RefCell::new(Rc::new(Local {
                snapshot: shared.snapshot.load_full(),
                targets: Vec::new(),
                drawer: RefCell::default(),
            })),
            targets: RefCell::default(),
            spare: RefCell::default(),
            open: Cell::default(),
            wall_base: Cell::default(),
            shared,
        };
        worker.tick();
        worker.adopt();
        worker
    }

    /// The snapshot in force. Cheap unless it has been replaced since the last call.
    pub(crate) fn local(&self) -> Rc<Local> {
        let current = self.local.borrow().snapshot.generation;
        if self.shared.generation.load(Ordering::Acquire) != current {
            self.adopt();
        }
        Rc::clone(&self.local.borrow())
    }

    /// Takes over the newest snapshot. Targets that it keeps keep their connections.
    fn adopt(&self) {
        let snapshot = self.shared.snapshot.load_full();
        let before = Rc::clone(&self.local.borrow());
        let mut known = self.targets.borrow_mut();
        let mut kept = HashMap::new();
        let targets = snapshot.upstreams.iter().map(|upstream| {
            let name = &upstream.plan.name;
            let crew = self.shared.fleet.crew(name);
            let old = before.snapshot.upstreams.iter().position(|old| old.plan.name == *name);
            let old_tls = old.and_then(|index| before.snapshot.upstreams.get(index)?.tls.as_ref());
            let same_tls = upstream.tls.as_ref().zip(old_tls).is_some_and(|(new, old)| new.is_like(old));
            let targets = upstream.plan.targets.iter().map(|plan| {
                let key = (Arc::clone(name), plan.clone());
                // Connections that were made under other TLS settings must not be used; plain ones are the same to everybody.
                let target = match kept.get(&key).or_else(|| known.get(&key)) {
                    Some(target) if !plan.tls || same_tls => Rc::clone(target),
                    _ => Rc::new(Target::new(plan.clone(), crew.server(plan))),
                };
                kept.insert(key, Rc::clone(&target));
                target
            });
            let old = old.and_then(|index| before.targets.get(index));
            let targets = targets.collect();
            Targets::new(targets, &upstream.plan, crew, old)
        });
        let drawer = RefCell::new(before.drawer.borrow_mut().succeeded_by(&snapshot.books));
        let local = Local { targets: targets.collect(), snapshot: Arc::clone(&snapshot), drawer };
        *known = kept;
        *self.local.borrow_mut() = Rc::new(local);
    }

    /// Milliseconds on the monotonic clock.
    pub(crate) fn millis(&self) -> Millis {
        self.shared.clock.millis()
    }

    /// Nanoseconds on the monotonic clock.
    pub(crate) fn nanos(&self) -> u64 {
        self.shared.clock.nanos()
    }

    /// The time of day in milliseconds at a moment of the monotonic clock, since 1970.
    pub(crate) fn wall_ms(&self, nanos: u64) -> u64 {
        let (wall_ms, base) = self.wall_base.get();
        wall_ms + nanos.saturating_sub(base) / 1_000_000
    }

    /// What callers are judged with, now.
    pub(crate) fn bench(&self) -> Bench<'_> {
        let nanos = self.nanos();
        Bench {
            identity: &self.shared.identity,
            tokens: &self.tokens,
            now: self.wall_ms(nanos) / 1000,
            millis: nanos / 1_000_000,
        }
    }

    /// What callers are charged with, now.
    pub(crate) fn till<'a>(&'a self, local: &'a Local) -> Till<'a> {
        Till {
            drawer: &local.drawer,
            hasher: &self.shared.hasher,
            books: &local.snapshot.books,
            now: self.moment(),
            store: self.shared.store.as_ref(),
        }
    }

    /// Who knows what is to be done about somebody, if anybody does.
    pub(crate) fn anomalies(&self) -> Option<&Anomalies> {
        self.shared.anomalies.as_deref()
    }

    /// Now, on both clocks.
    pub(crate) fn moment(&self) -> Moment {
        let nanos = self.nanos();
        Moment { nanos, unix_s: self.wall_ms(nanos) / 1000 }
    }

    pub(crate) fn random(&self) -> u64 {
        self.ids.borrow_mut().bits()
    }

    /// What has to happen ten times a second.
    fn tick(&self) {
        let (nanos, wall) = (self.nanos(), self.shared.clock.wall());
        let wall = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.wall_base.set((u64::try_from(wall.as_millis()).unwrap_or(0), nanos));
        self.timers.sweep(nanos / 1_000_000);
        self.log.borrow_mut().flush();
        if let Some(security) = &self.security {
            security.borrow_mut().flush();
        }
        if let Some(recent) = &self.recent {
            recent.borrow_mut().flush();
        }
        self.notes.borrow_mut().tell();
        if let Some(spool) = &self.spool {
            spool.borrow_mut().flush();
        }
        if let Some(tally) = &self.tally {
            tally.borrow_mut().flush();
        }
        let seconds = self.wall_base.get().0 / 1000;
        if let Some(notes) = self.tokens.borrow_mut().due(seconds) {
            self.shared.identity.note(notes);
        }
        self.timers.close(self.shared.closing());
        // Also so that a worker without requests lets go of what a reload has removed.
        for targets in &self.local().targets {
            targets.expire(nanos / 1_000_000);
            targets.publish();
        }
    }

    /// Enters a finished request into the log and the counters.
    pub(crate) fn note(&self, local: &Local, exchange: &Exchange) {
        let (record, snapshot) = (&exchange.record, &*local.snapshot);
        let canonical = exchange.target.as_str().as_bytes();
        let target = if canonical.is_empty() { exchange.head.origin_target() } else { canonical };
        let hidden = redacted(snapshot, record, target);
        let subject = Subject {
            method: exchange.head.method(),
            host: exchange.host.as_bytes(),
            target: hidden.as_deref().unwrap_or(target),
        };
        let mut wall = self.wall.borrow_mut();
        let ended = form::Ended { record, subject, snapshot };
        let when = (&mut *wall, record.wall_ms);
        self.log.borrow_mut().add(when, Severity::Informational, |format, wall, out| {
            form::request(format, ended, None, wall, out);
        });
        if let Some(security) = &self.security {
            security.borrow_mut().note(ended, &mut wall);
        }
        if let Some(recent) = &self.recent {
            recent.borrow_mut().note(ended, &mut wall);
        }
        if let Some(spool) = &self.spool {
            self.tell(spool, local, exchange);
        }
        if let Some(tally) = &self.tally
            && let Some(ended) = self.ended(local, exchange)
        {
            tally.borrow_mut().add(&ended);
        }
        let route = || record.route.and_then(|index| snapshot.routes.get(index));
        if self.shared.identity.notes_callers()
            && let Some(route) = route().filter(|route| self.shared.has_accounts || !route.version.is_empty())
        {
            let caller = record.caller.as_deref().map(|caller| (caller.issuer.as_deref(), caller.id.as_str()));
            let now = record.wall_ms / 1000;
            self.tokens.borrow_mut().callers.note(&route.api, &route.version, caller, now);
        }
        self.counters.borrow_mut().count(
            snapshot.generation,
            record,
            subject.method,
            || route().map(Route::labels).unwrap_or_default(),
            (
                |rule| {
                    let rules = route().and_then(|route| route.rules.as_ref());
                    rules.map_or_else(|| Arc::from(""), |rules| Arc::clone(&rules.named(rule).name))
                },
                |rule| {
                    let disclosure = route().and_then(|route| route.disclosure.as_ref());
                    disclosure.map_or_else(|| Arc::from(""), |disclosure| disclosure.name(rule))
                },
            ),
        );
    }

    /// Enters a connection that is turned away into the security record, where there is one.
    pub(crate) fn turned_away(&self, listener: &str, peer: SocketAddr, reason: &'static str, detail: &str) {
        if let Some(security) = &self.security {
            let told = form::Told::Turned(Turned { listener, peer, reason, detail });
            let now = self.wall_ms(self.nanos());
            security.borrow_mut().tell(told, &mut self.wall.borrow_mut(), now);
        }
    }

    /// A finished request as whoever looks for what is unusual is told of it.
    fn ended<'a>(&self, local: &'a Local, exchange: &'a Exchange) -> Option<Ended<'a>> {
        let (record, snapshot) = (&exchange.record, &local.snapshot);
        let route = record.route.and_then(|index| snapshot.routes.get(index));
        let failed = record.decision.as_ref().is_some_and(|decision| {
            decision.stage == Stage::Identify && record.status == 401 && decision.reason != Reason::MissingCredential
        });
        let fields = exchange.head.fields();
        Some(Ended {
            at_ms: self.wall_ms(record.ended),
            nanos: record.ended,
            address: record.client.or(record.peer.map(|peer| peer.ip()))?,
            caller: record.caller.as_deref(),
            operation: route.map(|route| (route.watched_as.as_ref(), route.object_of(exchange.target.path()))),
            status: record.status,
            bytes: record.response_bytes,
            fields,
            failed: failed.then(|| snapshot.callers.shown(fields)).flatten(),
        })
    }

    /// Tells a collector of a finished request.
    fn tell(&self, spool: &RefCell<Spool>, local: &Local, exchange: &Exchange) {
        let (record, path) = (&exchange.record, exchange.target.path().as_bytes());
        let hidden = redacted(&local.snapshot, record, path);
        spool.borrow_mut().add(&Finished {
            record,
            route: record.route.and_then(|index| local.snapshot.routes.get(index)),
            method: exchange.head.method(),
            path: hidden.as_deref().unwrap_or(path),
            host: exchange.host.as_bytes(),
            version: exchange.head.version(),
        });
    }

    /// Memory for a message and its answer, used before if there is such.
    pub(crate) fn exchange(&self) -> Box<Exchange> {
        self.spare.borrow_mut().pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, mut exchange: Box<Exchange>) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() < SPARE_EXCHANGES_MAX {
            exchange.clear();
            spare.push(exchange);
        }
    }
}

/// A target as records may show it, where rules of its route look for what it holds.
fn redacted(snapshot: &Snapshot, record: &AccessRecord, target: &[u8]) -> Option<Vec<u8>> {
    let route = record.route.and_then(|index| snapshot.routes.get(index));
    route.and_then(|route| route.disclosure.as_ref()).and_then(|disclosure| disclosure.redacted(target))
}
