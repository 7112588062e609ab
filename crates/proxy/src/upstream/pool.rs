//! Connections to one target that are kept open between requests, most recently used first.

use super::choice::Permit;
use super::fleet::Server;
use super::trunk::{Place, Trunks};
use crate::carry::channel::Channel;
use crate::worker::Worker;
use portcullis_config::plan::TargetPlan;
use portcullis_types::Millis;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// How long a target that could not be reached is passed over where there is another one.
const SHUN_MS: Millis = 1_000;

/// One server as a worker holds it. It outlives reloads that keep it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) plan: TargetPlan,
    /// What all workers know of it.
    pub(crate) server: Arc<Server>,
    /// Requests under way and kept connections as others have been told.
    told: Cell<(u64, u64)>,
    /// For records: its address, or where that comes from if it is a value that is never printed.
    pub(crate) label: Rc<str>,
    /// `host:port`, for a request that names no host.
    authority: Rc<str>,
    idle: RefCell<Vec<Kept>>,
    /// Connections that many requests share.
    pub(crate) trunks: Trunks,
    active: Cell<usize>,
    /// Until when others are preferred, because this one could not be reached.
    shunned_until: Cell<Millis>,
}

#[derive(Debug)]
struct Kept {
    channel: Box<Channel>,
    since: Millis,
    /// When it must not be used any more.
    until: Millis,
}

/// A connection that one request holds.
#[derive(Debug)]
pub(crate) struct Lease {
    /// In memory of its own: it goes from hand to hand with every request.
    pub(crate) channel: Box<Channel>,
    busy: Busy,
    /// Whether it has carried a request before.
    pub(crate) reused: bool,
    /// The place on a connection that others share; `None` where the connection is this request's alone.
    place: Option<Box<Place>>,
    /// The place under the target's limit, where it has one.
    pub(super) permit: Option<Permit>,
}

/// Counts a request to a target, from before the connection is opened until the request is over.
#[derive(Debug)]
pub(crate) struct Busy(Rc<Target>);

// === impl Busy ===

impl Busy {
    pub(crate) fn with(target: &Rc<Target>) -> Self {
        target.active.set(target.active.get() + 1);
        Self(Rc::clone(target))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.active.set(self.0.active.get().saturating_sub(1));
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.tell((0, 0));
    }
}

// === impl Target ===

impl Target {
    pub(crate) fn new(plan: TargetPlan, server: Arc<Server>) -> Self {
        let host = if plan.host.contains(':') { format!("[{}]", plan.host) } else { plan.host.clone() };
        let authority = format!("{host}:{}", plan.port).into();
        let label = plan.to_string().into();
        Self {
            plan,
            server,
            told: Cell::new((0, 0)),
            label,
            authority,
            idle: RefCell::default(),
            trunks: Trunks::default(),
            active: Cell::new(0),
            shunned_until: Cell::new(0),
        }
    }

    /// What speaks against choosing it: that it could not be reached lately, then requests under way.
    pub(crate) fn burden(&self, now: Millis) -> (bool, usize) {
        (now < self.shunned_until.get(), self.active.get())
    }

    /// It could not be reached.
    pub(crate) fn shun(&self, now: Millis) {
        self.shunned_until.set(now.saturating_add(SHUN_MS));
    }

    pub(super) fn address(&self) -> &str {
        &self.authority
    }

    /// Adds what has changed since the last time to what others see.
    pub(super) fn publish(&self) {
        let now = (self.active.get() as u64, self.idle.borrow().len() as u64);
        self.tell(now);
    }

    fn tell(&self, now: (u64, u64)) {
        let before = self.told.replace(now);
        let add = |sum: &AtomicU64, now: u64, before: u64| {
            if now != before {
                sum.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
            }
        };
        add(&self.server.active, now.0, before.0);
        add(&self.server.kept, now.1, before.1);
    }

    /// Closes the kept connections whose time is up.
    pub(crate) fn expire(&self, now: Millis, idle: Duration) {
        self.idle.borrow_mut().retain(|kept| kept.until > now);
        self.trunks.expire(now, idle);
    }
}

// === impl Lease ===

impl Lease {
    pub(crate) fn new(channel: Box<Channel>, busy: Busy, reused: bool) -> Self {
        Self { channel, busy, reused, place: None, permit: None }
    }

    pub(crate) fn shared(channel: Channel, busy: Busy, reused: bool, place: Place) -> Self {
        Self { channel: Box::new(channel), busy, reused, place: Some(Box::new(place)), permit: None }
    }

    /// Whether the request goes over a connection that others share.
    pub(crate) fn is_shared(&self) -> bool {
        self.place.is_some()
    }

    /// Sends a request's head over a shared connection; `whole` if no body follows.
    pub(crate) fn ask(&mut self, request: http::Request<()>, whole: bool) -> Result<(), h2::Error> {
        if let (Some(place), Some(stream)) = (&mut self.place, self.channel.stream()) {
            *stream = place.ask(request, whole)?;
        }
        Ok(())
    }

    /// Keeps later requests off a shared connection over which no answer came.
    pub(crate) fn distrust(&self) {
        if let Some(place) = &self.place {
            place.distrust();
        }
    }

    pub(super) fn target(&self) -> &Target {
        &self.busy.0
    }

    /// Whether the target is spoken to over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.busy.0.plan.tls
    }

    pub(crate) fn authority(&self) -> Rc<str> {
        Rc::clone(&self.busy.0.authority)
    }

    pub(crate) fn label(&self) -> Rc<str> {
        Rc::clone(&self.busy.0.label)
    }

    /// Keeps the connection for another request. Whatever is unread or unsent makes it unfit.
    pub(crate) fn keep(self, now: Millis, for_at_most: Duration, count_max: usize) {
        let Self { mut channel, busy, place, .. } = self;
        if place.is_some() {
            return;
        }
        let mut idle = busy.0.idle.borrow_mut();
        if channel.input.is_empty() && channel.output.is_empty() && idle.len() < count_max {
            let until = now.saturating_add(Millis::try_from(for_at_most.as_millis()).unwrap_or(Millis::MAX));
            channel.timer.clear();
            channel.rest();
            idle.push(Kept { channel, since: now, until });
        }
    }
}

/// A kept connection that still stands, if there is one.
pub(crate) async fn kept(worker: &Worker, target: &Rc<Target>, reuse: Reuse) -> Option<Lease> {
    // Only what must not be sent twice has to know the time to the millisecond.
    let now = if reuse == Reuse::Hot { worker.millis() } else { worker.timers.now() };
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
            return Some(Lease::new(channel, Busy::with(target), true));
        }
    }
}

/// Whether the server has neither closed the connection nor said anything unasked. No system call is made unless
/// something has arrived.
async fn stands(worker: &Worker, channel: &mut Channel) -> bool {
    // Without the runtime's budget, which could say "nothing yet" of a connection that has ended.
    let look = poll_fn(|context| Poll::Ready(channel.poll_fill(context, &worker.timers, &worker.buffers).is_pending()));
    tokio::task::coop::unconstrained(look).await
}
