//! The JSON Schema of the configuration, and what it says about each setting. Made from the types in `file`.

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::file::File;
use crate::tree::{At, Step};

/// LIMIT: references that are followed to find one setting.
const MAX_REFERENCES: usize = 8;

/// The JSON Schema (draft 2020-12) of a configuration file.
pub fn schema() -> Value {
    Descriptions::get().schema.clone()
}

/// What the schema says, for messages.
pub(crate) struct Descriptions {
    schema: Value,
}

impl Descriptions {
    /// Made once, when the first message needs it.
    pub(crate) fn get() -> &'static Self {
        static MADE: OnceLock<Descriptions> = OnceLock::new();
        MADE.get_or_init(|| Self { schema: make() })
    }

    /// What the setting at a place is for.
    pub(crate) fn of(&self, at: &At<'_>) -> Option<&str> {
        let mut schema = self.resolve(&self.schema);
        let mut described = None;
        for step in at.steps() {
            let next = match step {
                Step::Root => continue,
                Step::Index(_) => schema.get("items")?,
                Step::Key(name) => {
                    let property = schema.get("properties").and_then(|properties| properties.get(name));
                    property.or_else(|| schema.get("additionalProperties"))?
                }
            };
            described = next.get("description").and_then(Value::as_str);
            schema = self.resolve(next);
        }
        described
    }

    /// "`timeout` belongs under `upstream`", if a section directly below has such a setting.
    pub(crate) fn section_with(&self, section: &str, setting: &str) -> Option<String> {
        let here = match self.schema.pointer(&format!("/$defs/{section}")) {
            Some(here) => here,
            None => &self.schema,
        };
        let below = here.get("properties")?.as_object()?;
        let (name, _) = below.iter().find(|(_, property)| {
            self.resolve(property).get("properties").is_some_and(|settings| settings.get(setting).is_some())
        })?;
        Some(format!("`{setting}` belongs under `{name}`"))
    }

    /// The definition behind a reference.
    pub(crate) fn resolve<'v>(&'v self, schema: &'v Value) -> &'v Value {
        let mut schema = schema;
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { break };
            match reference.strip_prefix('#').and_then(|pointer| self.schema.pointer(pointer)) {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }
}

fn make() -> Value {
    let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = generator.into_root_schema_for::<File>().to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".into(), "Portcullis configuration".into());
        if let Some(version) = root.get_mut("properties").and_then(|properties| properties.get_mut("version")) {
            *version = serde_json::json!({ "description": "The version of this format; `1`.", "const": 1 });
        }
    }
    refuse_null(&mut schema);
    schema
}

/// A setting without a value is a mistake here, never "the default"; the schema has to say so too.
fn refuse_null(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(refuse_null),
        Value::Object(members) => {
            members.values_mut().for_each(refuse_null);
            drop_null(members);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn drop_null(members: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".into(), only);
        }
    }
    let Some(Value::Array(choices)) = members.get_mut("anyOf") else { return };
    choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
    if choices.len() == 1
        && let Some(Value::Object(only)) = choices.pop()
    {
        members.shift_remove("anyOf");
        for (name, value) in only {
            members.entry(name).or_insert(value);
        }
    }
}
