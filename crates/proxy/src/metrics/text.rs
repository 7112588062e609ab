//! The counters in the text format of Prometheus (version 0.0.4).

use super::exemplars::Exemplar;
use super::{BUCKETS_US, Durations, Histogram, Registry, RouteLabels};
use crate::gateway::CertificateFacts;
use crate::http2::meter::Flood;
use crate::http2::ours::CODES;
use crate::record::log::Queue;
use crate::welcome::Unheard;
use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// The histogram of times.
const DURATIONS: &str = "portcullis_request_duration_seconds";

/// What a scrape adds to the registry's own numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extras {
    pub(crate) config_hash: String,
    pub(crate) ready: bool,
    pub(crate) certificates: Vec<CertificateFacts>,
}

fn load(value: &AtomicU64) -> u64 {
    value.load(Ordering::Relaxed)
}

pub(super) fn heading(out: &mut String, name: &str, kind: &str, help: &str) {
    out.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
}

pub(super) fn line(out: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let text = if labels.is_empty() { format!("{name} {value}\n") } else { format!("{name}{{{labels}}} {value}\n") };
    out.push_str(&text);
}

/// A label value: backslash, quote and line feed escaped. All values come from the configuration or from us.
pub(super) fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

pub(super) fn route_text(route: &RouteLabels) -> String {
    let RouteLabels { api, route, version } = route;
    format!("api=\"{}\",route=\"{}\",version=\"{}\"", escaped(api), escaped(route), escaped(version))
}

// === impl Registry ===

impl Registry {
    /// All series as text.
    pub(crate) fn text(&self, queue: Option<&Queue>, extras: &Extras) -> String {
        let mut out = String::new();
        self.requests_text(&mut out);
        self.decisions_text(&mut out);
        self.rules_text(&mut out);
        self.matches_text(&mut out);
        self.breaches_text(&mut out);
        self.masks_text(&mut out);
        self.reports_text(&mut out);
        self.durations_text(&mut out);
        self.plain_text(&mut out);
        self.floods_text(&mut out);
        self.proxy_headers_text(&mut out);
        certificates_text(&extras.certificates, &mut out);
        if let Some(queue) = queue {
            heading(&mut out, "portcullis_access_records_total", "counter", "Access records by what became of them.");
            for (what, value) in queue.tally().results() {
                line(&mut out, "portcullis_access_records_total", &format!("result=\"{what}\""), value);
            }
        }
        self.exported_text(&mut out);
        heading(&mut out, "portcullis_ready", "gauge", "Whether the gateway serves its configuration.");
        line(&mut out, "portcullis_ready", "", u8::from(extras.ready));
        heading(&mut out, "portcullis_config_info", "gauge", "The configuration in force, by the digest of its files.");
        line(&mut out, "portcullis_config_info", &format!("hash=\"{}\"", escaped(&extras.config_hash)), 1);
        heading(&mut out, "portcullis_build_info", "gauge", "The running version.");
        line(&mut out, "portcullis_build_info", &format!("version=\"{}\"", env!("CARGO_PKG_VERSION")), 1);
        out
    }

    fn exported_text(&self, out: &mut String) {
        const NAME: &str = "portcullis_otlp_items_total";
        heading(out, NAME, "counter", "Spans and access records for the collector by what became of them.");
        for (signal, result, count) in self.exported.all() {
            line(out, NAME, &format!("signal=\"{signal}\",result=\"{result}\""), count);
        }
    }

    fn proxy_headers_text(&self, out: &mut String) {
        const NAME: &str = "portcullis_proxy_headers_refused_total";
        heading(
            out,
            NAME,
            "counter",
            "Connections closed because what had to say where they come from was no PROXY header.",
        );
        for (reason, value) in Unheard::ALL.iter().zip(&self.proxy_headers_refused) {
            line(out, NAME, &format!("reason=\"{}\"", reason.name()), load(value));
        }
    }

    fn requests_text(&self, out: &mut String) {
        const NAME: &str = "portcullis_requests_total";
        heading(out, NAME, "counter", "Requests by what became of them.");
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (labels, value) in self.requests.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let route = route_text(&labels.route);
            let (method, status, outcome) = (labels.method, labels.status, labels.outcome.name());
            let text = format!("{route},method=\"{method}\",status=\"{status}\",outcome=\"{outcome}\"");
            *sums.entry(text).or_default() += load(value);
        }
        for (labels, value) in sums {
            line(out, NAME, &labels, value);
        }
    }

    fn decisions_text(&self, out: &mut String) {
        const NAME: &str = "portcullis_decisions_total";
        heading(out, NAME, "counter", "Requests that a stage refused or that failed there, by reason.");
        let mut sums: BTreeMap<(_, _, _), u64> = BTreeMap::new();
        for (key, value) in self.decisions.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let (stage, reason, outcome) = *key;
            *sums.entry((stage, reason, outcome.name())).or_default() += load(value);
        }
        for ((stage, reason, decision), value) in sums {
            let (stage, reason) = (stage.name(), reason.code());
            line(out, NAME, &format!("stage=\"{stage}\",decision=\"{decision}\",reason=\"{reason}\""), value);
        }
    }

    fn durations_text(&self, out: &mut String) {
        heading(
            out,
            DURATIONS,
            "histogram",
            "From the end of a request's head to the end of its answer, split in parts.",
        );
        let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
        for (labels, durations) in self.durations.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (labels, histogram) in parts_text(labels, durations) {
                sums.entry(labels).or_default().add(histogram);
            }
        }
        for (labels, sum) in sums {
            sum.text(DURATIONS, &labels, out);
        }
    }

    /// The newest exemplar of each bucket by its series, as OpenMetrics writes it.
    pub(crate) fn exemplars(&self) -> HashMap<String, String> {
        let bounds: Vec<String> = bounds().collect();
        let mut newest: HashMap<String, Exemplar> = HashMap::new();
        for (labels, durations) in self.durations.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (labels, histogram) in parts_text(labels, durations) {
                for (bucket, exemplar) in histogram.exemplars.all() {
                    let Some(bound) = bounds.get(bucket) else { continue };
                    let series = format!("{DURATIONS}_bucket{{{labels},le=\"{bound}\"}}");
                    if newest.get(&series).is_none_or(|have| have.at_ms <= exemplar.at_ms) {
                        newest.insert(series, exemplar);
                    }
                }
            }
        }
        let text = |Exemplar { trace_id, micros, at_ms }: Exemplar| {
            let (value, at) = (seconds(micros * 1000), seconds(at_ms.saturating_mul(1_000_000)));
            format!("{{trace_id=\"{trace_id}\"}} {value} {at}")
        };
        newest.into_iter().map(|(series, exemplar)| (series, text(exemplar))).collect()
    }

    fn floods_text(&self, out: &mut String) {
        const NAME: &str = "portcullis_http2_floods_total";
        heading(
            out,
            NAME,
            "counter",
            "Connections of HTTP/2 that were ended because of a flood of frames, by its kind.",
        );
        for (flood, count) in Flood::ALL.iter().zip(&self.floods) {
            line(out, NAME, &format!("limit=\"{}\"", flood.name()), load(count));
        }
        const RESETS: &str = "portcullis_http2_streams_reset_total";
        heading(
            out,
            RESETS,
            "counter",
            "Streams of HTTP/2 that the gateway reset, by the code that the client was told.",
        );
        for (code, count) in CODES.iter().zip(&self.resets) {
            line(out, RESETS, &format!("code=\"{code}\""), load(count));
        }
    }

    fn plain_text(&self, out: &mut String) {
        for (name, kind, help, value) in [
            ("portcullis_connections", "gauge", "Open client connections.", &self.connections_open),
            ("portcullis_connections_total", "counter", "Client connections taken.", &self.connections_total),
            (
                "portcullis_connections_http2_total",
                "counter",
                "Client connections that spoke HTTP/2.",
                &self.connections_http2,
            ),
            (
                "portcullis_connections_refused_total",
                "counter",
                "Client connections closed because the listener was at its limit.",
                &self.connections_refused,
            ),
            (
                "portcullis_tls_handshakes_failed_total",
                "counter",
                "TLS handshakes that failed.",
                &self.handshakes_failed,
            ),
            (
                "portcullis_plaintext_on_tls_total",
                "counter",
                "Connections that spoke plain HTTP to a TLS port.",
                &self.plaintext_on_tls,
            ),
            (
                "portcullis_slow_readers_total",
                "counter",
                "Answers broken off because the client took them too slowly.",
                &self.slow_readers,
            ),
            ("portcullis_reloads_total", "counter", "Configurations that were taken over.", &self.reloads),
            (
                "portcullis_reloads_failed_total",
                "counter",
                "Configurations that were not taken over because something in them is wrong.",
                &self.reloads_failed,
            ),
            (
                "portcullis_last_reload_timestamp_seconds",
                "gauge",
                "When the configuration in force was taken over.",
                &self.last_reload_seconds,
            ),
        ] {
            heading(out, name, kind, help);
            line(out, name, "", load(value));
        }
    }
}

/// The histograms of a route by their labels.
fn parts_text<'d>(route: &RouteLabels, durations: &'d Durations) -> [(String, &'d Histogram); 3] {
    let route = route_text(route);
    durations.parts().map(|(part, histogram)| (format!("{route},part=\"{part}\""), histogram))
}

/// Upper bounds of buckets, in seconds.
fn bounds() -> impl Iterator<Item = String> {
    BUCKETS_US.iter().map(|micros| seconds(micros * 1000)).chain(["+Inf".to_owned()])
}

fn certificates_text(certificates: &[CertificateFacts], out: &mut String) {
    const NAME: &str = "portcullis_certificate_expiry_timestamp_seconds";
    heading(out, NAME, "gauge", "When a listener's certificate expires.");
    for certificate in certificates {
        if let Some(seconds) = certificate.expires_seconds {
            let (listener, name) = (escaped(&certificate.listener), escaped(&certificate.name));
            line(out, NAME, &format!("listener=\"{listener}\",name=\"{name}\""), seconds);
        }
    }
}

/// A histogram added up over workers.
#[derive(Debug, Default)]
struct Sum {
    buckets: [u64; BUCKETS_US.len() + 1],
    nanos: u64,
}

// === impl Sum ===

impl Sum {
    fn add(&mut self, histogram: &Histogram) {
        for (sum, bucket) in self.buckets.iter_mut().zip(&histogram.buckets) {
            *sum += load(bucket);
        }
        self.nanos += load(&histogram.sum_nanos);
    }

    fn text(&self, name: &str, labels: &str, out: &mut String) {
        let mut below = 0;
        for (bound, count) in bounds().zip(self.buckets) {
            below += count;
            line(out, &format!("{name}_bucket"), &format!("{labels},le=\"{bound}\""), below);
        }
        line(out, &format!("{name}_sum"), labels, seconds(self.nanos));
        line(out, &format!("{name}_count"), labels, below);
    }
}

/// Nanoseconds as decimal seconds, without the rounding of a float.
pub(super) fn seconds(nanos: u64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
