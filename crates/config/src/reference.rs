//! The reference page of the configuration, written from the JSON Schema and so from the comments in `file`.

use serde_json::{Map, Value};

use crate::schema::Descriptions;

const HEAD: &str = "\
# Configuration reference

This page is made from the source; `UPDATE=1 cargo nextest run -p portcullis-config` writes it anew.

A configuration is one YAML file, or several joined by `include`. Names that are not on this page are refused, and so are
settings without a value. `portcullis validate` reports every mistake at once, `portcullis schema` prints the same as a
JSON Schema.
";

/// LIMIT: sections within sections on the page.
const MAX_DEPTH: usize = 8;

/// The page as Markdown.
pub fn reference() -> String {
    let mut page = Page { descriptions: Descriptions::get(), out: HEAD.to_owned(), values: Vec::new() };
    let schema = crate::schema::schema();
    page.section("", &schema, 0);
    page.values();
    page.out
}

struct Page<'d> {
    descriptions: &'d Descriptions,
    out: String,
    /// Kinds of values in the order in which they were met.
    values: Vec<String>,
}

impl Page<'_> {
    /// One section: what it is for, its settings as a table, then the sections below.
    fn section(&mut self, path: &str, schema: &Value, depth: usize) {
        let Some(settings) = schema.get("properties").and_then(Value::as_object) else { return };
        if depth > MAX_DEPTH {
            return;
        }
        let title = if path.is_empty() { "The file".to_owned() } else { format!("`{path}`") };
        self.out.push_str(&format!("\n## {title}\n\n"));
        if let Some(text) = description(schema) {
            self.out.push_str(&format!("{text}\n\n"));
        }
        self.out.push_str("| setting | value | default | |\n|---|---|---|---|\n");
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, setting) in settings {
            let kind = self.kind(setting);
            let default = match setting.get("default") {
                Some(value) => format!("`{}`", plain(value)),
                None if required.contains(&name.as_str()) => "required".to_owned(),
                None => String::new(),
            };
            let text = description(setting).unwrap_or_default();
            self.out.push_str(&format!("| `{name}` | {kind} | {default} | {text} |\n"));
        }
        for (name, setting) in settings {
            let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            self.below(&below, setting, depth);
        }
    }

    fn below(&mut self, path: &str, setting: &Value, depth: usize) {
        let setting = self.resolve(setting);
        if setting.get("properties").is_some() {
            self.section(path, &setting, depth + 1);
        } else if let Some(named) = setting.get("additionalProperties").filter(|value| value.is_object()) {
            let named = self.resolve(named);
            self.section(&format!("{path}.<name>"), &named, depth + 1);
        } else if let Some(item) = setting.get("items") {
            let item = self.resolve(item);
            self.section(&format!("{path}[]"), &item, depth + 1);
        } else if let Some(choices) = choices(&setting) {
            self.choices(path, &choices);
        }
    }

    fn choices(&mut self, path: &str, choices: &[(String, String)]) {
        self.out.push_str(&format!("\n## `{path}`\n\n| value | |\n|---|---|\n"));
        for (value, text) in choices {
            self.out.push_str(&format!("| `{value}` | {text} |\n"));
        }
    }

    /// What stands behind a setting, in one word.
    fn kind(&mut self, setting: &Value) -> String {
        let resolved = self.resolve(setting);
        if resolved.get("properties").is_some() {
            return "section".to_owned();
        }
        if resolved.get("additionalProperties").is_some_and(Value::is_object) {
            return "sections by name".to_owned();
        }
        if let Some(items) = resolved.get("items") {
            return format!("list of {}", self.kind(items));
        }
        if let Some(value) = resolved.get("const") {
            return format!("`{}`", plain(value));
        }
        if let Some(choices) = choices(&resolved) {
            let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
            return match names.len() {
                0..=3 => names.join(", "),
                _ => "one of the names below".to_owned(),
            };
        }
        match setting.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
            Some(name) => {
                if !self.values.iter().any(|known| known == name) {
                    self.values.push(name.to_owned());
                }
                format!("[{}](#{})", words(name), words(name).replace(' ', "-"))
            }
            None => String::new(),
        }
    }

    /// The kinds of values, with examples.
    fn values(&mut self) {
        self.out.push_str("\n# Values\n");
        let mut names = std::mem::take(&mut self.values);
        names.sort();
        names.push("Outside".to_owned());
        for name in names {
            let schema = self.resolve(&serde_json::json!({ "$ref": format!("#/$defs/{name}") }));
            let title = if name == "Outside" { "values from outside".to_owned() } else { words(&name) };
            self.out.push_str(&format!("\n## {title}\n\n{}\n", description(&schema).unwrap_or_default()));
            let examples = schema.pointer("/anyOf/0/examples").and_then(Value::as_array);
            let examples: Vec<String> =
                examples.into_iter().flatten().map(|value| format!("`{}`", plain(value))).collect();
            if !examples.is_empty() {
                self.out.push_str(&format!("\nExamples: {}\n", examples.join(", ")));
            }
        }
    }

    /// The definition behind a reference; what stands beside the reference is more to the point.
    fn resolve(&self, schema: &Value) -> Value {
        self.descriptions.resolve(schema).clone()
    }
}

/// The choices of a setting and what each means, if it is one.
fn choices(schema: &Value) -> Option<Vec<(String, String)>> {
    let list = schema.get("oneOf")?.as_array()?;
    let mut choices = Vec::new();
    for choice in list {
        let text = description(choice).unwrap_or_default();
        if let Some(name) = choice.get("const").and_then(Value::as_str) {
            choices.push((name.to_owned(), text));
        } else if let Some(names) = choice.get("enum").and_then(Value::as_array) {
            choices.extend(names.iter().filter_map(Value::as_str).map(|name| (name.to_owned(), text.clone())));
        } else if let Some(name) = choice.get("properties").and_then(Value::as_object).and_then(first_name) {
            choices.push((format!("{{ {name}: … }}"), text));
        }
    }
    Some(choices)
}

fn first_name(members: &Map<String, Value>) -> Option<&String> {
    members.keys().next()
}

fn description(schema: &Value) -> Option<String> {
    let text = schema.get("description")?.as_str()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|"))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// `FileName` is "file name".
fn words(name: &str) -> String {
    let mut words = String::new();
    for (index, character) in name.chars().enumerate() {
        if index > 0 && character.is_uppercase() {
            words.push(' ');
        }
        words.extend(character.to_lowercase());
    }
    words
}
