//! What a listener believes about where its connections come from, and how slow a client may be.

use portcullis_types::Network;
use std::time::Duration;

/// Whom a listener believes about where requests come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProvenancePlan {
    /// Every connection begins with a PROXY header, and comes from one of `trusted`.
    pub proxy_protocol: bool,
    /// Peers whose `Forwarded`, `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Request-ID` count.
    pub trusted: Vec<Network>,
}

/// How slow a client may be, on average, while we wait for nobody but it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacePlan {
    /// Bytes a second of a request's body.
    pub body_rate: u64,
    /// Bytes a second of an answer that is taken.
    pub send_rate: u64,
    /// How long it may be slower than that.
    pub grace: Duration,
}

impl Default for PacePlan {
    fn default() -> Self {
        use crate::file::defaults;
        Self {
            body_rate: defaults::BODY_RATE.bytes,
            send_rate: defaults::SEND_RATE.bytes,
            grace: Duration::from_millis(defaults::RATE_GRACE.as_millis()),
        }
    }
}
