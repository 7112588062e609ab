//! Whether a request is sent again, and after how long.

use super::Targets;
use crate::worker::Worker;
use portcullis_balance::{Backoff, Budget};
use portcullis_config::plan::RetryPlan;
use portcullis_types::{Fault, FaultKind, Millis};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The retries of one request.
#[derive(Debug)]
pub(crate) struct Retry<'a> {
    /// `None` for a request that must not be sent twice, and for an upstream without retries.
    plan: Option<&'a RetryPlan>,
    targets: &'a Targets,
    number: u32,
    due: Millis,
}

/// What the requests of an upstream on one worker may spend together.
pub(super) type Purse = Rc<RefCell<Budget>>;

// === impl Retry ===

impl<'a> Retry<'a> {
    /// Counts the request towards the budget.
    pub(crate) fn new(plan: Option<&'a RetryPlan>, targets: &'a Targets, repeatable: bool, due: Millis) -> Self {
        if let Some(purse) = &targets.purse {
            purse.borrow_mut().asked();
        }
        Self { plan: plan.filter(|_| repeatable), targets, number: 0, due }
    }

    /// The pause before the request is sent again after a fault; `None` if it is not. Whether the server has acted upon it
    /// does not matter: a request that may not be sent twice has no plan.
    pub(crate) fn after_fault(&mut self, worker: &Worker, fault: &Fault) -> Option<Duration> {
        match fault.kind {
            FaultKind::Closed | FaultKind::Timeout | FaultKind::Malformed => self.pause(worker),
            // Every target has been tried, or trying again would fail in the same way.
            FaultKind::NoTarget
            | FaultKind::Unhealthy
            | FaultKind::Busy
            | FaultKind::Resolve
            | FaultKind::Connect
            | FaultKind::ConnectTimeout
            | FaultKind::Tls
            | FaultKind::Truncated
            | FaultKind::Internal => None,
        }
    }

    /// The same after an answer of which the client has seen nothing.
    pub(crate) fn after_status(&mut self, worker: &Worker, status: u16) -> Option<Duration> {
        let again = self.plan.is_some_and(|plan| plan.statuses.contains(&status));
        if again { self.pause(worker) } else { None }
    }

    fn pause(&mut self, worker: &Worker) -> Option<Duration> {
        let plan = self.plan.filter(|plan| self.number < plan.attempts)?;
        let millis = |duration: Duration| Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX);
        let backoff = Backoff { base_ms: millis(plan.pause), max_ms: millis(plan.max_pause) };
        let pause = backoff.pause(self.number.saturating_add(1), worker.random());
        if worker.millis().saturating_add(pause) >= self.due {
            return None;
        }
        self.targets.purse.as_ref().filter(|purse| purse.borrow_mut().take())?;
        self.number = self.number.saturating_add(1);
        self.targets.crew.retries.fetch_add(1, Ordering::Relaxed);
        Some(Duration::from_millis(pause))
    }
}

/// The purse of an upstream: the one from before a reload if its rules are the same.
pub(super) fn purse(plan: Option<&RetryPlan>, before: Option<&Targets>) -> Option<Purse> {
    let plan = plan?;
    let same = |purse: &&Purse| purse.borrow().percent() == u64::from(plan.budget);
    let kept = before.and_then(|targets| targets.purse.as_ref()).filter(same).map(Rc::clone);
    Some(kept.unwrap_or_else(|| Rc::new(RefCell::new(Budget::new(plan.budget)))))
}
