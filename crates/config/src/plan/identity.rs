//! Who calls: what routes demand, whose tokens are believed, where keys are kept.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use portcullis_auth::introspect::AnswerRules;
use portcullis_auth::network::Network;
use portcullis_auth::principal::Demand;
use portcullis_types::Secret;

use super::{ProofDemand, ProofPlan, SignerPlan, UpstreamTlsPlan};
use portcullis_auth::{Algorithm, Profile, Rules};

/// How callers are identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authn {
    /// Anybody may call; the caller is anonymous.
    Public,
    /// Nobody may call.
    Refuse,
    /// Whoever proves who he is.
    Demand(Arc<DemandPlan>),
}

/// What a route demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemandPlan {
    /// The methods.
    pub demand: Demand,
    /// Names of the issuers whose tokens are accepted; empty where none is.
    pub issuers: Vec<Arc<str>>,
    /// The name of the issuer that is asked about tokens which say nothing themselves.
    pub introspection: Option<Arc<str>>,
    /// What has to be proved besides.
    pub proofs: ProofDemand,
    /// As it is shown: `jwt (corp) or api_key`.
    pub text: String,
}

/// What the routes' demands are judged with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPlan {
    /// The folder of the store.
    pub store: Option<PathBuf>,
    /// The field in which an API key comes, in lower case.
    pub key_field: String,
    /// What every API key begins with.
    pub key_prefix: String,
    /// Whose tokens can be accepted.
    pub issuers: Vec<IssuerPlan>,
    /// Who signs requests.
    pub signers: Vec<SignerPlan>,
    /// How proofs are judged.
    pub proofs: ProofPlan,
    /// What the gateway signs about callers.
    pub statement: Option<StatementPlan>,
}

/// What the gateway signs about callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementPlan {
    /// Its `iss`.
    pub issuer: String,
    /// By what.
    pub keys: StatementKeys,
}

/// By which keys the gateway signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementKeys {
    /// Keys of its own beside the store, each of which signs for so long.
    Store(Duration),
    /// A file's.
    File {
        /// The key that signs.
        current: PathBuf,
        /// The one that is published besides.
        next: Option<PathBuf>,
    },
}

/// One issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerPlan {
    /// Its name in the file.
    pub name: Arc<str>,
    /// The exact `iss`.
    pub issuer: String,
    /// One of these has to be in `aud`; never empty.
    pub audiences: Vec<String>,
    /// Which kind of token is expected.
    pub profile: Profile,
    /// The algorithms that are accepted; never empty.
    pub algorithms: Vec<Algorithm>,
    /// Where its keys are; `None` where its tokens are not verified here.
    pub jwks: Option<JwksPlan>,
    /// How it is asked about tokens, where it is.
    pub introspection: Option<IntrospectionPlan>,
    /// How far its clock may be from ours.
    pub clock_skew: Duration,
    /// Claims that have to be there.
    pub required_claims: Vec<String>,
    /// The claim that holds roles.
    pub roles_claim: String,
}

/// Where the keys of an issuer are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwksPlan {
    /// In a file.
    File(PathBuf),
    /// At an address.
    Address(RemoteJwks),
    /// A secret that is shared with it.
    Secret {
        /// The `kid`, if tokens have one.
        id: Option<String>,
        /// For what.
        algorithm: Algorithm,
        /// The secret.
        secret: Secret,
    },
}

/// Keys at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteJwks {
    /// The address; of an issuer that is asked where they are, its own.
    pub at: Endpoint,
    /// The issuer that is asked where they are, if it is.
    pub discovery: Option<String>,
    /// Thumbprints of the only keys that are accepted; empty for all.
    pub pins: Vec<[u8; 32]>,
    /// How long keys may be used after they were fetched.
    pub max_staleness: Duration,
}

/// A place of an issuer that the gateway asks: over TLS, or on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether it speaks TLS.
    pub secure: bool,
    /// Name or address; an IPv6 address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path and query.
    pub target: String,
    /// How its certificate is verified.
    pub tls: UpstreamTlsPlan,
    /// Networks that are not public in which it may be.
    pub networks: Vec<Network>,
}

/// How an issuer is asked about tokens (RFC 7662).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntrospectionPlan {
    /// The address.
    pub at: Endpoint,
    /// How the gateway proves itself there.
    pub client: ClientPlan,
    /// Whether an answer without `aud` is good.
    pub audience_optional: bool,
    /// Longest life of a good answer.
    pub keep_active: Duration,
    /// Life of a bad answer.
    pub keep_inactive: Duration,
    /// After this a question has failed.
    pub timeout: Duration,
}

/// How the gateway proves itself to an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientPlan {
    /// `client_secret_basic`.
    Basic {
        /// The client's id.
        id: String,
        /// Its secret.
        secret: Secret,
    },
    /// `client_secret_post`.
    Post {
        /// The client's id.
        id: String,
        /// Its secret.
        secret: Secret,
    },
    /// `private_key_jwt`.
    PrivateKeyJwt {
        /// The client's id.
        id: String,
        /// The file of its key.
        key_file: PathBuf,
    },
}

impl IssuerPlan {
    /// What its tokens have to be.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            profile: self.profile,
            issuer: self.issuer.clone(),
            audiences: self.audiences.clone(),
            algorithms: self.algorithms.clone(),
            required_claims: self.required_claims.clone(),
            skew_seconds: self.clock_skew.as_secs(),
        }
    }

    /// What it has to say about a token that says nothing itself.
    #[must_use]
    pub fn answer_rules(&self) -> AnswerRules {
        AnswerRules {
            issuer: self.issuer.clone(),
            audiences: self.audiences.clone(),
            audience_optional: self.introspection.as_ref().is_some_and(|plan| plan.audience_optional),
            skew_seconds: self.clock_skew.as_secs(),
        }
    }
}

impl Default for IdentityPlan {
    fn default() -> Self {
        Self {
            store: None,
            key_field: crate::file::defaults::API_KEY_HEADER.to_ascii_lowercase(),
            key_prefix: crate::file::defaults::API_KEY_PREFIX.to_owned(),
            issuers: Vec::new(),
            signers: Vec::new(),
            proofs: ProofPlan::default(),
            statement: None,
        }
    }
}
