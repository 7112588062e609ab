//! The `feed` section.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{UpstreamTls, defaults};
use crate::scalar::{Count, FileName, Network, Period, Size, Text};

/// Bundles of virtual patches and rules that several keys have signed. One is in force at a time, on every core and without a restart; it is
/// kept in the folder of the `store`, as is the greatest version that ever was, below which none is taken over again. Without `file` and
/// `url`, `portcullis feed take` brings them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Feed {
    /// The keys that sign: 64 hexadecimal digits each, as `portcullis feed key` prints them.
    pub(crate) keys: Vec<Text>,
    /// How many of them have to have signed a bundle. By default all.
    #[schemars(extend("minimum" = 1, "maximum" = defaults::MAX_FEED_KEYS))]
    pub(crate) threshold: Option<Count>,
    /// A file that is looked at five times a second; a bundle in it is taken over as it changes.
    pub(crate) file: Option<FileName>,
    /// An address that is asked every `interval`, over TLS or on this machine.
    pub(crate) url: Option<Text>,
    /// How the server of `url` is verified and what the gateway shows it. It is always verified.
    pub(crate) tls: Option<UpstreamTls>,
    /// Networks that are not public in which it may be.
    pub(crate) networks: Option<Vec<Network>>,
    /// How often `url` is asked.
    #[schemars(extend("default" = defaults::FEED_INTERVAL.to_string()))]
    pub(crate) interval: Option<Period>,
    /// How far a bundle goes that comes from `file` or `url`; `portcullis feed observe` and `enforce` change that of the one in force.
    #[schemars(extend("default" = "enforce"))]
    pub(crate) stage: Option<FeedStage>,
    /// The longest bundle.
    #[schemars(extend("default" = defaults::FEED_BYTES.to_string()))]
    pub(crate) bytes: Option<Size>,
}

/// What becomes of requests that patches of a bundle are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FeedStage {
    /// They pass; records and metrics say which would have been refused.
    Observe,
    /// They are refused (`patch_refused`).
    Enforce,
}
