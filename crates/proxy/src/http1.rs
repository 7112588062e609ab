//! A client's connection in HTTP/1: request after request in order, each ended by its record, whatever happened.

mod end;
mod reading;

use crate::carry::channel::{Broken, Channel};
use crate::carry::relay::{Relay, Stopped};
use crate::carry::socket::Socket;
use crate::exchange::{Connection, Exchange};
use crate::pipeline::forward::Forwarded;
use crate::pipeline::{self, Stop};
use crate::problem::{Form, Problem};
use crate::record::{Decision, Outcome, Trace};
use crate::shape::{self, Frame};
use crate::worker::{Local, Worker};
use portcullis_h1::{Known, Version};
use portcullis_types::{Fault, FaultKind, Refusal, Stage};
use reading::Arrival;
pub(crate) use reading::refusal as head_refusal;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::sync::Arc;
use std::task::Poll;

/// Serves a connection until it ends.
pub(crate) async fn serve(worker: &Worker, socket: Socket, connection: Connection) {
    let mut client = Channel::new(socket, worker.timers.timer());
    let limits = &connection.settings.limits;
    for served in 1..=limits.requests_per_connection {
        let mut exchange = match reading::arrival(worker, &connection, &mut client).await {
            Arrival::Request(exchange) => exchange,
            Arrival::Refused(exchange, refusal) => {
                turn_away(worker, &mut client, &connection, exchange, refusal).await;
                return;
            }
            Arrival::End => return,
        };
        begin(worker, &connection, &mut exchange);
        let last = served == limits.requests_per_connection || worker.shared.is_draining();
        let local = worker.local();
        let next = handle(worker, &local, &connection, &mut exchange, &mut client, last).await;
        finish(worker, &local, exchange);
        match next {
            Next::Request => {}
            Next::Close => break,
            Next::CloseSlowly => {
                end::close_slowly(worker, &mut client).await;
                return;
            }
            Next::BreakOff => {
                client.break_off();
                return;
            }
        }
    }
    end::close(worker, &mut client).await;
}

/// Answers bytes that are no request of ours, and closes.
pub(crate) async fn turn_away(
    worker: &Worker,
    client: &mut Channel,
    connection: &Connection,
    mut exchange: Box<Exchange>,
    refusal: Refusal,
) {
    begin(worker, connection, &mut exchange);
    let local = worker.local();
    let next = refuse(worker, &local, connection, &mut exchange, client, &refusal.into(), true).await;
    finish(worker, &local, exchange);
    if next == Next::CloseSlowly {
        end::close_slowly(worker, client).await;
    }
}

/// What follows a request on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Request,
    Close,
    /// Bytes of the client are still on their way; closing at once would destroy the answer before it is read.
    CloseSlowly,
    /// The answer is not whole, and an orderly end would make it look so.
    BreakOff,
}

fn begin(worker: &Worker, connection: &Connection, exchange: &mut Exchange) {
    let record = &mut exchange.record;
    record.started = worker.nanos();
    record.wall_ms = worker.wall_ms(record.started);
    let mut ids = worker.ids.borrow_mut();
    record.id = ids.request_id(record.wall_ms);
    record.trace = Trace::continued(exchange.head.fields().first(Known::Traceparent), &mut ids);
    record.listener = Some(Arc::clone(&connection.listener));
    record.peer = Some(connection.peer);
    record.tls = connection.tls;
}

/// Decides, answers, and says what follows.
async fn handle(
    worker: &Worker,
    local: &Local,
    connection: &Connection,
    exchange: &mut Exchange,
    client: &mut Channel,
    last: bool,
) -> Next {
    let outcome = match pipeline::run(worker, local, connection, exchange, client).await {
        Ok(forwarded) => pass_on(worker, connection, exchange, client, forwarded, last).await,
        Err(stop) => Err(stop),
    };
    match outcome {
        Ok(next) => next,
        Err(stop) => refuse(worker, local, connection, exchange, client, &stop, last).await,
    }
}

/// The upstream's answer on its way to the client. While nothing of it has left, a failure can still be told as one.
async fn pass_on(
    worker: &Worker,
    connection: &Connection,
    exchange: &mut Exchange,
    client: &mut Channel,
    forwarded: Forwarded,
    last: bool,
) -> Result<Next, Stop> {
    let Forwarded { mut lease, mut upload, keep } = forwarded;
    let old = exchange.head.version() == Version::Http10;
    let framing = exchange.answer.framing();
    // A drain may have begun while the answer was waited for; it must be announced, or the next request would be lost.
    let last = last || worker.shared.is_draining();
    // With an answer before the end of the body, nobody can say how much of the rest will be read.
    let keep_alive = exchange.head.keep_alive() && !last && !shape::needs_close(framing, old) && upload.is_whole();
    exchange.record.status = exchange.answer.status();
    let sent_before = client.sent;
    frame(worker, connection, exchange, keep_alive, |frame, exchange| {
        shape::answer(&exchange.answer, frame, &mut client.output);
    });
    client.set_patience(Some(connection.settings.limits.body_idle_timeout));
    let mut download = Relay::new(framing, shape::is_chunked(framing, old), u64::MAX);
    let carry = (&worker.timers, &worker.buffers);
    // Until its last bytes have left, not only until they have been read.
    let mut uploading = true;
    let outcome = poll_fn(|context| {
        let upstream = &mut lease.channel;
        if upstream.timer.expired(carry.0, context) {
            return Poll::Ready(Err(Stopped::Source(Broken::Late)));
        }
        if uploading && let Poll::Ready(sent) = upload.poll(client, upstream, context, carry) {
            uploading = false;
            if sent.is_err() {
                upload.abandon();
            }
        }
        match download.poll(upstream, client, context, carry) {
            // A silent server must not be waited for on behalf of nobody.
            Poll::Pending if upload.is_finished() && client.is_gone(context, carry.1) => {
                Poll::Ready(Err(Stopped::Sink(Broken::Io(ErrorKind::UnexpectedEof.into()))))
            }
            outcome @ (Poll::Ready(_) | Poll::Pending) => outcome,
        }
    })
    .await;
    client.timer.clear();
    client.set_patience(None);
    let record = &mut exchange.record;
    record.answered = worker.nanos();
    record.request_bytes = upload.received();
    record.response_bytes = client.sent - sent_before;
    let clean = outcome.is_ok() && upload.is_whole();
    if clean && exchange.answer.keep_alive() {
        lease.keep(worker.millis(), keep.0, keep.1);
    } else {
        drop(lease);
    }
    if let Err(stopped @ (Stopped::Body(_) | Stopped::Source(_))) = &outcome
        && client.sent == sent_before
    {
        client.output.clear();
        return Err(Fault::new(FaultKind::Truncated, format!("within the answer: {stopped}")).into());
    }
    record.outcome = match &outcome {
        Ok(()) => Outcome::Served,
        Err(Stopped::Sink(_)) => Outcome::Gone,
        Err(Stopped::Body(_) | Stopped::Source(_)) => Outcome::Truncated,
    };
    Ok(match outcome {
        Ok(()) if keep_alive => Next::Request,
        // A client that would have gone on may have sent its next request already.
        Ok(()) if clean && !exchange.head.keep_alive() => Next::Close,
        Ok(()) => Next::CloseSlowly,
        Err(_) if shape::needs_close(framing, old) => Next::BreakOff,
        Err(_) => Next::Close,
    })
}

/// An answer of ours.
async fn refuse(
    worker: &Worker,
    local: &Local,
    connection: &Connection,
    exchange: &mut Exchange,
    client: &mut Channel,
    stop: &Stop,
    last: bool,
) -> Next {
    note(exchange, stop);
    if exchange.record.forwarded > 0 {
        exchange.record.answered = worker.nanos();
    }
    let Some(problem) = Problem::of(stop) else { return Next::Close };
    let rest = end::rest(exchange);
    let keep_alive =
        exchange.head.keep_alive() && !problem.close && !last && rest.is_some() && !worker.shared.is_draining();
    let form = Form::asked_by(exchange.head.fields());
    let sent_before = client.sent;
    frame(worker, connection, exchange, keep_alive, |frame, _| {
        shape::problem(&problem, form, &local.snapshot.problem_base, frame, &mut client.output);
    });
    client.set_patience(Some(connection.settings.limits.body_idle_timeout));
    let flushed = poll_fn(|context| client.poll_flush(context, &worker.timers)).await;
    exchange.record.response_bytes = client.sent - sent_before;
    if flushed.is_err() {
        return Next::Close;
    }
    match rest {
        Some(mut rest) if keep_alive => end::discard(worker, &mut rest, client).await,
        _ => Next::CloseSlowly,
    }
}

/// Enters into the record why there is no answer of the upstream.
fn note(exchange: &mut Exchange, stop: &Stop) {
    let record = &mut exchange.record;
    let (outcome, decision) = match stop {
        Stop::Refused(refusal) => (Outcome::Refused, Some(decision(refusal))),
        Stop::Failed(fault) => {
            let private = Some(format!("{:?}: {}", fault.kind, fault.source));
            (Outcome::Failed, Some(Decision { stage: Stage::Forward, reason: fault.kind.reason(), private }))
        }
        Stop::Gone => (Outcome::Gone, None),
    };
    record.outcome = outcome;
    record.status = decision.as_ref().map_or(499, |decision| decision.reason.status());
    record.decision = decision;
}

fn decision(refusal: &Refusal) -> Decision {
    let private = refusal.private.clone().or_else(|| Some(refusal.detail.to_string()));
    Decision { stage: refusal.stage, reason: refusal.reason, private }
}

fn frame(
    worker: &Worker,
    connection: &Connection,
    exchange: &Exchange,
    keep_alive: bool,
    write: impl FnOnce(&Frame<'_>, &Exchange),
) {
    let mut wall = worker.wall.borrow_mut();
    let frame = Frame {
        id: exchange.record.id,
        secure: connection.is_secure(),
        keep_alive,
        old: exchange.head.version() == Version::Http10,
        to_head: exchange.head.method() == b"HEAD",
        date: wall.imf(exchange.record.wall_ms),
    };
    write(&frame, exchange);
}

/// One record at the end of every request; the log line and the metrics both come from it.
fn finish(worker: &Worker, local: &Local, mut exchange: Box<Exchange>) {
    exchange.record.ended = worker.nanos();
    worker.note(local, &exchange);
    worker.give_back(exchange);
}
