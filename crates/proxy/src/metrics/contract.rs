//! What does not fit a contract that only reports, and what is known of contracts, in the text format of Prometheus. What is
//! refused is counted as a decision.

use super::{Registry, text};
use crate::knowledge::Knowledge;
use std::sync::Arc;
use std::sync::atomic::Ordering;

// === impl Registry ===

impl Registry {
    pub(super) fn breaches_text(&self, out: &mut String) {
        const NAME: &str = "portcullis_contract_breaches_total";
        text::heading(out, NAME, "counter", "Requests and answers that do not fit their contract, and passed.");
        for (direction, count) in ["request", "answer"].iter().zip(&self.breaches) {
            text::line(out, NAME, &format!("direction=\"{direction}\""), count.load(Ordering::Relaxed));
        }
    }
}

/// What is known of contracts; nothing where there are none.
pub(crate) fn knowledge_text(all: &[Arc<Knowledge>], out: &mut String) {
    const OPERATIONS: &str = "portcullis_contract_operations";
    const SHADOWS: &str = "portcullis_contract_shadow_requests_total";
    const FIELDS: &str = "portcullis_contract_undeclared_fields";
    if all.is_empty() {
        return;
    }
    let counted = all.iter().map(|one| {
        let labels = format!("api=\"{}\",version=\"{}\"", text::escaped(&one.api), text::escaped(&one.version));
        (labels, one.counts())
    });
    let counted: Vec<_> = counted.collect();
    text::heading(
        out,
        OPERATIONS,
        "gauge",
        "Operations of contracts that servers have answered, and that nobody was seen to use.",
    );
    for (labels, (seen, unseen, _, _)) in &counted {
        for (state, count) in [("seen", *seen), ("unseen", *unseen)] {
            text::line(out, OPERATIONS, &format!("{labels},state=\"{state}\""), count);
        }
    }
    text::heading(out, SHADOWS, "counter", "Requests for what a contract does not have.");
    for (labels, (_, _, shadows, _)) in &counted {
        text::line(out, SHADOWS, labels, *shadows);
    }
    text::heading(out, FIELDS, "gauge", "Members of answers that a contract does not speak of.");
    for (labels, (_, _, _, strangers)) in &counted {
        text::line(out, FIELDS, labels, *strangers);
    }
}
