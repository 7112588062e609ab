//! Requests that are signed: whose signatures, and what they have to cover.

use std::path::PathBuf;
use std::sync::Arc;

use portcullis_auth::signature::SignatureRules;

/// Somebody who signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerPlan {
    /// Who calls.
    pub name: Arc<str>,
    /// His keys.
    pub jwks_file: PathBuf,
    /// What he may do.
    pub scopes: Vec<String>,
    /// As whom.
    pub roles: Vec<String>,
}

/// What a demand says about signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureDemand {
    /// Whose are accepted; never empty.
    pub signers: Vec<Arc<str>>,
    /// What they have to be.
    pub rules: SignatureRules,
    /// The largest body that is held back.
    pub body_bytes: u64,
}
