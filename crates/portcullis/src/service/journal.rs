//! What the process says about itself on standard error: one line per fact, name and fields.

use crate::arguments::Format;
use crate::ending::Stop;
use crate::output;
use serde_json::{Map, Value};

/// Where facts about the process go.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Journal {
    /// Standard error, in this form.
    Screen(Format),
    /// Nowhere: somebody else tells the story.
    Silent,
}

// === impl Journal ===

impl Journal {
    /// One fact.
    pub(crate) fn event(self, name: &str, fields: &[(&str, String)]) {
        match self {
            Self::Silent => {}
            Self::Screen(Format::Text) => {
                let mut line = format!("portcullis: {name}");
                for (field, value) in fields {
                    line.push_str(&format!(" {field}={}", quoted(value)));
                }
                output::note(&line);
            }
            Self::Screen(Format::Json) => {
                let mut members = Map::new();
                members.insert("event".to_owned(), Value::from(name));
                for (field, value) in fields {
                    members.insert((*field).to_owned(), Value::from(value.as_str()));
                }
                output::note(&Value::Object(members).to_string());
            }
        }
    }

    /// The form of its lines.
    pub(crate) const fn format(self) -> Format {
        match self {
            Self::Screen(format) => format,
            Self::Silent => Format::Text,
        }
    }

    /// Why something was not done, in full.
    pub(crate) fn detail(self, stop: &Stop) {
        match (self, stop) {
            (Self::Silent, _) => {}
            (Self::Screen(Format::Json), Stop::Mistakes(failure)) => output::note(&failure.to_json().to_string()),
            (Self::Screen(Format::Json), Stop::Unfit(text) | Stop::Environment(text)) => {
                self.event("error", &[("message", text.clone())]);
            }
            (Self::Screen(Format::Text), _) => output::complain(stop),
        }
    }
}

/// A value that a reader can cut off the line again.
fn quoted(value: &str) -> String {
    let plain = |character: char| character.is_ascii_graphic() && !matches!(character, '"' | '\\' | '=');
    if !value.is_empty() && value.chars().all(plain) { value.to_owned() } else { format!("{value:?}") }
}
