//! `conform`: whether the message fits its contract, and whether JSON is what it says.

mod graphql;

use super::Stop;
use super::permit::Settled;
use super::receive::Seen;
use super::route::Routed;
use crate::snapshot::contract::{Conforms, noted, texts, violations};
use portcullis_config::plan::ContractMode;
use portcullis_contract::{Body, Refused, Request};
use portcullis_types::{Reason, Refusal, Stage};

/// Proof that this stage has decided.
#[derive(Debug)]
pub(crate) struct Valid<'a>(Settled<'a>);

// === impl Valid ===

impl<'a> Valid<'a> {
    pub(super) fn into_inner(self) -> Settled<'a> {
        self.0
    }

    /// For the stage after this one: the request, and what is held of its body.
    pub(super) fn parts_mut(&mut self) -> (&mut Routed<'a>, &Seen) {
        self.0.parts_mut()
    }
}

/// Refuses what the contract of the route does not say, and JSON that programs read in different ways.
pub(super) fn conform(mut before: Settled<'_>) -> Result<Valid<'_>, Stop> {
    let (routed, seen) = before.parts_mut();
    let route = routed.route();
    if let Some(conforms) = route.contract.as_deref() {
        match (conforms.request(), judge(conforms, routed, seen)) {
            (ContractMode::Off, _) | (_, Ok(())) => {}
            (ContractMode::Enforce, Err(refused)) => return Err(refusal(refused).into()),
            (ContractMode::Report, Err(refused)) => {
                let found = violations(refused.objections);
                routed.record.breaches.request = Some(noted(&found).into());
            }
        }
    }
    if let Some(limits) = route.graphql.as_deref() {
        graphql::ask(limits, routed, seen)?;
    }
    let strict = route.looks.as_deref().is_some_and(|looks| looks.strict_json);
    if let Seen::Whole(content) = seen
        && let Some(flaw) = content.flaw().filter(|_| strict)
    {
        let reason = Reason::MalformedJson;
        let private = format!("{} (byte {})", flaw.flaw, flaw.at);
        return Err(Refusal::new(Stage::Conform, reason, reason.page().caller).private(private).into());
    }
    Ok(Valid(before))
}

fn judge(conforms: &Conforms, routed: &Routed<'_>, seen: &Seen) -> Result<(), Refused> {
    if conforms.request() == ContractMode::Off {
        return Ok(());
    }
    let request = &routed.request;
    // A method that the route serves and the document has not cannot be judged.
    let unknown = || Refused { status: 400, objections: Vec::new() };
    let operation = conforms.operation(request.head.method()).ok_or_else(unknown)?;
    let headers = texts(request.head.fields());
    let body = match seen {
        Seen::Nothing => Body::Absent,
        Seen::Unread => Body::Unread,
        Seen::Whole(content) => match (content.json(), content.flaw()) {
            (Some(json), _) => Body::Json(Ok(json)),
            (None, Some(flaw)) => Body::Json(Err(flaw)),
            (None, None) => Body::Whole(content.bytes()),
        },
    };
    let query = request.target.query().unwrap_or_default();
    let left = routed.route().choice.as_deref().and_then(|choice| choice.query(query));
    let message = Request {
        path: conforms.below(request.target.path()),
        query: left.as_deref().unwrap_or(query),
        headers: &headers,
        body,
    };
    conforms.engine().conform(operation, &message, &conforms.bounds).map(drop)
}

fn refusal(refused: Refused) -> Refusal {
    let reason = match refused.status {
        415 => Reason::UnsupportedMediaType,
        422 => Reason::InvalidBody,
        _ => Reason::InvalidRequest,
    };
    let found = violations(refused.objections);
    let private = noted(&found);
    Refusal::new(Stage::Conform, reason, reason.page().caller).private(private).errors(found)
}
