//! The contract with what the gateway adds to it: who may call, the answers that it gives itself, the fields that it writes, limits.

use crate::document::Document;
use crate::model::{Callers, Operation, Version};
use portcullis_auth::principal::Scheme;
use portcullis_config::plan::VersionBy;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The name of the schema of problems, under which no contract has one of its own.
const PROBLEM: &str = "PortcullisProblem";

/// The document of a version, if it has one.
pub(crate) fn enriched(version: &Version) -> Option<Value> {
    let document = version.document.as_deref()?;
    let mut root = document.root().clone();
    let members = root.as_object_mut()?;
    members.insert("servers".to_owned(), json!([{ "url": version.address }]));
    // What the contract asks for stays where the gateway asks for it; everything else is said by each operation.
    members.remove("security");
    let mut schemes = Map::new();
    for operation in &version.operations {
        schemes.extend(
            operation
                .callers
                .ways
                .iter()
                .flat_map(|way| way.schemes.iter())
                .map(|scheme| scheme_of(*scheme, operation)),
        );
    }
    let is_old = document.text("/openapi").is_some_and(|text| text.starts_with("3.0"));
    if is_old {
        // OpenAPI 3.0 knows no certificates.
        schemes.retain(|_, scheme| scheme.get("type").and_then(Value::as_str) != Some("mutualTLS"));
    }
    let known: Vec<String> = schemes.keys().cloned().collect();
    let components = members.entry("components").or_insert_with(|| json!({})).as_object_mut()?;
    insert(components, "securitySchemes", Value::Object(schemes), true);
    insert(components, "schemas", json!({ PROBLEM: problem() }), false);
    for operation in &version.operations {
        let Some((template, method)) = &operation.in_contract else { continue };
        if let Some(found) = place(document, &mut root, template, method) {
            enrich(found, version, operation, &known);
        }
    }
    remove_unserved(&mut root, version);
    Some(root)
}

fn insert(components: &mut Map<String, Value>, name: &str, more: Value, replace: bool) {
    let Value::Object(more) = more else { return };
    match components.get_mut(name).and_then(Value::as_object_mut).filter(|_| !replace) {
        Some(have) => have.extend(more),
        None => drop(components.insert(name.to_owned(), Value::Object(more))),
    }
}

/// The operation in the copy; of a path that stands elsewhere, a copy is made first.
fn place<'r>(
    document: &Document,
    root: &'r mut Value,
    template: &str,
    method: &str,
) -> Option<&'r mut Map<String, Value>> {
    let item = root.get_mut("paths")?.get_mut(template)?;
    if item.get("$ref").is_some() {
        let resolved = document.resolved(document.root().get("paths")?.get(template)?).clone();
        *item = resolved;
    }
    item.get_mut(method.to_ascii_lowercase())?.as_object_mut()
}

/// Paths and methods that the contract has and the gateway does not serve.
fn remove_unserved(root: &mut Value, version: &Version) {
    const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
    let served: std::collections::HashSet<(String, String)> = version
        .operations
        .iter()
        .filter_map(|operation| operation.in_contract.as_ref())
        .map(|(template, method)| (template.clone(), method.to_ascii_lowercase()))
        .collect();
    let Some(paths) = root.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for (template, item) in paths.iter_mut().filter(|(template, _)| template.starts_with('/')) {
        if let Some(item) = item.as_object_mut() {
            item.retain(|word, _| {
                !METHODS.contains(&word.as_str()) || served.contains(&(template.clone(), word.clone()))
            });
        }
    }
    paths
        .retain(|template, item| !template.starts_with('/') || METHODS.iter().any(|method| item.get(method).is_some()));
}

fn enrich(found: &mut Map<String, Value>, version: &Version, operation: &Operation, known: &[String]) {
    found.insert("security".to_owned(), security(&operation.callers, known));
    if version.lifecycle.as_ref().is_some_and(|life| life.deprecated_at.is_some()) {
        found.insert("deprecated".to_owned(), json!(true));
    }
    choose(found, operation);
    if let Some(life) = &version.lifecycle {
        let told: Map<String, Value> =
            life.fields().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        found.insert("x-lifecycle".to_owned(), Value::Object(told));
    }
    if !operation.limits.is_empty() {
        found.insert("x-rate-limits".to_owned(), limits(operation));
    }
    let bounds: Map<String, Value> =
        operation.bounds.iter().map(|(what, most)| ((*what).to_owned(), json!(most))).collect();
    found.insert("x-bounds".to_owned(), Value::Object(bounds));
    if !operation.callers.scopes.is_empty() {
        found.insert("x-scopes".to_owned(), json!(operation.callers.scopes));
    }
    if !operation.masks.is_empty() {
        let masks = operation.masks.iter().map(|mask| {
            let seen: Vec<Value> = mask.seen.iter().map(|(who, what)| json!({ "who": who, "sees": what })).collect();
            json!({ "field": mask.field, "rule": mask.rule, "seen": seen })
        });
        found.insert("x-masked".to_owned(), masks.collect());
    }
    let responses = found.entry("responses").or_insert_with(|| json!({}));
    let Some(responses) = responses.as_object_mut() else { return };
    let mut by_status: BTreeMap<u16, Vec<&crate::model::ErrorCase>> = BTreeMap::new();
    for case in &operation.errors {
        by_status.entry(case.reason.status()).or_default().push(case);
    }
    for (status, cases) in by_status {
        let status = status.to_string();
        // What the contract says of a status stays; the gateway's own answers of it are told beside it.
        match responses.get_mut(&status).and_then(Value::as_object_mut) {
            Some(own) => drop(own.insert("x-gateway-problems".to_owned(), codes(&cases))),
            None => drop(responses.insert(status, response(&cases))),
        }
    }
}

/// How a call names its version. `Accept` is no parameter of OpenAPI: there it is told in words alone.
fn choose(found: &mut Map<String, Value>, operation: &Operation) {
    let (Some((by, version)), Some(told)) = (&operation.version_by, operation.version_told()) else { return };
    found.insert("x-version".to_owned(), json!(told));
    let (location, name) = match by {
        VersionBy::Header(name) => ("header", name),
        VersionBy::Query(name) => ("query", name),
        VersionBy::Path | VersionBy::MediaType(_) => return,
    };
    let is_it = |one: &Value| {
        let is = |member: &str, what: &str| {
            one.get(member).and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case(what))
        };
        is("in", location) && is("name", name)
    };
    let parameters = found.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut().filter(|all| !all.iter().any(is_it)) {
        parameters.push(json!({
            "name": name, "in": location, "required": true, "schema": { "type": "string", "enum": [version] },
        }));
    }
}

fn codes(cases: &[&crate::model::ErrorCase]) -> Value {
    cases.iter().map(|case| json!(case.reason.code())).collect()
}

fn response(cases: &[&crate::model::ErrorCase]) -> Value {
    let titles: Vec<String> =
        cases.iter().map(|case| format!("{}: {}", case.reason.code(), case.reason.title())).collect();
    let examples: Map<String, Value> = cases
        .iter()
        .filter_map(|case| {
            Some((case.reason.code().to_owned(), json!({ "value": serde_json::from_str::<Value>(&case.body).ok()? })))
        })
        .collect();
    let mut headers = Map::new();
    for (name, value) in cases.iter().flat_map(|case| &case.fields) {
        let entry = json!({ "schema": { "type": "string" }, "example": value });
        headers.entry((*name).to_owned()).or_insert(entry);
    }
    json!({
        "description": titles.join("; "),
        "headers": headers,
        "content": { "application/problem+json": {
            "schema": { "$ref": format!("#/components/schemas/{PROBLEM}") },
            "examples": examples,
        } },
        "x-gateway-problems": codes(cases),
    })
}

fn limits(operation: &Operation) -> Value {
    let each: Vec<Value> = operation
        .limits
        .iter()
        .map(|limit| {
            json!({
                "name": limit.name, "per": limit.per, "plan": limit.plan, "amount": limit.amount, "quota": limit.units,
                "window_seconds": limit.window_s, "unit": limit.unit, "enforced": !limit.watches_only,
            })
        })
        .collect();
    json!({ "limits": each, "RateLimit-Policy": operation.limit_fields.policy, "cost": operation.limit_fields.cost })
}

fn name_of(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::ApiKey => "apiKey",
        Scheme::Jwt => "accessToken",
        Scheme::Introspection => "opaqueToken",
        Scheme::Certificate => "clientCertificate",
        Scheme::Signature => "httpSignature",
    }
}

fn scheme_of(scheme: Scheme, operation: &Operation) -> (String, Value) {
    let key = operation.callers.ways.iter().find_map(|way| way.key.as_ref());
    let value = match scheme {
        Scheme::ApiKey => {
            json!({ "type": "apiKey", "in": "header", "name": key.map_or("X-API-Key", |(field, _)| field) })
        }
        Scheme::Jwt => json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT" }),
        Scheme::Introspection => json!({ "type": "http", "scheme": "bearer" }),
        Scheme::Certificate => json!({ "type": "mutualTLS" }),
        Scheme::Signature => json!({
            "type": "apiKey", "in": "header", "name": "Signature",
            "description": "HTTP message signature (RFC 9421), beside Signature-Input",
        }),
    };
    (name_of(scheme).to_owned(), value)
}

fn security(callers: &Callers, known: &[String]) -> Value {
    let mut ways: Vec<Value> = Vec::new();
    for way in &callers.ways {
        let named =
            way.schemes.iter().map(|scheme| name_of(*scheme)).filter(|name| known.iter().any(|one| one == name));
        let needs: Map<String, Value> = named.map(|name| (name.to_owned(), json!([]))).collect();
        let value = Value::Object(needs);
        if !ways.contains(&value) && value.as_object().is_some_and(|needs| !needs.is_empty()) {
            ways.push(value);
        }
    }
    if callers.anonymous && !callers.ways.is_empty() {
        ways.push(json!({}));
    }
    Value::Array(ways)
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "An error of the gateway (RFC 9457)",
        "required": ["type", "title", "status", "code", "request_id"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "code": { "type": "string", "description": "Never changes" },
            "detail": { "type": "string" },
            "request_id": { "type": "string" },
            "violated-policies": { "type": "array", "items": { "type": "string" } },
            "errors": { "type": "array", "items": { "type": "object" } },
        },
    })
}
