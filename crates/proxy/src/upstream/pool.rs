//! Connections to one target that are kept open between requests, most recently used first.

use crate::carry::channel::Channel;
use crate::worker::Worker;
use portcullis_config::plan::TargetPlan;
use portcullis_types::Millis;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

/// How old a kept connection may be to carry this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// Any: should the server have closed it meanwhile, the request can be sent again.
    Any,
    /// Only one used so recently that no server closes it as idle: this request must not be sent twice.
    Hot,
    /// None.
    Never,
}

/// Below any server's idle timeout that is met in practice; Node.js closes after 5 s, many proxies after 1 s or more.
const HOT_MS: Millis = 500;

/// One server as a worker holds it. It outlives reloads that keep it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) plan: TargetPlan,
    /// For records: its address, or where that comes from if it is a value that is never printed.
    pub(crate) label: Rc<str>,
    /// `host:port`, for a request that names no host.
    authority: Rc<str>,
    idle: RefCell<Vec<Kept>>,
    active: Cell<usize>,
    pub(crate) resolved: RefCell<Option<(Millis, Vec<SocketAddr>)>>,
}

#[derive(Debug)]
struct Kept {
    channel: Channel,
    since: Millis,
    /// When it must not be used any more.
    until: Millis,
}

/// A connection that one request holds.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) channel: Channel,
    target: Rc<Target>,
    /// Whether it has carried a request before.
    pub(crate) reused: bool,
}

// === impl Target ===

impl Target {
    pub(crate) fn new(plan: TargetPlan) -> Self {
        let host = if plan.host.contains(':') { format!("[{}]", plan.host) } else { plan.host.clone() };
        let authority = format!("{host}:{}", plan.port).into();
        let label = plan.to_string().into();
        Self { plan, label, authority, idle: RefCell::default(), active: Cell::new(0), resolved: RefCell::default() }
    }

    /// Requests under way.
    pub(crate) fn active(&self) -> usize {
        self.active.get()
    }

    /// Closes the kept connections whose time is up.
    pub(crate) fn expire(&self, now: Millis) {
        self.idle.borrow_mut().retain(|kept| kept.until > now);
    }
}

// === impl Lease ===

impl Lease {
    pub(crate) fn new(channel: Channel, target: &Rc<Target>, reused: bool) -> Self {
        target.active.set(target.active.get() + 1);
        Self { channel, target: Rc::clone(target), reused }
    }

    pub(crate) fn authority(&self) -> Rc<str> {
        Rc::clone(&self.target.authority)
    }

    pub(crate) fn label(&self) -> Rc<str> {
        Rc::clone(&self.target.label)
    }

    /// Keeps the connection for another request. Whatever is unread or unsent makes it unfit.
    pub(crate) fn keep(self, now: Millis, for_at_most: Duration, count_max: usize) {
        let Self { channel, ref target, .. } = self;
        let mut idle = target.idle.borrow_mut();
        target.active.set(target.active.get().saturating_sub(1));
        if channel.input.is_empty() && channel.output.is_empty() && idle.len() < count_max {
            let until = now.saturating_add(Millis::try_from(for_at_most.as_millis()).unwrap_or(Millis::MAX));
            channel.timer.clear();
            idle.push(Kept { channel, since: now, until });
        }
    }

    /// Closes the connection.
    pub(crate) fn close(self) {
        self.target.active.set(self.target.active.get().saturating_sub(1));
    }
}

/// A kept connection that still stands, if there is one.
pub(crate) async fn kept(worker: &Worker, target: &Rc<Target>, reuse: Reuse) -> Option<Lease> {
    let now = worker.millis();
    let oldest = match reuse {
        Reuse::Any => 0,
        Reuse::Hot => now.saturating_sub(HOT_MS),
        Reuse::Never => return None,
    };
    loop {
        let candidate = target.idle.borrow_mut().pop()?;
        if candidate.since < oldest {
            // The others are older still; they serve requests that can be sent again.
            target.idle.borrow_mut().push(candidate);
            return None;
        }
        let mut channel = candidate.channel;
        if candidate.until > now && stands(worker, &mut channel).await {
            return Some(Lease::new(channel, target, true));
        }
    }
}

/// Whether the server has neither closed the connection nor said anything unasked. No system call is made unless
/// something has arrived.
async fn stands(worker: &Worker, channel: &mut Channel) -> bool {
    poll_fn(|context| Poll::Ready(channel.poll_fill(context, &worker.timers, &worker.buffers).is_pending())).await
}
