//! How often each rule about access has decided, and how.

use super::{Counters, Registry, RouteLabels, own_series, text};
use crate::record::AccessRecord;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// One rule and what it did.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RuleLabels {
    pub(super) route: RouteLabels,
    pub(super) rule: Arc<str>,
    pub(super) decision: &'static str,
}

/// The decisions; each has a place in the keys of a route's series.
const DECISIONS: [&str; 3] = ["allowed", "refused", "would_refuse"];

// === impl Counters ===

impl Counters {
    /// Counts what rules have decided about a request. `name` is asked only when the series is new to this worker.
    pub(super) fn count_rules(
        &mut self,
        index: usize,
        record: &AccessRecord,
        labels: impl Fn() -> RouteLabels,
        name: impl Fn(Option<usize>) -> Arc<str>,
    ) {
        let Some(decision) = record.permit else { return };
        let decided = (decision.rule, usize::from(decision.refused.is_some()));
        // What passes only because nothing counts yet has not been allowed by anything.
        let decided = (decision.refused.is_some() || decision.rule.is_some()).then_some(decided);
        let would = decision.would_refuse.map(|rule| (rule, 2));
        for (rule, how) in decided.into_iter().chain(would) {
            let Some(series) = self.routes.get_mut(index) else { return };
            let key = (rule.map_or(0, |rule| rule + 1), how);
            let counter = match series.rules.iter().find(|(have, _)| *have == key) {
                Some((_, counter)) => counter,
                None => {
                    let decision = DECISIONS.get(how).copied().unwrap_or_default();
                    let labels = RuleLabels { route: labels(), rule: name(rule), decision };
                    let counter = own_series(&mut self.own_rules, &self.registry.rules, labels);
                    &series.rules.push_mut((key, counter)).1
                }
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

// === impl Registry ===

impl Registry {
    pub(super) fn rules_text(&self, out: &mut String) {
        const NAME: &str = "portcullis_access_rules_total";
        text::heading(out, NAME, "counter", "Decisions of rules about access; `default` is what no rule allows.");
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (labels, value) in self.rules.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let (route, rule) = (text::route_text(&labels.route), text::escaped(&labels.rule));
            let text = format!("{route},rule=\"{rule}\",decision=\"{}\"", labels.decision);
            *sums.entry(text).or_default() += value.load(Ordering::Relaxed);
        }
        for (labels, value) in sums {
            text::line(out, NAME, &labels, value);
        }
    }
}
