//! How often each rule about attacks has matched, and what became of the requests.

use super::{Counters, Registry, RouteLabels, own_series, text};
use crate::inspection::findings::Findings;
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// A rule on a route. Rules are named by the configuration, so that there is an end of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct MatchLabels {
    pub(super) route: RouteLabels,
    pub(super) rule: u64,
    pub(super) verdict: &'static str,
}

// === impl Counters ===

impl Counters {
    /// Counts each rule that matched, once for a request.
    pub(super) fn count_findings(
        &mut self,
        findings: &Findings,
        verdict: &'static str,
        labels: impl Fn() -> RouteLabels,
    ) {
        for (index, found) in findings.matches.iter().enumerate() {
            let rule = found.rule.id;
            if findings.matches.iter().take(index).any(|before| before.rule.id == rule) {
                continue;
            }
            let labels = MatchLabels { route: labels(), rule, verdict };
            own_series(&mut self.own_matches, &self.registry.matches, labels).fetch_add(1, Ordering::Relaxed);
        }
    }
}

// === impl Registry ===

impl Registry {
    pub(super) fn matches_text(&self, out: &mut String) {
        const NAME: &str = "portcullis_waf_matches_total";
        text::heading(out, NAME, "counter", "Requests in which a rule about attacks matched, by what became of them.");
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (labels, value) in self.matches.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let (route, rule, verdict) = (text::route_text(&labels.route), labels.rule, labels.verdict);
            let text = format!("{route},rule=\"{rule}\",verdict=\"{verdict}\"");
            *sums.entry(text).or_default() += value.load(Ordering::Relaxed);
        }
        for (labels, value) in sums {
            text::line(out, NAME, &labels, value);
        }
    }
}
