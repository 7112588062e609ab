//! How an operation can be refused or fail: of all reasons that there are, those that its policy can come to, each with the answer
//! that the gateway gives.

use super::Scope;
use portcullis_access::{Effect, Mode};
use portcullis_auth::outward::{Offer, challenges, scope_challenge};
use portcullis_auth::principal::{Demand, Scheme};
use portcullis_config::plan::{Authn, ContractMode, Dpop, ErrorsPlan, RoutePlan, VersionBy};
use portcullis_limit::ProblemType;
use portcullis_types::Reason;
use serde_json::{Map, Value, json};

/// What a reason has to do with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Who calls, and what he may do.
    Caller,
    /// What was asked for.
    Request,
    /// How much was asked for.
    Budget,
    /// The API behind the gateway.
    Api,
    /// How the message was sent, whatever it asks for.
    Transport,
}

/// One reason, with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorCase {
    /// Which.
    pub reason: Reason,
    /// What it has to do with.
    pub group: Group,
    /// Fields of the answer that matter for it.
    pub fields: Vec<(&'static str, String)>,
    /// The problem, as it could be.
    pub body: String,
}

/// What of a policy decides which reasons there are.
#[derive(Clone, Copy)]
struct Facts {
    public: bool,
    closed: bool,
    anonymous: bool,
    takes: [bool; Scheme::ALL.len()],
    bound: bool,
    nonce: bool,
    asked: bool,
    scopes: bool,
    circumstances: bool,
    fields: bool,
    looks: bool,
    contract: bool,
    answers: bool,
    json: bool,
    graphql: bool,
    grpc: bool,
    limits: bool,
    anomalies: bool,
    feed: bool,
    waf: bool,
    waf_answers: bool,
    masked: bool,
    errors: ErrorsPlan,
    websocket: bool,
    pages: bool,
    tls: bool,
    proxies: bool,
    chosen: bool,
    negotiated: bool,
    sunset: bool,
    brownouts: bool,
    breaker: bool,
    balanced: bool,
    upstream_tls: bool,
    any_method: bool,
}

// === impl ErrorCase ===

impl ErrorCase {
    /// Its page, beside the others.
    #[must_use]
    pub fn page(&self) -> String {
        format!("problems/{}.html", self.reason.code())
    }
}

/// All that can happen.
pub(super) fn errors(scope: Scope<'_>, route: &RoutePlan, method: &str) -> Vec<ErrorCase> {
    let facts = facts(scope, route, method);
    let offer = match &route.authn {
        Authn::Demand(demand) => Some(demand.offer(scope.api, &scope.plan.identity)),
        Authn::Public | Authn::Refuse => None,
    };
    let possible = Reason::ALL.iter().copied().filter_map(|reason| Some((reason, group(reason, &facts)?)));
    let mut all: Vec<ErrorCase> = possible
        .map(|(reason, group)| {
            let violated = violated(reason, route);
            ErrorCase {
                reason,
                group,
                fields: fields(reason, scope, route, offer.as_ref()),
                body: format!("{:#}", problem(reason, scope.problems, &violated)),
            }
        })
        .collect();
    all.sort_by_key(|case| (case.group, case.reason.status(), case.reason));
    all
}

fn facts(scope: Scope<'_>, route: &RoutePlan, method: &str) -> Facts {
    let (plan, upstream) = (scope.plan, &route.upstream);
    let (public, closed) = (route.authn == Authn::Public, route.authn == Authn::Refuse);
    let demand = match &route.authn {
        Authn::Demand(demand) => Some(demand),
        Authn::Public | Authn::Refuse => None,
    };
    let has = |scheme: Scheme| demand.is_some_and(|demand| demand.schemes().contains(&scheme));
    let dpop = demand.map(|demand| match has(Scheme::Jwt) {
        true => demand.proofs.dpop,
        false => demand.proofs.introspected,
    });
    let takes_tokens = has(Scheme::Jwt) || has(Scheme::Introspection);
    let bound = takes_tokens && dpop.is_some_and(|dpop| dpop != Dpop::Off);
    let counted = route.authz.iter().flat_map(|authz| &authz.rules).filter(|rule| rule.rule.mode == Mode::Enforce);
    let rules: Vec<_> = counted.collect();
    let contract = route.contract.as_ref().map(|contract| &contract.plan);
    let enforced = contract.is_some_and(|plan| plan.request == ContractMode::Enforce);
    let takes_body = !matches!(method, "GET" | "HEAD" | "DELETE");
    Facts {
        public,
        closed,
        anonymous: demand.is_some_and(|demand| matches!(demand.demand, Demand::AnyOf { anonymous: true, .. })),
        takes: Scheme::ALL.map(has),
        bound,
        nonce: bound && plan.identity.proofs.nonce,
        asked: route.authz.is_some(),
        scopes: rules
            .iter()
            .any(|rule| !rule.rule.scopes.is_empty() || rule.rule.ways.iter().any(|way| !way.scopes.is_empty())),
        circumstances: rules.iter().any(|rule| !rule.rule.needs().is_empty() || rule.rule.effect == Effect::Refuse),
        fields: rules.iter().any(|rule| !rule.fields.is_empty()),
        looks: route.looks_into_bodies(),
        contract: enforced,
        answers: contract.is_some_and(|plan| plan.response == ContractMode::Enforce),
        // What a contract reads and cannot is told as what does not fit it.
        json: (route.bodies.strict_json || route.graphql.is_some()) && takes_body,
        graphql: route.graphql.is_some(),
        grpc: route.grpc,
        limits: route.held_limits().next().is_some(),
        anomalies: plan.anomalies.is_some(),
        feed: plan.feed.is_some(),
        waf: route.waf.is_some(),
        waf_answers: route.waf.as_ref().is_some_and(|waf| waf.rules.set.inspects_responses()),
        masked: !route.shape.masks.is_empty(),
        errors: route.shape.errors,
        websocket: route.websocket.is_some(),
        pages: scope.api.cors.is_some(),
        tls: plan.listeners.iter().any(|listener| listener.tls.is_some()),
        proxies: plan.listeners.iter().any(|listener| !listener.provenance.trusted.is_empty()),
        chosen: matches!(scope.api.version_by, VersionBy::Header(_) | VersionBy::Query(_)),
        negotiated: matches!(scope.api.version_by, VersionBy::MediaType(_)),
        sunset: scope.version.lifecycle.as_ref().is_some_and(|life| life.sunset_at.is_some()),
        brownouts: scope.version.lifecycle.as_ref().is_some_and(|life| !life.brownouts.is_empty()),
        breaker: upstream.pool.breaker.is_some() || upstream.pool.adaptive.is_some(),
        balanced: upstream.targets.len() > 1 || upstream.pool.health.is_some() || upstream.pool.ejection.is_some(),
        upstream_tls: upstream.tls.is_some(),
        any_method: method == "any",
    }
}

/// What a reason has to do with, if it can come up at all. A new reason is decided here or does not compile.
#[expect(clippy::too_many_lines, reason = "a table of rows")]
fn group(reason: Reason, facts: &Facts) -> Option<Group> {
    let demand = !facts.public && !facts.closed;
    let when = |is_so: bool, group: Group| is_so.then_some(group);
    match reason {
        Reason::MalformedHead
        | Reason::AmbiguousFraming
        | Reason::MalformedBody
        | Reason::InvalidHost
        | Reason::MalformedTarget
        | Reason::AmbiguousTarget
        | Reason::UnknownExpectation
        | Reason::HeadTooLarge
        | Reason::TargetTooLong
        | Reason::UnsupportedVersion
        | Reason::MethodNotImplemented
        | Reason::HeadTimeout
        | Reason::BodyTimeout
        | Reason::BodyTooSlow
        | Reason::RouteNotFound
        | Reason::Internal => Some(Group::Transport),
        Reason::MalformedForwarding => when(facts.proxies, Group::Transport),
        Reason::PlaintextOnTls | Reason::MisdirectedRequest => when(facts.tls, Group::Transport),
        Reason::MethodNotAllowed => when(!facts.any_method, Group::Request),
        Reason::BodyTooLarge => Some(Group::Request),
        Reason::UnknownCoding | Reason::MalformedCoding | Reason::BodyInflated | Reason::NoRoomForBody => {
            when(facts.looks, Group::Request)
        }
        Reason::GrpcNotDeclared => when(facts.looks && !facts.grpc, Group::Request),
        Reason::InvalidRequest => when(facts.contract || facts.graphql, Group::Request),
        Reason::UnsupportedMediaType => when(facts.contract || facts.graphql, Group::Request),
        Reason::InvalidBody => when(facts.contract && facts.looks, Group::Request),
        Reason::GraphqlLimit => when(facts.graphql, Group::Request),
        Reason::MalformedJson => when(facts.json, Group::Request),
        Reason::InvalidAnswer => when(facts.answers, Group::Api),
        Reason::RouteClosed
        | Reason::Forbidden
        | Reason::InsufficientScope
        | Reason::ForbiddenHere
        | Reason::ForbiddenField
        | Reason::MissingCredential
        | Reason::InvalidApiKey
        | Reason::InvalidToken
        | Reason::ExpiredToken
        | Reason::RevokedToken
        | Reason::InvalidProof
        | Reason::NonceRequired
        | Reason::InsufficientBinding
        | Reason::InvalidCertificate
        | Reason::InvalidSignature
        | Reason::DigestMismatch
        | Reason::CredentialInQuery
        | Reason::AmbiguousCredential
        | Reason::IssuerUnavailable
        | Reason::IdentityOverloaded => identity(reason, facts).then_some(Group::Caller),
        Reason::TooManyFailures => when(demand, Group::Budget),
        Reason::PatchRefused => when(facts.feed, Group::Request),
        Reason::AbnormalUsage => when(facts.anomalies, Group::Budget),
        Reason::QuotaExceeded => when(facts.limits, Group::Budget),
        Reason::OriginRefused | Reason::WebSocketHandshake | Reason::WebSocketVersion => {
            when(facts.websocket, Group::Request)
        }
        Reason::WebSocketClosed => when(!facts.websocket, Group::Transport),
        Reason::PreflightRefused => when(facts.pages, Group::Request),
        Reason::VersionUnknown => when(facts.chosen, Group::Request),
        Reason::VersionNotAcceptable => when(facts.negotiated, Group::Request),
        Reason::VersionGone => when(facts.sunset, Group::Request),
        Reason::VersionBrownout => when(facts.brownouts, Group::Request),
        Reason::AttackRefused | Reason::InspectionLimit | Reason::UnreadableBody => when(facts.waf, Group::Request),
        Reason::AnswerRefused | Reason::AnswerUninspected => when(facts.waf_answers, Group::Api),
        Reason::UpstreamUnreachable | Reason::UpstreamTimeout | Reason::UpstreamClosed | Reason::UpstreamMalformed => {
            when(!facts.closed, Group::Api)
        }
        Reason::UpstreamUnhealthy => when(facts.balanced && !facts.closed, Group::Api),
        Reason::UpstreamBusy => when(!facts.closed, Group::Api),
        Reason::ReducedCapacity => when(facts.breaker && !facts.closed, Group::Api),
        Reason::UpstreamTls => when(facts.upstream_tls && !facts.closed, Group::Api),
        Reason::AnswerUnreadable => when(facts.masked || facts.answers, Group::Api),
        Reason::UpstreamError => when(facts.errors != ErrorsPlan::Pass && !facts.closed, Group::Api),
    }
}

/// Whether a reason about who calls can come up. Every other one cannot.
fn identity(reason: Reason, facts: &Facts) -> bool {
    let takes = |scheme: Scheme| {
        let place = Scheme::ALL.iter().position(|one| *one == scheme);
        place.and_then(|place| facts.takes.get(place).copied()).unwrap_or(false)
    };
    let token = takes(Scheme::Jwt) || takes(Scheme::Introspection);
    let demand = !facts.public && !facts.closed;
    let rows = [
        (Reason::RouteClosed, facts.closed),
        (Reason::Forbidden, facts.asked && demand),
        (Reason::InsufficientScope, facts.scopes && token),
        (Reason::ForbiddenHere, facts.circumstances && facts.asked),
        (Reason::ForbiddenField, facts.fields),
        (Reason::MissingCredential, demand && !facts.anonymous),
        (Reason::InvalidApiKey, takes(Scheme::ApiKey)),
        (Reason::InvalidToken, token),
        (Reason::ExpiredToken, token),
        (Reason::RevokedToken, token),
        (Reason::InvalidProof, facts.bound),
        (Reason::NonceRequired, facts.nonce),
        (Reason::InsufficientBinding, token),
        (Reason::InvalidCertificate, takes(Scheme::Certificate)),
        (Reason::InvalidSignature, takes(Scheme::Signature)),
        (Reason::DigestMismatch, takes(Scheme::Signature)),
        (Reason::CredentialInQuery, demand),
        (Reason::AmbiguousCredential, demand),
        (Reason::IssuerUnavailable, token || takes(Scheme::ApiKey)),
        (Reason::IdentityOverloaded, facts.bound || takes(Scheme::Signature)),
    ];
    rows.iter().any(|(one, is_so)| *one == reason && *is_so)
}

/// Limits that it names.
fn violated(reason: Reason, route: &RoutePlan) -> Vec<String> {
    match ProblemType::of(reason) {
        Some(ProblemType::QuotaExceeded) => {
            let first = route.held_limits().flat_map(|plan| &plan.policies).find(|policy| !policy.is_shadow());
            first.map(|policy| policy.name().to_owned()).into_iter().collect()
        }
        Some(ProblemType::AbnormalUsageDetected) if reason == Reason::TooManyFailures => {
            vec!["failed_attempts".to_owned()]
        }
        Some(ProblemType::AbnormalUsageDetected | ProblemType::TemporaryReducedCapacity) | None => Vec::new(),
    }
}

/// The body of an answer of ours (RFC 9457), as it could be.
pub(crate) fn problem(reason: Reason, base: &str, violated: &[String]) -> Value {
    let kind = ProblemType::of(reason).map_or_else(|| format!("{base}{}", reason.code()), |kind| kind.uri().to_owned());
    let mut members = Map::new();
    members.insert("type".to_owned(), json!(kind));
    members.insert("title".to_owned(), json!(reason.title()));
    members.insert("status".to_owned(), json!(reason.status()));
    members.insert("code".to_owned(), json!(reason.code()));
    members.insert("detail".to_owned(), json!(reason.title()));
    members.insert("request_id".to_owned(), json!("0190b2c4d6e87a3f9c1d5e7f20314253"));
    if !violated.is_empty() {
        members.insert(ProblemType::VIOLATED_POLICIES.to_owned(), json!(violated));
    }
    Value::Object(members)
}

fn fields(reason: Reason, scope: Scope<'_>, route: &RoutePlan, offer: Option<&Offer>) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    if let Some(offer) = offer.filter(|_| reason.status() == 401) {
        all.extend(challenges(offer, reason).into_iter().map(|one| ("WWW-Authenticate", one)));
    }
    if reason == Reason::InsufficientScope {
        let rules = route.authz.iter().flat_map(|authz| &authz.rules).map(|rule| &rule.rule);
        let mut scopes =
            rules.flat_map(|rule| std::iter::once(&rule.scopes).chain(rule.ways.iter().map(|way| &way.scopes)));
        let scopes = scopes.find(|scopes| !scopes.is_empty()).cloned().unwrap_or_default();
        all.push(("WWW-Authenticate", scope_challenge(&scope.api.name, &scopes)));
    }
    const OTHERS: [(Reason, &str, &str); 9] = [
        (Reason::NonceRequired, "DPoP-Nonce", "…"),
        (Reason::QuotaExceeded, "Retry-After", "30"),
        (Reason::TooManyFailures, "Retry-After", "30"),
        (Reason::AbnormalUsage, "Retry-After", "30"),
        (Reason::VersionBrownout, "Retry-After", "3600"),
        (Reason::UpstreamBusy, "Retry-After", "1"),
        (Reason::UpstreamUnhealthy, "Retry-After", "1"),
        (Reason::MethodNotAllowed, "Allow", "…"),
        (Reason::WebSocketVersion, "Sec-WebSocket-Version", "13"),
    ];
    let others = OTHERS.into_iter().filter(|(of, ..)| *of == reason);
    all.extend(others.map(|(_, name, value)| (name, value.to_owned())));
    all
}
