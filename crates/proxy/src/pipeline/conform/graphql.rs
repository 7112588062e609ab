//! Whether a request of GraphQL asks for no more than it may. It comes with GET in the query, or with POST as JSON.

use super::super::Stop;
use super::super::receive::Seen;
use super::super::route::Routed;
use crate::snapshot::contract::{noted, violations};
use portcullis_contract::graphql::{Asked, Limits, Refused, conform};
use portcullis_types::{Reason, Refusal, Stage};

pub(super) fn ask(limits: &Limits, routed: &Routed<'_>, seen: &Seen) -> Result<(), Stop> {
    let refuse =
        |reason: Reason, why: &str| Refusal::new(Stage::Conform, reason, reason.page().caller).private(why.to_owned());
    let (request, route) = (&routed.request, routed.route());
    let query = request.target.query().unwrap_or_default();
    let bounds = route.looks.as_deref().map(|looks| looks.json).unwrap_or_default();
    let asked = match (request.head.method(), seen) {
        (b"GET" | b"HEAD", Seen::Nothing) => Asked::Query(query),
        (b"POST", Seen::Whole(content)) => match (content.json(), content.flaw()) {
            (Some(json), _) => Asked::Body(json, query),
            (None, Some(flaw)) => {
                return Err(refuse(Reason::MalformedJson, &format!("{} (byte {})", flaw.flaw, flaw.at)).into());
            }
            (None, None) => {
                return Err(refuse(Reason::UnsupportedMediaType, "a request of GraphQL is JSON").into());
            }
        },
        _ => {
            return Err(
                refuse(Reason::InvalidRequest, "GraphQL comes with GET and no body, or with POST and one").into()
            );
        }
    };
    conform(asked, limits, &bounds).map_err(|refused| refusal(refused).into())
}

fn refusal(refused: Refused) -> Refusal {
    let reason = if refused.is_limit { Reason::GraphqlLimit } else { Reason::InvalidRequest };
    let found = violations(refused.objections);
    let private = noted(&found);
    Refusal::new(Stage::Conform, reason, reason.page().caller).private(private).errors(found)
}
