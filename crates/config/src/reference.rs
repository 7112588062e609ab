//! The reference page of the configuration, written from the JSON Schema and so from the comments in `file`.

use std::collections::HashMap;

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
    let mut page =
        Page { descriptions: Descriptions::get(), out: HEAD.to_owned(), values: Vec::new(), sections: HashMap::new() };
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
    /// Where each definition is described: the first place at which it was met.
    sections: HashMap<String, String>,
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
        self.out.push_str("| setting | value | default | what it is for |\n|---|---|---|---|\n");
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut below = Vec::new();
        for (name, setting) in settings {
            let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let kind = format!("{}{}", self.kind(&place, setting, &mut below), range(setting));
            let default = match setting.get("default") {
                Some(value) => format!("`{}`", plain(value)),
                None if required.contains(&name.as_str()) => "required".to_owned(),
                None => String::new(),
            };
            let text = description(setting).unwrap_or_default();
            self.out.push_str(&format!("| `{name}` | {kind} | {default} | {text} |\n"));
        }
        for (place, schema) in below {
            match choices(&schema) {
                Some(choices) => self.choices(&place, &choices),
                None => self.section(&place, &schema, depth + 1),
            }
        }
    }

    fn choices(&mut self, path: &str, choices: &[(String, String)]) {
        self.out.push_str(&format!("\n## `{path}`\n\n| value | what it means |\n|---|---|\n"));
        for (value, text) in choices {
            self.out.push_str(&format!("| `{value}` | {text} |\n"));
        }
    }

    /// What stands behind a setting, in a few words; what needs more of them is added to `below`.
    fn kind(&mut self, path: &str, setting: &Value, below: &mut Vec<(String, Value)>) -> String {
        let resolved = self.descriptions.resolve(setting).clone();
        if let Some(items) = resolved.get("items") {
            return format!("list: {}", self.kind(&format!("{path}[]"), items, below));
        }
        if let Some(named) = resolved.get("additionalProperties").filter(|value| value.is_object()) {
            return format!("by name: {}", self.kind(&format!("{path}.<name>"), named, below));
        }
        if let Some(value) = resolved.get("const") {
            return format!("`{}`", plain(value));
        }
        let name = setting.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
        let Some(name) = name else { return String::new() };
        let choices = choices(&resolved);
        if resolved.get("properties").is_some() || choices.is_some() {
            let first = match self.sections.get(name) {
                Some(first) => first.clone(),
                None => {
                    self.sections.insert(name.to_owned(), path.to_owned());
                    below.push((path.to_owned(), resolved));
                    path.to_owned()
                }
            };
            let names: Vec<String> = choices.into_iter().flatten().map(|(name, _)| format!("`{name}`")).collect();
            let word = match names.len() {
                0 => "section".to_owned(),
                1..=3 => names.join(", "),
                _ => "choice".to_owned(),
            };
            return format!("[{word}](#{})", anchor(&first));
        }
        if !self.values.iter().any(|known| known == name) {
            self.values.push(name.to_owned());
        }
        format!("[{}](#{})", words(name), anchor(&words(name)))
    }

    /// The kinds of values, with examples.
    fn values(&mut self) {
        self.out.push_str("\n# Values\n");
        let mut names = std::mem::take(&mut self.values);
        names.sort();
        names.push("Outside".to_owned());
        for name in names {
            let reference = serde_json::json!({ "$ref": format!("#/$defs/{name}") });
            let schema = self.descriptions.resolve(&reference).clone();
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
}

/// ", 1 to 1024"
fn range(setting: &Value) -> String {
    let bound = |name: &str| setting.get(name).and_then(Value::as_u64);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) => format!(", from {least}"),
        (None, Some(most)) => format!(", up to {most}"),
        (None, None) => String::new(),
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

/// What a heading is linked by: letters, digits and `_`, with `-` for blanks.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'));
    kept.map(|character| if character == ' ' { '-' } else { character }).collect()
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
