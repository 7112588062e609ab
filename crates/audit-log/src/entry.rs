//! What is written down, and what is read back.

use crate::line::Hash;
use portcullis_types::civil::Moment;
use serde_json::{Map, Value};

/// The kind of the first line of a segment.
pub(crate) const BEGAN: &str = "segment.began";
/// The kind of a signature over everything before.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The kind that tells of lines that a crash left unfinished.
pub(crate) const RECOVERED: &str = "log.recovered";
/// The kind that tells of lines that are gone.
pub(crate) const DAMAGED: &str = "log.damaged";

/// Something that happened. No member of it may be a secret: what is written here stays.
#[derive(Clone, Debug)]
pub struct Entry {
    kind: String,
    actor: String,
    details: Map<String, Value>,
}

/// A line that was read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The number of the line, from 1.
    pub seq: u64,
    /// When, as RFC 3339 writes it, in UTC.
    pub at: String,
    /// What happened, in words with points, such as `key.created`.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// To what, and how.
    pub details: Map<String, Value>,
}

// === impl Entry ===

impl Entry {
    /// Something of this kind that somebody did.
    #[must_use]
    pub fn new(kind: &str, actor: &str) -> Self {
        Self { kind: kind.to_owned(), actor: actor.to_owned(), details: Map::new() }
    }

    /// With this detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// What happened, in words with points.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Who did it.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// To what, and how.
    #[must_use]
    pub const fn details(&self) -> &Map<String, Value> {
        &self.details
    }

    /// The payload of its line. `at` is in milliseconds since 1970.
    pub(crate) fn payload(&self, seq: u64, at: u64) -> String {
        let mut members = Map::new();
        members.insert("seq".to_owned(), Value::from(seq));
        members.insert("at".to_owned(), Value::from(moment(at)));
        members.insert("kind".to_owned(), Value::from(self.kind.as_str()));
        members.insert("actor".to_owned(), Value::from(self.actor.as_str()));
        members.insert("details".to_owned(), Value::Object(self.details.clone()));
        Value::Object(members).to_string()
    }
}

// === impl Record ===

impl Record {
    /// From the payload of a line.
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let Ok(Value::Object(mut members)) = serde_json::from_slice(payload) else { return None };
        let mut text = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (at, kind, actor) = (text("at")?, text("kind")?, text("actor")?);
        let Some(Value::Object(details)) = members.remove("details") else { return None };
        Some(Self { seq: members.get("seq")?.as_u64()?, at, kind, actor, details })
    }

    /// A detail that is text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.details.get(name).and_then(Value::as_str).unwrap_or("")
    }

    /// The hash that the first line of a segment follows.
    pub(crate) fn before(&self) -> Option<Hash> {
        Hash::parse(self.text("before").as_bytes()).filter(|_| self.kind == BEGAN)
    }

    /// What happened, as one object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::json!({
            "seq": self.seq, "at": self.at, "kind": self.kind, "actor": self.actor, "details": self.details,
        })
    }
}

/// Milliseconds since 1970 as RFC 3339 writes them.
pub(crate) fn moment(at: u64) -> String {
    let seconds = i64::try_from(at / 1000).unwrap_or(i64::MAX);
    format!("{}.{:03}Z", Moment::of_unix(seconds).rfc3339(), at % 1000)
}
