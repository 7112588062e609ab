//! How many values each rule of `mask` has changed.

use super::{Counters, Registry, RouteLabels, own_series, text};
use crate::snapshot::disclosure::Masked;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

/// One rule of a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct MaskLabels {
    pub(super) route: RouteLabels,
    pub(super) rule: Arc<str>,
}

// === impl Counters ===

impl Counters {
    /// Counts what was masked in one answer. `name` is asked only when the series is new to this worker.
    pub(super) fn count_masks(
        &mut self,
        index: usize,
        masked: &Masked,
        labels: impl Fn() -> RouteLabels,
        name: impl Fn(Option<usize>) -> Arc<str>,
    ) {
        let values = masked.values.iter().enumerate().map(|(rule, count)| (Some(rule), *count));
        for (rule, count) in values.chain([(None, masked.withheld)]).filter(|(_, count)| *count > 0) {
            let Some(series) = self.routes.get_mut(index) else { return };
            let key = rule.map_or(0, |rule| rule + 1);
            let counter = match series.masks.iter().find(|(have, _)| *have == key) {
                Some((_, counter)) => counter,
                None => {
                    let labels = MaskLabels { route: labels(), rule: name(rule) };
                    let counter = own_series(&mut self.own_masks, &self.registry.masks, labels);
                    &series.masks.push_mut((key, counter)).1
                }
            };
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }
}

// === impl Registry ===

impl Registry {
    pub(super) fn masks_text(&self, out: &mut String) {
        const NAME: &str = "portcullis_masked_values_total";
        text::heading(
            out,
            NAME,
            "counter",
            "Values of answers by the rule that masked them; `not_allowed` is what no rule allows.",
        );
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (labels, value) in self.masks.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let text = format!("{},rule=\"{}\"", text::route_text(&labels.route), text::escaped(&labels.rule));
            *sums.entry(text).or_default() += value.load(Ordering::Relaxed);
        }
        for (labels, value) in sums {
            text::line(out, NAME, &labels, value);
        }
    }
}
