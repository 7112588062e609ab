//! Whether the credential that opened something which goes on still stands: it ends with its time, and soon after it was
//! revoked. What cannot be told counts as revoked, as it does for a new request.

use crate::carry::timer::Timer;
use crate::exchange::{Connection, Exchange};
use crate::worker::{Local, Worker};
use portcullis_auth::principal::{Principal, Scheme};
use std::rc::Rc;
use std::task::Context;
use std::time::Duration;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the record says of it.
pub(super) const LAPSED: &str = "the credential that opened it has ended or was revoked";

/// One that is watched.
#[derive(Debug)]
pub(super) struct Watch {
    caller: Rc<Principal>,
    /// Whether it took the certificate of the connection as well.
    by_certificate: bool,
    timer: Timer,
}

// === impl Watch ===

impl Watch {
    /// Nobody in particular has no credential that could end.
    pub(super) fn begin(worker: &Worker, local: &Local, exchange: &Exchange) -> Option<Self> {
        let caller = Rc::clone(exchange.record.caller.as_ref()?);
        let route = exchange.record.route.and_then(|index| local.snapshot.routes.get(index));
        let is_demanded = route.is_some_and(|route| route.access.demands_all(Scheme::Certificate));
        let by_certificate = is_demanded || caller.scheme == Scheme::Certificate || caller.is_bound_to_certificate();
        let timer = worker.timers.timer();
        timer.set(&worker.timers, LOOK_EVERY);
        Some(Self { caller, by_certificate, timer })
    }

    /// Whether it has ended. If not, the task is woken for the next look.
    pub(super) fn is_over(&self, worker: &Worker, connection: &Connection, context: &Context<'_>) -> bool {
        if !self.timer.expired(&worker.timers, context) {
            return false;
        }
        if !self.stands(worker, connection) {
            return true;
        }
        self.timer.set(&worker.timers, LOOK_EVERY);
        self.timer.expired(&worker.timers, context)
    }

    fn stands(&self, worker: &Worker, connection: &Connection) -> bool {
        let bench = worker.bench();
        if self.by_certificate && !is_vouched_for(worker, connection, bench.now) {
            return false;
        }
        self.caller.scheme == Scheme::Certificate || bench.identity.stands(&self.caller, bench.now, bench.millis)
    }
}

/// Whether the certificate of a connection is one that the authorities in force vouch for.
fn is_vouched_for(worker: &Worker, connection: &Connection, now: u64) -> bool {
    let local = worker.local();
    let tls = local.snapshot.listeners.get(&connection.listener).and_then(|listener| listener.tls.as_ref());
    let authorities = tls.and_then(|tls| tls.authorities.as_ref());
    connection.identity.as_ref().is_some_and(|identity| identity.vouched_by(authorities, now).is_ok())
}
