//! What is known of contracts over the socket. Names of members are a promise to programs: add, never rename.

use super::{Source, answer};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use portcullis_proxy::{ContractFacts, OperationFacts, ShadowFacts, StrangerFacts};
use serde_json::{Value, json};

/// All contracts.
pub(super) async fn show(State(source): State<Source>) -> Response {
    let all: Vec<Value> = source.handle.contracts().iter().map(contract).collect();
    answer(StatusCode::OK, &json!({ "contracts": all }))
}

fn contract(facts: &ContractFacts) -> Value {
    json!({
        "api": &*facts.api,
        "version": (!facts.version.is_empty()).then_some(&*facts.version),
        "file": facts.file,
        "since": facts.since_s,
        "answers": facts.answers,
        "operations": facts.operations.iter().map(operation).collect::<Vec<_>>(),
        "shadow": facts.shadows.iter().map(shadow).collect::<Vec<_>>(),
        "undeclared": facts.strangers.iter().map(stranger).collect::<Vec<_>>(),
        "missed": facts.missed,
    })
}

fn operation(facts: &OperationFacts) -> Value {
    json!({ "method": facts.method, "path": facts.path, "id": facts.id, "last": facts.seen_s })
}

fn shadow(facts: &ShadowFacts) -> Value {
    json!({ "method": facts.method, "path": facts.path, "requests": facts.count, "last": facts.last_s })
}

fn stranger(facts: &StrangerFacts) -> Value {
    json!({
        "operation": facts.operation,
        "status": facts.status,
        "pointer": facts.place,
        "type": facts.kind,
        "last": facts.last_s,
    })
}
