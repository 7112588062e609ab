//! Counters of requests, decisions and times: each worker counts for itself, a scrape adds up.
//!
//! A series comes into being when the first request of its kind ends. All labels come from the configuration or from
//! closed sets, so that their number is bounded whatever clients send.

mod alerts;
mod anomalies;
mod contract;
mod exemplars;
mod feed;
mod issuers;
mod limits;
mod masks;
mod openmetrics;
mod reports;
mod rules;
mod security;
mod text;
mod traffic;
mod upstreams;
mod waf;

pub(crate) use alerts::{alerts_text, state_text};
pub(crate) use anomalies::anomalies_text;
pub(crate) use contract::knowledge_text;
pub(crate) use feed::feed_text;
pub(crate) use issuers::{introspections_text, issuers_text, version_callers_text};
pub(crate) use limits::{limits_text, store_text};
pub(crate) use openmetrics::openmetrics;
pub(crate) use security::security_text;
pub(crate) use text::Extras;
pub use traffic::{RuleOfRoute, Totals, Traffic};
pub(crate) use upstreams::{relief_text, upstreams_text};

use crate::http2::meter::Flood;
use crate::http2::ours::CODES;
use crate::record::{AccessRecord, Outcome};
use crate::trace::export::Counts;
use exemplars::Exemplars;
use portcullis_types::{Reason, Stage};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Upper bounds of the duration histogram's buckets, in microseconds.
const BUCKETS_US: [u64; 14] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000, 10_000_000];

/// The methods that have a label of their own; a client can make up any other one.
pub(crate) const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

/// Where all workers' counters meet. Taken on the request path only when a series is new.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    requests: Series<RequestLabels, AtomicU64>,
    durations: Series<RouteLabels, Durations>,
    decisions: Series<(Stage, Reason, Outcome), AtomicU64>,
    rules: Series<rules::RuleLabels, AtomicU64>,
    matches: Series<waf::MatchLabels, AtomicU64>,
    masks: Series<masks::MaskLabels, AtomicU64>,
    reports: Series<reports::ReportLabels, AtomicU64>,
    pub(crate) connections_open: AtomicU64,
    pub(crate) connections_total: AtomicU64,
    pub(crate) connections_refused: AtomicU64,
    pub(crate) handshakes_failed: AtomicU64,
    pub(crate) plaintext_on_tls: AtomicU64,
    /// Connections of HTTP/2 that were ended because of a flood, by its kind.
    floods: [AtomicU64; Flood::ALL.len()],
    /// Streams of HTTP/2 that we reset, by the code.
    resets: [AtomicU64; CODES.len()],
    pub(crate) connections_http2: AtomicU64,
    /// What became of spans and records that were to be sent.
    pub(crate) exported: Arc<Counts>,
    /// By [`crate::welcome::Unheard`].
    pub(crate) proxy_headers_refused: [AtomicU64; 3],
    pub(crate) slow_readers: AtomicU64,
    /// Requests and answers that do not fit their contract, and passed.
    breaches: [AtomicU64; 2],
    pub(crate) reloads: AtomicU64,
    pub(crate) reloads_failed: AtomicU64,
    pub(crate) last_reload_seconds: AtomicU64,
}

/// The series of all workers; a key stands once for each worker that has met it.
type Series<K, V> = Mutex<Vec<(K, Arc<V>)>>;

/// The labels of a route. Empty where no route was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct RouteLabels {
    pub(crate) api: Arc<str>,
    pub(crate) route: Arc<str>,
    pub(crate) version: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct RequestLabels {
    route: RouteLabels,
    method: &'static str,
    status: u16,
    outcome: Outcome,
}

#[derive(Debug, Default)]
struct Durations {
    total: Histogram,
    gateway: Histogram,
    upstream: Histogram,
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS_US.len() + 1],
    sum_nanos: AtomicU64,
    exemplars: Exemplars,
}

/// One worker's view: its own series by their labels, and by the numbers of the current snapshot.
#[derive(Debug)]
pub(crate) struct Counters {
    registry: Arc<Registry>,
    /// The snapshot that the numbers belong to.
    generation: u64,
    /// By route, the one that was not found first.
    routes: Vec<RouteSeries>,
    decisions: HashMap<(Stage, Reason, Outcome), Arc<AtomicU64>>,
    own_rules: HashMap<rules::RuleLabels, Arc<AtomicU64>>,
    own_matches: HashMap<waf::MatchLabels, Arc<AtomicU64>>,
    own_masks: HashMap<masks::MaskLabels, Arc<AtomicU64>>,
    own_reports: HashMap<reports::ReportLabels, Arc<AtomicU64>>,
    own_requests: HashMap<RequestLabels, Arc<AtomicU64>>,
    own_durations: HashMap<RouteLabels, Arc<Durations>>,
}

/// The series of one route that this worker has met: few, so that a walk is the fastest look-up.
#[derive(Clone, Debug, Default)]
struct RouteSeries {
    requests: Vec<(u64, Arc<AtomicU64>)>,
    /// By rule, none being 0, and decision.
    rules: Vec<((usize, usize), Arc<AtomicU64>)>,
    /// Of masked values by rule, those that nothing allows being 0.
    masks: Vec<(usize, Arc<AtomicU64>)>,
    durations: Option<Arc<Durations>>,
}

// === impl Registry ===

impl Registry {
    /// Requests that were refused or failed for a reason.
    pub(crate) fn decisions_of(&self, wanted: Reason) -> u64 {
        let decisions = self.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = decisions.iter().filter(|((_, reason, _), _)| *reason == wanted);
        counts.map(|(_, count)| count.load(Ordering::Relaxed)).sum()
    }

    /// Counts a stream that we reset; `code` is a place in [`CODES`].
    pub(crate) fn count_reset(&self, code: usize) {
        if let Some(count) = self.resets.get(code) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a connection that is ended because of a flood.
    pub(crate) fn count_flood(&self, flood: Flood) {
        if let Some(count) = self.floods.get(flood as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

// === impl Histogram ===

impl Histogram {
    /// Counts a time, and notes its trace and moment where that was recorded.
    fn observe(&self, nanos: u64, recorded: Option<(&[u8], u64)>) {
        let micros = nanos / 1000;
        let index = BUCKETS_US.iter().position(|bound| micros <= *bound).unwrap_or(BUCKETS_US.len());
        if let Some(bucket) = self.buckets.get(index) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
        if let Some((trace_id, at_ms)) = recorded {
            self.exemplars.note(index, trace_id, micros, at_ms);
        }
    }
}

// === impl Counters ===

impl Counters {
    pub(crate) fn new(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            generation: 0,
            routes: Vec::new(),
            decisions: HashMap::new(),
            own_rules: HashMap::new(),
            own_matches: HashMap::new(),
            own_masks: HashMap::new(),
            own_reports: HashMap::new(),
            own_requests: HashMap::new(),
            own_durations: HashMap::new(),
        }
    }

    /// Counts a finished request. `labels` and the names of rules are asked only when the series is new to this
    /// worker.
    pub(crate) fn count(
        &mut self,
        generation: u64,
        record: &AccessRecord,
        method: &[u8],
        labels: impl Fn() -> RouteLabels,
        (rule, mask): (impl Fn(Option<usize>) -> Arc<str>, impl Fn(Option<usize>) -> Arc<str>),
    ) {
        if self.generation != generation {
            self.generation = generation;
            self.routes.clear();
        }
        if let Some(decision) = &record.decision {
            let key = (decision.stage, decision.reason, record.outcome);
            own_series(&mut self.decisions, &self.registry.decisions, key).fetch_add(1, Ordering::Relaxed);
        }
        for (count, breach) in self.registry.breaches.iter().zip([&record.breaches.request, &record.breaches.answer]) {
            if breach.is_some() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        let index = record.route.map_or(0, |index| index + 1);
        if self.routes.len() <= index {
            self.routes.resize(index + 1, RouteSeries::default());
        }
        let Some(series) = self.routes.get_mut(index) else { return };
        let method = METHODS.iter().position(|have| have.as_bytes() == method);
        let key =
            method.map_or(0, |index| index as u64 + 1) << 24 | u64::from(record.status) << 8 | record.outcome as u64;
        let counter = match series.requests.iter().find(|(have, _)| *have == key) {
            Some((_, counter)) => counter,
            None => {
                let method = method.and_then(|index| METHODS.get(index).copied()).unwrap_or("other");
                let labels = RequestLabels { route: labels(), method, status: record.status, outcome: record.outcome };
                let counter = own_series(&mut self.own_requests, &self.registry.requests, labels);
                &series.requests.push_mut((key, counter)).1
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let (own, list) = (&mut self.own_durations, &self.registry.durations);
        series.durations.get_or_insert_with(|| own_series(own, list, labels())).observe(record);
        if let Some(reports) = &record.reports {
            self.count_reports(&reports.0, &reports.1);
        }
        if let Some(findings) = &record.findings {
            self.count_findings(findings, record.verdict(), &labels);
        }
        if let Some(masked) = &record.masked {
            self.count_masks(index, masked, &labels, mask);
        }
        if record.permit.is_some() {
            self.count_rules(index, record, labels, rule);
        }
    }
}

/// The worker's own series with this key; a new one is entered into the common list, where a scrape finds it.
fn own_series<K: Clone + Eq + Hash, V: Default>(own: &mut HashMap<K, Arc<V>>, list: &Series<K, V>, key: K) -> Arc<V> {
    let value = own.entry(key).or_insert_with_key(|key| {
        let value = Arc::new(V::default());
        list.lock().unwrap_or_else(PoisonError::into_inner).push((key.clone(), Arc::clone(&value)));
        value
    });
    Arc::clone(value)
}

// === impl Durations ===

impl Durations {
    fn observe(&self, record: &AccessRecord) {
        let (total, upstream) = (record.total_nanos(), record.upstream_nanos());
        let trace = &record.trace;
        let recorded = trace.is_recorded.then(|| (trace.trace_id(), record.wall_ms));
        self.total.observe(total, recorded);
        self.gateway.observe(total.saturating_sub(upstream), recorded);
        if record.answered > 0 {
            self.upstream.observe(upstream, recorded);
        }
    }

    /// The parts of the time by name.
    fn parts(&self) -> [(&'static str, &Histogram); 3] {
        [("total", &self.total), ("gateway", &self.gateway), ("upstream", &self.upstream)]
    }
}
