//! Traces: whose are gone on with, and where spans and records are sent.

use super::{TargetPlan, UpstreamTlsPlan};
use portcullis_types::Secret;

/// What is done about traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracingPlan {
    /// Whose traces are gone on with.
    pub continues: Continue,
    /// How many of the traces that begin here are recorded, in millionths.
    pub sample_millionths: u32,
    /// `None`: nothing is sent anywhere.
    pub export: Option<ExportPlan>,
}

/// Whose traces are gone on with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Continue {
    /// Every client's.
    #[default]
    Always,
    /// Nobody's: each request begins a trace.
    Never,
}

/// Where spans and records are sent, by OTLP over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportPlan {
    /// The collector.
    pub collector: TargetPlan,
    /// What every request to the collector carries besides.
    pub headers: Vec<(String, Secret)>,
    /// Present if, and only if, the collector speaks TLS.
    pub tls: Option<UpstreamTlsPlan>,
    /// What spans and records say they come from.
    pub service_name: String,
    /// Whether access records are sent as well.
    pub logs: bool,
    /// Spans and records that may wait to be sent; what comes on top is counted and dropped.
    pub queue: usize,
}

/// One in one.
pub const SAMPLE_ALL: u32 = 1_000_000;

impl Default for TracingPlan {
    /// Traces are gone on with, and nothing is sent.
    fn default() -> Self {
        Self { continues: Continue::Always, sample_millionths: SAMPLE_ALL, export: None }
    }
}
