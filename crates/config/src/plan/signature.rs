//! Requests that are signed: whose signatures, and what they have to cover.

use std::path::PathBuf;
use std::sync::Arc;

use portcullis_auth::signature::SignatureRules;
use portcullis_types::Secret;

/// Somebody who signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerPlan {
    /// Who calls.
    pub name: Arc<str>,
    /// His keys.
    pub keys: SignerKeys,
    /// What he may do.
    pub scopes: Vec<String>,
    /// As whom.
    pub roles: Vec<String>,
}

/// The keys of somebody who signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerKeys {
    /// A file's.
    File(PathBuf),
    /// A secret that is shared with him, for HMAC with SHA-256.
    Secret {
        /// The `keyid` of its signatures.
        id: String,
        /// The secret.
        secret: Secret,
    },
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
