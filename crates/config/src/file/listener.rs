//! The `listeners` section as people write it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ClientAuth, Http2, defaults};
use crate::scalar::{Address, Count, FileName, Flag, Network, Period, Size, Text};

/// One address that accepts connections.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listener {
    /// Address and port to accept connections on, such as `0.0.0.0:8443`.
    pub(crate) bind: Address,
    /// Encryption. A listener without it must be on loopback, or say `danger_plaintext: true`.
    pub(crate) tls: Option<ListenerTls>,
    /// Serves plain HTTP to whoever reaches the address: everybody on the way can read and change what passes.
    #[schemars(extend("default" = false))]
    pub(crate) danger_plaintext: Option<Flag>,
    /// Whether every connection begins with a PROXY header (version 1 or 2) that says where it comes from. Such a header
    /// counts from `trusted_proxies` only; a connection without one, or from anybody else, is closed.
    #[schemars(extend("default" = "off"))]
    pub(crate) proxy_protocol: Option<ProxyProtocol>,
    /// Proxies in front of the gateway. Only what these say about where a request comes from counts: `Forwarded`,
    /// `X-Forwarded-For`, `X-Forwarded-Proto`, and `X-Request-ID`. The client is the last address, read from the right,
    /// that is not one of them.
    #[schemars(extend("default" = Vec::<String>::new()))]
    pub(crate) trusted_proxies: Option<Vec<Network>>,
    /// What one client may ask of it.
    pub(crate) limits: Option<ListenerLimits>,
    /// HTTP/2, which is spoken unless switched off here.
    pub(crate) http2: Option<Http2>,
}

/// Whether connections begin with a PROXY header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProxyProtocol {
    /// None does.
    Off,
    /// Every one does.
    Required,
}

/// Encryption of a listener. One of `certificates` and `self_signed` is needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListenerTls {
    /// Certificates. The name that a client asks for chooses among them; the first one answers the rest.
    pub(crate) certificates: Option<Vec<Certificate>>,
    /// Certificates made by the gateway, for development.
    pub(crate) self_signed: Option<SelfSigned>,
    /// The oldest protocol version that is spoken.
    #[schemars(extend("default" = "1.2"))]
    pub(crate) min_version: Option<MinVersion>,
    /// Certificates of clients. Without it, none is asked for.
    pub(crate) client_auth: Option<ClientAuth>,
}

/// A certificate and its key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Certificate {
    /// The certificate chain in PEM, leaf first.
    pub(crate) cert_file: FileName,
    /// The private key in PEM.
    pub(crate) key_file: FileName,
}

/// Certificates made by the gateway, for development.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SelfSigned {
    /// Names and addresses that clients will use.
    pub(crate) names: Vec<Text>,
    /// The folder for certificate, key and the authority that clients can trust (`curl --cacert`).
    pub(crate) directory: FileName,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(crate) enum MinVersion {
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}

/// What one client may ask of a listener.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListenerLimits {
    /// The request line and all header lines together.
    #[schemars(extend("default" = defaults::HEAD_BYTES.to_string()))]
    pub(crate) head_bytes: Option<Size>,
    /// The request target: path and query.
    #[schemars(extend("default" = defaults::TARGET_BYTES.to_string()))]
    pub(crate) target_bytes: Option<Size>,
    /// Header lines of one request.
    #[schemars(extend("default" = defaults::HEADERS.0), extend("minimum" = 1, "maximum" = defaults::MAX_HEADERS))]
    pub(crate) headers: Option<Count>,
    /// From the first byte of a head to its last.
    #[schemars(extend("default" = defaults::HEAD_TIMEOUT.to_string()))]
    pub(crate) head_timeout: Option<Period>,
    /// Between two requests of a connection.
    #[schemars(extend("default" = defaults::IDLE_TIMEOUT.to_string()))]
    pub(crate) idle_timeout: Option<Period>,
    /// Between two reads of a request's body.
    #[schemars(extend("default" = defaults::BODY_IDLE_TIMEOUT.to_string()))]
    pub(crate) body_idle_timeout: Option<Period>,
    /// Bytes a second that a request's body must bring on average.
    #[schemars(extend("default" = defaults::BODY_RATE.to_string()))]
    pub(crate) body_rate: Option<Size>,
    /// Bytes a second of an answer that a client must take on average.
    #[schemars(extend("default" = defaults::SEND_RATE.to_string()))]
    pub(crate) send_rate: Option<Size>,
    /// How long a client may be slower than that.
    #[schemars(extend("default" = defaults::RATE_GRACE.to_string()))]
    pub(crate) rate_grace: Option<Period>,
    /// Open connections at once.
    #[schemars(extend("default" = defaults::CONNECTIONS.0), extend("minimum" = 1, "maximum" = defaults::MAX_CONNECTIONS))]
    pub(crate) connections: Option<Count>,
    /// Requests before a connection is closed.
    #[schemars(extend("default" = defaults::REQUESTS_PER_CONNECTION.0), extend("minimum" = 1))]
    pub(crate) requests_per_connection: Option<Count>,
}
