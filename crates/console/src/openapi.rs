//! The OpenAPI document of the admin API, made of the table that routes it.

use crate::table::{BASE, ENDPOINTS, Endpoint, Kind, Member};
use serde_json::{Map, Value, json};

/// The document (OpenAPI 3.1).
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    for endpoint in ENDPOINTS {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        if let Some(members) = path.as_object_mut() {
            members.insert(endpoint.method.to_ascii_lowercase(), operation(endpoint));
        }
    }
    paths.insert("/records/stream".to_owned(), stream());
    paths.insert("/session".to_owned(), session());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portcullis admin API",
            "version": "1",
            "description": "What operators see of a running gateway and do to it. Over the admin socket nobody logs in: who is at the \
                other end is known. At `admin.bind`, a session is begun with `POST /session`; its token is sent as `Authorization: Bearer`. \
                Everything that changes something takes `dry_run=true`, which does all checks and changes nothing.",
        },
        "servers": [{ "url": BASE }],
        "security": [{ "session": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "session": { "type": "http", "scheme": "bearer" } },
            "schemas": { "Problem": problem() },
            "responses": {
                "Problem": {
                    "description": "why not",
                    "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
                },
            },
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut parameters: Vec<Value> = Vec::new();
    for name in endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    }
    for member in endpoint.query {
        parameters.push(json!({
            "name": member.name, "in": "query", "required": member.is_required,
            "description": member.about, "schema": schema(member.kind),
        }));
    }
    if endpoint.changes() {
        parameters.push(json!({
            "name": "dry_run", "in": "query", "required": false,
            "description": "do all checks and change nothing", "schema": { "type": "boolean" },
        }));
        if endpoint.state.is_some() {
            parameters.push(json!({
                "name": "If-Match", "in": "header", "required": false,
                "description": "the `ETag` of what was seen: nothing is done if it has changed", "schema": { "type": "string" },
            }));
        }
    }
    let mut operation = json!({
        "operationId": endpoint.id,
        "summary": endpoint.summary,
        "description": format!("Takes the role `{}`.", endpoint.role.name()),
        "parameters": parameters,
        "responses": {
            endpoint.status.to_string(): {
                "description": "done",
                "content": { "application/json": { "schema": object(endpoint.answer, endpoint.changes()) } },
            },
            "default": { "$ref": "#/components/responses/Problem" },
        },
    });
    if endpoint.method != "GET"
        && let Some(members) = operation.as_object_mut()
    {
        let required = endpoint.body.iter().any(|member| member.is_required);
        let content = json!({ "application/json": { "schema": object(endpoint.body, false) } });
        members.insert("requestBody".to_owned(), json!({ "required": required, "content": content }));
    }
    operation
}

fn object(members: &[Member], may_be_dry: bool) -> Value {
    let mut properties: Map<String, Value> = members
        .iter()
        .map(|member| {
            let mut schema = schema(member.kind);
            if let Some(fields) = schema.as_object_mut() {
                fields.insert("description".to_owned(), member.about.into());
            }
            (member.name.to_owned(), schema)
        })
        .collect();
    if may_be_dry {
        properties.insert("dry_run".to_owned(), json!({ "type": "boolean", "description": "nothing was done" }));
    }
    let required: Vec<&str> = members.iter().filter(|member| member.is_required).map(|member| member.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Number => json!({ "type": "number" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Objects => json!({ "type": "array", "items": { "type": "object" } }),
        Kind::Object => json!({ "type": "object" }),
        Kind::MaybeText => json!({ "type": ["string", "null"] }),
        Kind::MaybeNumber => json!({ "type": ["number", "null"] }),
    }
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457",
        "properties": {
            "type": { "type": "string" }, "title": { "type": "string" },
            "status": { "type": "integer" }, "detail": { "type": "string" },
        },
        "required": ["type", "title", "status", "detail"],
    })
}

fn stream() -> Value {
    let only = json!({ "name": "only", "in": "query", "required": false, "description": "`notable`", "schema": { "type": "string" } });
    let after = json!({ "name": "Last-Event-ID", "in": "header", "required": false, "schema": { "type": "string" } });
    json!({
        "get": {
            "operationId": "streamRecords",
            "summary": "Each record of a request from now on, as server-sent events",
            "description": "Takes the role `viewer`.",
            "parameters": [only, after],
            "responses": {
                "200": { "description": "events of the type `record`", "content": { "text/event-stream": { "schema": { "type": "string" } } } },
                "default": { "$ref": "#/components/responses/Problem" },
            },
        },
    })
}

fn session() -> Value {
    let answer = |properties: Value| json!({ "description": "done", "content": { "application/json": { "schema": { "type": "object", "properties": properties } } } });
    let refused = json!({ "$ref": "#/components/responses/Problem" });
    let text = json!({ "type": "string" });
    json!({
        "post": {
            "operationId": "beginSession",
            "summary": "Logs in",
            "security": [],
            "requestBody": { "required": true, "content": { "application/json": { "schema": {
                "type": "object", "properties": { "name": text, "password": text }, "required": ["name", "password"],
            } } } },
            "responses": { "201": answer(json!({ "token": text, "role": text })), "default": refused },
        },
        "get": {
            "operationId": "getSession",
            "summary": "Who is logged in",
            "responses": { "200": answer(json!({ "user": text, "role": text })), "default": refused },
        },
        "delete": {
            "operationId": "endSession",
            "summary": "Logs out",
            "responses": { "200": answer(json!({ "ended": { "type": "boolean" } })), "default": refused },
        },
    })
}
