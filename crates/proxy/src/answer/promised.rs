//! Whether an answer is what the contract promises, before any of it leaves.

use super::held::{self, Taken, Ways};
use crate::exchange::Exchange;
use crate::knowledge;
use crate::pipeline::Stop;
use crate::pipeline::decode::{self, Said};
use crate::snapshot::contract::{Conforms, noted, texts, violations};
use crate::worker::{Local, Worker};
use portcullis_coding::CodingError;
use portcullis_config::plan::ContractMode;
use portcullis_contract::json::Json;
use portcullis_contract::{Body, Objection, Operation, Part, Reading, Refused, Reply};
use portcullis_types::{Reason, Refusal, Stage};

/// Judges the answer in the exchange, if its route has a contract that speaks of answers.
pub(super) async fn judge(
    (worker, local): (&Worker, &Local),
    exchange: &mut Exchange,
    ways: &mut Ways<'_>,
) -> Result<(), Stop> {
    let route = exchange.record.route.and_then(|index| local.snapshot.routes.get(index));
    let Some(conforms) = route.and_then(|route| route.contract.as_deref()) else { return Ok(()) };
    let mode = conforms.response();
    let Some(operation) = conforms.operation(exchange.head.method()).filter(|_| mode != ContractMode::Off) else {
        return Ok(());
    };
    let has_body = super::has_body(exchange.answer.framing());
    let content_type = decode::content_type(exchange.answer.fields());
    let reads = has_body && operation.reads_answer(exchange.answer.status(), content_type);
    let outcome = match reads {
        false => reply(conforms, operation, exchange, if has_body { Body::Unread } else { Body::Absent }),
        true => match held::take_in(worker, conforms.answer_bytes(), ways).await? {
            Taken::Whole => read(worker, conforms, (operation, exchange), ways.download.held()),
            Taken::Part | Taken::NoRoom => Err(unread("answer_bytes", "it is larger than can be judged")),
        },
    };
    let Err(refused) = outcome else { return Ok(()) };
    let found = violations(refused.objections);
    let private = noted(&found);
    match mode {
        ContractMode::Off => Ok(()),
        ContractMode::Report => {
            exchange.record.breaches.answer = Some(private.into());
            Ok(())
        }
        ContractMode::Enforce => {
            let reason = Reason::InvalidAnswer;
            // What the server said is nobody's business but the operator's.
            Err(Refusal::new(Stage::Shape, reason, reason.page().caller).private(private).into())
        }
    }
}

fn read(
    worker: &Worker,
    conforms: &Conforms,
    (operation, exchange): (&Operation, &Exchange),
    bytes: &[u8],
) -> Result<(), Refused> {
    let said = Said::of(exchange.answer.fields()).map_err(|error| unread("contentEncoding", error.rule()))?;
    let mut room = worker.rooms.room();
    let decoded;
    let bytes = if said.is_plain() {
        bytes
    } else {
        let coding = portcullis_coding::Limits {
            output_bytes_max: conforms.decoded_bytes,
            ..portcullis_coding::Limits::default()
        };
        decoded = decode::decoded(&said, bytes, coding, &mut room)
            .map_err(|error| unread("contentEncoding", error.map_or("there is no room", CodingError::rule)))?;
        &decoded
    };
    if said.reading() != Some(Reading::Json) {
        return reply(conforms, operation, exchange, Body::Whole(bytes));
    }
    match Json::parse(bytes, &conforms.bounds.json) {
        Ok(json) => {
            let outcome = reply(conforms, operation, exchange, Body::Json(Ok(&json)));
            let content_type = decode::content_type(exchange.answer.fields());
            knowledge::look(worker, conforms, exchange, (content_type, &json), outcome.is_ok());
            outcome
        }
        Err(flaw) => reply(conforms, operation, exchange, Body::Json(Err(flaw))),
    }
}

fn reply(conforms: &Conforms, operation: &Operation, exchange: &Exchange, body: Body<'_>) -> Result<(), Refused> {
    let headers = texts(exchange.answer.fields());
    let reply = Reply { status: exchange.answer.status(), headers: &headers, body };
    conforms.engine().conform_answer(operation, &reply, &conforms.bounds).map(drop)
}

/// An answer that cannot be judged.
fn unread(keyword: &'static str, detail: &str) -> Refused {
    Refused {
        status: 502,
        objections: vec![Objection {
            part: Part::Body,
            name: String::new(),
            pointer: String::new(),
            keyword,
            detail: detail.to_owned(),
        }],
    }
}
