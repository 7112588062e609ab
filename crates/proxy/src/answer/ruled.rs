//! Whether rules about attacks let an answer pass, before any of it leaves.
//!
//! They see it as the server sent it: status and fields, and its body where they look at bodies of its type, decoded. What
//! they would have to see and cannot does not leave where they are enforced; where they only observe, the record says so.

use super::held::{self, Taken, Ways};
use crate::exchange::Exchange;
use crate::inspection::Looking;
use crate::pipeline::Stop;
use crate::pipeline::decode::{Said, decoded_till};
use crate::worker::Worker;
use portcullis_coding::{CodingError, Limits};
use portcullis_h1::Fields;
use portcullis_types::{Reason, Refusal, Stage};
use portcullis_waf::{Field, Limit, Refused, ResponseHead};
use std::borrow::Cow;

const UNSEEN: &str = "rules have not looked at the body of the answer";
const BEGINNING: &str = "rules have looked at the beginning of the answer's body only";

/// Shows the answer in the exchange to the rules that have seen its request, if they look at answers.
pub(super) async fn inspect(worker: &Worker, exchange: &mut Exchange, ways: &mut Ways<'_>) -> Result<(), Stop> {
    let Some(asked) = exchange.record.asked.take() else { return Ok(()) };
    let answer = &exchange.answer;
    let said = Said::of(answer.fields());
    let mut looking = worker.inspector.borrow_mut().resume(*asked);
    let transaction = &mut looking.transaction;
    let has_body = super::has_body(answer.framing());
    let is_decoded = has_body
        && said.as_ref().is_ok_and(|said| !said.is_plain())
        && transaction.looks_into(&shown(answer.fields(), false));
    let headers = shown(answer.fields(), is_decoded);
    let head = ResponseHead { status: answer.status(), protocol: b"HTTP/1.1", headers: &headers };
    let is_wanted = !transaction.response_head(&head).is_refused() && has_body && transaction.wants_response_body();
    if !is_wanted {
        return judge(worker, exchange, looking, &[]);
    }
    let Ok(said) = said else { return unseen(worker, exchange, looking, "its coding is not known") };
    if super::lasts(answer) {
        return unseen(worker, exchange, looking, "it goes on, and can be looked at by nobody");
    }
    let (limit, may_be_cut) = (transaction.response_body_limit(), transaction.response_body_partial());
    let asked = worker.inspector.borrow_mut().pause(looking);
    // One byte more tells what is too long.
    let taken = held::take_in(worker, u64::try_from(limit).unwrap_or(u64::MAX), ways).await?;
    let looking = worker.inspector.borrow_mut().resume(*asked);
    let mut room = worker.rooms.room();
    let held = (ways.download.held(), taken == Taken::Whole);
    let body = match read(&said, held, limit, &mut room) {
        _ if taken == Taken::NoRoom => return unseen(worker, exchange, looking, "too much is held already"),
        Ok(body) => body,
        Err(why) => return unseen(worker, exchange, looking, why),
    };
    let is_cut = taken != Taken::Whole || body.len() > limit;
    if is_cut && body.len() <= limit && !may_be_cut {
        return unseen(worker, exchange, looking, "it is longer than rules look at");
    }
    if is_cut {
        exchange.record.note = Some(BEGINNING);
    }
    judge(worker, exchange, looking, &body)
}

/// The fields as rules see them: without the coding of a body that is decoded before they see it.
fn shown(fields: Fields<'_>, is_decoded: bool) -> Vec<Field<'_>> {
    let lines = fields.iter().map(|line| (line.name, line.value));
    lines.filter(|(name, _)| !(is_decoded && name.eq_ignore_ascii_case(b"content-encoding"))).collect()
}

/// A body as rules see it: a little more than they look at, or all of it.
fn read<'b>(
    said: &Said,
    (held, is_whole): (&'b [u8], bool),
    limit: usize,
    room: &mut crate::carry::room::Room,
) -> Result<Cow<'b, [u8]>, &'static str> {
    if said.is_plain() {
        return Ok(Cow::Borrowed(held));
    }
    // What is decoded ends with what is wanted.
    let limits = Limits { output_bytes_max: u64::MAX, ..Limits::default() };
    let decoded = decoded_till(said, (held, is_whole), limit.saturating_add(1), limits, room);
    decoded.map(Cow::Owned).map_err(|error| error.map_or("there is no room", CodingError::rule))
}

/// Shows the body, and ends the inspection.
fn judge(worker: &Worker, exchange: &mut Exchange, mut looking: Looking, body: &[u8]) -> Result<(), Stop> {
    // A verdict on the head stays; it is read below.
    let _verdict = looking.transaction.response_body(body);
    let (refused, findings) = worker.inspector.borrow_mut().end(looking);
    exchange.record.findings = findings;
    refused.map_or(Ok(()), |refused| Err(refusal(refused)))
}

/// A body that rules would have to see and do not.
fn unseen(worker: &Worker, exchange: &mut Exchange, looking: Looking, why: &'static str) -> Result<(), Stop> {
    let refuses = looking.transaction.refuses();
    exchange.record.note = Some(UNSEEN);
    judge(worker, exchange, looking, &[])?;
    if refuses { Err(uninspected(why)) } else { Ok(()) }
}

/// An answer of which no rule, but a limit, says that it does not leave.
fn uninspected(why: &'static str) -> Stop {
    let reason = Reason::AnswerUninspected;
    Refusal::new(Stage::Inspect, reason, reason.page().caller).private(why.to_owned()).into()
}

/// What the server said is nobody's business but the operator's.
fn refusal(refused: Refused) -> Stop {
    match refused.limit {
        None => {
            let reason = Reason::AnswerRefused;
            let private = format!("refused by the rule {}", refused.rule);
            Refusal::new(Stage::Inspect, reason, reason.page().caller).private(private).into()
        }
        Some(Limit::BodyTooLong) => uninspected("it is longer than rules look at"),
        Some(Limit::BodyUnreadable) => uninspected("it is not what it says it is"),
        Some(Limit::TooMuchWork) => uninspected("it is more work than an answer may be"),
    }
}
