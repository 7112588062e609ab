//! What was found unusual, over the socket, and to take back what followed. A name comes in the query as hexadecimal digits,
//! `who=…`.

use super::limits::{decoded, unclear};
use super::{Source, User, answer, busy, noted};
use axum::extract::{Extension, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use portcullis_proxy::FindingFacts;
use serde_json::{Map, Value, json};

/// All that are remembered, and what is done about how many.
pub(super) async fn show(State(source): State<Source>) -> Response {
    let Some(findings) = source.handle.findings() else {
        return unclear("nobody looks for what is unusual (`anomalies.mode: off`)");
    };
    let findings: Vec<Value> = findings.iter().map(FindingFacts::json).collect();
    let steps = source.handle.steps_in_force().into_iter().map(|(step, count)| (step.to_owned(), json!(count)));
    answer(StatusCode::OK, &json!({ "findings": findings, "in_force": steps.collect::<Map<_, _>>() }))
}

/// Forgets what was found about somebody.
pub(super) async fn pardon(
    State(source): State<Source>,
    Extension(User(by)): Extension<User>,
    RawQuery(query): RawQuery,
) -> Response {
    let who = query.as_deref().and_then(|query| decoded(query.strip_prefix("who=")?));
    let Some(who) = who else { return unclear("the question is malformed") };
    // Nobody pardons unseen.
    if !(source.orders)(noted(by, "findings.pardon", json!({ "who": who }))) {
        return busy();
    }
    match source.handle.pardon(&who) {
        Ok(held) => answer(StatusCode::OK, &json!({ "pardoned": held })),
        Err(why) => unclear(&why),
    }
}
