//! Who calls: what routes demand, whose tokens are believed, where keys are kept.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use portcullis_auth::network::Network;
use portcullis_auth::principal::Demand;

use super::UpstreamTlsPlan;
use portcullis_auth::{Algorithm, Profile};

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
    /// Where its keys are.
    pub jwks: JwksPlan,
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
}

/// Keys at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteJwks {
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
    /// How long keys may be used after they were fetched.
    pub max_staleness: Duration,
}

impl Default for IdentityPlan {
    fn default() -> Self {
        Self {
            store: None,
            key_field: crate::file::defaults::API_KEY_HEADER.to_ascii_lowercase(),
            key_prefix: crate::file::defaults::API_KEY_PREFIX.to_owned(),
            issuers: Vec::new(),
        }
    }
}
