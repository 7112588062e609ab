//! What the contract says of the messages of an operation.

use crate::document::{Document, Row, example, rows, text_of};
use serde_json::Value;

/// LIMIT: bytes of an example; a longer one is left out.
const EXAMPLE_BYTES_MAX: usize = 16 * 1024;

/// One parameter of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameter {
    /// `path`, `query`, `header` or `cookie`.
    pub location: String,
    /// Its name, its type, what it has to be.
    pub row: Row,
    /// A value that it could have.
    pub example: Option<String>,
}

/// A body of one media type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// `application/json`
    pub media_type: String,
    /// Its schema, line by line.
    pub rows: Vec<Row>,
    /// Whether more of it stands in the document.
    pub is_cut: bool,
    /// How it could look.
    pub example: Option<String>,
}

/// One answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// `200`, `4XX` or `default`.
    pub status: String,
    /// What it means, in Markdown.
    pub description: String,
    /// Its header fields.
    pub fields: Vec<Row>,
    /// Its bodies.
    pub contents: Vec<Content>,
}

/// Parameters, the body and whether it is required, answers.
pub(super) type Messages = (Vec<Parameter>, (Vec<Content>, bool), Vec<Answer>);

/// Of an operation without a contract: the parameters of its path.
pub(super) fn unwritten(template: &str) -> Messages {
    let names = template.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let parameter = |name: &str| Parameter {
        location: "path".to_owned(),
        row: Row {
            path: name.trim_start_matches('*').to_owned(),
            kind: "string".to_owned(),
            required: true,
            ..Row::default()
        },
        example: None,
    };
    (names.map(parameter).collect(), (Vec::new(), false), Vec::new())
}

/// Of an operation of a document.
pub(super) fn messages(document: &Document, template: &str, method: &str) -> Messages {
    let parameters = document.parameters(template, method).into_iter().map(|one| parameter(document, one)).collect();
    let Some((_, operation)) = document.operation(template, method) else {
        return (parameters, (Vec::new(), false), Vec::new());
    };
    let body = operation.get("requestBody").map(|body| document.resolved(body));
    let required = body.and_then(|body| body.get("required")).and_then(Value::as_bool) == Some(true);
    let contents = body.map(|body| contents(document, body, true)).unwrap_or_default();
    let answers = document.members(operation, "responses").map(|(status, answer)| Answer {
        status: status.clone(),
        description: text_of(answer, "description").unwrap_or_default().to_owned(),
        fields: document.members(answer, "headers").map(|(name, field)| row(document, name, field)).collect(),
        contents: contents_of(document, answer),
    });
    (parameters, (contents, required), answers.collect())
}

fn contents_of(document: &Document, holder: &Value) -> Vec<Content> {
    contents(document, holder, false)
}

fn contents(document: &Document, holder: &Value, is_request: bool) -> Vec<Content> {
    let all = document.members(holder, "content").map(|(media_type, content)| {
        let schema = content.get("schema");
        let (rows, is_cut) = schema.map(|schema| rows(document, schema)).unwrap_or_default();
        let is_text = ["json", "text/", "form"].iter().any(|word| media_type.contains(word));
        let example = example(document, content, is_request).filter(|_| is_text).map(|value| written(&value));
        Content {
            media_type: media_type.clone(),
            rows,
            is_cut,
            example: example.filter(|text| text.len() <= EXAMPLE_BYTES_MAX),
        }
    });
    all.collect()
}

fn parameter(document: &Document, parameter: &Value) -> Parameter {
    let name = text_of(parameter, "name").unwrap_or_default();
    Parameter {
        location: text_of(parameter, "in").unwrap_or_default().to_owned(),
        row: row(document, name, parameter),
        example: example(document, parameter, true).map(|value| match value {
            Value::String(text) => text,
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                other.to_string()
            }
        }),
    }
}

/// A parameter or a field as a line.
fn row(document: &Document, name: &str, holder: &Value) -> Row {
    let mut row = holder
        .get("schema")
        .and_then(|schema| rows(document, schema).0.into_iter().next())
        .unwrap_or_else(|| Row { kind: "anything".to_owned(), ..Row::default() });
    name.clone_into(&mut row.path);
    let required = holder.get("required").and_then(Value::as_bool) == Some(true);
    row.required = required || text_of(holder, "in") == Some("path");
    if let Some(own) = text_of(holder, "description") {
        own.clone_into(&mut row.description);
    }
    if holder.get("deprecated").and_then(Value::as_bool) == Some(true)
        && !row.rules.iter().any(|rule| rule == "deprecated")
    {
        row.rules.push("deprecated".to_owned());
    }
    row
}

fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("{value:#}"), str::to_owned)
}
