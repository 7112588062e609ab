//! The upstream side of a worker: its targets, which of them is asked, and the connections kept open to them.

pub(crate) mod connect;
pub(crate) mod pool;
pub(crate) mod tls;
pub(crate) mod trunk;

use crate::snapshot::Upstream;
use crate::worker::Worker;
use pool::{Lease, Target};
use portcullis_config::plan::UpstreamProtocol;
use portcullis_types::{Fault, FaultKind, Millis};
use std::rc::Rc;
use std::time::Duration;

/// The targets of one upstream as a worker holds them.
#[derive(Debug)]
pub(crate) struct Targets {
    targets: Vec<Rc<Target>>,
    /// How long a connection that nobody uses is kept.
    idle: Duration,
}

// === impl Targets ===

impl Targets {
    pub(crate) fn new(targets: Vec<Rc<Target>>, idle: Duration) -> Self {
        Self { targets, idle }
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
    let others = targets.targets.iter().filter(|target| !Rc::ptr_eq(target, first));
    let mut last = None;
    for target in std::iter::once(first).chain(others) {
        let shares = upstream.plan.protocol == UpstreamProtocol::Http2;
        if !shares && let Some(lease) = pool::kept(worker, target, reuse).await {
            return Ok(lease);
        }
        let left = Duration::from_millis(due.saturating_sub(worker.timers.now()));
        if left.is_zero() {
            break;
        }
        let lease = if shares {
            trunk::acquire(worker, upstream, target, left).await
        } else {
            connect::open(worker, upstream, target, left).await
        };
        match lease {
            Ok(lease) => return Ok(lease),
            Err(fault) => last = Some(fault),
        }
    }
    Err(last.unwrap_or_else(|| Fault::before_sending(FaultKind::ConnectTimeout, "no connection within `timeout`")))
}
