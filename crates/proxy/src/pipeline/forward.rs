//! `forward`: asks the upstream. It takes only a request that every stage has passed.

pub(super) mod head;
mod key;
mod time;

use super::inspect::Inspected;
use super::route::Routed;
use super::{Stop, receive};
use crate::carry::channel::{Broken, Channel};
use crate::carry::relay::{Leaving, Relay, Stopped};
use crate::carry::websocket::Handshake;
use crate::exchange::Connection;
use crate::head::{FieldMap, Head as _};
use crate::problem::is_grpc;
use crate::snapshot::Route;
use crate::upstream::choice::Selection;
use crate::upstream::pool::{Lease, Reuse};
use crate::upstream::relief;
use crate::upstream::retry::Retry;
use crate::upstream::{self, Due, Targets};
use crate::worker::{Local, Worker};
use portcullis_h1::{BodyError, Framing, HeadError, HeadLimits, HeadScan, Known};
use portcullis_types::{Fault, FaultKind, Millis, Reason, Refusal, Stage};
use std::future::{Future as _, poll_fn};
use std::task::{Context, Poll};
use std::time::Duration;

// LIMIT: interim answers before the final one.
const INTERIM_MAX: u32 = 16;

/// An upstream's answer: its head is in the exchange, its body still on the connection.
#[derive(Debug)]
pub(crate) struct Forwarded {
    pub(crate) lease: Lease,
    /// What is left of the request's body.
    pub(crate) upload: Relay,
    /// How long the connection may be kept, and how many such.
    pub(crate) keep: (Duration, usize),
}

/// Asks until there is an answer. A request is sent again only where a kept connection turned out to be closed, the
/// server can have seen nothing that matters, and not a byte of the body is gone.
pub(super) async fn forward(
    inspected: Inspected<'_>,
    worker: &Worker,
    local: &Local,
    connection: &Connection,
    client: &mut Channel,
) -> Result<Forwarded, Stop> {
    let (mut routed, mut upload) = inspected.into_inner().into_inner().into_inner().into_parts();
    let (upstream, targets) = upstream_of(local, routed.route())?;
    let call = time::Call::of(&routed, &upstream.plan.streams, &connection.settings.limits);
    let due = worker.timers.after(call.within);
    dress(&mut routed, worker, local)?;
    let blame = Due { at: due, hurried: call.is_stated && call.within < upstream.plan.first_byte_timeout };
    let retries = upstream.plan.pool.retries.as_ref();
    let replayable = retries.map_or(0, |plan| plan.body_bytes);
    let repeatable = !routed.upgrades && may_repeat(&routed, replayable, upload.is_held());
    if repeatable && replayable > 0 {
        upload.keep(replayable);
    }
    let mut reuse = if repeatable { Reuse::Any } else { Reuse::Hot };
    routed.record.forwarded = worker.nanos();
    let mut selection = Selection { key: key::of(&upstream.plan.pool.balance, &routed), avoid: Vec::new() };
    let mut retry = Retry::new(retries, targets, repeatable, due);
    // Before anything is asked of a server, and once for all attempts.
    let mut relieved = relief::admit(targets, routed.route().priority, worker)?;
    loop {
        let acquired = upstream::acquire(worker, upstream, targets, &mut selection, reuse, blame).await;
        let mut lease = acquired.inspect_err(|fault| relief::failed(&mut relieved, fault, blame, worker))?;
        lease.channel.timer.set_at(due);
        let asked = targets.compares().then(|| worker.nanos());
        send_head(&mut routed, &mut lease, &mut upload)?;
        call.be_patient(client);
        let asking = Asking {
            worker,
            upload: &mut upload,
            scan: HeadScan::default(),
            first_byte: call.first_byte.unwrap_or(upstream.plan.first_byte_timeout),
            due,
            repeatable,
            asked: false,
            interim: 0,
        };
        match asking.answer(&mut routed, client, &mut lease.channel).await {
            Ok(()) => {
                targets.time(&lease, asked, worker);
                targets.judge(&lease, Ok(&*routed.answer), worker);
                relief::answered(&mut relieved, routed.answer, routed.record.forwarded, worker);
                let pause = upload.can_restart().then(|| retry.after_status(worker, routed.answer.status()));
                if let Some(pause) = pause.flatten() {
                    targets.avoid(&lease, &mut selection);
                    drop(lease);
                    rest(worker, client, &mut upload, pause).await?;
                    continue;
                }
                lease.channel.timer.set_at(due);
                let keep = (keep_for(&routed, upstream.plan.idle_timeout), upstream.plan.idle_connections);
                return Ok(Forwarded { lease, upload: upload.forgetting(), keep });
            }
            // Once: a server that refuses streams would be asked without end over a connection that stands.
            Err(Stop::Failed(fault)) if fault.retry_safe && lease.reused && reuse != Reuse::Never => {
                drop(lease);
                upload.restart();
                reuse = Reuse::Never;
            }
            Err(stop) => {
                let Stop::Failed(fault) = &stop else { return Err(stop) };
                relief::failed(&mut relieved, fault, blame, worker);
                hold_against(targets, &lease, (fault, blame), worker);
                let pause = upload.can_restart().then(|| retry.after_fault(worker, fault));
                let Some(pause) = pause.flatten() else { return Err(stop) };
                targets.avoid(&lease, &mut selection);
                drop(lease);
                rest(worker, client, &mut upload, pause).await?;
            }
        }
    }
}

/// Enters a failure of a target, if it was the target's.
fn hold_against(targets: &Targets, lease: &Lease, (fault, due): (&Fault, Due), worker: &Worker) {
    if !due.blames(fault) {
        return;
    }
    targets.judge(lease, Err(fault), worker);
    if fault.kind == FaultKind::Timeout {
        lease.distrust();
    }
}

/// What is our own in the head: the handshake of a WebSocket, and what is signed about the caller.
fn dress(routed: &mut Routed<'_>, worker: &Worker, local: &Local) -> Result<(), Fault> {
    let caller = routed.record.caller.as_deref();
    routed.record.active = routed.route().disclosure.as_ref().map(|disclosure| disclosure.active(caller));
    routed.handshake = routed.upgrades.then(|| Box::new(Handshake::new([worker.random(), worker.random()])));
    let Some(caller) = routed.record.caller.as_ref().filter(|_| local.snapshot.callers.states) else { return Ok(()) };
    let (now, id) = (worker.wall_ms(worker.nanos()) / 1000, routed.record.id);
    let statement = worker.shared.identity.statements.issue(caller, &routed.route().api, id.as_str(), now)?;
    routed.statement = Some(statement.into_boxed_str());
    Ok(())
}

/// The pause before a request is sent again, unless its client goes away.
async fn rest(worker: &Worker, client: &mut Channel, upload: &mut Relay, pause: Duration) -> Result<(), Stop> {
    let mut sleep = std::pin::pin!(tokio::time::sleep(pause));
    let outcome = poll_fn(|context| {
        if upload.is_finished() && client.is_gone(context, &worker.buffers) {
            return Poll::Ready(Err(Stop::Gone));
        }
        sleep.as_mut().poll(context).map(Ok)
    });
    outcome.await?;
    upload.restart();
    Ok(())
}

/// Writes the request's head, and settles how its body leaves.
fn send_head(routed: &mut Routed<'_>, lease: &mut Lease, upload: &mut Relay) -> Result<(), Fault> {
    routed.record.target = Some(lease.label());
    let framing = routed.request.head.framing();
    let authority = lease.authority();
    if !lease.is_shared() {
        head::write(routed, &authority, &mut lease.channel.output);
        upload.leave(if framing == Framing::Chunked { Leaving::Chunked } else { Leaving::Bare });
        return Ok(());
    }
    let mut map = FieldMap::default();
    head::write(routed, &authority, &mut map);
    if is_grpc(routed.request.head.fields()) {
        // Servers of gRPC refuse calls from those who would drop their trailers.
        map.field(b"te", b"trailers");
    }
    let unsayable = || Fault::before_sending(FaultKind::Internal, "the request cannot be said in HTTP/2");
    let request = map.into_request(lease.is_secure()).ok_or_else(unsayable)?;
    let whole = matches!(framing, Framing::None | Framing::Length(0));
    lease.ask(request, whole).map_err(|error| Fault::before_sending(FaultKind::Closed, error.to_string()))?;
    upload.leave(if whole { Leaving::Bare } else { Leaving::Stream });
    Ok(())
}

fn upstream_of<'a>(local: &'a Local, route: &Route) -> Result<(&'a crate::snapshot::Upstream, &'a Targets), Fault> {
    let upstream = local.snapshot.upstreams.get(route.upstream);
    let missing = || Fault::before_sending(FaultKind::Internal, "the upstream is missing from its table");
    upstream.zip(local.targets.get(route.upstream)).ok_or_else(missing)
}

/// Idempotent (RFC 9110 section 9.2.2), and with a body that can be kept whole, or none.
fn may_repeat(routed: &Routed<'_>, replayable: u64, held: bool) -> bool {
    let head = routed.request.head;
    let idempotent = matches!(head.method(), b"GET" | b"HEAD" | b"OPTIONS" | b"PUT" | b"DELETE");
    idempotent
        && match head.framing() {
            _ if held => true,
            Framing::None => true,
            Framing::Length(bytes) => bytes <= replayable,
            // Nobody knows how long it will be.
            Framing::Chunked | Framing::UntilClose => false,
        }
}

/// As long as configured, but less than the server says it keeps the connection.
fn keep_for(routed: &Routed<'_>, configured: Duration) -> Duration {
    let stated = routed.answer.fields().first(Known::KeepAlive).and_then(|value| {
        let text = std::str::from_utf8(value).ok()?;
        let seconds = text.split(',').find_map(|part| part.trim().strip_prefix("timeout="))?;
        seconds.parse::<u64>().ok()
    });
    stated.map_or(configured, |seconds| configured.min(Duration::from_secs(seconds.saturating_sub(1))))
}

/// One attempt to get an answer's head.
struct Asking<'a> {
    worker: &'a Worker,
    upload: &'a mut Relay,
    scan: HeadScan,
    first_byte: Duration,
    due: Millis,
    /// Whether an answer that never came may be asked for again.
    repeatable: bool,
    /// Whether the whole request has left.
    asked: bool,
    interim: u32,
}

// === impl Asking ===

impl Asking<'_> {
    /// Sends the request and reads the head of its answer, both at once: an answer may come before the body is over.
    async fn answer(
        mut self,
        routed: &mut Routed<'_>,
        client: &mut Channel,
        upstream: &mut Channel,
    ) -> Result<(), Stop> {
        poll_fn(|context| {
            self.poll_send(client, upstream, context)?;
            let outcome = self.poll_head(routed, upstream, context);
            if outcome.is_pending() && client.timer.is_cut(&self.worker.timers, context) {
                let text = "no answer before the time of the client's listener was up";
                return Poll::Ready(Err(Fault::new(FaultKind::Timeout, text).into()));
            }
            outcome
        })
        .await
    }

    /// Whether the request can be sent again, though the server may have acted upon it.
    fn may_repeat(&self) -> bool {
        self.repeatable && self.upload.can_restart()
    }

    fn poll_send(
        &mut self,
        client: &mut Channel,
        upstream: &mut Channel,
        context: &mut Context<'_>,
    ) -> Result<(), Stop> {
        let carry = (&self.worker.timers, &self.worker.buffers);
        if !self.asked {
            match self.upload.poll(client, upstream, context, carry) {
                Poll::Ready(Ok(())) => {
                    self.asked = true;
                    let first_byte = self.worker.timers.after(self.first_byte);
                    upstream.timer.set_at(self.due.min(first_byte));
                    client.set_patience(None);
                    client.timer.clear();
                }
                // The server may have answered and closed without reading on; its answer counts.
                Poll::Ready(Err(Stopped::Sink(Broken::Io(_)))) if self.upload.received() > 0 => self.asked = true,
                Poll::Ready(Err(Stopped::Sink(Broken::Io(error)))) => {
                    // Not even the head was taken, so that nothing can have been acted upon.
                    let retry_safe = self.upload.received() == 0 && !self.upload.is_finished();
                    let retry_safe = retry_safe || self.may_repeat();
                    return Err(Fault { kind: FaultKind::Closed, retry_safe, source: error.to_string() }.into());
                }
                Poll::Ready(Err(stopped)) => return Err(stop(stopped)),
                Poll::Pending => {}
            }
        }
        if self.upload.is_finished() && client.is_gone(context, carry.1) { Err(Stop::Gone) } else { Ok(()) }
    }

    fn poll_head(
        &mut self,
        routed: &mut Routed<'_>,
        upstream: &mut Channel,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Stop>> {
        let (timers, buffers) = (&self.worker.timers, &self.worker.buffers);
        let limits = HeadLimits::default();
        if upstream.is_stream() {
            return self.poll_stream_head(routed, upstream, context, &limits);
        }
        loop {
            let input = upstream.input.bytes();
            if !input.is_empty() {
                let found = self.scan.find(input, limits.head_bytes_max).map_err(malformed)?;
                if let Some(length) = found {
                    let raw = input.get(..length).unwrap_or_default();
                    let to_head = routed.request.head.method() == b"HEAD";
                    routed.answer.parse(raw, to_head, &limits).map_err(malformed)?;
                    upstream.input.consume(length, buffers);
                    if !self.is_interim(routed)? {
                        return Poll::Ready(Ok(()));
                    }
                    continue;
                }
            }
            match upstream.poll_fill(context, timers, buffers) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(self.closed(upstream, "the server closed"))),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(Broken::Late | Broken::Slow)) => return Poll::Ready(Err(self.late(upstream))),
                Poll::Ready(Err(Broken::Io(error))) => {
                    return Poll::Ready(Err(self.closed(upstream, &error.to_string())));
                }
            }
        }
    }

    /// The same where the answer comes as fields. Interim answers stay with the connection.
    fn poll_stream_head(
        &mut self,
        routed: &mut Routed<'_>,
        upstream: &mut Channel,
        context: &mut Context<'_>,
        limits: &HeadLimits,
    ) -> Poll<Result<(), Stop>> {
        let Some(stream) = upstream.stream() else { return Poll::Pending };
        match stream.poll_answer(context) {
            Poll::Ready(Ok((answer, has_body))) => {
                let to_head = routed.request.head.method() == b"HEAD";
                let fields = crate::http2::fields::pairs(answer.headers());
                let parsed = routed.answer.compose(answer.status().as_u16(), fields, (to_head, has_body), limits);
                Poll::Ready(parsed.map_err(malformed))
            }
            Poll::Ready(Err(error)) => {
                // A stream that was refused, or that came after the last one a server took, was not acted upon
                // (RFC 9113 section 8.7).
                let untouched =
                    error.is_remote() && (error.is_go_away() || error.reason() == Some(h2::Reason::REFUSED_STREAM));
                let retry_safe = (untouched && self.upload.can_restart()) || self.may_repeat();
                Poll::Ready(Err(Fault { kind: FaultKind::Closed, retry_safe, source: error.to_string() }.into()))
            }
            Poll::Pending if upstream.timer.expired(&self.worker.timers, context) => {
                Poll::Ready(Err(self.late(upstream)))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// An interim answer is read over: we have told the client to continue ourselves, and hints are optional.
    fn is_interim(&mut self, routed: &Routed<'_>) -> Result<bool, Stop> {
        if routed.answer.status() == 101 {
            let accept = routed.answer.fields().first(Known::SecWebSocketAccept);
            return match &routed.handshake {
                Some(handshake) if handshake.is_accepted(accept) => Ok(false),
                Some(_) => Err(Fault::new(FaultKind::Malformed, "the server accepted another handshake").into()),
                None => Err(Fault::new(FaultKind::Malformed, "the server switched protocols unasked").into()),
            };
        }
        if !routed.answer.is_interim() {
            return Ok(false);
        }
        self.scan = HeadScan::default();
        self.interim += 1;
        if self.interim > INTERIM_MAX {
            return Err(Fault::new(FaultKind::Malformed, "too many interim answers").into());
        }
        Ok(true)
    }

    /// The connection ended before the head was complete.
    fn closed(&self, upstream: &Channel, source: &str) -> Stop {
        let retry_safe = self.may_repeat() && upstream.input.is_empty() && self.interim == 0;
        Fault { kind: FaultKind::Closed, retry_safe, source: source.to_owned() }.into()
    }

    /// The time is up: the client's fault while its body is still to come and the server waits for it.
    fn late(&self, upstream: &Channel) -> Stop {
        if self.asked {
            let limit = if self.worker.timers.now() >= self.due { "`timeout`" } else { "`first_byte_timeout`" };
            Fault::new(FaultKind::Timeout, format!("no answer within {limit}")).into()
        } else if upstream.is_full() {
            Fault::new(FaultKind::Timeout, "the request was not taken in time").into()
        } else {
            stop(Stopped::Source(Broken::Late))
        }
    }
}

fn malformed(error: HeadError) -> Stop {
    Fault::new(FaultKind::Malformed, error.rule()).into()
}

/// Whose fault it is that a request's body stopped.
pub(crate) fn stop(stopped: Stopped) -> Stop {
    let refuse = |reason, detail: &'static str| Refusal::new(Stage::Receive, reason, detail).closing();
    match stopped {
        Stopped::Body(BodyError::TooLarge) => receive::too_large().into(),
        Stopped::Body(BodyError::Truncated) | Stopped::Source(Broken::Io(_)) => Stop::Gone,
        Stopped::NoRoom => receive::no_room().into(),
        // Bodies of requests pass no filter.
        Stopped::Unreadable(why) => Fault::new(FaultKind::Internal, why.to_string()).into(),
        Stopped::Body(error) => refuse(Reason::MalformedBody, error.rule()).into(),
        Stopped::Source(Broken::Late) => refuse(Reason::BodyTimeout, "the body made no progress").into(),
        Stopped::Source(Broken::Slow) => refuse(Reason::BodyTooSlow, "the body came too slowly").into(),
        Stopped::Sink(Broken::Late | Broken::Slow) => {
            Fault::new(FaultKind::Timeout, "the request was not taken in time").into()
        }
        Stopped::Sink(Broken::Io(error)) => Fault::new(FaultKind::Closed, error.to_string()).into(),
    }
}
