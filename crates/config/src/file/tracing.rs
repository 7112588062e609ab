//! The `tracing` section.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{UpstreamTls, defaults};
use crate::scalar::{Count, Flag, Share, Target, Text};

/// Traces (W3C Trace Context), and where spans and access records are sent. Every request to an upstream carries
/// `traceparent`, whatever stands here; nothing is sent anywhere without `endpoint`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tracing {
    /// Whose traces are gone on with.
    #[serde(rename = "continue")]
    #[schemars(extend("default" = "always"))]
    pub(crate) continues: Option<Continues>,
    /// The collector, which is asked by OTLP over HTTP with JSON: spans go to `/v1/traces`, records to `/v1/logs`.
    pub(crate) endpoint: Option<Target>,
    /// How many of the traces that begin here are recorded. Which ones is told by the trace id, so that all who look at it
    /// agree. A trace that is gone on with is recorded if its client says so.
    #[schemars(extend("default" = "100%"))]
    pub(crate) sample: Option<Share>,
    /// Whether access records are sent as well, one for each request, whether its trace is recorded or not.
    #[schemars(extend("default" = false))]
    pub(crate) logs: Option<Flag>,
    /// What spans and records say they come from.
    #[schemars(extend("default" = defaults::SERVICE_NAME))]
    pub(crate) service_name: Option<Text>,
    /// Fields that every request to the collector carries besides; write credentials as `{ env: NAME }`. They are never
    /// printed, and only sent over TLS or within this machine.
    pub(crate) headers: Option<IndexMap<String, Text>>,
    /// How an `https` collector is verified and what the gateway shows it. It is always verified.
    pub(crate) tls: Option<UpstreamTls>,
    /// Spans and records that may wait to be sent. What comes on top is counted and dropped: sending never delays a request.
    #[schemars(extend("default" = defaults::TRACING_QUEUE.0), extend("minimum" = 1, "maximum" = defaults::MAX_TRACING_QUEUE))]
    pub(crate) queue: Option<Count>,
}

/// Whose traces are gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Continues {
    /// Every client's: its trace id is kept, and its wish to be recorded is granted.
    Always,
    /// Nobody's: each request begins a trace of its own, and `tracestate` ends here.
    Never,
}
