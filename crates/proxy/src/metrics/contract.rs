//! What does not fit a contract that only reports, in the text format of Prometheus. What is refused is counted as a decision.

use super::{Registry, text};
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
