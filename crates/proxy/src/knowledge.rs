//! What is known of a contract while it is in force: which of its operations are called, what is called that it does not have,
//! and which members of answers it does not speak of.
//!
//! Workers keep what they meet to themselves and add it to what all know ten times a second; an operation costs a request one
//! look at a number. Nothing is repeated of what clients or servers sent but words of paths and names of members.

mod shape;
#[cfg(test)]
mod tests;

use crate::exchange::Exchange;
use crate::metrics::METHODS;
use crate::record::Outcome;
use crate::snapshot::contract::Conforms;
use crate::worker::{Local, Worker};
use portcullis_config::plan::ContractPlan;
use portcullis_contract::Stranger;
use portcullis_contract::json::Json;
use portcullis_types::Reason;
use shape::shape;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// LIMIT: paths of one contract's API that are told apart though the document does not have them.
const SHADOWS_MAX: usize = 256;
/// LIMIT: members of answers of one contract that are told apart though the document does not speak of them.
const STRANGERS_MAX: usize = 512;
/// LIMIT: what one worker keeps to itself until it tells the others.
const NOTES_MAX: usize = 64;
/// What a server says of an operation that it does not have.
const NOT_THERE: [u16; 3] = [404, 405, 501];

/// What is known of one contract, for as long as it stays as it is.
#[derive(Debug)]
pub(crate) struct Knowledge {
    pub(crate) api: Arc<str>,
    /// Empty without versions.
    pub(crate) version: Arc<str>,
    plan: Arc<ContractPlan>,
    /// Seconds since 1970 from which on it counts; 0 before anybody has said.
    since_s: AtomicU64,
    /// By operation, when it was last answered, in seconds since 1970; 0 if it never was.
    seen: Box<[AtomicU64]>,
    lore: Mutex<Lore>,
    /// Requests for what the document does not have.
    shadow_requests: AtomicU64,
}

/// What was met that the document does not have.
#[derive(Debug, Default)]
struct Lore {
    /// By method and path.
    shadows: BTreeMap<(&'static str, String), Shadow>,
    /// By operation, status and member; when it was last met.
    strangers: BTreeMap<(usize, u16, Stranger), u64>,
    /// What there was no room for.
    missed: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Shadow {
    count: u64,
    last_s: u64,
}

/// What a worker has met since it last told.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    all: Vec<Note>,
    /// What there was no room for, by contract.
    missed: Vec<Missed>,
}

#[derive(Debug)]
struct Missed {
    knowledge: Arc<Knowledge>,
    notes: u64,
    /// Those of them that are about requests.
    shadows: u64,
}

#[derive(Debug)]
struct Note {
    knowledge: Arc<Knowledge>,
    at_s: u64,
    what: Met,
}

#[derive(Debug)]
enum Met {
    Shadow(&'static str, String),
    Strangers(usize, u16, Vec<Stranger>),
}

/// What operators are told of one contract.
#[derive(Clone, Debug)]
pub struct ContractFacts {
    /// The API that it is for.
    pub api: Arc<str>,
    /// And its version; empty without versions.
    pub version: Arc<str>,
    /// The document.
    pub file: String,
    /// From when on it was looked, in seconds since 1970.
    pub since_s: u64,
    /// How answers are held to it: `off` means that nobody looks for undeclared members.
    pub answers: &'static str,
    /// All operations of the document.
    pub operations: Vec<OperationFacts>,
    /// What was asked for and the document does not have.
    pub shadows: Vec<ShadowFacts>,
    /// Members of answers that the document does not speak of.
    pub strangers: Vec<StrangerFacts>,
    /// What was met and not kept, because there was no room.
    pub missed: u64,
}

/// An operation of a document.
#[derive(Clone, Debug)]
pub struct OperationFacts {
    /// `GET` and its like.
    pub method: String,
    /// The path as the document writes it.
    pub path: String,
    /// Its `operationId`.
    pub id: Option<String>,
    /// When a server last answered it, in seconds since 1970.
    pub seen_s: Option<u64>,
}

/// A path that a document does not have.
#[derive(Clone, Debug)]
pub struct ShadowFacts {
    /// A method of HTTP, or `other`.
    pub method: &'static str,
    /// The path below the document's root, with `{}` for what looks like data.
    pub path: String,
    /// How often.
    pub count: u64,
    /// When last, in seconds since 1970.
    pub last_s: u64,
}

/// A member that a document does not speak of.
#[derive(Clone, Debug)]
pub struct StrangerFacts {
    /// `GET /orders/{id}`.
    pub operation: String,
    /// Of the answer.
    pub status: u16,
    /// Where it stands: `/items/*/note`.
    pub place: String,
    /// Its type as JSON Schema calls it.
    pub kind: &'static str,
    /// When last, in seconds since 1970.
    pub last_s: u64,
}

/// Notes what a finished request says about its contract.
pub(crate) fn note(worker: &Worker, local: &Local, exchange: &Exchange) {
    let snapshot = &*local.snapshot;
    if snapshot.contracts.is_empty() {
        return;
    }
    let record = &exchange.record;
    let (reason, at_s) = (record.decision.as_ref().map(|decision| decision.reason), record.wall_ms / 1000);
    if let Some(route) = record.route.and_then(|index| snapshot.routes.get(index)) {
        let answered = record.outcome == Outcome::Served && !NOT_THERE.contains(&record.status);
        let conforms = route.contract.as_deref().filter(|_| answered || reason == Some(Reason::InvalidAnswer));
        if let Some((conforms, index)) = conforms.and_then(|one| Some((one, one.index(exchange.head.method())?))) {
            conforms.knowledge.see(index, at_s);
        }
        return;
    }
    if !matches!(reason, Some(Reason::RouteNotFound | Reason::MethodNotAllowed)) {
        return;
    }
    let path = exchange.target.path();
    let Some((knowledge, below)) = snapshot.contracts.at(&exchange.host, path) else { return };
    let is_method = |have: &&&str| have.as_bytes() == exchange.head.method();
    let method = METHODS.iter().find(is_method).copied().unwrap_or("other");
    // What the document has and nobody serves is not unknown.
    if knowledge.plan.contract.find(method, below).is_none() {
        let at = (knowledge, at_s);
        let mut notes = worker.notes.borrow_mut();
        match notes.has_room() {
            true => notes.add(at, Met::Shadow(method, shape(below))),
            false => notes.miss(knowledge, 1),
        }
    }
}

/// Notes members of an answer that the contract does not speak of. What fits can have some only where objects are open, and one
/// answer a second says as much as all.
pub(crate) fn look(
    worker: &Worker,
    conforms: &Conforms,
    exchange: &Exchange,
    (content_type, json): (Option<&str>, &Json<'_>),
    fits: bool,
) {
    let (knowledge, at_s) = (&conforms.knowledge, exchange.record.wall_ms / 1000);
    let Some(index) = conforms.index(exchange.head.method()) else { return };
    if fits && (!knowledge.plan.options.open_objects || knowledge.seen_s(index) == Some(at_s)) {
        return;
    }
    // Before the answer is walked through once more.
    if !worker.notes.borrow().has_room() {
        return worker.notes.borrow_mut().miss(knowledge, 0);
    }
    let contract = &knowledge.plan.contract;
    let Some(operation) = contract.operations().get(index) else { return };
    let status = exchange.answer.status();
    let found = contract.strangers(operation, (status, content_type), json, &conforms.bounds);
    if !found.is_empty() {
        worker.notes.borrow_mut().add((knowledge, at_s), Met::Strangers(index, status, found));
    }
}

// === impl Notes ===

impl Notes {
    fn has_room(&self) -> bool {
        self.all.len() < NOTES_MAX
    }

    fn add(&mut self, (knowledge, at_s): (&Arc<Knowledge>, u64), what: Met) {
        self.all.push(Note { knowledge: Arc::clone(knowledge), at_s, what });
    }

    /// Counts a note that there is no room for; there are as many contracts as the configuration has.
    fn miss(&mut self, knowledge: &Arc<Knowledge>, shadows: u64) {
        let place = self.missed.iter_mut().find(|missed| Arc::ptr_eq(&missed.knowledge, knowledge));
        match place {
            Some(missed) => (missed.notes, missed.shadows) = (missed.notes + 1, missed.shadows + shadows),
            None => self.missed.push(Missed { knowledge: Arc::clone(knowledge), notes: 1, shadows }),
        }
    }

    /// Tells the others.
    pub(crate) fn tell(&mut self) {
        for note in self.all.drain(..) {
            note.knowledge.learn(note.what, note.at_s);
        }
        for Missed { knowledge, notes, shadows } in self.missed.drain(..) {
            knowledge.shadow_requests.fetch_add(shadows, Ordering::Relaxed);
            knowledge.lore.lock().unwrap_or_else(PoisonError::into_inner).missed += notes;
        }
    }
}

// === impl Knowledge ===

impl Knowledge {
    /// What is known of a contract: of the one that is there, if it has not changed.
    pub(crate) fn of(plan: &Arc<ContractPlan>, api: &Arc<str>, version: &Arc<str>, before: &[Arc<Self>]) -> Arc<Self> {
        let same = |one: &&Arc<Self>| one.api == *api && one.version == *version && one.plan == *plan;
        if let Some(have) = before.iter().find(same) {
            return Arc::clone(have);
        }
        let seen = plan.contract.operations().iter().map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self {
            api: Arc::clone(api),
            version: Arc::clone(version),
            plan: Arc::clone(plan),
            since_s: AtomicU64::new(0),
            seen,
            lore: Mutex::default(),
            shadow_requests: AtomicU64::new(0),
        })
    }

    /// Says from when on it counts, if nobody has.
    pub(crate) fn begin(&self, now_s: u64) {
        // It fails where it has begun, which is as well.
        let _begun = self.since_s.compare_exchange(0, now_s, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Written at most once a second, so that cores do not take the number from each other for every request.
    fn see(&self, index: usize, at_s: u64) {
        if let Some(seen) = self.seen.get(index).filter(|seen| seen.load(Ordering::Relaxed) != at_s) {
            seen.store(at_s, Ordering::Relaxed);
        }
    }

    fn seen_s(&self, index: usize) -> Option<u64> {
        self.seen.get(index).map(|seen| seen.load(Ordering::Relaxed)).filter(|seen| *seen > 0)
    }

    fn learn(&self, what: Met, at_s: u64) {
        let mut lore = self.lore.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            Met::Shadow(method, path) => {
                self.shadow_requests.fetch_add(1, Ordering::Relaxed);
                lore.shadow((method, path), at_s);
            }
            Met::Strangers(index, status, found) => {
                found.into_iter().for_each(|stranger| lore.stranger((index, status, stranger), at_s));
            }
        }
    }

    /// Operations that were seen and that were not, requests for others, and members that nothing speaks of.
    pub(crate) fn counts(&self) -> (usize, usize, u64, usize) {
        let seen = self.seen.iter().filter(|seen| seen.load(Ordering::Relaxed) > 0).count();
        let strangers = self.lore.lock().unwrap_or_else(PoisonError::into_inner).strangers.len();
        (seen, self.seen.len() - seen, self.shadow_requests.load(Ordering::Relaxed), strangers)
    }

    pub(crate) fn facts(&self) -> ContractFacts {
        let all = self.plan.contract.operations();
        let operations = all.iter().enumerate().map(|(index, operation)| OperationFacts {
            method: operation.method().to_owned(),
            path: operation.template().to_owned(),
            id: operation.id().map(str::to_owned),
            seen_s: self.seen_s(index),
        });
        let lore = self.lore.lock().unwrap_or_else(PoisonError::into_inner);
        let shadows = lore.shadows.iter().map(|((method, path), shadow)| ShadowFacts {
            method,
            path: path.clone(),
            count: shadow.count,
            last_s: shadow.last_s,
        });
        let strangers = lore.strangers.iter().map(|((index, status, stranger), last_s)| StrangerFacts {
            operation: all.get(*index).map(ToString::to_string).unwrap_or_default(),
            status: *status,
            place: stranger.place.clone(),
            kind: stranger.kind,
            last_s: *last_s,
        });
        ContractFacts {
            api: Arc::clone(&self.api),
            version: Arc::clone(&self.version),
            file: self.plan.file.display().to_string(),
            since_s: self.since_s.load(Ordering::Relaxed),
            answers: self.plan.response.name(),
            operations: operations.collect(),
            shadows: shadows.collect(),
            strangers: strangers.collect(),
            missed: lore.missed,
        }
    }
}

// === impl Lore ===

impl Lore {
    /// Without room the rarest makes place: whoever tries many paths once must not push out what is called all the time.
    fn shadow(&mut self, key: (&'static str, String), at_s: u64) {
        if !self.shadows.contains_key(&key) && self.shadows.len() >= SHADOWS_MAX {
            let rarest = self.shadows.iter().min_by_key(|(_, shadow)| (shadow.count, shadow.last_s));
            if let Some(rarest) = rarest.map(|(key, _)| key.clone()) {
                self.shadows.remove(&rarest);
                self.missed += 1;
            }
        }
        let shadow = self.shadows.entry(key).or_default();
        (shadow.count, shadow.last_s) = (shadow.count + 1, at_s);
    }

    fn stranger(&mut self, key: (usize, u16, Stranger), at_s: u64) {
        if !self.strangers.contains_key(&key) && self.strangers.len() >= STRANGERS_MAX {
            self.missed += 1;
            return;
        }
        self.strangers.insert(key, at_s);
    }
}
