//! The life of a request, top to bottom. Order is code, never configuration.
//!
//! INVARIANT: each stage takes the proof of the stage before and gives its own. Proofs have private fields, so that
//! forging or skipping one does not compile. A stage that has nothing to do says so; it never disappears. A stage
//! that cannot decide refuses.

mod charge;
mod conform;
pub(crate) mod cors;
pub(crate) mod decode;
pub(crate) mod explain;
pub(crate) mod forward;
mod guard;
mod identify;
mod inspect;
mod permit;
pub(crate) mod receive;
pub(crate) mod route;
pub(crate) mod suppose;
mod target;
#[cfg(test)]
mod tests;

use crate::answer::Scrubbed;
use crate::carry::channel::Channel;
use crate::exchange::{Connection, Exchange};
use crate::origin;
use crate::reports;
use crate::worker::{Local, Worker};
use cors::Preflight;
use forward::Forwarded;
use portcullis_types::{Fault, Refusal};
use std::sync::Arc;

/// Why a request has no answer of its upstream.
#[derive(Debug)]
pub(crate) enum Stop {
    /// We refused.
    Refused(Box<Refusal>),
    /// We answered, and that was all that was asked for: a preflight.
    Answered(Preflight),
    /// We answered with a document of ours.
    Told(Arc<str>),
    /// We took what a browser reports.
    Noted,
    /// The upstream or we failed.
    Failed(Box<Fault>),
    /// The upstream gave an error that is not passed on.
    Scrubbed(Box<Scrubbed>),
    /// The client went away; there is nobody to answer.
    Gone,
}

/// Decides about one request and asks its upstream.
pub(crate) async fn run(
    worker: &Worker,
    local: &Local,
    connection: &Connection,
    exchange: &mut Exchange,
    client: &mut Channel,
) -> Result<Forwarded, Stop> {
    // Who asks is settled first; what cannot be told is not guessed.
    origin::find(connection, exchange)?;
    // Everything after this sees one target, the same that the upstream will see.
    target::canonicalise(exchange)?;
    // Reports of browsers end here: they carry no credentials, and nobody believes them.
    if let Some(inbox) = local.snapshot.inboxes.find(&exchange.host, exchange.target.path()) {
        return Err(reports::take(inbox, worker, connection, exchange, client).await);
    }
    // What is not declared does not exist, so that nothing below has to decide about the unknown.
    let routed = route::find(&local.snapshot, connection, exchange)?;
    // Cheap limits stand before any cryptography, which an attacker could make us do.
    let guarded = guard::guard(routed, || worker.till(local), worker.anomalies()).await?;
    // A preflight carries no credentials and ends here, before it could be refused for having none.
    let cleared = cors::clear(guarded)?;
    // Who calls; a public route says so and yields an anonymous principal.
    let authenticated =
        identify::identify(cleared, (connection, &local.snapshot), || worker.bench(), worker.anomalies()).await?;
    // What they may do, now that it is known who they are.
    let authorized = permit::permit(authenticated, || worker.bench().now)?;
    // From here on we may hold bytes for the caller, so that it is charged first.
    let admitted = charge::charge(authorized, || worker.till(local)).await?;
    // The body is bounded before anything looks at it.
    let received = receive::receive(admitted, worker, connection, client).await?;
    // What of their rights only the body can say, before anything else is made of it.
    let settled = permit::settle(received, || worker.bench().now)?;
    // The contract proves fields harmless, which spares the rule engine the look at them.
    let valid = conform::conform(settled)?;
    // The last look before anything leaves for the upstream.
    let inspected = inspect::inspect(valid, &worker.inspector)?;
    forward::forward(inspected, worker, local, connection, client).await
}

// === impl Stop ===

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Failed(Box::new(fault))
    }
}
