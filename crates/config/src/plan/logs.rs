//! Where records go, and what they look like.

use super::{TargetPlan, UpstreamTlsPlan};
use std::path::PathBuf;

/// Where access records go, and what they may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLogPlan {
    /// Where they go.
    pub sink: LogSink,
    /// What one looks like.
    pub format: LogFormat,
    /// When a file is put aside; `None` is never.
    pub rotation: Option<RotationPlan>,
    /// Records that may wait to be written; what comes on top is counted and dropped.
    pub queue: usize,
    /// Query parameters whose values are written; all others are redacted.
    pub show_query: Vec<String>,
}

/// Where security records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityLogPlan {
    /// Where they go; never [`LogSink::Off`].
    pub sink: LogSink,
    /// What one looks like; never [`LogFormat::Common`].
    pub format: LogFormat,
    /// When a file is put aside; `None` is never.
    pub rotation: Option<RotationPlan>,
    /// Records that may wait to be written; what comes on top is counted and dropped.
    pub queue: usize,
    /// Where they wait for a collector: present if, and only if, they go to one.
    pub buffer: Option<BufferPlan>,
}

/// Where records are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogSink {
    /// Nowhere; metrics are still kept.
    Off,
    /// Standard output, a record a line.
    Stdout,
    /// A file that is appended to, a record a line.
    File(PathBuf),
    /// A collector, a record a message.
    Syslog(SyslogPlan),
}

/// What a record looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// The gateway's own members.
    #[default]
    Json,
    /// The Elastic Common Schema.
    Ecs,
    /// The Open Cybersecurity Schema Framework.
    Ocsf,
    /// The Common Log Format.
    Common,
}

/// When a file is put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationPlan {
    /// At this many bytes.
    pub bytes: u64,
    /// Older files that are kept.
    pub keep: u32,
}

/// Where records wait on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferPlan {
    /// The folder.
    pub folder: PathBuf,
    /// Bytes that it may hold.
    pub bytes: u64,
}

/// A collector that speaks syslog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyslogPlan {
    /// Where it is.
    pub server: TargetPlan,
    /// The number of the facility (RFC 5424 section 6.2.1).
    pub facility: u8,
    /// Present if, and only if, it speaks TLS.
    pub tls: Option<UpstreamTlsPlan>,
}
