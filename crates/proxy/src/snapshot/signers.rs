//! Who signs requests, with keys read.

use super::CompileError;
use portcullis_auth::KeySet;
use portcullis_auth::jwt::{Algorithm, VerifyingKey};
use portcullis_auth::signature::{SignatureAlgorithm, SignatureRules};
use portcullis_config::plan::{IdentityPlan, SignatureDemand, SignerKeys, SignerPlan};
use std::collections::HashMap;
use std::sync::Arc;

/// Keys that sign, by the `kid` that signatures name.
#[derive(Debug, Default)]
pub(crate) struct Signers(HashMap<String, Signer>);

/// One key and whose it is.
#[derive(Debug)]
pub(crate) struct Signer {
    pub(crate) name: Arc<str>,
    pub(crate) scopes: Vec<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) key: (SignatureAlgorithm, VerifyingKey),
}

/// What a route demands of signatures.
#[derive(Debug)]
pub(crate) struct Signing {
    pub(crate) signers: Vec<Arc<str>>,
    pub(crate) rules: SignatureRules,
    pub(crate) body_bytes: u64,
}

// === impl Signers ===

impl Signers {
    pub(super) fn compile(plan: &IdentityPlan) -> Result<Self, CompileError> {
        let mut keys = HashMap::new();
        for signer in &plan.signers {
            let cannot = |error: String| CompileError::Signer { signer: signer.name.to_string(), error };
            let set = match &signer.keys {
                SignerKeys::File(path) => super::access::key_set(path).map_err(cannot)?,
                SignerKeys::Secret { id, secret } => {
                    let bytes = secret.expose().as_bytes().to_vec();
                    let key = VerifyingKey::secret(Some(id.clone()), Algorithm::Hs256, bytes);
                    KeySet::of(vec![key.map_err(|_| cannot("the secret is too short".to_owned()))?])
                }
            };
            if usable(&set).next().is_none() {
                return Err(cannot("none of its keys has a `kid` and an algorithm that signs requests".to_owned()));
            }
            for (id, key) in usable(&set) {
                let signer = Signer::new(signer, key);
                let before = keys.insert(id.clone(), signer);
                if let Some(before) = before {
                    return Err(cannot(format!("the key `{id}` is one of `{}` as well", before.name)));
                }
            }
        }
        Ok(Self(keys))
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Signer> {
        self.0.get(id)
    }
}

/// Keys that have a name, and an algorithm that signatures of requests use.
fn usable(set: &KeySet) -> impl Iterator<Item = (String, (SignatureAlgorithm, VerifyingKey))> {
    set.iter().filter_map(|key| {
        let algorithm = [
            (Algorithm::EdDsa, SignatureAlgorithm::Ed25519),
            (Algorithm::Es256, SignatureAlgorithm::EcdsaP256Sha256),
            (Algorithm::Ps512, SignatureAlgorithm::RsaPssSha512),
            (Algorithm::Hs256, SignatureAlgorithm::HmacSha256),
        ];
        let (_, algorithm) = algorithm.into_iter().find(|(token, _)| key.allows(*token))?;
        Some((key.id()?.to_owned(), (algorithm, key.clone())))
    })
}

// === impl Signer ===

impl Signer {
    fn new(plan: &SignerPlan, key: (SignatureAlgorithm, VerifyingKey)) -> Self {
        Self { name: Arc::clone(&plan.name), scopes: plan.scopes.clone(), roles: plan.roles.clone(), key }
    }
}

// === impl Signing ===

impl Signing {
    /// Clocks may be as far apart as with proofs.
    pub(super) fn compile(demand: &SignatureDemand, plan: &IdentityPlan) -> Self {
        let rules = SignatureRules { skew_seconds: plan.proofs.clock_skew.as_secs(), ..demand.rules.clone() };
        Self { signers: demand.signers.clone(), rules, body_bytes: demand.body_bytes }
    }
}
