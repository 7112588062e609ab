//! Routes: that somebody has decided who may call, that each leads somewhere, and that each has a name of its own.

use std::collections::HashMap;
use std::sync::Arc;

use super::Check;
use super::apis::Scope;
use super::authz::{Operation, Section};
use super::conflicts::Claims;
use super::costs::Costs;
use super::identity::plan_of;
use super::layers::{Chain, Level};
use super::security::Unmet;
use crate::diagnostic::{Diagnostic, quote};
use crate::file::{Lockable, Route};
use crate::plan::{Authn, ContractMode, Methods, RouteContract, RoutePlan, RulePlan};
use crate::scalar::{Method, Period, Size};
use crate::sources::Span;
use crate::tree::At;

/// LIMIT: the largest body that can be allowed; uploads beyond it are not a gateway's work.
const MAX_BODY: u64 = 1 << 40;
const LEAST_TIMEOUT: Period = Period::millis(1);
const MAX_TIMEOUT: Period = Period::seconds(24 * 60 * 60);
/// Routes that are named when nobody decided for several of them.
const SHOWN_UNDECIDED: usize = 3;

/// What is still to be said about all routes together.
#[derive(Default)]
struct Open {
    undecided: Vec<Undecided>,
    unmet: Unmet,
}

/// Routes for which nobody has decided who may call.
struct Undecided {
    /// How a message calls it; nothing if that would be made up.
    id: Option<String>,
    span: Span,
}

impl Check<'_> {
    pub(super) fn routes(
        &mut self,
        written: &[Route],
        at: &At<'_>,
        scope: &Scope<'_, '_>,
        claims: &mut Claims,
    ) -> Vec<RoutePlan> {
        if written.is_empty() {
            let diagnostic = Diagnostic::new("nothing-to-serve", at.name_span(), "there is no route")
                .help("add `{ path: \"/\", methods: [GET], authn: public }`");
            self.reject(at, diagnostic);
        }
        let mut ids: HashMap<Arc<str>, Span> = HashMap::new();
        let mut open = Open::default();
        let mut plans = Vec::with_capacity(written.len());
        for (index, route) in written.iter().enumerate() {
            let item = at.index(index);
            let plan = self.route(route, &item, scope, &mut open);
            self.claim(route, &plan, &item, scope, claims);
            if let Some(first) = ids.insert(Arc::clone(&plan.id), item.key("id").span())
                && route.id.is_some()
            {
                let id = item.key("id");
                let message = format!("two routes have the id {}", self.shown(&id, &plan.id));
                let diagnostic = self.wrong(&id, "duplicate", message).also(first, "the other one");
                self.reject(&id, diagnostic.help("ids are unique within an API or version"));
            }
            plans.push(plan);
        }
        self.undecided(&open.undecided, at, scope);
        self.unmet(open.unmet, scope);
        if scope.upstream.targets.is_empty() {
            self.no_target(at, scope);
        }
        plans
    }

    fn route(&mut self, route: &Route, at: &At<'_>, scope: &Scope<'_, '_>, open: &mut Open) -> RoutePlan {
        let level = Level::of_route(*at, route);
        self.locked(scope.locks, &level);
        self.body_bytes(&level);
        self.authn(&level);
        self.waf_level(&level);
        if let Some(timeout) = route.timeout {
            let _clamped: std::time::Duration = self.period(&at.key("timeout"), timeout, (LEAST_TIMEOUT, MAX_TIMEOUT));
        }
        self.path_parameters(&at.key("path"), &route.path.0, scope.allow_path_parameters);
        let mut methods = self.methods(route, &at.key("methods"));
        let contract = self.contracted(at, &route.path.0, &mut methods, (scope, &mut open.unmet));
        let id = match &route.id {
            Some(id) => Arc::from(id.0.as_str()),
            None => made_id(&methods, &route.path.0),
        };
        let mut levels: Vec<&Level<'_>> = Vec::with_capacity(4);
        levels.push(&level);
        levels.extend(scope.levels);
        let chain = Chain { levels: &levels };
        let (authn, required) = self.decided(&chain, contract.as_ref(), (at, &id), open);
        self.open(scope.locks, &authn, chain.deciding(Lockable::Authn));
        let (grpc, grpc_calls) = self.grpc(route, at, scope);
        let websocket = self.websocket(route, (at, &methods), &scope.upstream);
        let graphql = self.graphql(route, (at, &methods));
        let place = format!("{} {id}", scope.place);
        let entries = self.caller_limits(&at.key("limits"), route.limits.as_ref(), &place, scope.limits);
        let costs = Costs { written: route.cost, contract: contract.as_ref(), methods: &methods };
        let mut limits = self.route_limits(at, entries, costs, scope.legacy_limit_headers);
        limits.priority = self.priority(at, route.priority, &scope.upstream);
        self.met(at, route.limits.as_ref(), &limits.entries, std::iter::once((&limits, &authn)));
        let plan = RoutePlan {
            limits,
            waf: self.waf(&chain),
            id,
            template: route.path.0.clone(),
            methods,
            websocket,
            grpc,
            grpc_calls,
            graphql,
            authn,
            authz: None,
            body_bytes: chain.body_bytes().value.bytes,
            bodies: self.bodies(at, route.bodies.as_ref(), scope.bodies),
            contract,
            upstream: Arc::clone(&scope.upstream),
            timeout: chain.timeout().value.duration(),
            shape: Arc::default(),
            origin: self.sources.origin(at.node().span),
        };
        let own = self.authz(at, route.authz.as_ref(), true);
        let sections: Vec<&Section> = own.iter().chain(scope.authz.iter().copied()).collect();
        let prefix = scope.prefixes.first().map_or("", String::as_str);
        let operation = Operation { api: scope.api, version: scope.version, prefix, plan: &plan };
        let authz = self.authz_of(&operation, &sections, required);
        self.authz_end(own.as_ref());
        let plan = RoutePlan { authz, ..plan };
        self.unseen(at, route.bodies.as_ref(), std::iter::once(&plan));
        plan
    }

    /// Who may call a route, and what its contract asks for that `authn` cannot say.
    fn decided(
        &mut self,
        chain: &Chain<'_, '_>,
        contract: Option<&RouteContract>,
        (at, id): (&At<'_>, &Arc<str>),
        open: &mut Open,
    ) -> (Authn, Option<RulePlan>) {
        let Some(found) = chain.authn() else {
            if !chain.is_hidden(Lockable::Authn) {
                let id = self.named(at, id);
                open.undecided.push(Undecided { id, span: at.key("path").span() });
            }
            return (Authn::Refuse, None);
        };
        let security = contract.and_then(|contract| contract.security.as_ref());
        let mode = contract.map_or(ContractMode::Off, |contract| contract.plan.security);
        let (authn, required) = self.secured(found.value, (security, mode), (id, &mut open.unmet));
        (plan_of(&authn), required)
    }

    /// How a message calls a route; nothing if that would be made up, or come from outside the file.
    fn named(&self, at: &At<'_>, id: &str) -> Option<String> {
        let (own, path, methods) = (at.key("id"), at.key("path"), at.key("methods"));
        let is_hidden = |at: &At<'_>| at.is_tainted() || self.outside.contains_key(&at.id());
        let first = methods.index(0);
        let hidden = if own.is_missing() { is_hidden(&path) || is_hidden(&first) } else { is_hidden(&own) };
        (!hidden).then(|| quote(id))
    }

    fn methods(&mut self, route: &Route, at: &At<'_>) -> Methods {
        if route.methods.is_empty() {
            let diagnostic = Diagnostic::new("empty-list", at.name_span(), "there is no method")
                .help("write `methods: [GET]`, or `methods: [any]` for every method");
            self.reject(at, diagnostic);
        }
        let mut names: Vec<String> = Vec::new();
        for (index, method) in route.methods.iter().enumerate() {
            let item = at.index(index);
            match method {
                Method::Any if route.methods.len() > 1 => {
                    let diagnostic = self.wrong(&item, "contradiction", "`any` stands beside other methods");
                    self.reject(&item, diagnostic.help("`any` is every method; remove it or the others"));
                }
                Method::Any => return Methods::Any,
                Method::Only(name) if names.contains(name) => {
                    let message = format!("the method {} stands twice", self.shown(&item, name));
                    let diagnostic = self.wrong(&item, "duplicate", message);
                    self.reject(&item, diagnostic.help("remove one of the two"));
                }
                Method::Only(name) => names.push(name.clone()),
            }
        }
        Methods::Only(names)
    }

    fn claim(&mut self, route: &Route, plan: &RoutePlan, at: &At<'_>, scope: &Scope<'_, '_>, claims: &mut Claims) {
        let path = at.key("path");
        if path.is_tainted() || at.key("methods").is_tainted() {
            return;
        }
        if scope.prefixes.iter().any(String::is_empty) && route.path.0.is_empty() {
            let diagnostic = self.wrong(&path, "bad-value", "without a base path, a route's path cannot be empty");
            self.reject(&path, diagnostic.help("write `/`"));
        }
        for prefix in &scope.prefixes {
            if let Some(first) = claims.add((scope.index, scope.slot), prefix, plan, path.span()) {
                let message = format!("two routes answer {}", self.shown(&path, &label(plan)));
                let diagnostic = self
                    .wrong(&path, "route-conflict", message)
                    .also(first, "the other one")
                    .help("parameters match whatever they are called; remove one route, or change path or methods");
                self.reject(&path, diagnostic);
                return;
            }
        }
    }

    /// INVARIANT: no plan without mistakes has a route for which nobody has decided who may call.
    fn undecided(&mut self, undecided: &[Undecided], at: &At<'_>, scope: &Scope<'_, '_>) {
        let Some((first, others)) = undecided.split_first() else { return };
        let whose = match scope.version {
            Some(version) => format!("version `{version}` of `{}`", scope.api),
            None => format!("`{}`", scope.api),
        };
        let first_name = first.id.as_deref().unwrap_or("a route");
        let and_others = match others.len() {
            0 => String::new(),
            1 => " and another route".to_owned(),
            more => format!(" and {more} other routes"),
        };
        let message = format!("nobody has decided who may call {first_name}{and_others} of {whose}");
        let mut diagnostic = Diagnostic::new("no-authentication", first.span, message).help(
            "add `authn: public` if anybody may call it, or `authn: refuse` until that is settled; \
             to the route, its version, its API or `defaults`",
        );
        for other in others.iter().take(SHOWN_UNDECIDED) {
            diagnostic = diagnostic.also(other.span, "nor for this one");
        }
        self.reject(at, diagnostic);
    }

    fn no_target(&mut self, at: &At<'_>, scope: &Scope<'_, '_>) {
        // An upstream that is written, but wrong, has been reported where it stands.
        let is_hidden = scope.levels.iter().any(|level| {
            let upstream = level.at.key("upstream");
            let targets = upstream.key("targets");
            targets.is_tainted() || !targets.is_missing()
        });
        if is_hidden {
            return;
        }
        let message = format!("the routes of {} lead nowhere", quote(scope.api));
        let span = scope.levels.first().map_or(at.name_span(), |level| level.at.name_span());
        let diagnostic = Diagnostic::new("no-upstream", span, message)
            .help("add `upstream: { targets: [\"http://127.0.0.1:9000\"] }`");
        self.reject(at, diagnostic);
    }

    pub(super) fn body_bytes(&mut self, level: &Level<'_>) {
        let Some(size) = level.body_bytes() else { return };
        let range = (0, MAX_BODY);
        level.with(Lockable::BodyBytes, |at| self.within(at, size.bytes, range, |bytes| Size { bytes }.to_string()));
    }

    /// `;` in a path needs a decision, because servers disagree about what it means.
    pub(super) fn path_parameters(&mut self, at: &At<'_>, path: &str, allowed: bool) {
        if (path.contains(';') || path.contains("%3B")) && !allowed {
            let diagnostic = self
                .wrong(
                    at,
                    "path-parameter",
                    format!("{} holds a `;`, which is refused in requests", self.shown(at, path)),
                )
                .help("remove it, or set `allow_path_parameters: true` for the API");
            self.reject(at, diagnostic);
        }
    }
}

/// `GET /orders/{id}`, `GET,POST /orders`, `any /files/{*rest}`
pub(super) fn made_id(methods: &Methods, template: &str) -> Arc<str> {
    let path = if template.is_empty() { "(base path)" } else { template };
    match methods {
        Methods::Any => Arc::from(format!("any {path}")),
        Methods::Only(names) => Arc::from(format!("{} {path}", names.join(","))),
    }
}

/// How a route is named in a message about its path.
fn label(plan: &RoutePlan) -> String {
    made_id(&plan.methods, &plan.template).to_string()
}
