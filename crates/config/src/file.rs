//! What people write, exactly. The comments here are the reference page and the descriptions in the JSON Schema; what a
//! setting means for others is decided in `check`.

mod accounts;
mod admin;
mod alerts;
mod anomalies;
mod api;
mod authz;
mod bodies;
mod calls;
mod cors;
pub(crate) mod defaults;
mod dns;
mod feed;
mod headers;
mod http2;
mod identity;
mod lifecycle;
mod limits;
mod listener;
mod logs;
mod mask;
mod pool;
mod portal;
mod proofs;
mod shared_store;
mod signature;
mod tracing;
mod validation;
mod waf;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) use accounts::{KeyOffer, PortalAccounts};
pub(crate) use admin::{Admin, AdminSession, Role};
pub(crate) use alerts::{Alerts, Email, Webhook};
pub(crate) use anomalies::{Anomalies, AnomalyMode, AnomalyPoints};
pub(crate) use api::UpstreamTls;
pub(crate) use api::{Api, Route, Upstream, Version};
pub(crate) use authz::{
    Authz, AuthzCallers, AuthzEffect, AuthzMode, AuthzRule, Cedar, CedarShape, Day, Hours, Learned, LearnedMode,
    ProtectedFields,
};
pub(crate) use bodies::{Bodies, Json};
pub(crate) use calls::{GraphQl, Grpc};
pub(crate) use cors::Cors;
pub(crate) use dns::Dns;
pub(crate) use feed::{Feed, FeedStage};
pub(crate) use headers::{HeaderProfile, Headers};
pub(crate) use http2::{Floods, Http2, Protocol, Streams, WebSocket};
pub(crate) use identity::{
    ApiKeys, Authn, IdentityToken, Introspection, IntrospectionClient, Issuer, Jwks, JwksSecret, Means,
    SecretAlgorithm, Store, TokenAlgorithm, TokenProfile,
};
pub(crate) use lifecycle::{Brownout, VersionBy};
pub(crate) use limits::{Amounts, AnswerCost, KeyPart, Limit, Limits, Mode, TierBy, Tiers, Unit};
pub(crate) use listener::{Certificate, Listener, ListenerLimits, ListenerTls, MinVersion, ProxyProtocol, SelfSigned};
pub(crate) use logs::{AccessFormat, AccessLog, Buffer, Facility, LogTo, Rotate, SecurityFormat, SecurityLog, Syslog};
pub(crate) use mask::{Detect, Errors, Generalise, MaskRule, Show};
pub(crate) use pool::{Adaptive, Balance, Breaker, Ejection, HashBy, Health, Probe, Queue, Retries, Urgency};
pub(crate) use portal::{Accent, Portal, PortalSecurity};
pub(crate) use proofs::{CertificateName, ClientAuth, ClientAuthMode, Dpop, Mtls, Proofs};
pub(crate) use shared_store::SharedStore;
pub(crate) use signature::{Signature, Signer, SignerSecret};
pub(crate) use tracing::{Continues, Tracing};
pub(crate) use validation::{ContractMode, Validation};
pub(crate) use waf::{Waf, WafMode, WafRules};

use crate::scalar::{Address, Count, FileName, Flag, Period, Size, Text};

/// A configuration of Portcullis.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The version of this format; `1`.
    pub(crate) version: Count,
    /// More files. Sections of the same name become one; a name that stands in two files is a mistake. An included file
    /// may include others.
    #[expect(
        dead_code,
        reason = "files are joined before the tree is read; the field is here for schema and reference"
    )]
    pub(crate) include: Option<Vec<FileName>>,
    /// Threads that carry requests. By default one per core.
    #[schemars(extend("minimum" = 1, "maximum" = defaults::MAX_WORKERS))]
    pub(crate) workers: Option<Count>,
    /// Where clients connect, by name.
    pub(crate) listeners: IndexMap<String, Listener>,
    /// Where operators look: `/livez`, `/readyz`, `/metrics` and the pages that explain problems.
    pub(crate) status: Option<Status>,
    /// Where commands and people reach the running gateway.
    pub(crate) admin: Option<Admin>,
    /// Pages for developers who integrate with the APIs. Nothing is served without it.
    pub(crate) portal: Option<Portal>,
    /// One record per request.
    pub(crate) access_log: Option<AccessLog>,
    /// What is of interest to whoever looks for attacks.
    pub(crate) security_log: Option<SecurityLog>,
    /// What happens when the gateway is asked to stop.
    pub(crate) shutdown: Option<Shutdown>,
    /// Keys of consumers and revocations of tokens, kept on this machine.
    pub(crate) store: Option<Store>,
    /// Accounts of limits, kept for several gateways together.
    pub(crate) shared_store: Option<SharedStore>,
    /// What API keys look like and where they come.
    pub(crate) api_keys: Option<ApiKeys>,
    /// What the gateway signs about callers for the servers behind it: `X-Identity-Token`. Nothing without it.
    pub(crate) identity_token: Option<IdentityToken>,
    /// Whose tokens can be accepted, by name.
    pub(crate) issuers: Option<IndexMap<String, Issuer>>,
    /// Where the names of targets are looked up.
    pub(crate) dns: Option<Dns>,
    /// Who signs requests, by name.
    pub(crate) signers: Option<IndexMap<String, Signer>>,
    /// How proofs that a token is the caller's are judged.
    pub(crate) proofs: Option<Proofs>,
    /// What hashes and tokens of masked values are made with: at least 32 random bytes, as `{ env: NAME }` or `{ file: PATH }`. It is never
    /// shown. Another one makes other hashes and tokens.
    pub(crate) mask_key: Option<Text>,
    /// Settings for every API.
    pub(crate) defaults: Option<Defaults>,
    /// What is served, by name.
    pub(crate) apis: IndexMap<String, Api>,
    /// What is unusual for a caller, and what follows from it.
    pub(crate) anomalies: Option<Anomalies>,
    /// Who is told when something is wrong.
    pub(crate) alerts: Option<Alerts>,
    /// Signed bundles of virtual patches and rules.
    pub(crate) feed: Option<Feed>,
    /// Traces, and where spans and access records are sent.
    pub(crate) tracing: Option<Tracing>,
}

/// Where operators look.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Status {
    /// The address. Others than loopback need `danger_exposed: true`.
    #[schemars(extend("default" = defaults::STATUS_BIND))]
    pub(crate) bind: Option<Address>,
    /// Lets everybody who reaches the address read status and metrics.
    #[schemars(extend("default" = false))]
    pub(crate) danger_exposed: Option<Flag>,
}

/// What happens when the gateway is asked to stop.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shutdown {
    /// How long requests are still taken after `/readyz` has gone down: as long as a load balancer needs to notice.
    #[schemars(extend("default" = defaults::SHUTDOWN_GRACE.to_string()))]
    pub(crate) grace: Option<Period>,
    /// How long open requests may go on. The last records get three seconds more.
    #[schemars(extend("default" = defaults::SHUTDOWN_DEADLINE.to_string()))]
    pub(crate) deadline: Option<Period>,
}

/// Settings for every API. The nearest one counts: a route's, then its version's, its API's, and these.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Defaults {
    /// How callers are identified. There is no built-in answer: a route for which nobody has decided is refused when the
    /// configuration is loaded.
    pub(crate) authn: Option<Authn>,
    /// What callers may do.
    pub(crate) authz: Option<Authz>,
    /// The largest request body.
    #[schemars(extend("default" = defaults::BODY_BYTES.to_string()))]
    pub(crate) body_bytes: Option<Size>,
    /// What bodies may be that the gateway looks into.
    pub(crate) bodies: Option<Bodies>,
    /// How messages are held to contracts, where an API has one.
    pub(crate) validation: Option<Validation>,
    /// Whether `;` may stand in a path segment.
    #[schemars(extend("default" = false))]
    pub(crate) allow_path_parameters: Option<Flag>,
    /// What callers may ask for, by name. A limit counts where it is written: these count the requests to all APIs together.
    /// Built in are `per_address: { rate: 100/s, burst: 200 }` and `per_principal: { rate: 50/s, burst: 100 }`; another level
    /// says something else, or `per_address: { mode: off }`.
    pub(crate) limits: Option<Limits>,
    /// Whether answers of limited routes carry the older `X-RateLimit-*` fields as well.
    #[schemars(extend("default" = false))]
    pub(crate) legacy_limit_headers: Option<Flag>,
    /// How requests are looked at for attacks.
    pub(crate) waf: Option<Waf>,
    /// What answers tell browsers to refuse. The section of an API takes the place of this one.
    pub(crate) headers: Option<Headers>,
    /// What becomes of errors of servers.
    #[schemars(extend("default" = "scrub"))]
    pub(crate) errors: Option<Errors>,
    /// How requests are forwarded.
    pub(crate) upstream: Option<UpstreamDefaults>,
    /// Settings that nothing below may change.
    pub(crate) locked: Option<Vec<Lockable>>,
}

/// How requests are forwarded, for every API.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpstreamDefaults {
    /// From the end of a request's head to the end of its answer.
    #[schemars(extend("default" = defaults::TIMEOUT.to_string()))]
    pub(crate) timeout: Option<Period>,
    /// To open a connection, TLS included.
    #[schemars(extend("default" = defaults::CONNECT_TIMEOUT.to_string()))]
    pub(crate) connect_timeout: Option<Period>,
    /// From the end of a request to the first byte of its answer.
    #[schemars(extend("default" = defaults::FIRST_BYTE_TIMEOUT.to_string()))]
    pub(crate) first_byte_timeout: Option<Period>,
    /// How long an unused connection is kept.
    #[schemars(extend("default" = defaults::UPSTREAM_IDLE_TIMEOUT.to_string()))]
    pub(crate) idle_timeout: Option<Period>,
    /// Unused connections that are kept per worker and target.
    #[schemars(extend("default" = defaults::IDLE_CONNECTIONS.0), extend("minimum" = 0, "maximum" = defaults::MAX_IDLE_CONNECTIONS))]
    pub(crate) idle_connections: Option<Count>,
}

/// A setting that can be locked under `defaults`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lockable {
    /// How callers are identified.
    Authn,
    /// What callers may do: below, only rules that refuse or require can be added.
    Authz,
    /// The largest request body.
    BodyBytes,
    /// Whether `;` may stand in a path segment.
    AllowPathParameters,
    /// The limits that `defaults` has: others may be added below, these not be changed.
    Limits,
    /// How requests are looked at for attacks.
    Waf,
    /// What bodies may be that the gateway looks into.
    Bodies,
    /// How messages are held to contracts.
    Validation,
    /// From the end of a request's head to the end of its answer.
    Timeout,
    /// To open a connection.
    ConnectTimeout,
    /// From the end of a request to the first byte of its answer.
    FirstByteTimeout,
    /// How long an unused connection is kept.
    IdleTimeout,
    /// Unused connections that are kept.
    IdleConnections,
}
