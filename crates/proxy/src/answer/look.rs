//! What is looked at before an answer leaves: errors that give something away, and whether values can be masked.

use crate::carry::channel::{Broken, Channel};
use crate::carry::filter::Filter;
use crate::carry::relay::{Leaving, Relay, Stopped};
use crate::exchange::Exchange;
use crate::pipeline::Stop;
use crate::pipeline::decode::{Said, decoded};
use crate::problem::is_grpc;
use crate::snapshot::Route;
use crate::upstream::pool::Lease;
use crate::worker::{Local, Worker};
use portcullis_coding::Limits;
use portcullis_config::plan::ErrorsPlan;
use portcullis_h1::{BodyError, Fields, Framing, Known, ResponseHead};
use portcullis_mask::{Form, Masker, is_readable, leak, names_inner_host, shown};
use portcullis_types::{Fault, FaultKind, Reason, Refusal, Stage};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

// LIMIT: bytes of an error that is looked at, as it comes and decoded; a longer one is replaced.
const ERROR_BYTES_MAX: u64 = 256 * 1024;

/// An error of a server that is not passed on.
#[derive(Debug)]
pub(crate) struct Scrubbed {
    pub(crate) status: u16,
    /// What of its head a client needs to go on.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Why.
    pub(crate) why: String,
    /// What it said, fit for the security record; empty where nobody has looked at it.
    pub(crate) original: String,
}

/// Looks at an answer before it leaves: its body, and what it has to pass on its way.
pub(super) async fn at(
    (worker, local): (&Worker, &Local),
    exchange: &Exchange,
    (client, lease): (&mut Channel, &mut Lease),
    uploaded: bool,
) -> Result<(Relay, Option<Box<Filter>>), Stop> {
    let framing = exchange.answer.framing();
    let arriving = if lease.is_shared() && super::has_body(framing) { Framing::UntilClose } else { framing };
    let mut download = Relay::new(arriving, Leaving::Bare, u64::MAX);
    let filter = filter(local, exchange);
    if is_error(local, exchange) {
        if filter.is_err() {
            return Err(scrubbed(&exchange.answer, "its type cannot be masked", &[]));
        }
        at_error((worker, local), exchange, (client, &mut *lease.channel), &mut download, uploaded).await?;
    }
    filter.map(|filter| (download, filter))
}

/// The filter that an answer has to pass, if it has to pass one.
fn filter(local: &Local, exchange: &Exchange) -> Result<Option<Box<Filter>>, Stop> {
    let Some(disclosure) = route(local, exchange).and_then(|route| route.disclosure.as_ref()) else { return Ok(None) };
    let active = exchange.record.active.unwrap_or_else(|| disclosure.active(exchange.record.caller.as_deref()));
    let answer = &exchange.answer;
    if disclosure.rules.is_idle(active) || !super::has_body(answer.framing()) {
        return Ok(None);
    }
    if answer.status() == 206 {
        return Err(unreadable("a part of a document cannot be masked"));
    }
    let form = answer.fields().only(Known::ContentType).and_then(Form::of);
    let form = form.ok_or_else(|| unreadable("its type cannot be masked"))?;
    let said = Said::of(answer.fields()).map_err(|_| unreadable("its coding is not known"))?;
    let start = disclosure.rules.start(promised_schema(local, exchange));
    let masker = Masker::from(form, Arc::clone(&disclosure.rules), active, start);
    // Of our own codings every client that reads any reads this one.
    let recodes = accepts_gzip(&exchange.head.fields());
    let filter = Filter::new(said.codings(), masker, recodes).map_err(|why| unreadable(why.to_string()))?;
    Ok(Some(Box::new(filter)))
}

/// Whether a client reads `gzip` (RFC 9110 section 12.5.3).
fn accepts_gzip(fields: &Fields) -> bool {
    let lines = fields.iter().filter(|line| line.name.eq_ignore_ascii_case(b"accept-encoding"));
    let (mut named, mut any) = (None, false);
    for element in lines.flat_map(|line| line.value.split(|byte| *byte == b',')) {
        let mut parts = element.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix(b"q=").or_else(|| part.strip_prefix(b"Q=")));
        let is_wanted = weight.is_none_or(|weight| weight.iter().any(|byte| (b'1'..=b'9').contains(byte)));
        if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") {
            named = Some(named.unwrap_or(true) && is_wanted);
        }
        any |= name == b"*" && is_wanted;
    }
    named.unwrap_or(any)
}

/// The schema that the contract has for an answer; `None` where it declares none.
fn promised_schema(local: &Local, exchange: &Exchange) -> Option<u32> {
    let operation = route(local, exchange)?.contract.as_ref()?.operation(exchange.head.method())?;
    let content_type = exchange.answer.fields().only(Known::ContentType)?;
    operation.answer_schema(exchange.answer.status(), std::str::from_utf8(content_type).ok())
}

/// What an answer that cannot be read comes to.
pub(super) fn unreadable(why: impl Into<String>) -> Stop {
    let reason = Reason::AnswerUnreadable;
    Refusal { private: Some(why.into()), ..Refusal::new(Stage::Shape, reason, reason.title()) }.into()
}

fn route<'l>(local: &'l Local, exchange: &Exchange) -> Option<&'l Route> {
    exchange.record.route.and_then(|index| local.snapshot.routes.get(index))
}

/// Whether an answer is an error that is not simply passed on.
fn is_error(local: &Local, exchange: &Exchange) -> bool {
    let answer = &exchange.answer;
    let passes = route(local, exchange).is_none_or(|route| route.errors == ErrorsPlan::Pass);
    answer.status() >= 400 && !passes && super::has_body(answer.framing()) && !is_grpc(answer.fields())
}

/// Looks at an error, all of which is held meanwhile.
async fn at_error(
    (worker, local): (&Worker, &Local),
    exchange: &Exchange,
    (client, upstream): (&mut Channel, &mut Channel),
    download: &mut Relay,
    uploaded: bool,
) -> Result<(), Stop> {
    let answer = &exchange.answer;
    if route(local, exchange).is_some_and(|route| route.errors == ErrorsPlan::Replace) {
        return Err(scrubbed(answer, "errors of this route are replaced", &[]));
    }
    download.hold(ERROR_BYTES_MAX, worker.rooms.room());
    let carry = (&worker.timers, &worker.buffers);
    let outcome = poll_fn(|context| {
        if upstream.timer.expired(carry.0, context) {
            return Poll::Ready(Err(Stopped::Source(Broken::Late)));
        }
        let outcome = download.poll_hold(upstream, context, carry);
        if outcome.is_pending() && uploaded && client.is_gone(context, carry.1) {
            return Poll::Ready(Err(Stopped::Sink(Broken::Io(std::io::ErrorKind::UnexpectedEof.into()))));
        }
        outcome
    })
    .await;
    match outcome {
        Ok(()) => {}
        Err(Stopped::Body(BodyError::TooLarge)) => {
            return Err(scrubbed(answer, "too long to be looked at", download.held()));
        }
        Err(Stopped::NoRoom) => return Err(scrubbed(answer, "no room to look at it", &[])),
        Err(Stopped::Sink(_)) => return Err(Stop::Gone),
        Err(stopped) => return Err(Fault::new(FaultKind::Truncated, format!("within an error: {stopped}")).into()),
    }
    let limits = Limits { output_bytes_max: ERROR_BYTES_MAX, ..Limits::default() };
    let body = Said::of(answer.fields())
        .map_err(Some)
        .and_then(|said| decoded(&said, download.held(), limits, &mut worker.rooms.room()));
    let Ok(body) = body else { return Err(scrubbed(answer, "in a form that cannot be looked at", &[])) };
    if !is_readable(answer.fields().first(Known::ContentType).unwrap_or_default(), &body) {
        return Err(scrubbed(answer, "in a charset that cannot be looked at", &[]));
    }
    match leak(&body) {
        Ok(None) => Ok(()),
        Ok(Some(leak)) => Err(scrubbed(answer, leak.name(), &body)),
        Err(_) => Err(scrubbed(answer, "nothing could be said about it", &[])),
    }
}

/// The error in place of which a problem leaves.
fn scrubbed(answer: &ResponseHead, why: &str, body: &[u8]) -> Stop {
    const KEPT: [&str; 3] = ["retry-after", "www-authenticate", "allow"];
    let mut headers = Vec::new();
    for line in answer.fields().iter() {
        let kept = KEPT.iter().find(|name| line.name.eq_ignore_ascii_case(name.as_bytes()));
        if let (Some(name), Ok(value)) = (kept, std::str::from_utf8(line.value))
            && names_inner_host(line.value) == Ok(false)
        {
            headers.push((*name, value.to_owned()));
        }
    }
    let original = if body.is_empty() { String::new() } else { shown(body) };
    Stop::Scrubbed(Box::new(Scrubbed { status: answer.status(), headers, why: why.to_owned(), original }))
}
