//! Which target of an upstream is asked where more than two choices by chance is configured: policy, weights, health,
//! ejection, groups and limits; and where requests wait while all targets are at their limit.

use super::fleet::{Crew, Server};
use super::pool::{Lease, Target};
use crate::problem::is_grpc;
use crate::worker::Worker;
use portcullis_balance::{Ejection, Member, Policy, RoundRobin, Standing};
use portcullis_balance::{hash, least_request, rendezvous, two_choices};
use portcullis_config::plan::{Balance, PoolPlan};
use portcullis_h1::{Field, ResponseHead};
use portcullis_types::{Fault, FaultKind, Millis};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;
use tokio::sync::Notify;

/// How often those who wait look at what other workers have given back.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The rules of one upstream as a worker applies them.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(super) plan: PoolPlan,
    policy: Policy,
    rules: Option<Ejection>,
    slow_start: Millis,
    /// Hashes of the targets' names, side by side with them.
    names: Vec<u64>,
    turns: RefCell<RoundRobin>,
    members: RefCell<Vec<Member>>,
    pub(crate) crew: Arc<Crew>,
    /// Rings when a request of this worker gives its place back.
    pub(super) bell: Rc<Notify>,
}

/// What a request brings to the choice, and which targets have failed it.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// What consistent hashing goes by.
    pub(crate) key: Option<u64>,
    /// Targets that failed an earlier attempt: asked again only if there is no other.
    pub(crate) avoid: Vec<usize>,
}

/// The outcome of a choice.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pick {
    One(usize),
    /// Every target that could be asked is at its limit.
    Full,
    /// Checks say that all are down.
    Down,
    /// All have been tried.
    Nobody,
}

/// A place at a target with a limit, and a wake-up call for who waits for one.
#[derive(Debug)]
pub(crate) struct Permit {
    server: Arc<Server>,
    bell: Rc<Notify>,
}

/// A place in the queue.
#[derive(Debug)]
pub(super) struct Ticket(Arc<Crew>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.server.endpoint.active.fetch_sub(1, Relaxed);
        self.bell.notify_one();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}

// === impl Choice ===

impl Choice {
    /// `None` where two choices by chance are all that there is to it.
    pub(crate) fn new(plan: &PoolPlan, targets: &[Rc<Target>], crew: &Arc<Crew>) -> Option<Self> {
        // How often names are looked up does not bear on the choice, nor does what relieves all targets together.
        let PoolPlan { resolve_every, breaker, adaptive, .. } = *plan;
        if *plan == (PoolPlan { resolve_every, breaker, adaptive, ..PoolPlan::default() }) {
            return None;
        }
        let millis = |duration: Duration| Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX);
        let policy = match &plan.balance {
            Balance::TwoChoices => Policy::TwoChoices,
            Balance::LeastRequest => Policy::LeastRequest,
            Balance::RoundRobin => Policy::RoundRobin,
            Balance::Header(_) | Balance::Cookie(_) | Balance::Claim(_) | Balance::Address => Policy::Hash,
        };
        let ejection = plan.ejection;
        Some(Self {
            policy,
            rules: ejection.map(|rules| Ejection { failures: rules.failures, base_ms: millis(rules.base) }),
            slow_start: millis(plan.slow_start),
            names: targets.iter().map(|target| hash(target.address().as_bytes())).collect(),
            turns: RefCell::default(),
            members: RefCell::default(),
            crew: Arc::clone(crew),
            bell: Rc::default(),
            plan: plan.clone(),
        })
    }

    /// Chooses among targets that have not `failed` this request.
    pub(super) fn pick(
        &self,
        targets: &[Rc<Target>],
        (now, random): (Millis, u64),
        selection: &Selection,
        failed: &[usize],
    ) -> Pick {
        let standing = |target: &Target| target.server.endpoint.standing(now, self.slow_start);
        let fresh = |index: usize| !failed.contains(&index) && !selection.avoid.contains(&index);
        let groups = self.plan.groups.last().copied().unwrap_or(0);
        // First who is well and was reached lately, group by group; then who is well; then those that are ejected, since
        // all are. Whom checks found down is never asked.
        for (shunned, ejected) in [(false, false), (true, false), (true, true)] {
            for group in 0..=groups {
                let may = |index: usize, target: &Target| {
                    let well = match standing(target) {
                        Standing::Well | Standing::Warming => true,
                        Standing::Ejected(_) => ejected,
                        Standing::Down => false,
                    };
                    let ours = self.plan.groups.get(index).copied().unwrap_or(0) == group;
                    well && ours && fresh(index) && (shunned || !target.burden(now).0)
                };
                match self.among(targets, (now, random), selection.key, may) {
                    Pick::Nobody | Pick::Down => {}
                    found @ (Pick::One(_) | Pick::Full) => return found,
                }
            }
        }
        let all_down = targets.iter().all(|target| standing(target) == Standing::Down);
        if all_down { Pick::Down } else { Pick::Nobody }
    }

    fn among(
        &self,
        targets: &[Rc<Target>],
        (now, random): (Millis, u64),
        key: Option<u64>,
        may: impl Fn(usize, &Target) -> bool,
    ) -> Pick {
        let mut members = self.members.borrow_mut();
        members.clear();
        let mut full = false;
        for (index, target) in targets.iter().enumerate() {
            let mut weight = 0;
            if may(index, target) {
                let at_limit =
                    self.plan.connections.is_some_and(|most| target.server.endpoint.active.load(Relaxed) >= most);
                full |= at_limit;
                if !at_limit {
                    let share = target.server.endpoint.share(now, self.slow_start);
                    weight = self.plan.weights.get(index).copied().unwrap_or(1).saturating_mul(share);
                }
            }
            let name = self.names.get(index).copied().unwrap_or_default();
            members.push(Member { weight, active: target.burden(now).1, name });
        }
        let chosen = match (self.policy, key) {
            (Policy::Hash, Some(key)) => rendezvous(&members, key),
            (Policy::TwoChoices | Policy::Hash, _) => two_choices(&members, random),
            (Policy::LeastRequest, _) => least_request(&members, random),
            (Policy::RoundRobin, _) => self.turns.borrow_mut().next(&members),
        };
        match chosen {
            Some(index) => Pick::One(index),
            None if full => Pick::Full,
            None => Pick::Nobody,
        }
    }

    /// A place at a target, where there is a limit. `Err` if somebody else was faster.
    pub(super) fn permit(&self, target: &Target) -> Result<Option<Permit>, ()> {
        let Some(most) = self.plan.connections else { return Ok(None) };
        let active = &target.server.endpoint.active;
        let one_more = |now: u64| (now < most).then_some(now + 1);
        active.fetch_update(Relaxed, Relaxed, one_more).map_err(drop)?;
        Ok(Some(Permit { server: Arc::clone(&target.server), bell: Rc::clone(&self.bell) }))
    }

    /// A place in the queue, and until when.
    pub(super) fn ticket(&self, now: Millis) -> Result<(Ticket, Millis), Fault> {
        let busy = |text| Fault::before_sending(FaultKind::Busy, text);
        let queue = self.plan.queue.ok_or_else(|| busy("every target is at `connections`"))?;
        let one_more = |waiting: u64| (waiting < queue.requests).then_some(waiting + 1);
        let taken = self.crew.waiting.fetch_update(Relaxed, Relaxed, one_more);
        taken.map_err(|_| busy("every target is at `connections`, and the queue is full"))?;
        let wait = Millis::try_from(queue.timeout.as_millis()).unwrap_or(Millis::MAX);
        Ok((Ticket(Arc::clone(&self.crew)), now.saturating_add(wait)))
    }

    /// Enters what became of a request: an answer's status, or what failed.
    pub(super) fn judge(&self, targets: &[Rc<Target>], target: &Target, outcome: Result<u16, &Fault>, now: Millis) {
        let good = match outcome {
            Ok(status) => is_good(status),
            Err(fault) if fault.kind == FaultKind::Internal => return,
            Err(_) => false,
        };
        if !good {
            match outcome {
                Ok(status) => target.server.note_failure(&format!("status {status}")),
                Err(fault) => target.server.note_failure(&fault.source),
            }
        }
        let Some(rules) = &self.rules else { return };
        let endpoint = &target.server.endpoint;
        if good {
            endpoint.succeeded(rules, now);
        } else if endpoint.failed(rules, now, || self.may_eject(targets, target, now)) {
            self.crew.ejections.fetch_add(1, Relaxed);
            self.crew.deciding.store(false, Release);
        }
    }

    /// Whether one more of the target's group may be left out. Who is told so holds the decision until it is entered.
    fn may_eject(&self, targets: &[Rc<Target>], target: &Target, now: Millis) -> bool {
        let group_of = |index: usize| self.plan.groups.get(index).copied().unwrap_or(0);
        let same = |one: &Rc<Target>| std::ptr::eq(&raw const **one, target);
        let Some(own) = targets.iter().position(same) else { return false };
        if self.crew.deciding.compare_exchange(false, true, Acquire, Relaxed).is_err() {
            return false;
        }
        let group = || targets.iter().enumerate().filter(|(index, _)| group_of(*index) == group_of(own));
        let count = group().count();
        let out = group().filter(|(_, target)| target.server.endpoint.is_ejected(now)).count();
        let percent = self.plan.ejection.map_or(0, |rules| usize::try_from(rules.max_percent).unwrap_or(100));
        let may = out < (count * percent / 100).max(1);
        if !may {
            self.crew.deciding.store(false, Release);
        }
        may
    }
}

impl super::Targets {
    /// Enters what became of a request.
    pub(crate) fn judge(&self, lease: &Lease, outcome: Result<&ResponseHead, &Fault>, worker: &Worker) {
        match (&self.choice, outcome) {
            (Some(choice), _) => {
                choice.judge(&self.targets, lease.target(), outcome.map(meant_by), worker.millis());
            }
            (None, Err(fault)) => lease.target().server.note_failure(&fault.source),
            (None, Ok(_)) => {}
        }
    }

    /// Whether targets are compared by their times.
    pub(crate) fn compares(&self) -> bool {
        self.choice.as_ref().is_some_and(|choice| choice.plan.ejection.is_some_and(|rules| rules.slow_factor.is_some()))
    }

    /// Enters how long an answer's head took since the target was asked.
    pub(crate) fn time(&self, lease: &Lease, asked: Option<u64>, worker: &Worker) {
        if let Some(asked) = asked {
            lease.target().server.endpoint.waited(worker.nanos().saturating_sub(asked) / 1000);
        }
    }

    /// Keeps later attempts of a request off a target.
    pub(crate) fn avoid(&self, lease: &Lease, selection: &mut Selection) {
        let same = |one: &Rc<Target>| std::ptr::eq(&raw const **one, lease.target());
        selection.avoid.extend(self.targets.iter().position(same));
    }
}

/// Whether a server that answers so is well.
fn is_good(status: u16) -> bool {
    !matches!(status, 502..=504)
}

/// Whether the server that gave an answer is well.
pub(crate) fn is_well(answer: &ResponseHead) -> bool {
    is_good(meant_by(answer))
}

/// The status of an answer, and of a call of gRPC that failed at once what its own one would be in HTTP: `UNAVAILABLE` says of
/// a server what 503 says (gRPC's mapping, read backwards). The other codes may be the fault of the call.
fn meant_by(answer: &ResponseHead) -> u16 {
    const UNAVAILABLE: &[u8] = b"14";
    let fields = answer.fields();
    let is_unavailable = |line: &Field<'_>| line.name == b"grpc-status" && line.value == UNAVAILABLE;
    if is_grpc(fields) && fields.iter().any(|line| is_unavailable(&line)) { 503 } else { answer.status() }
}
