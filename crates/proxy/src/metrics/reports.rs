//! What browsers have reported.

use super::{Counters, Registry, own_series, text};
use crate::reports::Report;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

/// Kind and directive are of closed sets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ReportLabels {
    api: Arc<str>,
    kind: &'static str,
    directive: &'static str,
}

// === impl Counters ===

impl Counters {
    pub(super) fn count_reports(&mut self, api: &Arc<str>, reports: &[Report]) {
        for report in reports {
            let labels = ReportLabels { api: Arc::clone(api), kind: report.kind, directive: report.directive };
            own_series(&mut self.own_reports, &self.registry.reports, labels).fetch_add(1, Ordering::Relaxed);
        }
    }
}

// === impl Registry ===

impl Registry {
    pub(super) fn reports_text(&self, out: &mut String) {
        const NAME: &str = "portcullis_browser_reports_total";
        let help = "Reports of browsers by kind, violations of a policy by the directive; anybody can send them.";
        text::heading(out, NAME, "counter", help);
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (labels, value) in self.reports.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let ReportLabels { api, kind, directive } = labels;
            let text = format!("api=\"{}\",kind=\"{kind}\",directive=\"{directive}\"", text::escaped(api));
            *sums.entry(text).or_default() += value.load(Ordering::Relaxed);
        }
        for (labels, value) in sums {
            text::line(out, NAME, &labels, value);
        }
    }
}
