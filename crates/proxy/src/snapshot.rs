//! The compiled configuration: one immutable value that a request holds from its first stage to its record.
//!
//! It is built whole or not at all, and replaced whole. What has to survive a reload (pools, counters) lives beside it.

pub(crate) mod access;
pub(crate) mod bodies;
pub(crate) mod contract;
pub(crate) mod contracts;
pub(crate) mod cors;
pub(crate) mod disclosure;
pub(crate) mod documents;
pub(crate) mod fronts;
pub(crate) mod headers;
pub(crate) mod hosts;
pub(crate) mod lifecycle;
mod marked;
pub(crate) mod paths;
mod policies;
pub(crate) mod rules;
pub(crate) mod signers;
pub(crate) mod slots;

use crate::feed::{Feed, Patched};
use crate::knowledge::Knowledge;
use crate::limits::{Books, Compiler, RouteLimits, Shelf};
use crate::metrics::RouteLabels;
use crate::ownership::{Ownership, Ownerships};
use crate::record::json::route_members;
use crate::reports::Inboxes;
use crate::tls::files::TlsError;
use crate::tls::server::{self, ListenerTls};
use crate::trace::TraceRules;
use crate::upstream::tls::UpstreamTls;
use access::{Access, Callers};
use bodies::Looks;
use contract::Conforms;
use contracts::Contracts;
use cors::Cors;
use disclosure::Disclosure;
use documents::Documents;
use fronts::Fronts;
use headers::SecurityHeaders;
use hosts::Hosts;
use lifecycle::Lifecycle;
use portcullis_config::plan::{
    ApiPlan, ContractMode, ErrorsPlan, GrpcCalls, Http2Plan, IdentityPlan, ListenerLimits, Plan, ProvenancePlan,
    RoutePlan, UpstreamPlan, VersionBy, VersionPlan, WafPlan, WebSocketPlan,
};
use portcullis_contract::graphql;
use portcullis_h1::HeadLimits;
use portcullis_limit::Priority;
use portcullis_mask::Keys;
use portcullis_types::Stage;
use portcullis_waf::Spared;
use rules::Rules;
use slots::{Choice, Slots};
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Everything that a request needs to be decided and forwarded.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    /// Counts up with every reload.
    pub(crate) generation: u64,
    pub(crate) listeners: HashMap<Arc<str>, ListenerSettings>,
    pub(crate) hosts: Hosts,
    /// What APIs say where none of their routes is meant.
    pub(crate) fronts: Fronts,
    /// APIs with versions, and how one of them is chosen.
    pub(crate) slots: Slots,
    pub(crate) routes: Vec<Route>,
    pub(crate) upstreams: Vec<Upstream>,
    /// What `type` of a problem starts with; ends with a slash.
    pub(crate) problem_base: String,
    /// Query parameters whose values may be written to records.
    pub(crate) show_query: Vec<String>,
    pub(crate) trace_rules: TraceRules,
    /// The name servers that names of targets are asked of; empty for the system's own look-up.
    pub(crate) dns: Arc<[SocketAddr]>,
    /// What demands of routes are judged by.
    pub(crate) callers: Callers,
    /// The accounts of all limits.
    pub(crate) books: Books,
    /// What was learned from answers.
    pub(crate) ownerships: Ownerships,
    /// What is known of the contracts in force.
    pub(crate) contracts: Contracts,
    /// What is served about the APIs.
    pub(crate) documents: Documents,
    /// Where browsers report.
    pub(crate) inboxes: Inboxes,
    /// What heads are shown to that lead nowhere; `None` where nothing is.
    pub(crate) waf: Option<WafPlan>,
}

/// What a listener needs for a new connection.
#[derive(Clone, Debug)]
pub(crate) struct ListenerSettings {
    pub(crate) tls: Option<ListenerTls>,
    pub(crate) provenance: ProvenancePlan,
    pub(crate) limits: ListenerLimits,
    pub(crate) head: HeadLimits,
    pub(crate) http2: Option<Http2Plan>,
}

/// One operation, with its labels for records and metrics.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) api: Arc<str>,
    /// Empty without versions.
    pub(crate) version: Arc<str>,
    pub(crate) id: Arc<str>,
    /// Base path, version and template in one: `/orders/v1/orders/{id}`.
    pub(crate) template: String,
    pub(crate) access: Access,
    /// What is charged; `None` where nothing is.
    pub(crate) limits: Option<Box<RouteLimits>>,
    /// What callers may do; most routes have nothing to say.
    pub(crate) rules: Option<Box<Rules>>,
    /// What is done about attacks; `None` is nothing.
    pub(crate) waf: Option<WafPlan>,
    /// What its contract spares such rules.
    pub(crate) spared: Option<Arc<Spared>>,
    /// What a bundle of the feed says of it; `None` where none does.
    pub(crate) patched: Option<Box<Patched>>,
    /// What of its answers is not for everybody.
    pub(crate) disclosure: Option<Arc<Disclosure>>,
    /// What its answers tell browsers to refuse.
    pub(crate) headers: Arc<SecurityHeaders>,
    /// What becomes of errors of its servers.
    pub(crate) errors: ErrorsPlan,
    pub(crate) body_bytes: u64,
    /// What stages need of a body; `None` where nobody looks into it.
    pub(crate) looks: Option<Box<Looks>>,
    /// What its messages are held to.
    pub(crate) contract: Option<Box<Conforms>>,
    pub(crate) timeout: Duration,
    /// How urgent its requests are where its upstream has not room for all.
    pub(crate) priority: Priority,
    pub(crate) allow_path_parameters: bool,
    pub(crate) websocket: Option<WebSocketPlan>,
    /// Which calls of gRPC there are; `None` where nobody has said.
    pub(crate) grpc_calls: Option<Vec<GrpcCalls>>,
    /// How much requests of GraphQL may ask for; `None` where it is none.
    pub(crate) graphql: Option<Box<graphql::Limits>>,
    /// What pages of other origins may do; `None` is nothing.
    pub(crate) cors: Option<Arc<Cors>>,
    /// How its version comes to its end, where that is stated.
    pub(crate) lifecycle: Option<Arc<Lifecycle>>,
    /// What of the choice of its version others see.
    pub(crate) choice: Option<Box<Choice>>,
    /// Index into the snapshot's upstreams.
    pub(crate) upstream: usize,
    /// Where the configuration says so: `portcullis.yaml:12`.
    pub(crate) origin: String,
    /// What each stage decides for a request that passes, as a member of its record.
    stages: String,
    /// What the route is called, as members of its records.
    named: Vec<u8>,
    /// What its operation is called in findings: `orders v1 /orders/v1/orders/{id} getOrder`.
    pub(crate) watched_as: Box<str>,
    /// Which segment of its paths names an object: the last parameter.
    object: Option<usize>,
}

/// What all routes of a version share.
struct Shared {
    /// Empty without versions.
    version: Arc<str>,
    cors: Option<Arc<Cors>>,
    lifecycle: Option<Arc<Lifecycle>>,
    mask_keys: Option<Keys>,
    headers: Arc<SecurityHeaders>,
    knowledge: Option<Arc<Knowledge>>,
}

/// Where a route's requests go.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) plan: Arc<UpstreamPlan>,
    pub(crate) tls: Option<UpstreamTls>,
}

/// Why a plan cannot be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// TLS files of a listener or an upstream.
    Tls {
        /// `listeners.public` or `apis.orders.upstream`.
        place: String,
        /// What is wrong.
        error: TlsError,
    },
    /// The keys of an issuer.
    Issuer {
        /// Its name.
        issuer: String,
        /// What is wrong.
        error: String,
    },
    /// The keys of a signer.
    Signer {
        /// His name.
        signer: String,
        /// What is wrong.
        error: String,
    },
    /// The store cannot be opened.
    Store(String),
    /// There is nowhere to listen.
    NoListener,
    /// Two templates cannot stand beside each other.
    Template {
        /// The template.
        template: String,
        /// What is wrong.
        error: String,
    },
}

// === impl CompileError ===

impl fmt::Display for CompileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls { place, error } => write!(formatter, "{place}: {error}"),
            Self::Issuer { issuer, error } => write!(formatter, "issuers.{issuer}: {error}"),
            Self::Signer { signer, error } => write!(formatter, "signers.{signer}: {error}"),
            Self::Store(error) => write!(formatter, "store: {error}"),
            Self::NoListener => formatter.write_str("there is no listener; add one under `listeners`"),
            Self::Template { template, error } => write!(formatter, "the path `{template}` cannot be routed: {error}"),
        }
    }
}

impl std::error::Error for CompileError {}

// === impl Snapshot ===

impl Snapshot {
    /// Compiles a plan.
    ///
    /// # Errors
    /// The first thing that makes it impossible to serve.
    pub(crate) fn compile(
        plan: &Plan,
        generation: u64,
        problem_base: String,
        shelf: Shelf<'_>,
    ) -> Result<Self, CompileError> {
        let mut listeners = HashMap::new();
        for listener in &plan.listeners {
            let http2 = listener.http2.is_some();
            let tls = listener.tls.as_ref().map(|tls| server::listener(tls, http2)).transpose();
            let tls =
                tls.map_err(|error| CompileError::Tls { place: format!("listeners.{}", listener.name), error })?;
            let head = HeadLimits {
                head_bytes_max: listener.limits.head_bytes,
                target_bytes_max: listener.limits.target_bytes,
                fields_max: listener.limits.headers,
            };
            let (provenance, limits) = (listener.provenance.clone(), listener.limits.clone());
            let settings = ListenerSettings { tls, provenance, limits, head, http2: listener.http2.clone() };
            listeners.insert(Arc::clone(&listener.name), settings);
        }
        let mut snapshot = Self {
            generation,
            listeners,
            hosts: Hosts::default(),
            fronts: Fronts::default(),
            slots: Slots::compile(plan),
            routes: Vec::new(),
            upstreams: Vec::new(),
            problem_base,
            show_query: plan.access_log.show_query.clone(),
            dns: Arc::from(plan.dns.as_slice()),
            trace_rules: TraceRules::new(&plan.tracing),
            callers: Callers::compile(&plan.identity)?,
            books: Vec::new(),
            ownerships: Vec::new(),
            contracts: Contracts::default(),
            documents: Documents::compile(plan),
            inboxes: Inboxes::compile(plan),
            waf: plan.waf.clone(),
        };
        snapshot.add_apis(plan, &shelf)?;
        Ok(snapshot)
    }

    fn add_apis(&mut self, plan: &Plan, shelf: &Shelf<'_>) -> Result<(), CompileError> {
        let mut known: HashMap<*const UpstreamPlan, usize> = HashMap::new();
        let mut hosts = hosts::Builder::default();
        let mut compiler = Compiler::default();
        let mut contracts = contracts::Builder::default();
        for api in &plan.apis {
            let (key_field, nonces) = (&plan.identity.key_field, plan.identity.proofs.nonce);
            let cors = api.cors.as_ref().map(|cors| Arc::new(Cors::compile(cors, key_field, nonces)));
            let headers = Arc::new(SecurityHeaders::compile(&api.headers, &api.base_path)?);
            self.fronts.add(api, cors.as_ref(), &headers);
            for version in &api.versions {
                let name = version.name.clone().unwrap_or_else(|| Arc::from(""));
                let contract = version.routes.iter().find_map(|route| route.contract.as_ref());
                let knowledge =
                    contract.map(|contract| Knowledge::of(&contract.plan, &api.name, &name, shelf.knowledge));
                let place = knowledge.as_ref().map(|knowledge| contracts.add(knowledge));
                let prefixes = prefixes(api, version);
                prefixes.iter().for_each(|prefix| contracts.place(place, &api.hosts, prefix));
                let shared = Shared {
                    version: name,
                    knowledge,
                    cors: cors.clone(),
                    headers: Arc::clone(&headers),
                    mask_keys: plan.mask_key.as_ref().and_then(|key| Keys::new(key.expose().as_bytes())),
                    lifecycle: version.lifecycle.as_ref().map(|plan| Arc::new(Lifecycle::compile(plan))),
                };
                for route in &version.routes {
                    let upstream = self.upstream(&route.upstream, &mut known)?;
                    for prefix in &prefixes {
                        let index = self.routes.len();
                        let limits = compiler.route(route, &mut self.books, shelf);
                        let whole = (route, api, &plan.identity);
                        let learned = (&mut self.ownerships, shelf.ownerships, shelf.feed);
                        let compiled = Route::compile(whole, &shared, prefix, (upstream, limits), learned)?;
                        let place = match &version.name {
                            Some(name) if api.version_by != VersionBy::Path => {
                                slots::inner(&api.base_path, name, &route.template)
                            }
                            Some(_) | None => compiled.template.clone(),
                        };
                        hosts.add(&api.hosts, &place, &route.methods, index)?;
                        self.routes.push(compiled);
                    }
                }
            }
        }
        self.hosts = hosts.build();
        self.contracts = contracts.build();
        Ok(())
    }

    fn upstream(
        &mut self,
        plan: &Arc<UpstreamPlan>,
        known: &mut HashMap<*const UpstreamPlan, usize>,
    ) -> Result<usize, CompileError> {
        if let Some(index) = known.get(&Arc::as_ptr(plan)) {
            return Ok(*index);
        }
        let tls = plan.tls.as_ref().map(|tls| UpstreamTls::new(tls, plan.protocol)).transpose();
        let tls = tls.map_err(|error| CompileError::Tls { place: format!("apis.{}.upstream", plan.name), error })?;
        let index = self.upstreams.len();
        self.upstreams.push(Upstream { plan: Arc::clone(plan), tls });
        known.insert(Arc::as_ptr(plan), index);
        Ok(index)
    }
}

// === impl Route ===

impl Route {
    fn compile(
        (plan, api, identity): (&RoutePlan, &ApiPlan, &IdentityPlan),
        shared: &Shared,
        prefix: &str,
        (upstream, limits): (usize, Option<Box<RouteLimits>>),
        (ownerships, kept, feed): (&mut Ownerships, &[Arc<Ownership>], Option<&Arc<Feed>>),
    ) -> Result<Self, CompileError> {
        let access = Access::compile(&plan.authn, api, identity);
        let template = format!("{prefix}{}", plan.template);
        let rules = Rules::compile(plan, &api.name, &template, (ownerships, kept))?;
        let patched = Patched::on(feed, plan, &api.name, &template);
        let disclosure = Disclosure::compile(plan, &template, shared.mask_keys.as_ref())?;
        let named = [&api.name, &shared.version, template.as_str(), &plan.id];
        let route = Self {
            watched_as: named.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").into(),
            object: template.split('/').enumerate().filter(|(_, part)| part.contains('{')).map(|(at, _)| at).last(),
            named: route_members(&api.name, &shared.version, &template),
            api: Arc::clone(&api.name),
            version: Arc::clone(&shared.version),
            id: Arc::clone(&plan.id),
            template,
            stages: String::new(),
            access,
            cors: shared.cors.clone(),
            lifecycle: shared.lifecycle.clone(),
            limits,
            rules,
            waf: plan.waf.clone(),
            spared: plan.spared().map(Arc::new),
            disclosure,
            headers: Arc::clone(&shared.headers),
            errors: plan.shape.errors,
            choice: Choice::compile(api, prefix),
            body_bytes: plan.body_bytes,
            looks: Looks::compile(plan, patched.as_ref().is_some_and(|patched| patched.asks_body())),
            patched,
            contract: Conforms::compile(plan, prefix, shared.knowledge.as_ref()),
            timeout: plan.timeout,
            priority: plan.limits.priority,
            websocket: plan.websocket.clone(),
            grpc_calls: plan.grpc_calls.clone(),
            graphql: plan.graphql.map(Box::new),
            allow_path_parameters: api.allow_path_parameters,
            upstream,
            origin: plan.origin.to_string(),
        };
        Ok(Self { stages: stages(&route), ..route })
    }

    /// The labels of the route's metrics.
    pub(crate) fn labels(&self) -> RouteLabels {
        let route = Arc::from(self.template.as_str());
        RouteLabels { api: Arc::clone(&self.api), route, version: Arc::clone(&self.version) }
    }

    /// The object that a path of the route names, if its operation is about one.
    pub(crate) fn object_of<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.split('/').nth(self.object?)
    }

    /// `,"api":"orders",…`
    pub(crate) fn named(&self) -> &[u8] {
        &self.named
    }

    /// `,"identify":"public",…`: what each stage decides for a request that passes.
    pub(crate) fn stages(&self) -> &str {
        &self.stages
    }
}

/// What the paths of a version's routes stand behind.
pub(crate) fn prefixes(api: &ApiPlan, version: &VersionPlan) -> Vec<String> {
    let named = version.path.iter().map(|path| format!("{}/{path}", api.base_path));
    let bare = (version.path.is_none() || version.default).then(|| api.base_path.clone());
    named.chain(bare).collect()
}

/// Every stage is there from the first day; what is not built or not configured decides "not required", and says so.
pub(crate) fn decisions(route: &Route) -> [(Stage, &'static str); 8] {
    let Route { access, looks, rules, .. } = route;
    let limits = route.limits.as_deref();
    let charged = |some: bool| if some { "charged" } else { "not_required" };
    let inspected = match &route.waf {
        None if route.patched.is_some() => "patched",
        None => "not_required",
        Some(waf) if waf.enforces => "inspected",
        Some(_) => "observed",
    };
    [
        (Stage::Guard, charged(limits.is_some_and(|limits| !limits.guard.is_empty()))),
        (Stage::Cors, if route.cors.is_some() { "checked" } else { "not_required" }),
        (Stage::Identify, access.decision()),
        (Stage::Permit, if rules.is_some() { "allowed" } else { "not_required" }),
        (Stage::Charge, charged(limits.is_some_and(|limits| !limits.charge.is_empty()))),
        (Stage::Receive, if looks.is_some() { "held" } else { "bounded" }),
        (Stage::Conform, conformed(route)),
        (Stage::Inspect, inspected),
    ]
}

/// What the contract, or the strictness about JSON, decides for a request that passes.
fn conformed(route: &Route) -> &'static str {
    match route.contract.as_ref().map(|contract| contract.request()) {
        Some(ContractMode::Enforce) => "fits",
        Some(ContractMode::Report) => "reported",
        Some(ContractMode::Off) | None if route.graphql.is_some() => "fits",
        Some(ContractMode::Off) | None if route.looks.as_ref().is_some_and(|looks| looks.strict_json) => "read",
        Some(ContractMode::Off) | None => "not_required",
    }
}

/// The stages that had nothing to do as one text, the others by name.
fn stages(route: &Route) -> String {
    let all = decisions(route).into_iter();
    let (idle, decided): (Vec<_>, Vec<_>) = all.partition(|(_, how)| *how == "not_required");
    let idle: Vec<&str> = idle.iter().map(|(stage, _)| stage.name()).collect();
    let decided: String = decided.iter().map(|(stage, how)| format!(",\"{}\":\"{how}\"", stage.name())).collect();
    format!("{decided},\"not_required\":\"{}\"", idle.join(" "))
}
