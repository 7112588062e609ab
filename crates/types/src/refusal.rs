//! A refusal: our decision not to serve a request, with what the caller may know and what only we may.

use crate::{Reason, Stage};
use std::borrow::Cow;

/// One reason why a message does not fit its contract: where, and what the contract asks for, never what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `path`, `query`, `header`, `cookie`, `body` or `status`.
    pub part: &'static str,
    /// Of a parameter or a field; may be the client's, cut.
    pub name: String,
    /// Where in its value: a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// The keyword that says so.
    pub keyword: &'static str,
    /// What the contract asks for.
    pub detail: String,
}

/// We refused. The public detail goes onto the wire, the private one into records only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where the decision was made.
    pub stage: Stage,
    /// Which of the closed set of reasons; status, code and title follow from it.
    pub reason: Reason,
    /// One sentence for the caller. Never holds anything internal, nor what the client sent.
    pub detail: Cow<'static, str>,
    /// What the operator should know. May hold client data; written to records only, escaped.
    pub private: Option<String>,
    /// Fields that the answer must carry (say `allow` with a 405): lower-case name, value.
    pub headers: Vec<(&'static str, String)>,
    /// All reasons why a message does not fit its contract.
    pub errors: Option<Box<[Violation]>>,
    /// Names of limits that the caller went over; nothing in them needs an escape.
    pub violated: Vec<String>,
    /// Whether what follows on the connection can no longer be told apart, so that it must close.
    pub close: bool,
}

// === impl Refusal ===

impl Refusal {
    /// A refusal with a fixed public sentence.
    #[must_use]
    pub fn new(stage: Stage, reason: Reason, detail: impl Into<Cow<'static, str>>) -> Self {
        let (private, headers, violated, errors) = (None, Vec::new(), Vec::new(), None);
        Self { stage, reason, detail: detail.into(), private, headers, errors, violated, close: false }
    }

    /// Adds what only the operator may know.
    #[must_use]
    pub fn private(mut self, text: impl Into<String>) -> Self {
        self.private = Some(text.into());
        self
    }

    /// Adds a field to the answer; `name` is lower case.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Lists why the message does not fit its contract.
    #[must_use]
    pub fn errors(mut self, errors: Vec<Violation>) -> Self {
        self.errors = Some(errors.into());
        self
    }

    /// Names the limits that the caller went over.
    #[must_use]
    pub fn violating(mut self, names: Vec<String>) -> Self {
        self.violated = names;
        self
    }

    /// The connection closes after the answer.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }
}
