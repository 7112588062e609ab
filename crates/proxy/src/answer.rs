//! How a request ends, whatever the client's connection speaks: with the answer of its upstream or with one of ours, and with
//! one record.

mod held;
mod look;
mod own;
mod promised;
mod rest;
mod ruled;
mod tunnel;
mod watch;

use crate::carry::channel::{Broken, Channel};
use crate::carry::relay::{Leaving, Relay, Stopped};
use crate::carry::tap::Tap;
use crate::carry::websocket::accept_for;
use crate::exchange::{Connection, Exchange};
use crate::head::FieldMap;
use crate::inspection::Subject;
use crate::knowledge;
use crate::origin;
use crate::ownership;
use crate::pipeline::forward::Forwarded;
use crate::pipeline::{self, Stop};
use crate::problem::is_grpc;
use crate::record::wall::WallTexts;
use crate::record::{AccessRecord, Decision, Outcome, Trace};
use crate::shape::{self, Frame, Inner, Masking};
use crate::snapshot::Route;
use crate::snapshot::disclosure::Masked;
use crate::snapshot::fronts::Front;
use crate::snapshot::slots::Choice;
use crate::upstream::pool::Lease;
use crate::worker::{Local, Worker};
use held::Ways;
pub(crate) use look::Scrubbed;
use own::Own;
use portcullis_config::plan::StreamsPlan;
use portcullis_h1::{Framing, Known, ResponseHead, Version};
use portcullis_types::{Fault, FaultKind, Reason, Refusal, Stage};
use std::future::poll_fn;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use watch::{LAPSED, Watch};

/// What follows a request on its connection.
#[derive(Debug)]
pub(crate) enum Next {
    Request,
    /// The rest of a body that nobody wants stands before the next request.
    Discard(Box<Relay>),
    Close,
    /// Bytes of the client are still on their way; closing at once would destroy the answer before it is read.
    CloseSlowly,
    /// The answer is not whole, and an orderly end would make it look so.
    BreakOff,
}

pub(crate) fn begin(worker: &Worker, connection: &Connection, exchange: &mut Exchange) {
    let record = &mut exchange.record;
    record.started = worker.nanos();
    record.wall_ms = worker.wall_ms(record.started);
    let rules = worker.local().snapshot.trace_rules;
    let mut ids = worker.ids.borrow_mut();
    record.id =
        origin::request_id(connection, exchange.head.fields()).unwrap_or_else(|| ids.request_id(record.wall_ms));
    record.trace = Trace::begin(exchange.head.fields(), &rules, &mut ids);
    record.listener = Some(Arc::clone(&connection.listener));
    record.peer = Some(connection.peer);
    record.tls = connection.tls;
    origin::note(connection, exchange, origin::of_connection(connection));
}

/// Decides, answers, and says what follows.
pub(crate) async fn handle(
    worker: &Worker,
    local: &Local,
    connection: &Connection,
    exchange: &mut Exchange,
    client: &mut Channel,
    last: bool,
) -> Next {
    client.set_pace(Some(&connection.settings.limits.pace));
    let outcome = match pipeline::run(worker, local, connection, exchange, client).await {
        Ok(forwarded) => {
            price(worker, local, exchange);
            pass_on(worker, local, (connection, exchange), client, forwarded, last).await
        }
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
    local: &Local,
    (connection, exchange): (&Connection, &mut Exchange),
    client: &mut Channel,
    Forwarded { mut lease, mut upload, keep }: Forwarded,
    last: bool,
) -> Result<Next, Stop> {
    let old = exchange.head.version() == Version::Http10;
    let looked = look::at((worker, local), exchange, (&mut *client, &mut lease), upload.is_finished());
    let (mut download, filter) = looked.await?;
    exchange.record.recoded = filter.as_ref().is_some_and(|filter| filter.recodes());
    // Nobody can say how long it will be.
    let framing = if filter.is_some() { Framing::UntilClose } else { exchange.answer.framing() };
    // A drain may have begun while the answer was waited for; it must be announced, or the next request would be lost.
    let last = last || connection.is_ending(&worker.shared);
    // With an answer before the end of the body, nobody can say how much of the rest will be read.
    let keep_alive = exchange.head.keep_alive() && !last && !shape::needs_close(framing, old) && upload.is_whole();
    exchange.record.status = exchange.answer.status();
    let sent_before = client.sent;
    let ways =
        &mut Ways { client: &mut *client, upstream: &mut lease.channel, upload: &mut upload, download: &mut download };
    vet(worker, local, exchange, ways).await?;
    if exchange.answer.status() == 101 {
        return converse(worker, local, connection, exchange, client, lease).await;
    }
    let leaving = leaving(client, framing, old);
    answer_head(worker, local, exchange, client, (keep_alive, leaving == Leaving::Bare))?;
    let going_on = lasts(&exchange.answer).then(|| streams(local, exchange));
    be_patient((worker, connection), client, &mut lease.channel, going_on);
    download.leave(leaving);
    download.tap(tap(worker, local, exchange, going_on.is_none() && filter.is_none()));
    filter.into_iter().for_each(|filter| download.set_filter(filter));
    // Until its last bytes have left, not only until they have been read.
    let (mut uploading, mut lapsed, carry) = (true, false, (&worker.timers, &worker.buffers));
    let watch = going_on.and_then(|_| Watch::begin(worker, local, exchange));
    let outcome = poll_fn(|context| {
        let upstream = &mut lease.channel;
        lapsed = watch.as_ref().is_some_and(|watch| watch.is_over(worker, connection, context));
        if lapsed || upstream.timer.expired(carry.0, context) {
            return Poll::Ready(Err(Stopped::Source(Broken::Late)));
        }
        if uploading && let Poll::Ready(sent) = upload.poll(client, upstream, context, carry) {
            uploading = false;
            if sent.is_err() {
                upload.abandon();
            }
        }
        match download.poll(upstream, client, context, carry) {
            // What goes on would hold a listener that is gone.
            Poll::Pending if client.timer.is_cut(carry.0, context) => Poll::Ready(Err(Stopped::Source(Broken::Late))),
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
    record.masked = download.take_filter().map(|filter| Box::new(Masked::by(&filter.masker)));
    let clean = outcome.is_ok() && upload.is_whole();
    if clean && exchange.answer.keep_alive() {
        lease.keep(record.answered / 1_000_000, keep.0, keep.1);
    }
    if let Err(stopped @ (Stopped::Body(_) | Stopped::Source(_) | Stopped::Unreadable(_))) = &outcome
        && !lapsed
        && client.take_back(sent_before)
    {
        if let Stopped::Unreadable(why) = stopped {
            return Err(look::unreadable(why.to_string()));
        }
        return Err(Fault::new(FaultKind::Truncated, format!("within the answer: {stopped}")).into());
    }
    record.outcome = became(worker, &outcome);
    record.note = lapsed.then_some(LAPSED).or(record.note);
    Ok(follows(outcome.is_ok(), (keep_alive, clean, exchange.head.keep_alive()), shape::needs_close(framing, old)))
}

/// Shows the answer to its contract and to the rules, before any of it leaves.
async fn vet(worker: &Worker, local: &Local, exchange: &mut Exchange, ways: &mut Ways<'_>) -> Result<(), Stop> {
    // Whoever is served messages has seen to them in the request; rules see the head.
    if exchange.answer.status() != 101 {
        promised::judge((worker, local), exchange, ways).await?;
    }
    ruled::inspect(worker, exchange, ways).await
}

/// Charges what the answer says that it has cost.
fn price(worker: &Worker, local: &Local, exchange: &mut Exchange) {
    let Exchange { charged, answer, .. } = exchange;
    if charged.is_owing() {
        let keepers = (&local.snapshot.books, worker.shared.store.as_ref());
        local.drawer.borrow_mut().charge_answer(charged, answer, keepers, worker.moment());
    }
}

/// What is learned from the answer, where its route learns. What goes on has no end, and what is masked is not shown.
fn tap(worker: &Worker, local: &Local, exchange: &Exchange, is_plain: bool) -> Option<Box<Tap>> {
    let route = local.snapshot.routes.get(exchange.record.route?).filter(|_| is_plain)?;
    let lesson = ownership::of(route)?.lesson(exchange, worker.bench().now)?;
    Some(Tap::new(lesson))
}

/// How long both sides may take over an answer's body. What goes on is bounded by its own times; its head came within the
/// route's.
fn be_patient(
    (worker, connection): (&Worker, &Connection),
    client: &mut Channel,
    upstream: &mut Channel,
    going_on: Option<StreamsPlan>,
) {
    client.set_patience(Some(going_on.map_or(connection.settings.limits.body_idle_timeout, |of| of.idle_timeout)));
    if let Some(streams) = going_on {
        upstream.set_due(worker.timers.after(streams.lifetime));
        upstream.set_patience(Some(streams.idle_timeout));
    }
}

/// What follows an answer on the client's connection. `breaks` is whether only its end tells where the answer ends.
fn follows(whole: bool, (keep_alive, clean, wanted): (bool, bool, bool), breaks: bool) -> Next {
    match whole {
        true if keep_alive => Next::Request,
        // A client that would have gone on may have sent its next request already.
        true if clean && !wanted => Next::Close,
        true => Next::CloseSlowly,
        false if breaks => Next::BreakOff,
        false => Next::Close,
    }
}

/// What the upstream's answers that go on may do.
fn streams(local: &Local, exchange: &Exchange) -> StreamsPlan {
    let route = exchange.record.route.and_then(|index| local.snapshot.routes.get(index));
    let upstream = route.and_then(|route| local.snapshot.upstreams.get(route.upstream));
    upstream.map(|upstream| upstream.plan.streams).unwrap_or_default()
}

/// What an answer is called whose body ended so.
fn became(worker: &Worker, outcome: &Result<(), Stopped>) -> Outcome {
    if matches!(outcome, Err(Stopped::Sink(Broken::Slow))) {
        worker.shared.registry.slow_readers.fetch_add(1, Ordering::Relaxed);
    }
    match outcome {
        Ok(()) => Outcome::Served,
        Err(Stopped::Sink(_)) => Outcome::Gone,
        Err(Stopped::Body(_) | Stopped::NoRoom | Stopped::Source(_) | Stopped::Unreadable(_)) => Outcome::Truncated,
    }
}

/// How the body of an answer leaves for the client.
fn leaving(client: &Channel, framing: Framing, old: bool) -> Leaving {
    match client.is_stream() {
        true if has_body(framing) => Leaving::Stream,
        false if shape::is_chunked(framing, old) => Leaving::Chunked,
        true | false => Leaving::Bare,
    }
}

/// Whether a body follows a head of this framing.
fn has_body(framing: Framing) -> bool {
    !matches!(framing, Framing::None | Framing::Length(0))
}

/// Whether an answer is meant to go on: events, calls of gRPC, parts that replace each other.
fn lasts(answer: &ResponseHead) -> bool {
    const TYPES: [&[u8]; 3] = [b"text/event-stream", b"multipart/x-mixed-replace", b"application/x-ndjson"];
    let fields = answer.fields();
    let begins =
        |value: &[u8], kind: &[u8]| value.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind));
    let is_one = |value: &[u8]| TYPES.iter().any(|kind| begins(value, kind));
    fields.first(Known::ContentType).is_some_and(is_one) || is_grpc(fields)
}

/// The head of the upstream's answer; `whole` if no body follows.
fn answer_head(
    worker: &Worker,
    local: &Local,
    exchange: &Exchange,
    client: &mut Channel,
    (keep_alive, whole): (bool, bool),
) -> Result<(), Stop> {
    let key = exchange.head.fields().first(Known::SecWebSocketKey);
    let switches = exchange.answer.status() == 101;
    let accept = switches.then(|| accept_for(key.unwrap_or_default()));
    let mut wall = worker.wall.borrow_mut();
    let frame = Frame { accept: accept.as_deref(), ..frame(&mut wall, local, exchange, keep_alive) };
    let Some(stream) = client.stream() else {
        shape::answer(&exchange.answer, &frame, &mut client.output);
        return Ok(());
    };
    let mut map = FieldMap::default();
    shape::answer(&exchange.answer, &frame, &mut map);
    let head =
        map.into_answer().ok_or_else(|| Fault::new(FaultKind::Malformed, "the answer cannot be said in HTTP/2"))?;
    stream.answer(head, whole);
    Ok(())
}

/// A request that goes on as WebSocket.
async fn converse(
    worker: &Worker,
    local: &Local,
    connection: &Connection,
    exchange: &mut Exchange,
    client: &mut Channel,
    mut lease: Lease,
) -> Result<Next, Stop> {
    let (sent_before, streams) = (client.sent, streams(local, exchange));
    answer_head(worker, local, exchange, client, (true, false))?;
    let watch = Watch::begin(worker, local, exchange);
    let ended = tunnel::run((worker, connection), (streams, watch), client, &mut lease.channel).await;
    let record = &mut exchange.record;
    record.answered = worker.nanos();
    record.request_bytes = ended.received;
    record.response_bytes = client.sent - sent_before;
    record.outcome = ended.outcome;
    record.note = ended.why;
    Ok(if ended.outcome == Outcome::Served { Next::Close } else { Next::BreakOff })
}

/// An answer of ours.
pub(crate) async fn refuse(
    worker: &Worker,
    local: &Local,
    connection: &Connection,
    exchange: &mut Exchange,
    client: &mut Channel,
    stop: &Stop,
    last: bool,
) -> Next {
    note(exchange, stop);
    look_at_refused(worker, local, exchange, stop);
    if exchange.record.forwarded > 0 {
        exchange.record.answered = worker.nanos();
    }
    let Some(own) = Own::of(stop, exchange.head.fields()) else { return Next::Close };
    let rest = rest::of(exchange);
    let keep_alive =
        exchange.head.keep_alive() && !own.closes() && !last && rest.is_some() && !connection.is_ending(&worker.shared);
    let sent_before = client.sent;
    if own_head(worker, local, exchange, client, (&own, keep_alive)).is_err() {
        return Next::Close;
    }
    client.set_patience(Some(connection.settings.limits.body_idle_timeout));
    let flushed = poll_fn(|context| client.poll_flush(context, &worker.timers)).await;
    exchange.record.response_bytes = client.sent - sent_before;
    if flushed.is_err() || client.end().is_err() {
        return Next::Close;
    }
    match rest {
        Some(rest) if keep_alive => Next::Discard(Box::new(rest)),
        _ => Next::CloseSlowly,
    }
}

/// The head of an answer of ours, and its body behind it.
fn own_head(
    worker: &Worker,
    local: &Local,
    exchange: &Exchange,
    client: &mut Channel,
    (own, keep_alive): (&Own<'_>, bool),
) -> Result<(), Stop> {
    let mut wall = worker.wall.borrow_mut();
    let frame = frame(&mut wall, local, exchange, keep_alive);
    let body = own.body(&frame, &local.snapshot.problem_base);
    let whole = frame.to_head || body.is_empty();
    match client.stream() {
        None => own.write(body.len(), &frame, &mut client.output),
        Some(stream) => {
            let mut map = FieldMap::default();
            own.write(body.len(), &frame, &mut map);
            stream.answer(map.into_answer().ok_or(Stop::Gone)?, whole);
        }
    }
    if !whole {
        client.output.extend_from_slice(body.as_bytes());
        client.stream().into_iter().for_each(|stream| stream.set_ending(&[]));
    }
    Ok(())
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
        Stop::Scrubbed(scrubbed) => {
            record.original.clone_from(&scrubbed.original);
            let private = Some(scrubbed.why.clone());
            (Outcome::Served, Some(Decision { stage: Stage::Shape, reason: Reason::UpstreamError, private }))
        }
        Stop::Answered(_) | Stop::Told(_) | Stop::Noted => (Outcome::Answered, None),
        Stop::Gone => (Outcome::Gone, None),
    };
    record.outcome = outcome;
    let without_reason = match stop {
        Stop::Answered(_) | Stop::Noted => 204,
        Stop::Told(_) => 200,
        Stop::Scrubbed(scrubbed) => scrubbed.status,
        Stop::Refused(_) | Stop::Failed(_) | Stop::Gone => 499,
    };
    let decided = decision.as_ref().filter(|decision| decision.reason != Reason::UpstreamError);
    record.status = decided.map_or(without_reason, |decision| decision.reason.status());
    record.decision = decision;
}

/// Rules see heads that led to no route as well, so that their records name the attack.
fn look_at_refused(worker: &Worker, local: &Local, exchange: &mut Exchange, stop: &Stop) {
    let (Some(waf), Stop::Refused(refusal)) = (&local.snapshot.waf, stop) else { return };
    if matches!(refusal.stage, Stage::Head | Stage::Target) {
        let Exchange { head, record, client, .. } = exchange;
        let subject = Subject { head, record, address: client.address };
        record.findings = worker.inspector.borrow_mut().refused_head(waf, subject);
    }
}

fn decision(refusal: &Refusal) -> Decision {
    let private = refusal.private.clone().or_else(|| Some(refusal.detail.to_string()));
    Decision { stage: refusal.stage, reason: refusal.reason, private }
}

fn frame<'a>(wall: &'a mut WallTexts, local: &'a Local, exchange: &'a Exchange, keep_alive: bool) -> Frame<'a> {
    let route = exchange.record.route.and_then(|index| local.snapshot.routes.get(index));
    let front = front(local, exchange);
    let cors = route.map_or_else(|| front.and_then(|front| front.cors.as_ref()), |route| route.cors.as_ref());
    let headers = route.map(|route| &route.headers).or(front.map(|front| &front.headers));
    let limits = route.and_then(|route| route.limits.as_deref());
    let chosen_by = route.and_then(|route| route.choice.as_deref()).and_then(Choice::vary);
    Frame {
        id: exchange.record.id,
        headers: headers.map(|headers| headers.of(exchange.client.secure)),
        personal: exchange.record.caller.is_some(),
        secure: exchange.client.secure,
        keep_alive,
        old: exchange.head.version() == Version::Http10,
        to_head: exchange.head.method() == b"HEAD",
        accept: None,
        masking: masking(route, exchange),
        lifecycle: route.and_then(|route| route.lifecycle.as_deref()),
        vary: chosen_by.or(front.and_then(|front| front.vary.as_deref())),
        sharing: cors.map(|cors| cors.sharing(exchange.head.fields().only(Known::Origin))),
        date: wall.imf(exchange.record.wall_ms),
        charged: &exchange.charged,
        ahead: limits.filter(|_| !exchange.charged.is_complete).map_or(&[], |limits| &limits.ahead),
        hidden: limits.map_or(&[], |limits| &limits.hidden),
        inner: inner(route, &exchange.record),
    }
}

/// What an answer's fields may not say. Paths are other ones for the server where a version is taken out of them.
fn inner<'a>(route: Option<&Route>, record: &'a AccessRecord) -> Inner<'a> {
    Inner {
        errors: route.map(|route| route.errors),
        origin: record.target.as_deref(),
        same_paths: route.is_some_and(|route| route.choice.is_none()),
    }
}

/// The API that was asked for, where none of its routes was found. What was refused before that is no API's business.
fn front<'l>(local: &'l Local, exchange: &Exchange) -> Option<&'l Front> {
    let Exchange { record, host, target, .. } = exchange;
    let is_lost = |decision: &&Decision| matches!(decision.stage, Stage::Route | Stage::Cors);
    record.decision.as_ref().filter(|_| record.route.is_none()).filter(is_lost)?;
    local.snapshot.fronts.at(host, target.path())
}

/// What an answer's head may say about its body.
fn masking(route: Option<&Route>, exchange: &Exchange) -> Masking {
    let Some((disclosure, active)) = route.and_then(|route| route.disclosure.as_ref()).zip(exchange.record.active)
    else {
        return Masking::default();
    };
    let came_coded = exchange.answer.fields().iter().any(|line| line.name.eq_ignore_ascii_case(b"content-encoding"));
    Masking {
        changes: !disclosure.rules.is_idle(active),
        differs: disclosure.differs,
        came_coded,
        recoded: exchange.record.recoded,
    }
}

/// One record at the end of every request; the log line and the metrics both come from it.
pub(crate) fn finish(worker: &Worker, local: &Local, mut exchange: Box<Exchange>) {
    // Where the upstream's answer was the end, it has the time already.
    let answered = exchange.record.answered;
    exchange.record.ended = if exchange.record.outcome == Outcome::Served { answered } else { worker.nanos() };
    if exchange.charged.is_owing() {
        let bytes = exchange.record.request_bytes.saturating_add(exchange.record.response_bytes);
        local.drawer.borrow_mut().settle(
            &mut exchange.charged,
            bytes,
            (&local.snapshot.books, worker.shared.store.as_ref()),
            worker.moment(),
        );
    }
    if let Some(asked) = exchange.record.asked.take() {
        // No answer of a server has come of it.
        let mut inspector = worker.inspector.borrow_mut();
        let looking = inspector.resume(*asked);
        exchange.record.findings = inspector.end(looking).1;
    }
    knowledge::note(worker, local, &exchange);
    worker.note(local, &exchange);
    worker.give_back(exchange);
}
