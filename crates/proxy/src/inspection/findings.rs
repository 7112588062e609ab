//! What rules found in a request, as far as it may be written down.

use super::redact;
use portcullis_waf::{RuleInfo, Transaction};
use std::sync::Arc;

// LIMIT: rules that a record names.
const RULES_MAX: usize = 32;

/// What rules found in one request and its answer.
#[derive(Debug)]
pub(crate) struct Findings {
    /// Whether it is refused for it, or would be if rules were enforced.
    pub(crate) is_attack: bool,
    /// What the request scored.
    pub(crate) score: i64,
    /// What its answer scored.
    pub(crate) answer_score: i64,
    /// The rules that matched, in order.
    pub(crate) matches: Vec<Finding>,
}

/// One rule that matched.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) rule: Arc<RuleInfo>,
    /// What it matched on: `ARGS:q`.
    pub(crate) variable: String,
    /// What stood there, so far as it tells nothing but its form.
    pub(crate) excerpt: String,
}

// === impl Findings ===

impl Findings {
    /// Adds what another set of rules found in the same request.
    pub(crate) fn add(&mut self, other: Self) {
        self.is_attack |= other.is_attack;
        self.score = self.score.max(other.score);
        self.answer_score = self.answer_score.max(other.answer_score);
        let room = RULES_MAX.saturating_sub(self.matches.len());
        self.matches.extend(other.matches.into_iter().take(room));
    }

    /// Nothing where nothing was found.
    pub(super) fn of(transaction: &Transaction, is_attack: bool) -> Option<Box<Self>> {
        let matches = transaction.matches();
        if matches.is_empty() && !is_attack {
            return None;
        }
        let finding = |found: &portcullis_waf::Match| Finding {
            rule: Arc::clone(&found.rule),
            variable: redact::variable(&found.variable),
            excerpt: redact::excerpt(&found.value),
        };
        let scores = transaction.scores();
        Some(Box::new(Self {
            is_attack,
            score: scores.inbound,
            answer_score: scores.outbound,
            matches: matches.iter().take(RULES_MAX).map(finding).collect(),
        }))
    }
}
