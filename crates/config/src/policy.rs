//! What applies to a route and which line says so. Answers from the same chain of levels as the plan.

mod inspected;

use crate::check::layers::{Chain, INHERITED, Level};
use crate::check::limits::DEFAULTS;
use crate::check::waf::Settings;
use crate::file::{Api, Lockable, Protocol, Route, Upstream, Version, defaults};
use crate::loaded::Loaded;
use crate::plan::{
    ApiPlan, Authn, ContractMode, HostPattern, LimitPlan, Methods, Origin, RouteContract, RoutePlan, VersionPlan,
};
use crate::scalar::{Method, Template};
use crate::sources::Span;
use crate::tree::At;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// One setting of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyLine {
    /// Its name: `authn`, `upstream.targets`.
    pub setting: String,
    /// Its value as people write it, or where it came from if it stands outside of the file.
    pub value: String,
    /// Where it is written; `None` is what is built in.
    pub origin: Option<Origin>,
    /// Whether `defaults` has locked it.
    pub locked: bool,
}

/// One route, for tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRow {
    /// The API's name.
    pub api: String,
    /// The version's name.
    pub version: Option<String>,
    /// The route's id.
    pub id: String,
    /// Host patterns as they are written.
    pub hosts: Vec<String>,
    /// Methods, or `any` alone.
    pub methods: Vec<String>,
    /// The whole path template.
    pub path: String,
    /// How callers are identified.
    pub authn: String,
    /// Where requests go.
    pub targets: Vec<String>,
    /// Where the route is written.
    pub origin: Origin,
}

// === impl RouteRow ===

impl RouteRow {
    /// As members of an object, but for where it is written, which is said in more than one way.
    pub fn members(&self) -> Map<String, Value> {
        let members = [
            ("api", json!(self.api)),
            ("version", json!(self.version)),
            ("id", json!(self.id)),
            ("hosts", json!(self.hosts)),
            ("methods", json!(self.methods)),
            ("path", json!(self.path)),
            ("authn", json!(self.authn)),
            ("targets", json!(self.targets)),
        ];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Every route, in the order of the file.
pub fn routes(loaded: &Loaded) -> Vec<RouteRow> {
    let mut rows = Vec::new();
    for api in &loaded.plan.apis {
        for version in &api.versions {
            rows.extend(version.routes.iter().map(|route| row(api, version, route)));
        }
    }
    rows
}

/// What applies to a route, which is named by its id (`getOrder`, `orders/getOrder`, `orders/v1/getOrder`) or by method
/// and path (`GET /orders/{id}`). All routes that fit the name answer, in the order of the file.
pub fn effective_policy(loaded: &Loaded, name: &str) -> Vec<(RouteRow, Vec<PolicyLine>)> {
    let root = At::root(&loaded.tree, loaded.root);
    let section = root.key("apis");
    let defaults = Level::of_defaults(root.key("defaults"), loaded.file.defaults.as_ref());
    let mut found = Vec::new();
    for (api_plan, (api_name, api)) in loaded.plan.apis.iter().zip(&loaded.file.apis) {
        let api_at = section.key(api_name);
        for version_plan in &api_plan.versions {
            for (index, plan) in version_plan.routes.iter().enumerate() {
                if is_named(name, api_plan, version_plan, plan) {
                    let question = Question { loaded, api, api_at, defaults: &defaults, version: version_plan, index };
                    found.push((row(api_plan, version_plan, plan), question.lines()));
                }
            }
        }
    }
    found
}

/// A setting that an `upstream` section has and a version's takes from its API's.
struct Shared {
    path: &'static [&'static str],
    value: fn(&Upstream) -> Option<String>,
    built_in: fn() -> String,
}

const SHARED: [Shared; 3] = [
    Shared {
        path: &["protocol"],
        value: |upstream| upstream.protocol.map(|protocol| protocol.name().to_owned()),
        built_in: || Protocol::Http1.name().to_owned(),
    },
    Shared {
        path: &["streams", "idle_timeout"],
        value: |upstream| upstream.streams.as_ref()?.idle_timeout.map(|period| period.to_string()),
        built_in: || defaults::STREAM_IDLE_TIMEOUT.to_string(),
    },
    Shared {
        path: &["streams", "lifetime"],
        value: |upstream| upstream.streams.as_ref()?.lifetime.map(|period| period.to_string()),
        built_in: || defaults::STREAM_LIFETIME.to_string(),
    },
];

/// One route that was asked about.
struct Question<'q> {
    loaded: &'q Loaded,
    api: &'q Api,
    api_at: At<'q>,
    defaults: &'q Level<'q>,
    version: &'q VersionPlan,
    index: usize,
}

impl Question<'_> {
    fn lines(&self) -> Vec<PolicyLine> {
        let api_level = Level::of_api(self.api_at, self.api);
        let Some(name) = &self.version.name else {
            let routes = self.api_at.key("routes");
            return self.of(self.api.routes.as_deref(), &routes, &[&api_level, self.defaults], None);
        };
        let versions = self.api_at.key("versions");
        let at = versions.key(name);
        let Some(version) = self.api.versions.as_ref().and_then(|versions| versions.get(&**name)) else {
            return Vec::new();
        };
        let level = Level::of_version(at, version);
        self.of(version.routes.as_deref(), &at.key("routes"), &[&level, &api_level, self.defaults], Some((version, at)))
    }

    fn of(
        &self,
        routes: Option<&[Route]>,
        at: &At<'_>,
        above: &[&Level<'_>],
        version: Option<(&Version, At<'_>)>,
    ) -> Vec<PolicyLine> {
        // Where the contract makes the routes, nothing is written about one of them.
        let bare = routes.is_none().then(|| Route::bare(None, Template(String::new()), Method::Any));
        let written = routes.and_then(|routes| routes.get(self.index));
        let Some(route) = written.or(bare.as_ref()) else { return Vec::new() };
        let level = Level::of_route(at.index(self.index), route);
        let mut levels = vec![&level];
        levels.extend(above);
        let chain = Chain { levels: &levels };
        let mut lines: Vec<PolicyLine> =
            INHERITED.into_iter().filter_map(|setting| self.inherited(&chain, setting)).collect();
        let api_upstream = self.api.upstream.as_ref().map(|upstream| (upstream, self.api_at.key("upstream")));
        let own = version.as_ref().and_then(|(version, at)| Some((version.upstream.as_ref()?, at.key("upstream"))));
        lines.extend(self.authz());
        lines.extend(self.targets(own, api_upstream));
        let sections = [own, api_upstream];
        lines.extend(SHARED.iter().map(|setting| self.of_upstream(setting, &sections)));
        lines.extend(self.websocket(route, &level.at));
        lines.extend(self.calls(&level.at));
        lines.extend(self.limits());
        lines.extend(self.waf(&chain));
        lines.extend(self.shape());
        lines.extend(self.contract(version.as_ref().map_or(self.api_at, |(_, at)| *at)));
        lines
    }

    /// Whether requests are looked at for attacks, and by what.
    fn waf(&self, chain: &Chain<'_, '_>) -> Vec<PolicyLine> {
        let locked = self.is_locked(Lockable::Waf);
        let settings = Settings::of(chain);
        let line = |name: &str, value: String, span: Option<Span>| PolicyLine {
            setting: format!("waf.{name}"),
            value,
            origin: span.map(|span| self.loaded.sources.origin(span)),
            locked,
        };
        let mut lines = vec![line("mode", settings.mode().name().to_owned(), settings.mode.map(|(_, span)| span))];
        let Some(route) = self.version.routes.get(self.index) else { return lines };
        let Some(plan) = &route.waf else { return lines };
        let counts = plan.rules.set.counts();
        let value = format!("{} ({} rules)", plan.rules.text, counts.rules);
        lines.push(line("rules", value, settings.rules.as_ref().map(|(_, span)| *span)));
        lines.extend(settings.paranoia.map(|(level, span)| line("paranoia", level.0.to_string(), Some(span))));
        lines.extend(settings.threshold.map(|(score, span)| line("threshold", score.0.to_string(), Some(span))));
        lines.extend(settings.exclusions.as_ref().map(|(name, span)| line("exclusions", name.0.clone(), Some(*span))));
        lines.extend(inspected::spared(route).map(|value| line("spared", value, None)));
        lines.push(line("answers", inspected::answers(&plan.rules.set), None));
        lines.extend(inspected::messages(route).map(|value| line("messages", value, None)));
        lines
    }

    /// Every rule that applies, and where its roles come from.
    fn authz(&self) -> Vec<PolicyLine> {
        let plan = self.version.routes.get(self.index).and_then(|route| route.authz.as_ref());
        let Some(plan) = plan else { return Vec::new() };
        let written = self.loaded.file.defaults.as_ref().and_then(|defaults| defaults.locked.as_ref());
        let locked = written.is_some_and(|locked| locked.contains(&Lockable::Authz));
        let line = |setting: &str, value, origin: &Origin| PolicyLine {
            setting: setting.to_owned(),
            value,
            origin: Some(origin.clone()),
            locked,
        };
        let mut lines = Vec::new();
        if let (Some(claim), Some(origin)) = (&plan.source.claim, &plan.roles_claim_origin) {
            lines.push(line("authz.roles_claim", claim.clone(), origin));
        }
        if let (Some(map), Some(origin)) = (&plan.source.map, &plan.role_map_origin) {
            let pairs: Vec<String> = map.iter().map(|(from, to)| format!("{from}: {}", to.join(", "))).collect();
            lines.push(line("authz.role_map", pairs.join("; "), origin));
        }
        lines.extend(plan.rules.iter().map(|rule| line("authz.rules", rule.rule.to_string(), &rule.origin)));
        lines
    }

    /// A setting of the nearest `upstream` section that has it, or what is built in.
    fn of_upstream(&self, setting: &Shared, sections: &[Option<(&Upstream, At<'_>)>]) -> PolicyLine {
        let name = format!("upstream.{}", setting.path.join("."));
        let found = sections.iter().flatten().find_map(|(upstream, at)| Some(((setting.value)(upstream)?, at)));
        match found {
            None => PolicyLine { setting: name, value: (setting.built_in)(), origin: None, locked: false },
            Some((value, at)) => self.below(at, setting.path, &name, value),
        }
    }

    fn below(&self, at: &At<'_>, path: &[&str], name: &str, value: String) -> PolicyLine {
        match path.split_first() {
            Some((key, rest)) => self.below(&at.key(key), rest, name, value),
            None => self.line(name, value, at),
        }
    }

    fn websocket(&self, route: &Route, at: &At<'_>) -> Option<PolicyLine> {
        let websocket = route.websocket.as_ref()?;
        let section = at.key("websocket");
        let list = section.key("origins");
        let origins = websocket.origins.iter().enumerate();
        let shown: Vec<String> =
            origins.map(|(index, origin)| self.shown(&list.index(index), origin.to_string())).collect();
        Some(self.line("websocket.origins", shown.join(", "), &list))
    }

    /// How much requests of GraphQL may ask for, and which calls of gRPC there are.
    fn calls(&self, at: &At<'_>) -> Vec<PolicyLine> {
        let Some(route) = self.version.routes.get(self.index) else { return Vec::new() };
        let (graphql, grpc) = (at.key("graphql"), at.key("grpc"));
        let mut lines = Vec::new();
        if let Some(limits) = &route.graphql {
            let count = |name: &str, value: String| {
                let own = graphql.key(name);
                let setting = format!("graphql.{name}");
                match own.is_missing() {
                    true => PolicyLine { setting, value, origin: None, locked: false },
                    false => self.line(&setting, value, &own),
                }
            };
            lines.extend([
                count("depth", limits.depth.to_string()),
                count("aliases", limits.aliases.to_string()),
                count("fields", limits.fields.to_string()),
                count("cost", limits.cost.to_string()),
                count("introspection", limits.introspection.to_string()),
                count("batch", limits.batch.to_string()),
            ]);
        }
        if let Some(calls) = &route.grpc_calls {
            let shown: Vec<String> = calls.iter().map(ToString::to_string).collect();
            lines.push(self.line("grpc", shown.join(", "), &grpc));
        }
        lines
    }

    /// The contract, and how it is kept to.
    fn contract(&self, at: At<'_>) -> Vec<PolicyLine> {
        let contract = self.version.routes.get(self.index).and_then(|route| route.contract.as_ref());
        let Some(plan) = contract.map(|contract| &contract.plan) else { return Vec::new() };
        let (openapi, own) = (at.key("openapi"), at.key("validation"));
        let above = self.api_at.key("validation");
        let root = At::root(&self.loaded.tree, self.loaded.root);
        let defaults = root.key("defaults");
        let common = defaults.key("validation");
        let file = plan.file.display().to_string();
        let locked = self.is_locked(Lockable::Validation);
        let mut lines = vec![self.line("openapi", file, &openapi)];
        let settings = [("request", plan.request.name()), ("response", plan.response.name())];
        lines.extend(settings.map(|(name, value)| {
            let places = [own.key(name), above.key(name), common.key(name)];
            let written = places.iter().find(|at| !at.is_missing());
            let setting = format!("validation.{name}");
            match written {
                Some(at) => PolicyLine { locked, ..self.line(&setting, value.to_owned(), at) },
                None => PolicyLine { setting, value: value.to_owned(), origin: None, locked },
            }
        }));
        lines.push(PolicyLine { locked, ..self.security(contract, [own, above, common]) });
        lines
    }

    /// What the contract asks of callers, as it says it, or the setting by which nobody looks.
    fn security(&self, contract: Option<&RouteContract>, sections: [At<'_>; 3]) -> PolicyLine {
        let name = "validation.security";
        let mode = contract.map_or(ContractMode::Off, |contract| contract.plan.security);
        let asked = contract.and_then(|contract| contract.security.as_ref());
        if let Some(asked) = asked {
            let value = format!("{}: {}", mode.name(), asked.text);
            return PolicyLine { setting: name.to_owned(), value, origin: Some(asked.origin.clone()), locked: false };
        }
        let value = if mode == ContractMode::Off { "off" } else { "the contract does not say" }.to_owned();
        let keys = sections.map(|section| !section.key("security").is_missing());
        match sections.iter().zip(keys).find(|(_, is_there)| *is_there) {
            Some((section, _)) => self.line(name, value, &section.key("security")),
            None => PolicyLine { setting: name.to_owned(), value, origin: None, locked: false },
        }
    }

    /// Which limits hold, and which of them can count anybody here.
    fn limits(&self) -> Vec<PolicyLine> {
        let Some(route) = self.version.routes.get(self.index) else { return Vec::new() };
        let locked = self.is_locked(Lockable::Limits);
        let held = route.held_limits();
        let line = |plan: &Arc<LimitPlan>| PolicyLine {
            setting: format!("limits.{}", plan.name),
            value: match plan.counts_costs() {
                true => format!("{}; a call costs {}", plan.text, route.limits.cost),
                false => plan.text.clone(),
            },
            origin: plan.origin.clone(),
            locked: locked && &*plan.scope == DEFAULTS,
        };
        held.map(line).collect()
    }

    /// What of answers leaves.
    fn shape(&self) -> Vec<PolicyLine> {
        let Some(route) = self.version.routes.get(self.index) else { return Vec::new() };
        let line = |setting: String, value: String, origin: Option<Origin>| PolicyLine {
            setting,
            value,
            origin,
            locked: false,
        };
        let shape = &route.shape;
        let masks = shape.masks.iter();
        let mut lines: Vec<PolicyLine> =
            masks.map(|mask| line("mask".to_owned(), mask.text.clone(), Some(mask.origin.clone()))).collect();
        lines.push(line("errors".to_owned(), shape.errors.name().to_owned(), shape.errors_origin.clone()));
        lines
    }

    fn is_locked(&self, setting: Lockable) -> bool {
        let written = self.loaded.file.defaults.as_ref().and_then(|defaults| defaults.locked.as_ref());
        written.is_some_and(|locked| locked.contains(&setting))
    }

    fn inherited(&self, chain: &Chain<'_, '_>, setting: Lockable) -> Option<PolicyLine> {
        let locked = self.is_locked(setting);
        let Some(level) = chain.deciding(setting) else {
            let value = setting.built_in()?;
            return Some(PolicyLine { setting: setting.name().to_owned(), value, origin: None, locked });
        };
        let value = level.text(setting)?;
        Some(level.with(setting, |at| PolicyLine { locked, ..self.line(setting.name(), value, at) }))
    }

    fn targets(&self, own: Option<(&Upstream, At<'_>)>, api: Option<(&Upstream, At<'_>)>) -> Option<PolicyLine> {
        let (upstream, at) = [own, api].into_iter().flatten().find(|(upstream, _)| upstream.targets.is_some())?;
        let list = at.key("targets");
        let targets = upstream.targets.as_deref().unwrap_or_default();
        let shown: Vec<String> = targets
            .iter()
            .enumerate()
            .map(|(index, target)| self.shown(&list.index(index), target.0.to_string()))
            .collect();
        Some(self.line("upstream.targets", shown.join(", "), &list))
    }

    fn line(&self, setting: &str, value: String, at: &At<'_>) -> PolicyLine {
        PolicyLine {
            setting: setting.to_owned(),
            value: self.shown(at, value),
            origin: Some(self.loaded.sources.origin(at.name_span())),
            locked: false,
        }
    }

    fn shown(&self, at: &At<'_>, value: String) -> String {
        self.loaded.outside.get(&at.id()).map_or(value, ToString::to_string)
    }
}

fn is_named(name: &str, api: &ApiPlan, version: &VersionPlan, route: &RoutePlan) -> bool {
    if name == &*route.id
        || name.strip_prefix(&*api.name).and_then(|rest| rest.strip_prefix('/')).is_some_and(|rest| {
            let below = version.name.as_ref().and_then(|version| rest.strip_prefix(&**version)?.strip_prefix('/'));
            rest == &*route.id || below == Some(&*route.id)
        })
    {
        return true;
    }
    let Some((method, path)) = name.split_once(' ') else { return false };
    let answers = match &route.methods {
        Methods::Any => true,
        Methods::Only(names) => names.iter().any(|one| one == method),
    };
    answers && version.paths(api, route).iter().any(|one| one == path)
}

fn row(api: &ApiPlan, version: &VersionPlan, route: &RoutePlan) -> RouteRow {
    RouteRow {
        api: api.name.to_string(),
        version: version.name.as_ref().map(ToString::to_string),
        id: route.id.to_string(),
        hosts: api.hosts.iter().map(ToString::to_string).collect(),
        methods: route.method_names(),
        path: version.paths(api, route).swap_remove(0),
        authn: match &route.authn {
            Authn::Public => "public".to_owned(),
            Authn::Refuse => "refuse".to_owned(),
            Authn::Demand(plan) => plan.text.clone(),
        },
        targets: route.upstream.targets.iter().map(ToString::to_string).collect(),
        origin: route.origin.clone(),
    }
}

impl std::fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => formatter.write_str("*"),
            Self::Exact(name) => formatter.write_str(name),
            Self::Suffix(suffix) => write!(formatter, "*{suffix}"),
        }
    }
}
