//! A schema as lines of a table: each member by its path, with its type and what it has to be.

use super::{Document, text_of};
use serde_json::Value;

/// LIMIT: lines of one schema; the rest stands in the document.
const ROWS_MAX: usize = 150;
/// LIMIT: members within each other.
const DEPTH_MAX: usize = 6;
/// LIMIT: values of a list that are shown.
const VALUES_MAX: usize = 20;

/// Limits of values, and how they are said.
const RULES: [(&str, &str); 15] = [
    ("minimum", "at least"),
    ("exclusiveMinimum", "more than"),
    ("maximum", "at most"),
    ("exclusiveMaximum", "less than"),
    ("multipleOf", "a multiple of"),
    ("minLength", "characters at least"),
    ("maxLength", "characters at most"),
    ("pattern", "pattern"),
    ("minItems", "items at least"),
    ("maxItems", "items at most"),
    ("uniqueItems", "no item twice:"),
    ("minProperties", "members at least"),
    ("maxProperties", "members at most"),
    ("const", "always"),
    ("default", "default"),
];

/// One member of a body, or one parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// `customer.address[].city`; empty for the value itself.
    pub path: String,
    /// `string (date-time)`
    pub kind: String,
    /// Whether it has to be there.
    pub required: bool,
    /// What it has to be besides.
    pub rules: Vec<String>,
    /// What the contract says of it.
    pub description: String,
}

/// All lines of a schema, and whether some were left out.
pub(crate) fn rows(document: &Document, schema: &Value) -> (Vec<Row>, bool) {
    let mut walk = Walk { document, rows: Vec::new(), open: Vec::new(), cut: false };
    walk.schema("", schema, false, DEPTH_MAX);
    (walk.rows, walk.cut)
}

struct Walk<'d> {
    document: &'d Document,
    rows: Vec<Row>,
    /// References that are being written, so that none is written in itself.
    open: Vec<&'d str>,
    cut: bool,
}

// === impl Walk ===

impl<'d> Walk<'d> {
    fn schema(&mut self, path: &str, schema: &'d Value, required: bool, depth: usize) {
        if self.rows.len() >= ROWS_MAX {
            self.cut = true;
            return;
        }
        let reference = schema.get("$ref").and_then(Value::as_str);
        let is_open = reference.is_some_and(|reference| self.open.contains(&reference));
        let target = self.document.resolved(schema);
        let described = text_of(schema, "description").or_else(|| text_of(target, "description"));
        let mut rules = rules(target);
        if is_open {
            rules.push("as above: it holds itself".to_owned());
        }
        self.rows.push(Row {
            path: path.to_owned(),
            kind: kind(self.document, target),
            required,
            rules,
            description: described.unwrap_or_default().to_owned(),
        });
        if is_open || depth == 0 {
            self.cut |= !is_open && has_members(target);
            return;
        }
        self.open.extend(reference);
        self.inside(path, target, depth);
        if reference.is_some() {
            self.open.pop();
        }
    }

    fn inside(&mut self, path: &str, schema: &'d Value, depth: usize) {
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, member) in properties.into_iter().flatten() {
            let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            self.schema(&below, member, required.contains(&name.as_str()), depth - 1);
        }
        if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
            self.schema(&format!("{path}[]"), items, false, depth - 1);
        }
        if let Some(others) = schema.get("additionalProperties").filter(|others| others.is_object()) {
            let below = if path.is_empty() { "*".to_owned() } else { format!("{path}.*") };
            self.schema(&below, others, false, depth - 1);
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            let reference = part.get("$ref").and_then(Value::as_str);
            if reference.is_some_and(|reference| self.open.contains(&reference)) {
                continue;
            }
            self.open.extend(reference);
            let part = self.document.resolved(part);
            self.inside(path, part, depth.saturating_sub(1).max(1).min(depth));
            if reference.is_some() {
                self.open.pop();
            }
        }
        for word in ["oneOf", "anyOf"] {
            let ways = schema.get(word).and_then(Value::as_array);
            for (index, way) in ways.into_iter().flatten().enumerate() {
                let number = index + 1;
                self.schema(&format!("{path} (way {number})"), way, false, depth - 1);
            }
        }
    }
}

fn has_members(schema: &Value) -> bool {
    ["properties", "items", "additionalProperties", "allOf", "oneOf", "anyOf"]
        .iter()
        .any(|word| schema.get(word).is_some())
}

fn kind(document: &Document, schema: &Value) -> String {
    let named = match schema.get("type") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => implied(schema).to_owned(),
    };
    let items = schema.get("items").map(|items| document.resolved(items)).filter(|_| named == "array");
    let named = match items {
        Some(items) if items.is_object() => match items.get("type").and_then(Value::as_str) {
            Some(inner) => format!("array of {inner}"),
            None => named,
        },
        Some(_) | None => named,
    };
    let nullable = if schema.get("nullable").and_then(Value::as_bool) == Some(true) { " or null" } else { "" };
    match text_of(schema, "format") {
        Some(format) => format!("{named} ({format}){nullable}"),
        None => format!("{named}{nullable}"),
    }
}

fn implied(schema: &Value) -> &'static str {
    let has = |word: &str| schema.get(word).is_some();
    if has("properties") || has("additionalProperties") || has("allOf") {
        "object"
    } else if has("items") {
        "array"
    } else if has("oneOf") || has("anyOf") {
        "one of several"
    } else if has("enum") || has("const") {
        "a fixed value"
    } else {
        "anything"
    }
}

fn rules(schema: &Value) -> Vec<String> {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is_off = |value: &&Value| value.as_bool() != Some(false);
    let mut all: Vec<String> = RULES
        .iter()
        .filter_map(|(word, said)| {
            let value = schema.get(word).filter(|value| *word == "default" || is_off(value))?;
            Some(format!("{said} {}", shown(value)))
        })
        .collect();
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let mut listed = values.iter().take(VALUES_MAX).map(shown).collect::<Vec<_>>().join(", ");
        if values.len() > VALUES_MAX {
            listed.push_str(&format!(" and {} more", values.len() - VALUES_MAX));
        }
        all.push(format!("one of {listed}"));
    }
    for (word, said) in
        [("readOnly", "only in answers"), ("writeOnly", "only in requests"), ("deprecated", "deprecated")]
    {
        if schema.get(word).and_then(Value::as_bool) == Some(true) {
            all.push(said.to_owned());
        }
    }
    all
}
