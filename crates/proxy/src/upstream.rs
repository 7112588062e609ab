//! The upstream side of a worker: its targets, which of them is asked, and the connections kept open to them.

pub(crate) mod connect;
pub(crate) mod pool;
pub(crate) mod tls;

use crate::snapshot::Upstream;
use crate::worker::Worker;
use pool::{Lease, Target};
use portcullis_types::{Fault, FaultKind, Millis};
use std::rc::Rc;
use std::time::Duration;

/// The targets of one upstream as a worker holds them.
#[derive(Debug)]
pub(crate) struct Targets(Vec<Rc<Target>>);

// === impl Targets ===

impl Targets {
    pub(crate) fn new(targets: Vec<Rc<Target>>) -> Self {
        Self(targets)
    }

    /// Closes the kept connections whose time is up.
    pub(crate) fn expire(&self, now: Millis) {
        for target in &self.0 {
            target.expire(now);
        }
    }

    /// The less busy of two targets drawn by chance (Mitzenmacher, "The power of two choices", 2001).
    fn choose(&self, random: u64, now: Millis) -> Option<&Rc<Target>> {
        let count = self.0.len();
        if count <= 1 {
            return self.0.first();
        }
        let index = |bits: u64| usize::try_from(bits % count as u64).unwrap_or(0);
        let first = index(random >> 32);
        let second = (first + 1 + index((random & 0xffff_ffff) * (count as u64 - 1) / 0x1_0000_0000)) % count;
        match (self.0.get(first), self.0.get(second)) {
            (Some(a), Some(b)) => Some(if b.burden(now) < a.burden(now) { b } else { a }),
            (one, other) => one.or(other),
        }
    }
}

/// A connection to one of the upstream's targets: a kept one where `reuse` allows it, else a new one. A target
/// that cannot be reached is passed over for another one, as long as there is one that was not tried and the request's
/// own time (`due`) is not up.
pub(crate) async fn acquire(
    worker: &Worker,
    upstream: &Upstream,
    targets: &Targets,
    reuse: pool::Reuse,
    due: Millis,
) -> Result<Lease, Fault> {
    let chosen = targets.choose(worker.random(), worker.timers.now());
    let first = chosen.ok_or_else(|| Fault::before_sending(FaultKind::NoTarget, "no target"))?;
    let others = targets.0.iter().filter(|target| !Rc::ptr_eq(target, first));
    let mut last = None;
    for target in std::iter::once(first).chain(others) {
        if let Some(lease) = pool::kept(worker, target, reuse).await {
            return Ok(lease);
        }
        let left = Duration::from_millis(due.saturating_sub(worker.timers.now()));
        if left.is_zero() {
            break;
        }
        match connect::open(worker, upstream, target, left).await {
            Ok(lease) => return Ok(lease),
            Err(fault) => last = Some(fault),
        }
    }
    Err(last.unwrap_or_else(|| Fault::before_sending(FaultKind::ConnectTimeout, "no connection within `timeout`")))
}
