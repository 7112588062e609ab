//! The same counts as values, for people who look at a running gateway.

use super::{BUCKETS_US, Registry, RouteLabels};
use crate::record::Outcome;
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// What was counted of all requests since the start.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Requests by their outcome: `served`, `refused`, ….
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Requests by how long they took, up to each of [`Totals::BOUNDS_US`] and beyond.
    pub total: Vec<u64>,
    /// The same of what the gateway itself took.
    pub gateway: Vec<u64>,
    /// Client connections that are open.
    pub connections: u64,
}

/// The same by what they were about.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Refusals and failures by stage, reason and outcome.
    pub decisions: BTreeMap<(&'static str, &'static str, &'static str), u64>,
    /// Requests by API, version and route, and how many of them were refused.
    pub routes: BTreeMap<(String, String, String), (u64, u64)>,
    /// What rules have done.
    pub rules: BTreeMap<RuleOfRoute, u64>,
}

/// A rule of a route, and what it did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleOfRoute {
    /// `access`, `mask` or `attack`.
    pub kind: &'static str,
    /// The API, its version and the route.
    pub route: (String, String, String),
    /// What the rule is called.
    pub rule: String,
    /// What it did: `refused`, `masked`, ….
    pub result: &'static str,
}

// === impl Totals ===

impl Totals {
    /// Upper bounds of times, in microseconds.
    pub const BOUNDS_US: [u64; BUCKETS_US.len()] = BUCKETS_US;
}

// === impl Registry ===

impl Registry {
    /// What was counted of all requests.
    pub(crate) fn totals(&self) -> Totals {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut totals = Totals { connections: load(&self.connections_open), ..Totals::default() };
        for (labels, count) in self.requests.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            *totals.outcomes.entry(labels.outcome.name()).or_default() += load(count);
        }
        totals.total = vec![0; BUCKETS_US.len() + 1];
        totals.gateway = totals.total.clone();
        for (_, durations) in self.durations.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (sum, histogram) in [(&mut totals.total, &durations.total), (&mut totals.gateway, &durations.gateway)] {
                sum.iter_mut().zip(&histogram.buckets).for_each(|(sum, count)| *sum += load(count));
            }
        }
        totals
    }

    /// The same by what they were about.
    pub(crate) fn traffic(&self) -> Traffic {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut traffic = Traffic { rules: self.rule_counts(), ..Traffic::default() };
        for (labels, count) in self.requests.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let count = load(count);
            let (all, refused) = traffic.routes.entry(named(&labels.route)).or_default();
            *all += count;
            *refused += if labels.outcome == Outcome::Refused { count } else { 0 };
        }
        for ((stage, reason, outcome), count) in self.decisions.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            *traffic.decisions.entry((stage.name(), reason.code(), outcome.name())).or_default() += load(count);
        }
        traffic
    }

    fn rule_counts(&self) -> BTreeMap<RuleOfRoute, u64> {
        let mut counts = BTreeMap::new();
        let mut add = |kind, route: &RouteLabels, rule: String, result, count: &AtomicU64| {
            let rule = RuleOfRoute { kind, route: named(route), rule, result };
            *counts.entry(rule).or_default() += count.load(Ordering::Relaxed);
        };
        for (labels, count) in self.rules.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            add("access", &labels.route, labels.rule.to_string(), labels.decision, count);
        }
        for (labels, count) in self.masks.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            add("mask", &labels.route, labels.rule.to_string(), "masked", count);
        }
        for (labels, count) in self.matches.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            add("attack", &labels.route, labels.rule.to_string(), labels.verdict, count);
        }
        counts
    }
}

fn named(route: &RouteLabels) -> (String, String, String) {
    (route.api.to_string(), route.version.to_string(), route.route.to_string())
}
