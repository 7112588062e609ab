//! The checked configuration: every default is explicit, every path absolute or relative to the working directory,
//! and nothing in it can be wrong any more. Compiling it into something fast is the data path's business.

mod accounts;
mod admin;
mod alerts;
mod anomalies;
mod listener;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::values::ValueSource;
pub use accounts::{AccountsPlan, OfferPlan};
pub use admin::{AdminPlan, ConsolePlan, Role, UserPlan};
pub use alerts::{AlertsPlan, EmailPlan, MailCipher, WebhookPlan};
pub use anomalies::AnomaliesPlan;
pub use listener::{PacePlan, ProvenancePlan};
use portcullis_contract::graphql;
use portcullis_types::Secret;

mod authz;
mod bodies;
mod calls;
mod contract;
mod cors;
mod feed;
mod headers;
mod http2;
mod identity;
mod lifecycle;
mod limits;
mod logs;
mod portal;
mod proofs;
mod questions;
mod shape;
mod shared_store;
mod signature;
mod spared;
mod tracing;
mod waf;

pub use authz::{AuthzPlan, CedarPlan, LearnedPlan, LearnedRoute, RulePlan};
pub use bodies::BodiesPlan;
pub use calls::GrpcCalls;
pub use contract::{ContractMode, ContractPlan, RouteContract, SecurityPlan};
pub use cors::CorsPlan;
pub use feed::{FeedPlan, FeedSource};
pub use headers::HeadersPlan;
pub use http2::{FloodLimits, Http2Plan, Origins, StreamsPlan, UpstreamProtocol, WebSocketPlan};
pub use identity::{
    Authn, ClientPlan, DemandPlan, Endpoint, IdentityPlan, IntrospectionPlan, IssuerPlan, JwksPlan, RemoteJwks,
    StatementKeys, StatementPlan,
};
pub use lifecycle::{LifecyclePlan, VersionBy};
pub use limits::{AnswerCostPlan, KeyPart, LimitPlan, RouteLimits, TierBy, TiersPlan};
pub use logs::{AccessLogPlan, BufferPlan, LogFormat, LogSink, RotationPlan, SecurityLogPlan, SyslogPlan};
pub use portal::{PortalPlan, SecurityContactPlan};
pub use proofs::{ClientAuthPlan, Dpop, ProofDemand, ProofPlan};
pub use questions::Sight;
pub use shape::{Audience, ErrorsPlan, MaskPlan, ShapePlan, Who};
pub use shared_store::SharedStorePlan;
pub use signature::{SignatureDemand, SignerKeys, SignerPlan};
pub use tracing::{Continue, ExportPlan, SAMPLE_ALL, TracingPlan};
pub use waf::{WafPlan, WafRulesPlan};
mod pool;
pub use pool::{Balance, EjectionPlan, HealthPlan, PoolPlan, Probe, QueuePlan, RetryPlan};

/// Everything that the gateway needs to know before it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where clients connect, in the order of the file.
    pub listeners: Vec<ListenerPlan>,
    /// Where operators look.
    pub status: StatusPlan,
    /// Pages for developers; `None` where none are served.
    pub portal: Option<PortalPlan>,
    /// Where commands and people reach the running gateway.
    pub admin: AdminPlan,
    /// Threads that carry requests; `None` means one per core.
    pub workers: Option<NonZeroUsize>,
    /// Where access records go.
    pub access_log: AccessLogPlan,
    /// Where security records go; `None` where there are none.
    pub security_log: Option<SecurityLogPlan>,
    /// Accounts of limits for several gateways together; `None`: each keeps its own.
    pub shared_store: Option<SharedStorePlan>,
    /// How requests are watched for what is unusual; `None` where nobody looks.
    pub anomalies: Option<AnomaliesPlan>,
    /// Who is told when something is wrong; `None` is nobody.
    pub alerts: Option<AlertsPlan>,
    /// Whose bundles of virtual patches and rules are taken over; `None` where nobody's are.
    pub feed: Option<FeedPlan>,
    /// What is done about traces.
    pub tracing: TracingPlan,
    /// How long requests are still taken once `/readyz` has gone down.
    pub shutdown_grace: Duration,
    /// How long open requests may go on after a stop was asked for.
    pub shutdown_deadline: Duration,
    /// What callers are identified with.
    pub identity: IdentityPlan,
    /// What hashes and tokens of masked values are made with.
    pub mask_key: Option<Secret>,
    /// The name servers that names of targets are asked of; empty for the system's own look-up.
    pub dns: Vec<SocketAddr>,
    /// How requests are looked at for attacks of which no route is known; `None` where they are not.
    pub waf: Option<WafPlan>,
    /// What is served, in the order of the file.
    pub apis: Vec<ApiPlan>,
    /// Settings that weaken the gateway and were asked for; log them at start.
    pub dangers: Vec<Danger>,
    /// What is no mistake, and probably not what was meant; for people who check the configuration.
    pub warnings: Vec<Danger>,
    /// Every file that was read or is named; a change of one is a reason to reload.
    pub watched: Vec<PathBuf>,
    /// Hex digest of all texts that were read.
    pub hash: String,
}

/// One address that accepts connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerPlan {
    /// Its name in the file.
    pub name: Arc<str>,
    /// The address.
    pub bind: SocketAddr,
    /// `None` is plain HTTP.
    pub tls: Option<TlsPlan>,
    /// Whom it believes about where connections come from.
    pub provenance: ProvenancePlan,
    /// What one client may ask of it.
    pub limits: ListenerLimits,
    /// `None` where HTTP/2 is not spoken.
    pub http2: Option<Http2Plan>,
}

/// What one connection may cost; each has a name, so that a refusal can say which one it met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerLimits {
    /// Bytes of request line and header section together.
    pub head_bytes: usize,
    /// Bytes of the request target.
    pub target_bytes: usize,
    /// Header lines in one request.
    pub headers: usize,
    /// From the first byte of a head to its last.
    pub head_timeout: Duration,
    /// Between two requests of a connection.
    pub idle_timeout: Duration,
    /// Between two reads of a body.
    pub body_idle_timeout: Duration,
    /// How slow a client may be.
    pub pace: PacePlan,
    /// Open connections at once.
    pub connections: usize,
    /// Requests before a connection is closed.
    pub requests_per_connection: u64,
}

/// How a listener encrypts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsPlan {
    /// Which certificates it shows.
    pub certificates: CertificateSource,
    /// The oldest protocol version it speaks.
    pub min_version: TlsVersion,
    /// How clients are asked for certificates; `None` where they are not.
    pub client_auth: Option<ClientAuthPlan>,
}

/// Where a listener's certificates come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// Pairs of files; the name that the client asks for chooses among them, the first answers the rest.
    Files(Vec<CertificateFiles>),
    /// Made at start for development; the authority's certificate is left in the directory for clients.
    SelfSigned {
        /// Names and addresses that the certificate holds.
        names: Vec<String>,
        /// Where authority, certificate and keys are kept.
        directory: PathBuf,
    },
}

/// A certificate chain and its private key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CertificateFiles {
    /// The chain, leaf first.
    pub cert_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
}

/// Protocol versions that may be the oldest accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// Where `/livez`, `/readyz`, `/metrics` and the problem pages are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusPlan {
    /// The address.
    pub bind: SocketAddr,
}

/// One API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiPlan {
    /// Its name in the file.
    pub name: Arc<str>,
    /// Hosts that it answers for, never empty.
    pub hosts: Vec<HostPattern>,
    /// Canonical, with a leading and without a trailing slash; empty for the root.
    pub base_path: String,
    /// Whether servers get the credential that a caller was identified by.
    pub forward_credential: bool,
    /// The address by which clients know it, where its metadata is served.
    pub resource: Option<ResourcePlan>,
    /// What pages of other origins may do; `None` is nothing.
    pub cors: Option<Arc<CorsPlan>>,
    /// What answers tell browsers to refuse.
    pub headers: Arc<HeadersPlan>,
    /// Whether `;` may stand in a path segment.
    pub allow_path_parameters: bool,
    /// How a request says which version it is for.
    pub version_by: VersionBy,
    /// Whether servers see nothing of that.
    pub strip_version: bool,
    /// Never empty: an API without versions has one whose name is `None`.
    pub versions: Vec<VersionPlan>,
}

impl ApiPlan {
    /// The servers behind it; those of several routes as often.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &TargetPlan> {
        self.versions.iter().flat_map(|version| &version.routes).flat_map(|route| &route.upstream.targets)
    }
}

/// By what clients know an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePlan {
    /// The whole address, as it is written.
    pub address: String,
    /// Its scheme, host and port: `https://api.example.com`.
    pub origin: String,
    /// Its host.
    pub host: String,
}

/// Which hosts an API answers for; names are lower case and without a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// `*`: any host.
    Any,
    /// This host.
    Exact(String),
    /// `*.example.org` is `.example.org`: any host that ends so and is longer.
    Suffix(String),
}

impl HostPattern {
    /// Whether it is for a host, in lower case and without a port.
    #[must_use]
    pub fn fits(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(name) => name == host,
            Self::Suffix(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
        }
    }

    /// Whether it is for this host alone.
    #[must_use]
    pub fn is_exactly(&self, host: &str) -> bool {
        matches!(self, Self::Exact(name) if name == host)
    }
}

/// One version of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionPlan {
    /// Its name in the file.
    pub name: Option<Arc<str>>,
    /// The segments after the base path that choose it, without slashes at the ends; `None` if it is chosen by something else.
    pub path: Option<String>,
    /// Whether it also answers without its segment.
    pub default: bool,
    /// How it comes to its end; `None` where nothing is said about that.
    pub lifecycle: Option<Arc<LifecyclePlan>>,
    /// The state of its contract that callers know, where that is another document.
    pub published: Option<PathBuf>,
    /// Its operations, in the order of the file.
    pub routes: Vec<RoutePlan>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutePlan {
    /// Given, or made from method and path: `GET /orders/{id}`. Unique within a version.
    pub id: Arc<str>,
    /// Path template below base path and version: `/orders/{id}`, `/files/{*rest}`.
    pub template: String,
    /// Which methods it answers.
    pub methods: Methods,
    /// How callers are identified.
    pub authn: Authn,
    /// What callers may do; `None` where nothing limits it.
    pub authz: Option<Arc<AuthzPlan>>,
    /// The largest request body.
    pub body_bytes: u64,
    /// What a body may be where a stage looks into it.
    pub bodies: BodiesPlan,
    /// What its messages are held to; `None` without a contract.
    pub contract: Option<RouteContract>,
    /// Where requests go.
    pub upstream: Arc<UpstreamPlan>,
    /// From the end of the request's head to the end of the answer.
    pub timeout: Duration,
    /// Whether its requests may go on as WebSocket.
    pub websocket: Option<WebSocketPlan>,
    /// Whether calls of gRPC come here, whose bodies nobody looks into.
    pub grpc: bool,
    /// Which calls are let through; `None` for all. It counts for every request to the route.
    pub grpc_calls: Option<Vec<GrpcCalls>>,
    /// How much requests of GraphQL may ask for; `None` where they are not looked at as such.
    pub graphql: Option<graphql::Limits>,
    /// What callers may ask of it.
    pub limits: RouteLimits,
    /// How its requests are looked at for attacks; `None` where they are not.
    pub waf: Option<WafPlan>,
    /// What of its answers leaves.
    pub shape: Arc<ShapePlan>,
    /// Where the route is written.
    pub origin: Origin,
}

impl RoutePlan {
    /// Whether a stage looks into the bodies of its requests, so that they are held whole before they go on.
    #[must_use]
    pub fn looks_into_bodies(&self) -> bool {
        let contract = self.contract.as_ref().is_some_and(RouteContract::looks_into_bodies);
        let authz = self.authz.as_ref().is_some_and(|authz| authz.looks_into_bodies());
        self.bodies.strict_json || self.waf.is_some() || self.graphql.is_some() || contract || authz
    }
}

/// Which methods a route answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Methods {
    /// Every method.
    Any,
    /// These, in upper case and in the order of the file.
    Only(Vec<String>),
}

/// A set of interchangeable targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamPlan {
    /// The API's name, or `api/version` where a version has its own.
    pub name: Arc<str>,
    /// Never empty.
    pub targets: Vec<TargetPlan>,
    /// To open a connection, TLS included.
    pub connect_timeout: Duration,
    /// From the end of the request to the first byte of the answer.
    pub first_byte_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// Unused connections kept per worker and target.
    pub idle_connections: usize,
    /// Present if, and only if, targets speak TLS.
    pub tls: Option<UpstreamTlsPlan>,
    /// What the targets speak.
    pub protocol: UpstreamProtocol,
    /// What answers that go on may do.
    pub streams: StreamsPlan,
    /// How targets are chosen, watched, relieved and asked again.
    pub pool: PoolPlan,
}

/// One server. Prints as its address, or as where the address came from if it isn't written in the file.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TargetPlan {
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Name or address; an IPv6 address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Present if the address is a value from outside the file, which is never printed.
    pub from: Option<ValueSource>,
}

impl TargetPlan {
    /// Whether what is sent to it stays on this machine.
    #[must_use]
    pub fn is_within_machine(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// How the upstream's certificate is verified; there is no switch to skip that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct UpstreamTlsPlan {
    /// Authorities to trust instead of the built-in ones, PEM.
    pub ca_file: Option<PathBuf>,
    /// The name to ask for and to verify instead of the target's host.
    pub server_name: Option<String>,
    /// What the gateway shows of itself.
    pub client_certificate: Option<CertificateFiles>,
}

/// Where a setting is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The file's name as it was given.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
}

/// A setting that weakens the gateway and was asked for, or that may not be what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Danger {
    /// Where it stands: `listeners.public.danger_plaintext`.
    pub path: String,
    /// What follows from it.
    pub message: String,
    /// File and line.
    pub origin: Origin,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

impl fmt::Display for TargetPlan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        match &self.from {
            Some(from) => write!(formatter, "{from}"),
            None if self.host.contains(':') => write!(formatter, "{scheme}://[{}]:{}", self.host, self.port),
            None => write!(formatter, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Debug for TargetPlan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TargetPlan({self})")
    }
}
