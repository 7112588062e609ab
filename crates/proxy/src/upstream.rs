//! The upstream side of a worker: its targets, which of them is asked, and the connections kept open to them.

pub(crate) mod check;
pub(crate) mod choice;
pub(crate) mod connect;
pub(crate) mod fleet;
mod names;
pub(crate) mod pool;
pub(crate) mod relief;
pub(crate) mod retry;
mod slow;
pub(crate) mod tls;
pub(crate) mod trunk;

use crate::snapshot::Upstream;
use crate::worker::Worker;
use choice::{Choice, LOOK_EVERY, Pick, Selection};
use fleet::Crew;
use pool::{Lease, Target};
use portcullis_config::plan::{UpstreamPlan, UpstreamProtocol};
use portcullis_types::{Fault, FaultKind, Millis};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// The targets of one upstream as a worker holds them.
#[derive(Debug)]
pub(crate) struct Targets {
    targets: Vec<Rc<Target>>,
    /// How long a connection that nobody uses is kept.
    idle: Duration,
    /// `None` where the less busy of two is all that there is to the choice.
    choice: Option<Choice>,
    purse: Option<retry::Purse>,
    /// Present where a breaker or room for requests is configured.
    pub(crate) relief: Option<Rc<relief::Relief>>,
    crew: Arc<Crew>,
}

// === impl Targets ===

impl Targets {
    /// `before` is the same upstream before a reload.
    pub(crate) fn new(targets: Vec<Rc<Target>>, plan: &UpstreamPlan, crew: Arc<Crew>, before: Option<&Self>) -> Self {
        let choice = Choice::new(&plan.pool, &targets, &crew);
        let purse = retry::purse(plan.pool.retries.as_ref(), before);
        let before = before.and_then(|targets| targets.relief.as_ref());
        let relief = relief::Relief::of(&plan.pool, &crew, before);
        Self { targets, idle: plan.idle_timeout, choice, purse, relief, crew }
    }

    /// Tells those who look how busy the targets are.
    pub(crate) fn publish(&self) {
        for target in &self.targets {
            target.publish();
        }
    }

    /// Closes the kept connections whose time is up.
    pub(crate) fn expire(&self, now: Millis) {
        for target in &self.targets {
            target.expire(now, self.idle);
        }
    }

    /// The less busy of two targets drawn by chance (Mitzenmacher, "The power of two choices", 2001).
    fn choose(&self, random: u64, now: Millis) -> Option<&Rc<Target>> {
        let count = self.targets.len();
        if count <= 1 {
            return self.targets.first();
        }
        let index = |bits: u64| usize::try_from(bits % count as u64).unwrap_or(0);
        let first = index(random >> 32);
        let second = (first + 1 + index((random & 0xffff_ffff) * (count as u64 - 1) / 0x1_0000_0000)) % count;
        match (self.targets.get(first), self.targets.get(second)) {
            (Some(a), Some(b)) => Some(if b.burden(now) < a.burden(now) { b } else { a }),
            (one, other) => one.or(other),
        }
    }
}

/// Until when a request must be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    pub(crate) at: Millis,
    /// Whether its client left less time than the upstream's targets are given to answer.
    pub(crate) hurried: bool,
}

// === impl Due ===

impl Due {
    /// Whether a fault speaks against the target. That a client's own deadline was too short does not: a stranger could
    /// take targets out with it.
    pub(crate) fn blames(self, fault: &Fault) -> bool {
        !(self.hurried && matches!(fault.kind, FaultKind::Timeout | FaultKind::ConnectTimeout))
    }
}

/// A connection to one of the upstream's targets: a kept one where `reuse` allows it, else a new one. A target
/// that cannot be reached is passed over for another one, as long as there is one that was not tried and the request's
/// own time (`due`) is not up.
pub(crate) async fn acquire(
    worker: &Worker,
    upstream: &Upstream,
    targets: &Targets,
    selection: &mut Selection,
    reuse: pool::Reuse,
    due: Due,
) -> Result<Lease, Fault> {
    if let Some(choice) = &targets.choice {
        // In memory of its own, so that the usual way does not carry its size.
        return Box::pin(chosen(worker, upstream, targets, choice, selection, (reuse, due))).await;
    }
    let chosen = targets.choose(worker.random(), worker.timers.now());
    let first = chosen.ok_or_else(|| Fault::before_sending(FaultKind::NoTarget, "no target"))?;
    let others = targets.targets.iter().filter(|target| !Rc::ptr_eq(target, first));
    let mut last = None;
    for target in std::iter::once(first).chain(others) {
        match reach(worker, upstream, target, reuse, due).await {
            Ok(Some(lease)) => return Ok(lease),
            Ok(None) => break,
            Err(fault) => {
                target.server.note_failure(&fault.source);
                last = Some(fault);
            }
        }
    }
    Err(last.unwrap_or_else(too_late))
}

fn too_late() -> Fault {
    Fault::before_sending(FaultKind::ConnectTimeout, "no connection within `timeout`")
}

/// A connection to one target; `None` if the request's time is up.
async fn reach(
    worker: &Worker,
    upstream: &Upstream,
    target: &Rc<Target>,
    reuse: pool::Reuse,
    due: Due,
) -> Result<Option<Lease>, Fault> {
    let shares = upstream.plan.protocol == UpstreamProtocol::Http2;
    if !shares && let Some(lease) = pool::kept(worker, target, reuse).await {
        return Ok(Some(lease));
    }
    let left = Duration::from_millis(due.at.saturating_sub(worker.timers.now()));
    if left.is_zero() {
        return Ok(None);
    }
    let lease = if shares {
        trunk::acquire(worker, upstream, target, left).await
    } else {
        connect::open(worker, upstream, target, left).await
    };
    if let Err(fault) = &lease
        && fault.kind != FaultKind::Closed
        && due.blames(fault)
    {
        target.shun(worker.millis());
    }
    lease.map(Some)
}

/// The same by the rules of the upstream, after a wait where every target is at its limit.
async fn chosen(
    worker: &Worker,
    upstream: &Upstream,
    targets: &Targets,
    choice: &Choice,
    selection: &mut Selection,
    (reuse, due): (pool::Reuse, Due),
) -> Result<Lease, Fault> {
    let mut failed = Vec::new();
    let mut last = None;
    let mut ticket = None;
    loop {
        let now = worker.millis();
        let index = match choice.pick(&targets.targets, (now, worker.random()), selection, &failed) {
            Pick::One(index) => index,
            // Those of earlier attempts are better than none.
            Pick::Nobody if !selection.avoid.is_empty() => {
                selection.avoid.clear();
                continue;
            }
            Pick::Nobody => break,
            Pick::Down => {
                return Err(Fault::before_sending(FaultKind::Unhealthy, "checks say that every target is down"));
            }
            Pick::Full => {
                if ticket.is_none() {
                    ticket = Some(choice.ticket(now)?);
                }
                let until = ticket.as_ref().map_or(now, |(_, until)| (*until).min(due.at));
                if now >= until {
                    return Err(Fault::before_sending(FaultKind::Busy, "no target became free in time"));
                }
                let wait = LOOK_EVERY.min(Duration::from_millis(until - now));
                // Either end of the wait is a reason to look again.
                drop(tokio::time::timeout(wait, choice.bell.notified()).await);
                continue;
            }
        };
        let Some(target) = targets.targets.get(index) else { break };
        let Ok(permit) = choice.permit(target) else { continue };
        match reach(worker, upstream, target, reuse, due).await {
            Ok(Some(mut lease)) => {
                lease.permit = permit;
                return Ok(lease);
            }
            Ok(None) => break,
            Err(fault) => {
                if due.blames(&fault) {
                    choice.judge(&targets.targets, target, Err(&fault), worker.millis());
                }
                failed.push(index);
                last = Some(fault);
            }
        }
    }
    Err(last.unwrap_or_else(too_late))
}
