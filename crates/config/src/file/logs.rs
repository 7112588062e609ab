//! The `access_log` and `security_log` sections.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{UpstreamTls, defaults};
use crate::scalar::{Count, FileName, Flag, Size, SyslogServer, Text};

/// One record per request, written as a line when its answer has ended.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessLog {
    /// Where records go.
    #[schemars(extend("default" = "stdout"))]
    pub(crate) to: Option<LogTo>,
    /// What a record looks like.
    #[schemars(extend("default" = "json"))]
    pub(crate) format: Option<AccessFormat>,
    /// When a file is put aside for a new one. By default never; `SIGUSR1` opens a file anew that something else has put aside.
    pub(crate) rotate: Option<Rotate>,
    /// Records that may wait to be written. What comes on top is counted and dropped: writing never blocks a request.
    #[schemars(extend("default" = defaults::LOG_QUEUE.0), extend("minimum" = 1, "maximum" = defaults::MAX_QUEUE))]
    pub(crate) queue: Option<Count>,
    /// Query parameters whose values are written. All others are redacted, and so are names of more than 32 bytes.
    #[schemars(extend("default" = Vec::<String>::new()))]
    pub(crate) show_query: Option<Vec<Text>>,
}

/// What is of interest to whoever looks for attacks, apart from the access record: every refusal, credentials that failed or came
/// for the first time, answers that could not be masked, rules that matched, findings of what is unusual, and what was done to
/// the gateway. Nothing without it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecurityLog {
    /// Where records go.
    pub(crate) to: LogTo,
    /// What a record looks like.
    #[schemars(extend("default" = "json"))]
    pub(crate) format: Option<SecurityFormat>,
    /// When a file is put aside for a new one. By default never; `SIGUSR1` opens a file anew that something else has put aside.
    pub(crate) rotate: Option<Rotate>,
    /// Records that may wait to be written, to the file or to the buffer. What comes on top is counted and dropped.
    #[schemars(extend("default" = defaults::LOG_QUEUE.0), extend("minimum" = 1, "maximum" = defaults::MAX_QUEUE))]
    pub(crate) queue: Option<Count>,
    /// Where records wait on disk until the collector has taken them. `to: { syslog: … }` needs it.
    pub(crate) buffer: Option<Buffer>,
}

/// Where records go.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogTo {
    /// Standard output.
    Stdout,
    /// Nowhere; metrics are still kept.
    Off,
    /// The end of a file.
    File(FileName),
    /// A collector that speaks syslog.
    Syslog(Box<Syslog>),
}

/// What an access record looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AccessFormat {
    /// The gateway's own members, all there are.
    Json,
    /// The Elastic Common Schema, 8.11.
    Ecs,
    /// The Open Cybersecurity Schema Framework, 1.3: HTTP Activity.
    Ocsf,
    /// The Common Log Format, for tools that read nothing else: no reasons, no times.
    Common,
}

/// What a security record looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SecurityFormat {
    /// The gateway's own members, all there are.
    Json,
    /// The Elastic Common Schema, 8.11.
    Ecs,
    /// The Open Cybersecurity Schema Framework, 1.3: API Activity, Authentication, HTTP Activity, Detection Finding.
    Ocsf,
}

/// When a file is put aside.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotate {
    /// At this size.
    #[schemars(extend("default" = defaults::ROTATE_SIZE.to_string()))]
    pub(crate) size: Option<Size>,
    /// Older files that are kept beside it, `.1` being the youngest.
    #[schemars(extend("default" = defaults::ROTATE_KEEP.0), extend("minimum" = 1, "maximum" = defaults::MAX_ROTATE_KEEP))]
    pub(crate) keep: Option<Count>,
}

/// Where records wait on disk.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Buffer {
    /// A folder for nothing else; it is made if it is not there.
    pub(crate) folder: FileName,
    /// What it may hold. What comes on top is counted and dropped.
    #[schemars(extend("default" = defaults::BUFFER_SIZE.to_string()))]
    pub(crate) size: Option<Size>,
}

/// A collector that speaks syslog (RFC 5424) over TCP, messages counted by their octets (RFC 6587), or over TLS (RFC 5425).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Syslog {
    /// The collector.
    pub(crate) server: SyslogServer,
    /// What of a machine the messages say they are from.
    #[schemars(extend("default" = "local0"))]
    pub(crate) facility: Option<Facility>,
    /// How a `tls` collector is verified and what the gateway shows it. It is always verified.
    pub(crate) tls: Option<UpstreamTls>,
    /// Lets a `tcp` collector be elsewhere than on this machine: everybody on the way can read and change records.
    #[schemars(extend("default" = false))]
    pub(crate) danger_plaintext: Option<Flag>,
}

/// What of a machine a message is from (RFC 5424 section 6.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Facility {
    /// A program of a user.
    User,
    /// A service.
    Daemon,
    /// Authorisation.
    Auth,
    /// Authorisation, not for everybody.
    Authpriv,
    /// The site's own.
    Local0,
    /// The site's own.
    Local1,
    /// The site's own.
    Local2,
    /// The site's own.
    Local3,
    /// The site's own.
    Local4,
    /// The site's own.
    Local5,
    /// The site's own.
    Local6,
    /// The site's own.
    Local7,
}
