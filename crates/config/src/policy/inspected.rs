//! How far rules about attacks look, as `effective-policy` tells it.

use crate::plan::RoutePlan;
use portcullis_waf::{RuleSet, SparedField};

/// LIMIT: fields that are named.
const NAMED_MAX: usize = 8;

/// Which fields the contract proves harmless, and how many rules need not be tried on them.
pub(super) fn spared(route: &RoutePlan) -> Option<String> {
    let mut fields: Vec<SparedField> = route.spared()?.fields().collect();
    fields.sort_unstable();
    let looking: usize = fields.iter().map(|field| field.looking).sum();
    let tried: usize = fields.iter().map(|field| field.tried).sum();
    let named = fields.iter().take(NAMED_MAX).map(|field| {
        let SparedField { place, name, looking, tried } = field;
        format!("{} {name} {} of {looking}", place.name(), looking.saturating_sub(*tried))
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let more = match fields.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(", {more} more"),
    };
    let saved = looking.saturating_sub(tried);
    Some(format!("{saved} of {looking} looks of a rule at a field that the contract proves harmless: {named}{more}"))
}

/// What of answers rules see.
pub(super) fn answers(set: &RuleSet) -> String {
    if !set.inspects_responses() {
        return "not looked at: no rule is about them".to_owned();
    }
    let Some(bodies) = set.response_bodies() else { return "status and fields; bodies are not looked at".to_owned() };
    let (types, limit) = (bodies.types.join(", "), bodies.limit);
    let longer = if bodies.partial { "of longer ones the beginning" } else { "longer ones do not leave" };
    format!(
        "status, fields, and bodies of {types} up to {limit} bytes, {longer}; bodies of other types are not looked at"
    )
}

/// What goes on in both directions by declaration of the route, and is seen by no rule.
pub(super) fn messages(route: &RoutePlan) -> Option<String> {
    let of = match (route.websocket.is_some(), route.grpc) {
        (false, false) => return None,
        (true, false) => "WebSocket",
        (false, true) => "gRPC",
        (true, true) => "WebSocket and of gRPC",
    };
    Some(format!("messages of {of} are not looked at"))
}
