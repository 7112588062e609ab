//! HTTP/2, lasting streams and WebSocket as people write them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::defaults;
use crate::scalar::{Count, Flag, PageOrigin, Period};

/// HTTP/2 on a listener: by ALPN over TLS, by prior knowledge in the clear.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Http2 {
    /// Whether it is spoken.
    #[schemars(extend("default" = true))]
    pub(crate) enabled: Option<Flag>,
    /// Requests under way at once on one connection.
    #[schemars(extend("default" = defaults::HTTP2_STREAMS.0), extend("minimum" = 1, "maximum" = defaults::MAX_HTTP2_STREAMS))]
    pub(crate) streams: Option<Count>,
    /// How many frames that carry neither request nor data a client may send in a burst. A thirtieth of it comes back
    /// every second; beyond it, the connection is closed with `ENHANCE_YOUR_CALM`.
    pub(crate) floods: Option<Floods>,
}

/// Bursts of frames that carry neither request nor data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Floods {
    /// `RST_STREAM`: requests that are taken back.
    #[schemars(extend("default" = defaults::FLOODS[0].0), extend("minimum" = 1, "maximum" = defaults::MAX_FLOOD))]
    pub(crate) resets: Option<Count>,
    /// `SETTINGS`.
    #[schemars(extend("default" = defaults::FLOODS[1].0), extend("minimum" = 1, "maximum" = defaults::MAX_FLOOD))]
    pub(crate) settings: Option<Count>,
    /// `PING`.
    #[schemars(extend("default" = defaults::FLOODS[2].0), extend("minimum" = 1, "maximum" = defaults::MAX_FLOOD))]
    pub(crate) pings: Option<Count>,
    /// `DATA` without data that does not end its stream.
    #[schemars(extend("default" = defaults::FLOODS[3].0), extend("minimum" = 1, "maximum" = defaults::MAX_FLOOD))]
    pub(crate) empty_data: Option<Count>,
    /// `PRIORITY`.
    #[schemars(extend("default" = defaults::FLOODS[4].0), extend("minimum" = 1, "maximum" = defaults::MAX_FLOOD))]
    pub(crate) priorities: Option<Count>,
    /// `WINDOW_UPDATE`, beyond one for each 256 bytes sent to the client.
    #[schemars(extend("default" = defaults::FLOODS[5].0), extend("minimum" = 1, "maximum" = defaults::MAX_FLOOD))]
    pub(crate) window_updates: Option<Count>,
    /// `CONTINUATION`: heads that do not fit into one frame.
    #[schemars(extend("default" = defaults::FLOODS[6].0), extend("minimum" = 1, "maximum" = defaults::MAX_FLOOD))]
    pub(crate) continuations: Option<Count>,
}

/// What an upstream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, which gRPC needs: by ALPN for `https` targets, by prior knowledge for `http` ones.
    Http2,
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 => "http2",
        }
    }
}

/// Answers that go on: server-sent events, gRPC, WebSocket. `timeout` ends at their head.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Streams {
    /// How long neither side may say anything.
    #[schemars(extend("default" = defaults::STREAM_IDLE_TIMEOUT.to_string()))]
    pub(crate) idle_timeout: Option<Period>,
    /// How long one may last.
    #[schemars(extend("default" = defaults::STREAM_LIFETIME.to_string()))]
    pub(crate) lifetime: Option<Period>,
}

/// Lets a route's requests go on as WebSocket (RFC 6455; over HTTP/2, RFC 8441).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebSocket {
    /// Pages that may open one, as browsers state them; `["*"]` for any page, which only a route without credentials that
    /// browsers send by themselves can afford.
    pub(crate) origins: Vec<PageOrigin>,
    /// Whether a client must state an origin. Those that are no browsers don't.
    #[schemars(extend("default" = false))]
    pub(crate) require_origin: Option<Flag>,
}
