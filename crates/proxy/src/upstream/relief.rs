//! What relieves an upstream as a whole: a breaker that sends nothing while most requests fail, and room for as many requests at
//! once as it turns out to bear. Both are a worker's own, so that nothing is shared on the way of a request.

use super::choice::is_well;
use super::fleet::Crew;
use super::{Due, Targets};
use crate::worker::Worker;
use portcullis_config::plan::PoolPlan;
use portcullis_h1::ResponseHead;
use portcullis_limit::{Adaptive, AdaptiveRules, Breaker, BreakerRules, BreakerState, Outcome, Priority, Trial};
use portcullis_types::{Fault, FaultKind, Reason, Refusal, Stage};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The relief of one upstream on one worker.
#[derive(Debug)]
pub(crate) struct Relief {
    rules: (Option<BreakerRules>, Option<AdaptiveRules>),
    breaker: Option<RefCell<Breaker>>,
    adaptive: Option<RefCell<Adaptive>>,
    crew: Arc<Crew>,
    /// What others have been told: whether the breaker is closed to requests, and how many may run.
    told: Cell<(u64, u64)>,
}

/// A request that was let through. How its first attempt ended is to be told; what is dropped untold says nothing.
#[derive(Debug)]
pub(crate) struct Relieved {
    relief: Rc<Relief>,
    trial: Option<Trial>,
    is_open: bool,
}

/// Whether a request may be sent, before anything is asked of a server; once for all its attempts.
pub(crate) fn admit(targets: &Targets, priority: Priority, worker: &Worker) -> Result<Option<Relieved>, Refusal> {
    targets.relief.as_ref().map(|relief| relief.admit(priority, worker.nanos())).transpose()
}

/// An answer's head came, to a request that was sent at `began_ns`.
pub(crate) fn answered(relieved: &mut Option<Relieved>, answer: &ResponseHead, began_ns: u64, worker: &Worker) {
    if let Some(relieved) = relieved {
        let now = worker.nanos();
        relieved.answered(is_well(answer), (now.saturating_sub(began_ns), now));
    }
}

/// An attempt failed. What the client's own deadline ended says nothing about the server.
pub(crate) fn failed(relieved: &mut Option<Relieved>, fault: &Fault, due: Due, worker: &Worker) {
    if let Some(relieved) = relieved.as_mut().filter(|_| due.blames(fault)) {
        relieved.failed(fault, worker.nanos());
    }
}

// === impl Relief ===

impl Relief {
    /// `None` where nothing is configured. What was learnt survives a reload that leaves the rules as they are.
    pub(super) fn of(plan: &PoolPlan, crew: &Arc<Crew>, before: Option<&Rc<Self>>) -> Option<Rc<Self>> {
        let rules = (plan.breaker, plan.adaptive);
        if rules == (None, None) {
            return None;
        }
        if let Some(same) = before.filter(|relief| relief.rules == rules) {
            return Some(Rc::clone(same));
        }
        let relief = Self {
            rules,
            breaker: plan.breaker.map(|rules| RefCell::new(Breaker::new(rules))),
            adaptive: plan.adaptive.map(|rules| RefCell::new(Adaptive::new(rules))),
            crew: Arc::clone(crew),
            told: Cell::default(),
        };
        relief.tell();
        Some(Rc::new(relief))
    }

    /// Whether one more request may be sent.
    fn admit(self: &Rc<Self>, priority: Priority, now_ns: u64) -> Result<Relieved, Refusal> {
        let mut trial = None;
        if let Some(breaker) = &self.breaker {
            let outcome = breaker.borrow_mut().admit(now_ns);
            match outcome {
                Ok(leave) => trial = Some(leave),
                Err(rest_ns) => {
                    self.crew.broken.fetch_add(1, Ordering::Relaxed);
                    let detail = "most requests to it failed, so that it is left alone for a while";
                    return Err(reduced(detail, rest_ns.div_ceil(1_000_000_000)));
                }
            }
        }
        if let Some(adaptive) = &self.adaptive
            && !adaptive.borrow_mut().begin(priority)
        {
            self.crew.shed.fetch_add(1, Ordering::Relaxed);
            return Err(reduced("it has as many requests as it bears now", 1));
        }
        Ok(Relieved { relief: Rc::clone(self), trial, is_open: true })
    }

    /// Tells those who look what has changed.
    pub(super) fn tell(&self) {
        let is_open = |breaker: &RefCell<Breaker>| breaker.borrow().state() == BreakerState::Open;
        let open = u64::from(self.breaker.as_ref().is_some_and(is_open));
        let room = self.adaptive.as_ref().map_or(0, |adaptive| u64::from(adaptive.borrow().limit()));
        self.told_as((open, room));
    }

    fn told_as(&self, now: (u64, u64)) {
        let before = self.told.replace(now);
        self.crew.open.fetch_add(now.0.wrapping_sub(before.0), Ordering::Relaxed);
        self.crew.room.fetch_add(now.1.wrapping_sub(before.1), Ordering::Relaxed);
    }
}

impl Drop for Relief {
    fn drop(&mut self) {
        self.told_as((0, 0));
    }
}

fn reduced(detail: &'static str, wait_s: u64) -> Refusal {
    let refusal = Refusal::new(Stage::Forward, Reason::ReducedCapacity, "the API takes fewer requests than usual");
    refusal.private(detail.to_owned()).header("retry-after", wait_s.max(1).to_string())
}

// === impl Relieved ===

impl Relieved {
    /// The head of an answer came, `took_ns` after the request began; `good` says whether the server was well.
    fn answered(&mut self, good: bool, (took_ns, now_ns): (u64, u64)) {
        self.end(Some(good), if good { Outcome::Answered(took_ns) } else { Outcome::Overloaded }, now_ns);
    }

    /// None came. A fault of ours says nothing about the server.
    fn failed(&mut self, fault: &Fault, now_ns: u64) {
        match fault.kind {
            FaultKind::Internal | FaultKind::Busy | FaultKind::Unhealthy => self.end(None, Outcome::Unknown, now_ns),
            FaultKind::NoTarget
            | FaultKind::Resolve
            | FaultKind::Connect
            | FaultKind::ConnectTimeout
            | FaultKind::Tls
            | FaultKind::Closed
            | FaultKind::Timeout
            | FaultKind::Malformed
            | FaultKind::Truncated => self.end(Some(false), Outcome::Overloaded, now_ns),
        }
    }

    fn end(&mut self, good: Option<bool>, outcome: Outcome, now_ns: u64) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        if let (Some(breaker), Some(trial), Some(good)) = (&self.relief.breaker, &self.trial, good) {
            breaker.borrow_mut().record(trial, !good, now_ns);
        }
        if let Some(adaptive) = &self.relief.adaptive {
            adaptive.borrow_mut().finish(outcome, now_ns);
        }
        self.relief.tell();
    }
}

impl Drop for Relieved {
    fn drop(&mut self) {
        self.end(None, Outcome::Unknown, 0);
    }
}
