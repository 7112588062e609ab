//! The one thread that compares requests with what is usual, and decides what follows from its findings.

use super::finding::FindingFacts;
use super::seen::{Batch, Called, Seen};
use super::shelf::{Entry, Shelf};
use super::{Anomalies, Message};
use crate::record::form::Told;
use portcullis_anomaly::{Finding, Kind, Ladder, Step, Watcher, Who};
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often it looks at what workers have told, and at what has ended by itself.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long after its end a request is told of at the latest, twice the time between two sweeps of a worker. So long it waits
/// for those that ended before it at other workers: who asks for one object after another does so over several.
const TOLD_WITHIN_NANOS: u64 = 200_000_000;
// LIMIT: requests that wait for their turn; beyond it all of them are looked at.
const WAITING_MAX: usize = 65_536;
// LIMIT: callers and addresses whose points are kept; beyond it those without a step make room.
const LADDERS_MAX: usize = 16_384;

/// The judge.
#[derive(Debug)]
pub(super) struct Judge {
    anomalies: Weak<Anomalies>,
    watcher: Watcher,
    ladders: HashMap<u64, Ladder>,
    shelf: Option<Shelf>,
    /// Requests that have not been looked at: when they ended, and where they are told of.
    waiting: Vec<(u64, Arc<Batch>, usize)>,
    /// When ended steps were looked for last, in milliseconds since 1970.
    looked_ms: u64,
}

// === impl Judge ===

impl Judge {
    /// With what was found before, whose points still count.
    pub(super) fn new(weak: Weak<Anomalies>, anomalies: &Anomalies, folder: Option<&Path>) -> io::Result<Self> {
        let watcher = Watcher::new(anomalies.settings.load().bounds);
        let mut judge =
            Self { anomalies: weak, watcher, ladders: HashMap::new(), shelf: None, waiting: Vec::new(), looked_ms: 0 };
        if let Some(folder) = folder {
            let (shelf, found) = Shelf::open(folder)?;
            judge.shelf = Some(shelf);
            for entry in found {
                match entry {
                    Entry::Found(facts) => judge.remember(anomalies, facts),
                    Entry::Pardoned { who, .. } => judge.forget(anomalies, &who),
                }
            }
        }
        Ok(judge)
    }

    /// Ends when the gateway is gone.
    pub(super) fn run(mut self, receiver: &Receiver<Message>) {
        loop {
            let message = receiver.recv_timeout(LOOK_EVERY);
            let Some(anomalies) = self.anomalies.upgrade() else { return };
            match message {
                Ok(Message::Seen(batch)) => self.take(batch),
                Ok(Message::Pardon(who)) => {
                    self.forget(&anomalies, &who);
                    self.keep(&anomalies, &Entry::Pardoned { at_ms: anomalies.unix_ms(), who });
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let due = self
                .waiting
                .first()
                .is_some_and(|(ended, ..)| ended + 2 * TOLD_WITHIN_NANOS <= anomalies.clock.nanos());
            if due || self.waiting.len() >= WAITING_MAX {
                self.see(&anomalies);
            }
            self.look(&anomalies);
        }
    }

    fn take(&mut self, batch: Batch) {
        let batch = Arc::new(batch);
        let waiting = batch.moments().enumerate().map(|(index, ended)| (ended, Arc::clone(&batch), index));
        self.waiting.extend(waiting);
    }

    /// Looks at those of which nobody will tell that they ended later than another, in the order in which they did.
    fn see(&mut self, anomalies: &Anomalies) {
        self.waiting.sort_by_key(|(ended, ..)| *ended);
        let until = match self.waiting.len() >= WAITING_MAX {
            true => u64::MAX,
            false => anomalies.clock.nanos().saturating_sub(TOLD_WITHIN_NANOS),
        };
        let ready = self.waiting.partition_point(|(ended, ..)| *ended <= until);
        let ready: Vec<_> = self.waiting.drain(..ready).collect();
        let mut found = Vec::new();
        let settings = anomalies.settings.load_full();
        for (_, batch, index) in &ready {
            let Some((seen, called)) = batch.get(*index) else { continue };
            seen.with(&settings, &anomalies.names, |event| self.watcher.see(event, &mut |finding| found.push(finding)));
            for finding in found.drain(..) {
                self.tell(anomalies, &finding, (seen, called));
            }
        }
    }

    /// Tells a finding, and does what follows.
    fn tell(&mut self, anomalies: &Anomalies, finding: &Finding, (seen, called): (&Seen, Called<'_>)) {
        if !anomalies.settings.load().told.get(finding.kind as usize).copied().unwrap_or(false) {
            return;
        }
        let (name, is_of_address) = subject(finding.who);
        let is_of_caller = name != 0 && !is_of_address;
        let whose = |text: &str| if is_of_caller { text.to_owned() } else { String::new() };
        let operation = match finding.who {
            Who::PrincipalAt(..) => called.operation.to_owned(),
            Who::Principal(_) | Who::Address(_) | Who::Everybody => String::new(),
        };
        let step = self.climb(anomalies, name, finding);
        let facts = FindingFacts {
            at_ms: finding.at_ms,
            kind: finding.kind.name().to_owned(),
            issuer: whose(called.issuer),
            caller: whose(called.caller),
            address: seen.address.to_canonical().to_string(),
            is_of_address,
            operation,
            numbers: [finding.seen, finding.usual, finding.bound],
            window_s: finding.window_s,
            step: step.name().to_owned(),
            place: seen.place(&anomalies.settings.load(), finding.kind),
        };
        if let Some(count) = anomalies.counts.found.get(finding.kind as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(security) = &anomalies.security {
            security.tell(Told::Found(&facts));
        }
        anomalies.findings.add(name, facts.clone());
        self.keep(anomalies, &Entry::Found(facts));
    }

    /// Writes down what has to outlive the process.
    fn keep(&mut self, anomalies: &Anomalies, entry: &Entry) {
        if self.shelf.as_mut().is_some_and(|shelf| shelf.write(entry).is_err()) {
            anomalies.counts.unwritten.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Forgets the points of whoever is called so, and what follows from them.
    fn forget(&mut self, anomalies: &Anomalies, who: &str) {
        for name in anomalies.called(who) {
            self.ladders.remove(&name);
            anomalies.steps.remove(name);
        }
    }

    /// What follows from a finding about somebody.
    fn climb(&mut self, anomalies: &Anomalies, name: u64, finding: &Finding) -> Step {
        if name == 0 {
            return Step::Observe;
        }
        if self.ladders.len() >= LADDERS_MAX && !self.ladders.contains_key(&name) {
            self.make_room(anomalies, finding.at_ms);
        }
        let settings = anomalies.settings.load();
        let ladder = self.ladders.entry(name).or_default();
        let (step, _) = ladder.note(finding, &settings.rungs);
        anomalies.steps.set(name, step, ladder.until_ms(finding.at_ms, &settings.rungs));
        step
    }

    /// Lets go of whoever nothing is done about; if that is nobody, of whoever is next to it.
    fn make_room(&mut self, anomalies: &Anomalies, now_ms: u64) {
        let rungs = anomalies.settings.load().rungs;
        self.ladders.retain(|_, ladder| ladder.step(now_ms, &rungs) > Step::Observe);
        if self.ladders.len() >= LADDERS_MAX {
            let mildest = self.ladders.iter().min_by_key(|(_, ladder)| ladder.until_ms(now_ms, &rungs));
            if let Some(name) = mildest.map(|(name, _)| *name) {
                self.ladders.remove(&name);
                anomalies.steps.remove(name);
            }
        }
    }

    /// Steps that have ended, or that have become milder.
    fn look(&mut self, anomalies: &Anomalies) {
        let (now_ms, rungs) = (anomalies.unix_ms(), anomalies.settings.load().rungs);
        if now_ms < self.looked_ms.saturating_add(1_000) {
            return;
        }
        self.looked_ms = now_ms;
        self.ladders.retain(|name, ladder| {
            let until = ladder.until_ms(now_ms, &rungs);
            anomalies.steps.set(*name, ladder.step(now_ms, &rungs), until);
            !ladder.is_forgotten(now_ms, &rungs)
        });
    }

    /// Takes in a finding from before the last stop.
    fn remember(&mut self, anomalies: &Anomalies, facts: FindingFacts) {
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == facts.kind) else { return };
        let name = match (facts.is_of_address, facts.caller.is_empty()) {
            (true, _) => facts.address.parse().map_or(0, |address| anomalies.names.address(address)),
            (false, false) => anomalies.names.caller(&facts.issuer, &facts.caller),
            (false, true) => 0,
        };
        let who = if facts.is_of_address { Who::Address(name) } else { Who::Principal(name) };
        let ([seen, usual, bound], at_ms) = (facts.numbers, facts.at_ms);
        self.climb(anomalies, name, &Finding { kind, who, at_ms, seen, usual, bound, window_s: facts.window_s });
        anomalies.findings.add(name, facts);
    }
}

/// Whom steps are taken against, 0 being nobody, and whether it is an address.
fn subject(who: Who) -> (u64, bool) {
    match who {
        Who::Principal(name) | Who::PrincipalAt(name, _) => (name, false),
        Who::Address(name) => (name, true),
        Who::Everybody => (0, false),
    }
}
