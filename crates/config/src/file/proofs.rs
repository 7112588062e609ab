//! What callers prove besides who they are, as people write it: that a token is theirs, that a certificate is.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{TokenAlgorithm, defaults};
use crate::scalar::{Count, FileName, Flag, Period};

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

/// Certificates of clients, which every connection of the listener is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientAuth {
    /// The authorities that vouch for clients, in PEM. A change of a file is taken over.
    pub(crate) ca_files: Vec<FileName>,
    /// Whether a client without a certificate may connect. One that is not good never may.
    #[schemars(extend("default" = "required"))]
    pub(crate) mode: Option<ClientAuthMode>,
    /// Lists of revoked certificates, in PEM; a change of a file is taken over. Where there are any, each authority that
    /// takes part needs one whose time is not over, or nobody can tell whether a certificate was revoked, and it is refused.
    #[schemars(extend("default" = Vec::<String>::new()))]
    pub(crate) crl_files: Option<Vec<FileName>>,
    /// How many certificates a client may send between its own and an authority.
    #[schemars(extend("default" = defaults::INTERMEDIATES.0), extend("minimum" = 0, "maximum" = defaults::MAX_INTERMEDIATES))]
    pub(crate) intermediates: Option<Count>,
}

/// Whether a client without a certificate may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientAuthMode {
    /// None may.
    Required,
    /// Any may; what it may call is decided by each route.
    Optional,
}

/// Certificates of clients that are accepted: those that a listener's `client_auth` vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mtls {
    /// Which name in the certificate says who calls: the one name of the first kind of which it has any. Several of that
    /// kind identify nobody.
    #[schemars(extend("default" = ["san_uri", "san_dns"]))]
    pub(crate) names: Option<Vec<CertificateName>>,
}

/// A kind of name in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CertificateName {
    /// A URI among the alternative names, as SPIFFE uses it.
    SanUri,
    /// A DNS name there.
    SanDns,
    /// A mail address there.
    SanEmail,
    /// The common name of the subject.
    CommonName,
}
