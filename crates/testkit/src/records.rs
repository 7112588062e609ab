//! The access log of a gateway under test, read as it grows.

use crate::deadline::eventually;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A log file.
#[derive(Clone, Debug)]
pub struct Records(PathBuf);

// === impl Records ===

impl Records {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Everything that was written so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(std::fs::read(&self.0).unwrap_or_default()).expect("records are ASCII")
    }

    /// Every whole line so far; a line that is no JSON object is a failure.
    #[must_use]
    pub fn all(&self) -> Vec<Value> {
        let text = self.text();
        let whole = text.rfind('\n').map_or("", |at| &text[..at]);
        let parse = |line: &str| -> Value {
            let value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
            assert!(matches!(value, Value::Object(_)), "{line:?}");
            value
        };
        whole.split('\n').filter(|line| !line.is_empty()).map(parse).collect()
    }

    /// Waits for `count` records.
    #[must_use]
    pub fn wait_for(&self, count: usize) -> Vec<Value> {
        eventually(&format!("{count} access records"), || Some(self.all()).filter(|all| all.len() >= count))
    }

    /// Waits for the record of a request by its id.
    #[must_use]
    pub fn of(&self, id: &str) -> Value {
        eventually(&format!("the access record of {id}"), || {
            self.all().into_iter().find(|record| record["request_id"] == id)
        })
    }
}
