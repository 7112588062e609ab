//! What callers prove besides who they are: that a token is theirs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::SignatureDemand;
use portcullis_auth::Algorithm;
use portcullis_auth::certificate::NameRule;

/// Whether tokens are bound to a key of their holder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dpop {
    /// None that is bound is accepted.
    Off,
    /// Those that are bound come with a proof.
    #[default]
    Allowed,
    /// All are.
    Required,
}

/// What a demand says about proofs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProofDemand {
    /// About keys that tokens are bound to.
    pub dpop: Dpop,
    /// The same of tokens whose issuer is asked.
    pub introspected: Dpop,
    /// Which names in a certificate count; empty where none is looked at.
    pub certificate_names: Vec<NameRule>,
    /// About signatures over requests; `None` where none is looked at.
    pub signature: Option<Arc<SignatureDemand>>,
}

/// How proofs are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofPlan {
    /// How old a proof may be.
    pub window: Duration,
    /// How far in the future its time may be.
    pub clock_skew: Duration,
    /// Whether it needs a nonce of ours.
    pub nonce: bool,
    /// The algorithms that are accepted; never empty.
    pub algorithms: Vec<Algorithm>,
    /// How many are remembered at once.
    pub remembered: usize,
}

impl Default for ProofPlan {
    fn default() -> Self {
        use crate::file::defaults;
        Self {
            window: Duration::from_millis(defaults::PROOF_WINDOW.as_millis()),
            clock_skew: Duration::from_millis(defaults::PROOF_SKEW.as_millis()),
            nonce: false,
            algorithms: Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric()).collect(),
            remembered: usize::try_from(defaults::PROOFS_REMEMBERED.0).unwrap_or(usize::MAX),
        }
    }
}

/// How a listener asks clients for certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAuthPlan {
    /// Authorities that vouch for clients; never empty.
    pub ca_files: Vec<PathBuf>,
    /// Lists of what they have revoked.
    pub crl_files: Vec<PathBuf>,
    /// Whether nobody connects without one.
    pub required: bool,
    /// How many may stand between a client's and an authority's.
    pub intermediates: usize,
}
