//! Who may call a route, compiled: rules of issuers with their keys, and what a route asks of them.

use super::CompileError;
use super::signers::{Signers, Signing};
use crate::identity::{Introspector, Remote};
use portcullis_auth::dpop::ProofRules;
use portcullis_auth::jwt::VerifyingKey;
use portcullis_auth::outward::Offer;
use portcullis_auth::principal::{Demand, Scheme};
use portcullis_auth::{KeySet, Rules};
use portcullis_config::plan::{ApiPlan, Authn, IdentityPlan, IssuerPlan, JwksPlan, ProofDemand};
use portcullis_h1::{Fields, Known};
use portcullis_types::Millis;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

// LIMIT: bytes of a key set.
const JWKS_BYTES_MAX: u64 = 1024 * 1024;

/// Who may call a route.
#[derive(Debug)]
pub(crate) enum Access {
    /// Anybody.
    Public,
    /// Nobody.
    Refuse,
    /// Whoever proves who he is.
    Demand(Box<Demands>),
}

/// What a route demands.
#[derive(Debug)]
pub(crate) struct Demands {
    pub(crate) demand: Demand,
    /// Indices into the snapshot's issuers.
    pub(crate) issuers: Vec<usize>,
    /// The one that is asked about tokens which say nothing themselves.
    pub(crate) introspection: Option<usize>,
    /// What is said to whoever is not accepted.
    pub(crate) offer: Offer,
    /// As it is shown to operators.
    pub(crate) text: String,
    pub(crate) proofs: ProofDemand,
    pub(crate) signing: Option<Signing>,
    takes_tokens: bool,
    forward_credential: bool,
}

/// An issuer with its keys.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) rules: Rules,
    pub(crate) keys: IssuerKeys,
    pub(crate) introspector: Option<Arc<Introspector>>,
    pub(crate) roles_claim: String,
}

/// The keys of an issuer.
#[derive(Debug)]
pub(crate) enum IssuerKeys {
    /// Of a file, for as long as the snapshot stands.
    Here(Arc<KeySet>),
    /// At an address.
    There(Arc<Remote>),
    /// None: its tokens are not verified here.
    Nowhere,
}

/// Everything that demands are judged by.
#[derive(Debug, Default)]
pub(crate) struct Callers {
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) key_field: String,
    pub(crate) key_prefix: String,
    pub(crate) signers: Signers,
    pub(crate) proofs: ProofRules,
    /// Whether proofs need nonces, which are not part of any configuration.
    pub(crate) needs_nonces: bool,
    /// Whether callers are spoken of to servers by what the gateway signs.
    pub(crate) states: bool,
}

// === impl Access ===

impl Access {
    /// Whether this method is one of several that a caller has to prove himself by.
    pub(crate) fn demands_all(&self, scheme: Scheme) -> bool {
        match self {
            Self::Public | Self::Refuse => false,
            Self::Demand(demands) => match &demands.demand {
                Demand::AllOf(schemes) => schemes.contains(&scheme),
                Demand::AnyOf { .. } => false,
            },
        }
    }
}

// === impl Access ===

impl Access {
    pub(super) fn compile(authn: &Authn, api: &ApiPlan, plan: &IdentityPlan) -> Self {
        let demand = match authn {
            Authn::Public => return Self::Public,
            Authn::Refuse => return Self::Refuse,
            Authn::Demand(demand) => demand,
        };
        let schemes = demand.schemes();
        let index = |name: &std::sync::Arc<str>| plan.issuers.iter().position(|issuer| issuer.name == *name);
        Self::Demand(Box::new(Demands {
            demand: demand.demand.clone(),
            issuers: demand.issuers.iter().filter_map(index).collect(),
            introspection: demand.introspection.as_ref().and_then(index),
            takes_tokens: schemes.contains(&Scheme::Jwt) || schemes.contains(&Scheme::Introspection),
            offer: demand.offer(api, plan),
            proofs: demand.proofs.clone(),
            signing: demand.proofs.signature.as_ref().map(|signature| Signing::compile(signature, plan)),
            text: demand.text.clone(),
            forward_credential: api.forward_credential,
        }))
    }

    /// The name in records.
    pub(crate) const fn decision(&self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Refuse => "refuse",
            Self::Demand(_) => "demand",
        }
    }

    /// Whether a field is a credential that the server behind the gateway does not get. A key never leaves the gateway by
    /// way of a route that takes tokens either.
    pub(crate) fn keeps(&self, known: Known, name: &[u8]) -> bool {
        match self {
            Self::Public | Self::Refuse => false,
            Self::Demand(demands) if demands.forward_credential => false,
            Self::Demand(demands) => {
                (demands.takes_tokens && (known == Known::Authorization || name.eq_ignore_ascii_case(b"dpop")))
                    || name.eq_ignore_ascii_case(demands.offer.key_field.as_bytes())
                    || (demands.signing.is_some()
                        && (name.eq_ignore_ascii_case(b"signature") || name.eq_ignore_ascii_case(b"signature-input")))
            }
        }
    }
}

// === impl Callers ===

impl Callers {
    /// The credential that a request shows, whatever it is worth.
    pub(crate) fn shown<'f>(&self, fields: Fields<'f>) -> Option<&'f [u8]> {
        let key = || fields.iter().find(|field| field.name.eq_ignore_ascii_case(self.key_field.as_bytes()));
        fields.first(Known::Authorization).or_else(|| key().map(|field| field.value))
    }

    pub(super) fn compile(plan: &IdentityPlan) -> Result<Self, CompileError> {
        let issuers = plan.issuers.iter().map(Issuer::compile).collect::<Result<_, _>>()?;
        Ok(Self {
            issuers,
            key_field: plan.key_field.clone(),
            key_prefix: plan.key_prefix.clone(),
            signers: Signers::compile(plan)?,
            proofs: ProofRules {
                algorithms: plan.proofs.algorithms.clone(),
                window_seconds: plan.proofs.window.as_secs(),
                skew_seconds: plan.proofs.clock_skew.as_secs(),
                nonces: None,
            },
            needs_nonces: plan.proofs.nonce,
            states: plan.statement.is_some(),
        })
    }
}

// === impl IssuerKeys ===

impl IssuerKeys {
    /// The keys, if they may be believed.
    pub(crate) fn find(&self, now: Millis) -> Option<Arc<KeySet>> {
        match self {
            Self::Here(keys) => Some(Arc::clone(keys)),
            Self::There(remote) => remote.keys(now),
            Self::Nowhere => None,
        }
    }

    /// Whether there are keys that may be believed.
    pub(crate) fn are_fresh(&self, now: Millis) -> bool {
        match self {
            Self::Here(_) => true,
            Self::There(remote) => remote.is_fresh(now),
            Self::Nowhere => false,
        }
    }

    /// Grows with every change within a snapshot.
    pub(crate) fn generation(&self) -> u64 {
        match self {
            Self::Here(_) | Self::Nowhere => 0,
            Self::There(remote) => remote.generation(),
        }
    }
}

// === impl Issuer ===

impl Issuer {
    fn compile(plan: &IssuerPlan) -> Result<Self, CompileError> {
        let keys = match &plan.jwks {
            Some(JwksPlan::File(path)) => IssuerKeys::Here(Arc::new(
                key_set(path).map_err(|error| CompileError::Issuer { issuer: plan.name.to_string(), error })?,
            )),
            Some(JwksPlan::Address(remote)) => {
                IssuerKeys::There(Arc::new(Remote::new(Arc::clone(&plan.name), remote.clone())))
            }
            Some(JwksPlan::Secret { id, algorithm, secret }) => {
                let bytes = secret.expose().as_bytes().to_vec();
                let key = VerifyingKey::secret(id.clone(), *algorithm, bytes).map_err(|_| CompileError::Issuer {
                    issuer: plan.name.to_string(),
                    error: "the secret is too short".to_owned(),
                })?;
                IssuerKeys::Here(Arc::new(KeySet::of(vec![key])))
            }
            None => IssuerKeys::Nowhere,
        };
        let introspector = plan.introspection.as_ref().map(|asked| Introspector::compile(plan, asked).map(Arc::new));
        Ok(Self {
            rules: plan.rules(),
            keys,
            introspector: introspector.transpose()?,
            roles_claim: plan.roles_claim.clone(),
        })
    }
}

/// The keys of a file.
///
/// # Errors
/// In words: what is wrong with it.
pub(super) fn key_set(path: &Path) -> Result<KeySet, String> {
    let cannot = |why: String| format!("{}: {why}", path.display());
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| cannot(error.to_string()))?;
    std::io::copy(&mut file.take(JWKS_BYTES_MAX), &mut bytes).map_err(|error| cannot(error.to_string()))?;
    let keys = KeySet::from_json(&bytes).map_err(|_| cannot("it is not a key set".to_owned()))?;
    if keys.is_empty() {
        return Err(cannot("it holds no key that can be used".to_owned()));
    }
    Ok(keys)
}
