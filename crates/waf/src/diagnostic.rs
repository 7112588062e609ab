//! What is wrong with a rule file, and where. Always collected, never only the first.

use std::fmt;

/// One mistake in a rule set, or one thing worth knowing about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file as it was named to the loader.
    pub file: String,
    /// The line on which the directive starts, from 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

// === impl Diagnostic ===

impl Diagnostic {
    pub(crate) fn new(at: &Place, message: impl Into<String>) -> Self {
        Self { file: at.file.to_string(), line: at.line, message: message.into() }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// Where a directive stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: std::sync::Arc<str>,
    pub(crate) line: u32,
}
