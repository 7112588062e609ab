//! JSON Schema, compiled: whether a value fits, within a bounded amount of work, and every reason why not.
//!
//! Draft 4 (with the words of OpenAPI 3.0 or without) and 2020-12. A schema becomes rules that point to each other by number;
//! judging a value that fits allocates nothing but what `unevaluated…` and large arrays of unique items need.

pub(crate) mod bytes;
mod compile;
mod constant;
mod format;
mod judge;
mod library;
mod marks;
mod one;
mod outline;
mod pattern;
mod rules;
mod strangers;
#[cfg(test)]
mod tests;
mod uri;

pub(crate) use compile::{Compiler, Finding, Settings};
pub use library::{Draft, Fetch};
pub(crate) use library::{Library, Spot};
pub(crate) use one::diagnostics;
pub use one::{OneSchema, Options};
pub(crate) use pattern::Pattern;
pub(crate) use rules::{Schema, SchemaId};
pub use strangers::Stranger;
pub(crate) use uri::{decoded, join, split};

use crate::json::Item;
use portcullis_types::outline::Mark;
use std::collections::HashMap;

/// Which way a message goes: what is `readOnly` is not for requests, what is `writeOnly` is not for answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client.
    Request,
    /// To the client.
    Answer,
}

/// How much work a value may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Steps that any value may take.
    pub steps_least: u64,
    /// Steps for each value that it holds.
    pub steps_per_value: u64,
    /// Schemas within each other.
    pub depth: usize,
    /// Violations that are reported.
    pub violations: usize,
}

/// What judging came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It fits.
    Valid,
    /// It does not: why, at most [`Effort::violations`] reasons.
    Invalid(Vec<Violation>),
    /// It took more work than it may; it must be refused.
    Exhausted,
}

/// Why a value does not fit. It never holds what was sent, only where, and what the contract says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where in the value: a JSON Pointer.
    pub pointer: String,
    /// The keyword that says so.
    pub keyword: &'static str,
    /// What the contract asks for.
    pub detail: String,
}

/// Compiled schemas that point to each other.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    all: Vec<Schema>,
    /// By resource and name: where `$dynamicRef` may lead.
    dynamic: HashMap<(u32, u32), SchemaId>,
    /// What schemas are marked with.
    marks: Vec<Mark>,
}

// === impl Effort ===

impl Default for Effort {
    fn default() -> Self {
        Self { steps_least: 20_000, steps_per_value: 500, depth: 256, violations: 32 }
    }
}

// === impl Schemas ===

impl Schemas {
    fn schema(&self, id: SchemaId) -> Option<&Schema> {
        self.all.get(usize::try_from(id.0).ok()?)
    }

    /// Whether a value fits a schema.
    pub(crate) fn judge(&self, id: SchemaId, item: Item<'_>, values: usize, effort: &Effort) -> Verdict {
        judge::judge(self, id, item, values, effort)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}
