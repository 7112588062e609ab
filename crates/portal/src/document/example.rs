//! A value that fits a schema, as far as one can be made up: what the document gives as an example, or the simplest that there is.

use super::Document;
use serde_json::{Map, Value};

/// LIMIT: values of one example.
const VALUES_MAX: usize = 300;
/// LIMIT: values within each other.
const DEPTH_MAX: usize = 8;
/// LIMIT: letters that are made up.
const LETTERS_MAX: u64 = 200;

/// Texts of formats.
const FORMATS: [(&str, &str); 14] = [
    ("date-time", "2026-01-31T12:00:00Z"),
    ("date", "2026-01-31"),
    ("time", "12:00:00Z"),
    ("duration", "P1D"),
    ("email", "somebody@example.com"),
    ("hostname", "host.example.com"),
    ("ipv4", "192.0.2.1"),
    ("ipv6", "2001:db8::1"),
    ("uri", "https://example.com/"),
    ("url", "https://example.com/"),
    ("uuid", "123e4567-e89b-12d3-a456-426614174000"),
    ("byte", "ZXhhbXBsZQ=="),
    ("binary", "bytes"),
    ("password", "a long password"),
];

/// The example of a media type or of a parameter, by its `example`, `examples` or `schema`.
pub(crate) fn example(document: &Document, holder: &Value, is_request: bool) -> Option<Value> {
    if let Some(given) = holder.get("example") {
        return Some(given.clone());
    }
    let named = document.members(holder, "examples").find_map(|(_, one)| one.get("value"));
    if let Some(given) = named {
        return Some(given.clone());
    }
    let schema = holder.get("schema")?;
    let mut maker = Maker { document, left: VALUES_MAX, is_request };
    maker.value(schema, DEPTH_MAX)
}

struct Maker<'d> {
    document: &'d Document,
    left: usize,
    is_request: bool,
}

// === impl Maker ===

impl Maker<'_> {
    fn value(&mut self, schema: &Value, depth: usize) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        let depth = depth.checked_sub(1)?;
        let schema = self.document.resolved(schema);
        if let Some(given) = self.given(schema) {
            return Some(given);
        }
        for word in ["oneOf", "anyOf"] {
            if let Some(first) = schema.get(word).and_then(Value::as_array).and_then(|ways| ways.first()) {
                return self.value(first, depth);
            }
        }
        let parts = schema.get("allOf").and_then(Value::as_array);
        if schema.get("properties").is_some() || parts.is_some() || is(schema, "object") {
            let mut members = Map::new();
            self.members(schema, &mut members, depth);
            for part in parts.into_iter().flatten() {
                match self.value(part, depth) {
                    Some(Value::Object(more)) => members.extend(more),
                    Some(other) if members.is_empty() && schema.get("properties").is_none() => return Some(other),
                    Some(_) | None => {}
                }
            }
            return Some(Value::Object(members));
        }
        if is(schema, "array") || schema.get("items").is_some() {
            let item = schema.get("items").and_then(|items| self.value(items, depth));
            return Some(Value::Array(item.into_iter().collect()));
        }
        Some(scalar(schema))
    }

    fn given(&self, schema: &Value) -> Option<Value> {
        let first = |word: &str| schema.get(word).and_then(Value::as_array).and_then(|list| list.first()).cloned();
        let one = |word: &str| schema.get(word).cloned();
        one("example")
            .or_else(|| first("examples"))
            .or_else(|| one("const"))
            .or_else(|| one("default"))
            .or_else(|| first("enum"))
    }

    fn members(&mut self, schema: &Value, members: &mut Map<String, Value>, depth: usize) {
        let hidden = if self.is_request { "readOnly" } else { "writeOnly" };
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let target = self.document.resolved(member);
            if target.get(hidden).and_then(Value::as_bool) == Some(true) {
                continue;
            }
            if let Some(value) = self.value(member, depth) {
                members.insert(name.clone(), value);
            }
        }
    }
}

fn is(schema: &Value, kind: &str) -> bool {
    let named = schema.get("type");
    let listed = named.and_then(Value::as_array).into_iter().flatten();
    named.and_then(Value::as_str) == Some(kind) || listed.take(1).any(|one| one.as_str() == Some(kind))
}

fn scalar(schema: &Value) -> Value {
    if is(schema, "boolean") {
        return Value::Bool(true);
    }
    if is(schema, "integer") || is(schema, "number") {
        let bound = |word: &str| schema.get(word).filter(|value| value.is_number()).cloned();
        return bound("minimum").or_else(|| bound("maximum")).unwrap_or_else(|| Value::from(1));
    }
    if !is(schema, "string") {
        return Value::Null;
    }
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    if let Some((_, text)) = FORMATS.iter().find(|(name, _)| *name == format) {
        return Value::from(*text);
    }
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0).min(LETTERS_MAX);
    let most = schema.get("maxLength").and_then(Value::as_u64).unwrap_or(LETTERS_MAX);
    let mut text = "text".to_owned();
    while u64::try_from(text.len()).unwrap_or(u64::MAX) < least {
        text.push('x');
    }
    text.truncate(usize::try_from(most).unwrap_or(usize::MAX).min(text.len()));
    Value::from(text)
}
