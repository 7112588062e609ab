//! A fault: the upstream or we failed. Whose it was and whether a retry is safe are data, not comments.

use crate::Reason;

/// Something failed on the way to or from an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What failed.
    pub kind: FaultKind,
    /// Whether not a byte of the request can have been acted upon, so that sending it again is safe.
    pub retry_safe: bool,
    /// The source's own words, for records only.
    pub source: String,
}

/// The closed set of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// No target of the upstream can be used.
    NoTarget,
    /// Checks say that every target is down.
    Unhealthy,
    /// Every target is at its limit.
    Busy,
    /// The name of a target did not resolve.
    Resolve,
    /// The connection was refused or is unreachable.
    Connect,
    /// The connection did not stand in time.
    ConnectTimeout,
    /// The TLS handshake with the upstream failed, certificates included.
    Tls,
    /// The connection broke before the answer's head was complete.
    Closed,
    /// No first byte, or no progress, in time.
    Timeout,
    /// What came back is not a well-formed answer.
    Malformed,
    /// The answer broke off in the middle of its body.
    Truncated,
    /// Ours: an invariant did not hold; the request is refused rather than guessed at.
    Internal,
}

// === impl Fault ===

impl Fault {
    /// A fault after which the request must not be sent again.
    #[must_use]
    pub fn new(kind: FaultKind, source: impl Into<String>) -> Self {
        Self { kind, retry_safe: false, source: source.into() }
    }

    /// A fault that came before the upstream can have seen a byte of the request.
    #[must_use]
    pub fn before_sending(kind: FaultKind, source: impl Into<String>) -> Self {
        Self { kind, retry_safe: true, source: source.into() }
    }
}

// === impl FaultKind ===

impl FaultKind {
    /// What the caller is told.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::NoTarget | Self::Resolve | Self::Connect => Reason::UpstreamUnreachable,
            Self::Unhealthy => Reason::UpstreamUnhealthy,
            Self::Busy => Reason::UpstreamBusy,
            Self::Tls => Reason::UpstreamTls,
            Self::ConnectTimeout | Self::Timeout => Reason::UpstreamTimeout,
            Self::Closed | Self::Truncated => Reason::UpstreamClosed,
            Self::Malformed => Reason::UpstreamMalformed,
            Self::Internal => Reason::Internal,
        }
    }

    /// The error type of RFC 9209 section 2.3 for `Proxy-Status`.
    #[must_use]
    pub const fn proxy_status(self) -> &'static str {
        match self {
            Self::NoTarget | Self::Unhealthy => "destination_unavailable",
            Self::Busy => "connection_limit_reached",
            Self::Resolve => "dns_error",
            Self::Connect => "connection_refused",
            Self::ConnectTimeout => "connection_timeout",
            Self::Tls => "tls_protocol_error",
            Self::Closed => "connection_terminated",
            Self::Timeout => "http_response_timeout",
            Self::Malformed => "http_protocol_error",
            Self::Truncated => "http_response_incomplete",
            Self::Internal => "proxy_internal_error",
        }
    }
}
