//! What callers prove besides who they are, as people write it: that a token is theirs.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{TokenAlgorithm, defaults};
use crate::scalar::{Count, Flag, Period};

/// Whether tokens may, or have to, be bound to a key of their holder (DPoP, RFC 9449).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dpop {
    /// No proof is accepted, and so no token that is bound to a key.
    Off,
    /// A token that is bound to a key comes with a proof, any other one without.
    Allowed,
    /// Only tokens that are bound to a key, each time with a proof.
    Required,
}

/// How proofs that a token is the caller's are judged (DPoP, RFC 9449).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proofs {
    /// How old a proof may be.
    #[schemars(extend("default" = defaults::PROOF_WINDOW.to_string()))]
    pub(crate) window: Option<Period>,
    /// How far in the future its time may be.
    #[schemars(extend("default" = defaults::PROOF_SKEW.to_string()))]
    pub(crate) clock_skew: Option<Period>,
    /// Whether a proof needs a nonce of ours, which a caller gets with a first refusal and which is good for five minutes:
    /// so that none can be made long before it is used.
    #[schemars(extend("default" = false))]
    pub(crate) nonce: Option<Flag>,
    /// The algorithms that are accepted. By default every asymmetric one; a key works with those of its own type only.
    pub(crate) algorithms: Option<Vec<TokenAlgorithm>>,
    /// Proofs and nonces that are remembered at once, 16 bytes each, so that none is used twice. While there is no room for
    /// another one, callers get 503.
    #[schemars(extend("default" = defaults::PROOFS_REMEMBERED.0), extend("minimum" = 1000, "maximum" = defaults::MAX_PROOFS_REMEMBERED))]
    pub(crate) remembered: Option<Count>,
}
