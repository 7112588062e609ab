//! The stages of a request's life, in the order in which they decide.

/// Where a decision was made. The order of the variants is the order of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// A connection is taken or turned away.
    Accept,
    /// The TLS handshake.
    Tls,
    /// The bytes become a message head.
    Head,
    /// The target becomes canonical.
    Target,
    /// The API, its version and its operation are found.
    Route,
    /// Limits by address and connection, before any cryptography.
    Guard,
    /// Cross-origin rules; a preflight may end here.
    Cors,
    /// Who calls.
    Identify,
    /// What they may do.
    Permit,
    /// Whether the caller has budget.
    Charge,
    /// The body arrives, within bounds.
    Receive,
    /// Whether the message fits its contract.
    Conform,
    /// Whether the message is an attack.
    Inspect,
    /// The request goes to an upstream.
    Forward,
    /// The answer is made fit to leave.
    Shape,
}

// === impl Stage ===

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 15] = [
        Self::Accept,
        Self::Tls,
        Self::Head,
        Self::Target,
        Self::Route,
        Self::Guard,
        Self::Cors,
        Self::Identify,
        Self::Permit,
        Self::Charge,
        Self::Receive,
        Self::Conform,
        Self::Inspect,
        Self::Forward,
        Self::Shape,
    ];

    /// The name in records, metrics and pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Tls => "tls",
            Self::Head => "head",
            Self::Target => "target",
            Self::Route => "route",
            Self::Guard => "guard",
            Self::Cors => "cors",
            Self::Identify => "identify",
            Self::Permit => "permit",
            Self::Charge => "charge",
            Self::Receive => "receive",
            Self::Conform => "conform",
            Self::Inspect => "inspect",
            Self::Forward => "forward",
            Self::Shape => "shape",
        }
    }
}
