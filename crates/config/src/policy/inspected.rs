//! How far rules about attacks look, as `effective-policy` tells it.

use crate::plan::RoutePlan;
use portcullis_waf::RuleSet;

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
