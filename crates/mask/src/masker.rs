//! Masks a body of one of the types that can be read.

use crate::events::Events;
use crate::rewrite::{MaskError, Rewriter};
use crate::rules::{Active, Ruleset, Start};
use std::sync::Arc;

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One document of JSON.
    Json,
    /// Documents of JSON on lines of their own.
    Lines,
    /// Server-sent events with documents of JSON as their data.
    Events,
}

/// Masks one body.
#[derive(Debug)]
pub enum Masker {
    /// One or several documents.
    Documents(Box<Rewriter>),
    /// Events.
    Events(Box<EventMasker>),
}

/// Masks a stream of events.
#[derive(Debug)]
pub struct EventMasker(Events);

// === impl Form ===

impl Form {
    /// What a `Content-Type` field says; `None` if it is nothing that can be read, or not in UTF-8.
    #[must_use]
    pub fn of(content_type: &[u8]) -> Option<Self> {
        let mut parts = content_type.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let media_type = parts.next()?.to_ascii_lowercase();
        let is_utf8 = parts.all(|parameter| {
            let (name, value) =
                parameter.split_at(parameter.iter().position(|byte| *byte == b'=').unwrap_or(parameter.len()));
            let value = value.strip_prefix(b"=").unwrap_or(value);
            let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
            let known = [&b"utf-8"[..], b"utf8", b"us-ascii"];
            !name.eq_ignore_ascii_case(b"charset") || known.iter().any(|name| value.eq_ignore_ascii_case(name))
        });
        let form = match media_type.as_slice() {
            b"application/json" | b"text/json" => Self::Json,
            b"application/x-ndjson" | b"application/ndjson" | b"application/jsonl" | b"application/x-jsonlines" => {
                Self::Lines
            }
            b"text/event-stream" => Self::Events,
            other if other.starts_with(b"application/") && other.ends_with(b"+json") => Self::Json,
            _ => return None,
        };
        is_utf8.then_some(form)
    }
}

// === impl Masker ===

impl Masker {
    /// For a body of this form, with the rules that count for whoever gets it.
    #[must_use]
    pub fn new(form: Form, rules: Arc<Ruleset>, active: Active) -> Self {
        Self::from(form, rules, active, Start::default())
    }

    /// The same for a body of which more is known. Each document of a body that holds several begins there.
    #[must_use]
    pub fn from(form: Form, rules: Arc<Ruleset>, active: Active, start: Start) -> Self {
        match form {
            Form::Json => Self::Documents(Box::new(Rewriter::from(rules, active, start))),
            Form::Lines => Self::Documents(Box::new(Rewriter::lines(rules, active, start))),
            Form::Events => Self::Events(Box::new(EventMasker(Events::new(rules, active, start)))),
        }
    }

    /// Takes the next piece and appends what may leave.
    ///
    /// # Errors
    /// What cannot be read. Nothing may be fed after that, and nothing more may leave.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), MaskError> {
        match self {
            Self::Documents(rewriter) => rewriter.feed(input, out),
            Self::Events(events) => events.0.feed(input, out),
        }
    }

    /// Takes the end and appends what is left.
    ///
    /// # Errors
    /// A body that is not whole.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), MaskError> {
        match self {
            Self::Documents(rewriter) => rewriter.finish(out),
            Self::Events(events) => events.0.finish(),
        }
    }

    /// How many values each rule has changed, in the order of the rules.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        match self {
            Self::Documents(rewriter) => rewriter.counts(),
            Self::Events(events) => &events.0.counts,
        }
    }

    /// How many values were left out because nothing grants them.
    #[must_use]
    pub fn withheld(&self) -> u64 {
        match self {
            Self::Documents(rewriter) => rewriter.withheld(),
            Self::Events(events) => events.0.withheld,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn types_that_can_be_read() {
        for (content_type, form) in [
            ("application/json", Some(Form::Json)),
            ("Application/JSON; charset=\"UTF-8\"", Some(Form::Json)),
            ("application/problem+json", Some(Form::Json)),
            ("application/vnd.orders.v2+json; v=2", Some(Form::Json)),
            ("application/x-ndjson", Some(Form::Lines)),
            ("text/event-stream;charset=utf-8", Some(Form::Events)),
            ("application/json; charset=utf-16", None),
            ("application/json; charset=latin1", None),
            ("application/json-seq", None),
            ("text/html", None),
            ("application/xml", None),
            ("image/svg+json", None),
            ("", None),
        ] {
            assert_eq!(Form::of(content_type.as_bytes()), form, "{content_type}");
        }
    }
}
