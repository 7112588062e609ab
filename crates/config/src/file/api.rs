//! The `apis` section as people write it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Adaptive, Authn, Authz, Balance, Bodies, Breaker, Brownout, Cors, Ejection, Errors, GraphQl, Grpc, Headers, Health,
    Limits, MaskRule, Protocol, Queue, Retries, Streams, Urgency, Validation, VersionBy, Waf, WebSocket, defaults,
};
use crate::scalar::{
    BasePath, Count, FileName, Flag, Host, Method, Period, Size, Target, Template, Text, VersionPath, When,
};

/// One API. It has either `routes` or `versions`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Api {
    /// Hosts that the API answers for; `["*"]` for any.
    pub(crate) hosts: Vec<Host>,
    /// What every path of it begins with.
    #[schemars(extend("default" = "/"))]
    pub(crate) base_path: Option<BasePath>,
    /// How callers of its routes are identified.
    pub(crate) authn: Option<Authn>,
    /// What callers may do.
    pub(crate) authz: Option<Authz>,
    /// Whether the server behind it gets the credential that the caller was identified by. By default it gets the identity
    /// fields instead.
    #[schemars(extend("default" = false))]
    pub(crate) forward_credential: Option<Flag>,
    /// The address by which clients know this API, such as `https://api.example.com/orders`: one of `hosts`, then the base path.
    /// With it the gateway tells them which issuers' tokens the API takes (RFC 9728), at
    /// `/.well-known/oauth-protected-resource` before the base path, and in refusals where that is.
    pub(crate) resource: Option<Text>,
    /// What of answers is not for everybody. Rules of API, version and route count together; of several for one value the strictest.
    pub(crate) mask: Option<Vec<MaskRule>>,
    /// What becomes of errors of servers.
    pub(crate) errors: Option<Errors>,
    /// What answers tell browsers to refuse.
    pub(crate) headers: Option<Headers>,
    /// Which pages of other origins may read answers.
    pub(crate) cors: Option<Cors>,
    /// The largest request body.
    pub(crate) body_bytes: Option<Size>,
    /// What bodies may be that the gateway looks into.
    pub(crate) bodies: Option<Bodies>,
    /// Whether `;` may stand in a path segment. Servers disagree about what it means, so it is refused by default.
    pub(crate) allow_path_parameters: Option<Flag>,
    /// What callers may ask of it, by name.
    pub(crate) limits: Option<Limits>,
    /// How its requests are looked at for attacks.
    pub(crate) waf: Option<Waf>,
    /// Whether answers of limited routes carry the older `X-RateLimit-*` fields as well.
    pub(crate) legacy_limit_headers: Option<Flag>,
    /// Where requests go.
    pub(crate) upstream: Option<Upstream>,
    /// The OpenAPI document (3.0 or 3.1, YAML or JSON) that the API without versions keeps to. Its operations are the routes, unless
    /// `routes` lists those that are served.
    pub(crate) openapi: Option<FileName>,
    /// The contract as callers know it. `portcullis validate` warns where `openapi` breaks it, by the rules of `portcullis contract
    /// diff`.
    pub(crate) published: Option<FileName>,
    /// How messages are held to the contract.
    pub(crate) validation: Option<Validation>,
    /// Operations of an API without versions.
    pub(crate) routes: Option<Vec<Route>>,
    /// Versions, by name.
    pub(crate) versions: Option<IndexMap<String, Version>>,
    /// How a request says which version it is for.
    #[schemars(extend("default" = "path"))]
    pub(crate) version_by: Option<VersionBy>,
    /// Whether the server gets to see what says so: the path segment, the field, the parameter of the query or of `Accept`. By default
    /// a server sees path segments, and nothing of the others.
    pub(crate) strip_version: Option<Flag>,
}

/// One version of an API, chosen by a path segment, or as `version_by` says.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Version {
    /// The segment, or segments, after the base path. By default the version's name.
    pub(crate) path: Option<VersionPath>,
    /// Whether it also answers without its segment. One version may.
    #[schemars(extend("default" = false))]
    pub(crate) default: Option<Flag>,
    /// Since when nobody should begin to use it: callers are told by `Deprecation` (RFC 9745).
    pub(crate) deprecated_at: Option<When>,
    /// From when on it is gone: callers are told by `Sunset` (RFC 8594), and then get 410.
    pub(crate) sunset_at: Option<When>,
    /// A page about what to do instead, told by `Link`.
    pub(crate) deprecation_link: Option<Text>,
    /// Times at which it answers 410, so that those who still call it notice.
    pub(crate) brownouts: Option<Vec<Brownout>>,
    /// Consumers, or subjects of tokens, who are served at these times all the same.
    pub(crate) brownout_exempt: Option<Vec<Text>>,
    /// How callers of its routes are identified.
    pub(crate) authn: Option<Authn>,
    /// What callers may do.
    pub(crate) authz: Option<Authz>,
    /// The largest request body.
    pub(crate) body_bytes: Option<Size>,
    /// What bodies may be that the gateway looks into.
    pub(crate) bodies: Option<Bodies>,
    /// What callers may ask of it, by name.
    pub(crate) limits: Option<Limits>,
    /// How its requests are looked at for attacks.
    pub(crate) waf: Option<Waf>,
    /// What of answers is not for everybody. Rules of API, version and route count together; of several for one value the strictest.
    pub(crate) mask: Option<Vec<MaskRule>>,
    /// What becomes of errors of servers.
    pub(crate) errors: Option<Errors>,
    /// Where requests go; what isn't set here is the API's.
    pub(crate) upstream: Option<Upstream>,
    /// The OpenAPI document (3.0 or 3.1, YAML or JSON) that this version keeps to. Its operations are the routes, unless `routes`
    /// lists those that are served.
    pub(crate) openapi: Option<FileName>,
    /// The contract of this version as callers know it. `portcullis validate` warns where `openapi` breaks it, by the rules of
    /// `portcullis contract diff`.
    pub(crate) published: Option<FileName>,
    /// How messages are held to the contract; what isn't set here is the API's.
    pub(crate) validation: Option<Validation>,
    /// Operations of this version. Not needed where `openapi` has them.
    pub(crate) routes: Option<Vec<Route>>,
}

/// One operation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Route {
    /// Its name in records and on the command line. By default methods and path: `GET /orders/{id}`.
    pub(crate) id: Option<Text>,
    /// The path below base path and version.
    pub(crate) path: Template,
    /// The methods that it answers; `[any]` for every method.
    pub(crate) methods: Vec<Method>,
    /// How callers are identified.
    pub(crate) authn: Option<Authn>,
    /// What callers may do with this operation.
    pub(crate) authz: Option<Authz>,
    /// The largest request body.
    pub(crate) body_bytes: Option<Size>,
    /// What bodies may be that the gateway looks into.
    pub(crate) bodies: Option<Bodies>,
    /// From the end of the request's head to the end of its answer.
    pub(crate) timeout: Option<Period>,
    /// What callers may ask of it, by name.
    pub(crate) limits: Option<Limits>,
    /// How its requests are looked at for attacks.
    pub(crate) waf: Option<Waf>,
    /// What one call costs, where a limit counts costs. By default 1.
    #[schemars(extend("minimum" = 1, "maximum" = defaults::MAX_LIMIT))]
    pub(crate) cost: Option<Count>,
    /// What of answers is not for everybody. Rules of API, version and route count together; of several for one value the strictest.
    pub(crate) mask: Option<Vec<MaskRule>>,
    /// What becomes of errors of servers.
    pub(crate) errors: Option<Errors>,
    /// How urgent its requests are where the upstream's `adaptive` has not room for all.
    #[schemars(extend("default" = "normal"))]
    pub(crate) priority: Option<Urgency>,
    /// Lets requests go on as WebSocket. Without it, no request does.
    pub(crate) websocket: Option<WebSocket>,
    /// Takes GraphQL, within limits.
    pub(crate) graphql: Option<GraphQl>,
    /// Whether calls of gRPC come here, and which: `true`, `{ services: […] }` or `{ methods: […] }`; what is not named is refused,
    /// however it comes. Their bodies go on in both directions at once, so that nobody looks into them; where bodies
    /// are looked into and this is not said, one that calls itself gRPC is refused.
    #[schemars(extend("default" = false))]
    pub(crate) grpc: Option<Grpc>,
}

impl Route {
    /// A route about which nothing is written but what it answers.
    pub(crate) fn bare(id: Option<Text>, path: Template, method: Method) -> Self {
        Self {
            id,
            path,
            methods: vec![method],
            authn: None,
            authz: None,
            body_bytes: None,
            bodies: None,
            timeout: None,
            limits: None,
            cost: None,
            websocket: None,
            grpc: None,
            graphql: None,
            waf: None,
            priority: None,
            mask: None,
            errors: None,
        }
    }
}

/// Where requests go.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upstream {
    /// Interchangeable servers.
    pub(crate) targets: Option<Vec<Target>>,
    /// From the end of a request's head to the end of its answer.
    pub(crate) timeout: Option<Period>,
    /// To open a connection, TLS included.
    pub(crate) connect_timeout: Option<Period>,
    /// From the end of a request to the first byte of its answer.
    pub(crate) first_byte_timeout: Option<Period>,
    /// How long an unused connection is kept.
    pub(crate) idle_timeout: Option<Period>,
    /// Unused connections that are kept per worker and target.
    #[schemars(extend("minimum" = 0, "maximum" = defaults::MAX_IDLE_CONNECTIONS))]
    pub(crate) idle_connections: Option<Count>,
    /// How `https` targets are verified and what the gateway shows them. They are always verified.
    pub(crate) tls: Option<UpstreamTls>,
    /// What the servers speak.
    #[schemars(extend("default" = "http1"))]
    pub(crate) protocol: Option<Protocol>,
    /// What answers that go on may do: server-sent events, gRPC, WebSocket.
    pub(crate) streams: Option<Streams>,
    /// How a target is chosen.
    #[schemars(extend("default" = "two_choices"))]
    pub(crate) balance: Option<Balance>,
    /// Shares of targets that get more than others, by their address as it is written in `targets` or `failover`. By
    /// default 1.
    pub(crate) weights: Option<IndexMap<String, Count>>,
    /// More targets in groups: a group is asked only while no target of the groups before it can be. That needs `health` or
    /// `ejection`.
    pub(crate) failover: Option<Vec<Vec<Target>>>,
    /// Checks whether targets are well.
    pub(crate) health: Option<Health>,
    /// Leaves targets out while requests to them fail.
    pub(crate) ejection: Option<Ejection>,
    /// How long a target that a reload adds, or that comes back, takes to get its full share.
    #[schemars(extend("default" = "0ms"))]
    pub(crate) slow_start: Option<Period>,
    /// How long what a look-up of a name found is used at the longest; a shorter TTL of its records counts, down to a second.
    /// What was found last is used while a look-up fails.
    #[schemars(extend("default" = defaults::RESOLVE_EVERY.to_string()))]
    pub(crate) resolve_every: Option<Period>,
    /// Sends requests again.
    pub(crate) retries: Option<Retries>,
    /// Requests under way to one target, over all workers. By default without a limit of its own.
    #[schemars(extend("minimum" = 1, "maximum" = defaults::MAX_TARGET_CONNECTIONS))]
    pub(crate) connections: Option<Count>,
    /// Where requests wait while every target is at `connections`.
    pub(crate) queue: Option<Queue>,
    /// Sends nothing while most requests fail, until trials show that the servers are well again.
    pub(crate) breaker: Option<Breaker>,
    /// Finds out how many requests the servers bear at once, and refuses those beyond, less urgent ones first.
    pub(crate) adaptive: Option<Adaptive>,
}

/// How `https` targets are verified, and what the gateway shows them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpstreamTls {
    /// Authorities to trust, in PEM, instead of the public ones.
    pub(crate) ca_file: Option<FileName>,
    /// The name to ask for and to verify instead of the target's host.
    pub(crate) server_name: Option<Text>,
    /// What the gateway shows of itself.
    pub(crate) client_certificate: Option<ClientCertificate>,
}

/// What the gateway shows of itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientCertificate {
    /// The certificate chain in PEM, leaf first.
    pub(crate) cert_file: FileName,
    /// The private key in PEM.
    pub(crate) key_file: FileName,
}
