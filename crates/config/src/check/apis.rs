//! APIs and versions: hosts, base paths, version segments, and who claims the same place twice.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::Check;
use super::authz::Section;
use super::conflicts::Claims;
use super::layers::{Chain, Level};
use super::limits::{self, Inherited};
use super::locks::Lock;
use super::upstream::Written;
use crate::diagnostic::{Diagnostic, quote};
use crate::file::defaults::API_KEY_HEADER;
use crate::file::{Api, File, Route, Validation, Version};
use crate::plan::{
    ApiPlan, Authn, Balance, BodiesPlan, ContractPlan, ErrorsPlan, HeadersPlan, HostPattern, Origin, RoutePlan,
    UpstreamPlan, VersionBy, VersionPlan,
};
use crate::scalar::{Raw, Scalar as _, VersionPath};
use crate::sources::Span;
use crate::tree::At;

/// What all routes of one version share.
pub(super) struct Scope<'c, 'a> {
    pub(super) api: &'c str,
    pub(super) version: Option<&'c str>,
    /// Position among the APIs.
    pub(super) index: usize,
    /// Levels above the route, nearest first.
    pub(super) levels: &'c [&'c Level<'a>],
    /// What a route's path is appended to: once, or twice for the default version.
    pub(super) prefixes: Vec<String>,
    /// The version that shares them with others of its API.
    pub(super) slot: Option<&'c str>,
    pub(super) upstream: Arc<UpstreamPlan>,
    pub(super) locks: &'c [Lock],
    /// Rules of the levels above the route, nearest first.
    pub(super) authz: &'c [&'c Section],
    pub(super) allow_path_parameters: bool,
    pub(super) bodies: BodiesPlan,
    pub(super) contract: Option<&'c Arc<ContractPlan>>,
    pub(super) limits: Inherited<'c>,
    pub(super) legacy_limit_headers: bool,
    /// Where it is written, for limits that are written there: `apis.orders.v1`.
    pub(super) place: String,
}

/// An API that stands above its versions.
struct Above<'c, 'a> {
    name: &'c str,
    index: usize,
    base_path: &'c str,
    level: &'c Level<'a>,
    defaults: &'c Level<'a>,
    locks: &'c [Lock],
    authz: &'c [&'c Section],
    upstream: &'c Arc<UpstreamPlan>,
    allow_path_parameters: bool,
    bodies: BodiesPlan,
    /// Of the API and of `defaults`.
    validation: [Option<&'c Validation>; 2],
    limits: Inherited<'c>,
    legacy_limit_headers: bool,
    /// Whether versions are chosen by segments of the path.
    by_path: bool,
}

/// What `defaults` comes to.
#[derive(Clone, Copy)]
struct Common<'c, 'a> {
    level: &'c Level<'a>,
    locks: &'c [Lock],
    authz: Option<&'c Section>,
    bodies: BodiesPlan,
    validation: Option<&'c Validation>,
    limits: Inherited<'c>,
    legacy_limit_headers: bool,
    errors: Option<&'c (ErrorsPlan, Origin)>,
    headers: &'c Arc<HeadersPlan>,
}

impl Check<'_> {
    pub(super) fn apis(&mut self, file: &File, root: &At<'_>) -> Vec<ApiPlan> {
        let defaults_at = root.key("defaults");
        let key_field = file.api_keys.as_ref().and_then(|keys| keys.header.as_ref());
        self.key_field = key_field.map_or(API_KEY_HEADER, |name| &name.0).to_ascii_lowercase();
        let defaults = Level::of_defaults(defaults_at, file.defaults.as_ref());
        let locks = self.locks(file.defaults.as_ref(), &defaults);
        self.defaults(&defaults);
        let authz = self.authz(&defaults_at, file.defaults.as_ref().and_then(|written| written.authz.as_ref()), false);
        let written = file.defaults.as_ref();
        let built_in = Inherited { limits: &limits::built_in(self.named.shared_store), locked: None };
        let own = written.and_then(|written| written.limits.as_ref());
        let limits = self.caller_limits(&defaults_at.key("limits"), own, limits::DEFAULTS, built_in);
        let bodies = written.and_then(|written| written.bodies.as_ref());
        let errors = self.errors(&defaults_at, written.and_then(|written| written.errors));
        let headers = self.headers(written.and_then(|written| written.headers.as_ref()), &defaults_at.key("headers"));
        let headers = Arc::new(headers.unwrap_or_default());
        let common = Common {
            bodies: self.bodies(&defaults_at, bodies, BodiesPlan::default()),
            validation: written.and_then(|written| written.validation.as_ref()),
            level: &defaults,
            locks: &locks,
            authz: authz.as_ref(),
            limits: Inherited { limits: &limits, locked: Self::lock_of_limits(&locks) },
            legacy_limit_headers: written.and_then(|written| written.legacy_limit_headers).is_some_and(|flag| flag.0),
            errors: errors.as_ref(),
            headers: &headers,
        };
        let section = root.key("apis");
        let hosts: Vec<Vec<HostPattern>> = file.apis.values().map(hosts_of).collect();
        let mut claims = Claims::new(&hosts);
        let mut plans = Vec::new();
        for (index, (name, api)) in file.apis.iter().enumerate() {
            let at = section.key(name);
            self.name(&at, name, "an API");
            plans.push(self.api(index, name, api, &at, common, &mut claims));
        }
        self.authz_end(authz.as_ref());
        self.validated_by_nobody(file, &defaults_at);
        self.same_place(&plans, &section);
        if file.apis.is_empty() && !self.incomplete {
            let diagnostic = Diagnostic::new("nothing-to-serve", section.name_span(), "there is no API")
                .help("`portcullis init --openapi FILE --upstream URL` writes one from a contract");
            self.reject(&section, diagnostic);
        }
        plans
    }

    /// Ranges of what `defaults` itself says.
    fn defaults(&mut self, level: &Level<'_>) {
        let chain = Chain { levels: &[level] };
        self.body_bytes(level);
        self.authn(level);
        self.waf_level(level);
        self.waf = self.waf(&chain);
        self.timeouts(&Written { at: level.at.key("upstream"), section: None }, &chain);
    }

    fn api(
        &mut self,
        index: usize,
        name: &str,
        api: &Api,
        at: &At<'_>,
        common: Common<'_, '_>,
        claims: &mut Claims,
    ) -> ApiPlan {
        self.hosts(api, &at.key("hosts"));
        let base_path = api.base_path.as_ref().map_or(String::new(), |path| path.0.clone());
        let level = Level::of_api(*at, api);
        let Common { level: defaults, locks, authz, .. } = common;
        self.locked(locks, &level);
        self.body_bytes(&level);
        self.authn(&level);
        self.waf_level(&level);
        let levels = [&level, defaults];
        let chain = Chain { levels: &levels };
        let allow_path_parameters = chain.allow_path_parameters().value.0;
        self.path_parameters(&at.key("base_path"), &base_path, allow_path_parameters);
        let own_authz = self.authz(at, api.authz.as_ref(), false);
        let sections: Vec<&Section> = own_authz.iter().chain(authz).collect();
        let own = Written { at: at.key("upstream"), section: api.upstream.as_ref() };
        let upstream = Arc::new(self.upstream(name, own, None, &chain));
        let limits = self.caller_limits(&at.key("limits"), api.limits.as_ref(), &format!("apis.{name}"), common.limits);
        let (version_by, strip_version) = self.version_by(api, at);
        let version_field = match &version_by {
            VersionBy::Header(name) => Some(name.clone()),
            VersionBy::Path | VersionBy::Query(_) | VersionBy::MediaType(_) => None,
        };
        let own_field = std::mem::replace(&mut self.version_field, version_field);
        let above = Above {
            name,
            index,
            base_path: &base_path,
            level: &level,
            defaults,
            locks,
            authz: &sections,
            upstream: &upstream,
            allow_path_parameters,
            bodies: self.bodies(at, api.bodies.as_ref(), common.bodies),
            validation: [api.validation.as_ref(), common.validation],
            limits: Inherited { limits: &limits, ..common.limits },
            legacy_limit_headers: api.legacy_limit_headers.map_or(common.legacy_limit_headers, |flag| flag.0),
            by_path: version_by == VersionBy::Path,
        };
        let mut versions = self.operations(api, at, &above, claims);
        self.version_field = own_field;
        self.shapes(api, at, common.errors, &mut versions);
        self.unseen(at, api.bodies.as_ref(), versions.iter().flat_map(|version| &version.routes));
        let routes = versions.iter().flat_map(|version| &version.routes);
        self.met(at, api.limits.as_ref(), &limits, routes.map(|route| (&route.limits, &route.authn)));
        self.authz_end(own_authz.as_ref());
        let forward_credential = self.forward_credential(api, at, &versions);
        self.claims_of_nobody(at, &versions);
        let resource = self.resource(api, at, &base_path, &versions);
        let cors = api.cors.as_ref().map(|written| Arc::new(self.cors(written, &at.key("cors"))));
        if let Some(cors) = &cors {
            self.methods_of_nobody(cors, at, &versions);
        }
        let headers =
            self.headers(api.headers.as_ref(), &at.key("headers")).map_or_else(|| Arc::clone(common.headers), Arc::new);
        self.reports_over_routes(&headers, at, &versions);
        ApiPlan {
            headers,
            name: Arc::from(name),
            hosts: hosts_of(api),
            base_path,
            forward_credential,
            resource,
            cors,
            allow_path_parameters,
            version_by,
            strip_version,
            versions,
        }
    }

    /// Targets chosen by a claim where no token is ever accepted: chance would choose them, and nobody would know.
    fn claims_of_nobody(&mut self, at: &At<'_>, versions: &[VersionPlan]) {
        let by_claim = |route: &&RoutePlan| matches!(route.upstream.pool.balance, Balance::Claim(_));
        let takes_tokens = |route: &RoutePlan| match &route.authn {
            Authn::Demand(demand) => !demand.issuers.is_empty() || demand.introspection.is_some(),
            Authn::Public | Authn::Refuse => false,
        };
        let mut routes = versions.iter().flat_map(|version| &version.routes).filter(by_claim).peekable();
        if routes.peek().is_none() || routes.any(takes_tokens) {
            return;
        }
        let section = at.key("versions");
        for name in versions.iter().filter_map(|version| version.name.as_deref()) {
            self.claim_of_nobody(&section.key(name));
        }
        self.claim_of_nobody(at);
    }

    fn claim_of_nobody(&mut self, level: &At<'_>) {
        let upstream = level.key("upstream");
        let balance = upstream.key("balance");
        let by = balance.key("consistent_hash");
        let claim = by.key("claim");
        if !claim.is_missing() && !level.key("authn").is_tainted() {
            let message = "the claim has no effect, because no route of the API takes tokens";
            let diagnostic = Diagnostic::new("no-effect", claim.name_span(), message)
                .help("write `authn: { any_of: [{ jwt: { issuers: [NAME] } }] }`, or choose by something else");
            self.reject(&claim, diagnostic);
        }
    }

    /// Routes, directly or in versions.
    fn operations(&mut self, api: &Api, at: &At<'_>, above: &Above<'_, '_>, claims: &mut Claims) -> Vec<VersionPlan> {
        self.named_twice(api, at);
        match (&api.routes, &api.versions) {
            (Some(_), Some(_)) => {
                let routes = at.key("routes");
                let diagnostic =
                    Diagnostic::new("contradiction", routes.name_span(), "an API has either `routes` or `versions`")
                        .also(at.key("versions").name_span(), "the other one")
                        .help("move the routes into a version");
                self.reject(&routes, diagnostic);
                Vec::new()
            }
            (None, None) if api.openapi.is_none() => {
                let is_hidden = at.key("routes").is_tainted() || at.key("versions").is_tainted();
                if !is_hidden {
                    let message = format!("the API {} has no routes", quote(above.name));
                    let diagnostic = Diagnostic::new("nothing-to-serve", at.name_span(), message)
                        .help("add `routes: [{ path: \"/\", methods: [GET], authn: public }]`, or `versions`");
                    self.reject(at, diagnostic);
                }
                Vec::new()
            }
            (_, None) => {
                let levels = [above.level, above.defaults];
                let [own, common] = above.validation;
                let contract = self.contract(at, api.openapi.as_ref(), [own, common, None]);
                let published = self.published(at, api.published.as_ref(), contract.as_deref());
                let scope = Scope {
                    api: above.name,
                    version: None,
                    index: above.index,
                    levels: &levels,
                    prefixes: vec![above.base_path.to_owned()],
                    slot: None,
                    upstream: Arc::clone(above.upstream),
                    locks: above.locks,
                    authz: above.authz,
                    allow_path_parameters: above.allow_path_parameters,
                    bodies: above.bodies,
                    contract: contract.as_ref(),
                    limits: above.limits,
                    legacy_limit_headers: above.legacy_limit_headers,
                    place: format!("apis.{}", above.name),
                };
                let routes = self.served(api.routes.as_deref(), at, &scope, claims);
                vec![VersionPlan { name: None, path: None, default: false, lifecycle: None, published, routes }]
            }
            (None, Some(versions)) => self.versions(versions, &at.key("versions"), above, claims),
        }
    }

    /// An API with versions has a contract for each of them.
    fn named_twice(&mut self, api: &Api, at: &At<'_>) {
        let Some(versions) = &api.versions else { return };
        if api.published.is_some() {
            let published = at.key("published");
            let message = "an API with `versions` has a contract for each of them";
            let diagnostic = Diagnostic::new("contradiction", published.name_span(), message);
            self.reject(&published, diagnostic.help("move `published` into a version"));
        }
        if api.openapi.is_some() {
            let openapi = at.key("openapi");
            let message = "an API with `versions` has a contract for each of them";
            let diagnostic = Diagnostic::new("contradiction", openapi.name_span(), message);
            self.reject(&openapi, diagnostic.help("move `openapi` into a version"));
        } else if api.validation.is_some() && versions.values().all(|version| version.openapi.is_none()) {
            self.ineffective(at);
        }
    }

    /// The routes that are written, or those that the contract makes.
    fn served(
        &mut self,
        written: Option<&[Route]>,
        at: &At<'_>,
        scope: &Scope<'_, '_>,
        claims: &mut Claims,
    ) -> Vec<RoutePlan> {
        let openapi = at.key("openapi");
        match (written, scope.contract) {
            (Some(routes), _) => self.routes(routes, &at.key("routes"), scope, claims),
            (None, Some(contract)) => {
                let routes = self.derived(&openapi, contract);
                if routes.is_empty() { Vec::new() } else { self.routes(&routes, &openapi, scope, claims) }
            }
            // That the document does not load has been reported.
            (None, None) if !openapi.is_missing() => Vec::new(),
            (None, None) => {
                let routes = at.key("routes");
                if !routes.is_tainted() {
                    let diagnostic = Diagnostic::new("nothing-to-serve", at.name_span(), "the version has no routes")
                        .help("add `openapi: FILE`, which makes one for each operation, or `routes`");
                    self.reject(at, diagnostic);
                }
                Vec::new()
            }
        }
    }

    fn versions(
        &mut self,
        versions: &IndexMap<String, Version>,
        at: &At<'_>,
        above: &Above<'_, '_>,
        claims: &mut Claims,
    ) -> Vec<VersionPlan> {
        if versions.is_empty() {
            let diagnostic = Diagnostic::new("nothing-to-serve", at.name_span(), "there is no version")
                .help("add one, or give the API `routes`");
            self.reject(at, diagnostic);
        }
        let mut paths: HashMap<String, Span> = HashMap::new();
        let mut default: Option<Span> = None;
        let mut plans = Vec::new();
        for (name, version) in versions {
            let at = at.key(name);
            self.name(&at, name, "a version");
            let path = self.version_path(name, version, &at, above.allow_path_parameters);
            let path_at = at.key("path");
            let path_span = path_at.span();
            if above.by_path
                && let Some(first) = paths.insert(path.clone(), path_span)
            {
                let diagnostic = Diagnostic::new(
                    "duplicate",
                    path_span,
                    format!("two versions have the path {}", self.shown(&path_at, &path)),
                )
                .also(first, "the other one")
                .help("give one of them another `path`");
                self.reject(&path_at, diagnostic);
            }
            let is_default = version.default.is_some_and(|flag| flag.0);
            if is_default {
                let flag = at.key("default");
                if let Some(first) = default.replace(flag.span()) {
                    let diagnostic = Diagnostic::new("duplicate", flag.span(), "more than one version is the default")
                        .also(first, "the other one")
                        .help("one version at most answers without its segment");
                    self.reject(&flag, diagnostic);
                }
            }
            plans.push(self.version(name, version, &at, (path, is_default), above, claims));
        }
        Self::successors(above.base_path, &mut plans);
        plans
    }

    fn version(
        &mut self,
        name: &str,
        version: &Version,
        at: &At<'_>,
        (path, is_default): (String, bool),
        above: &Above<'_, '_>,
        claims: &mut Claims,
    ) -> VersionPlan {
        let level = Level::of_version(*at, version);
        self.locked(above.locks, &level);
        self.body_bytes(&level);
        self.authn(&level);
        self.waf_level(&level);
        let levels = [&level, above.level, above.defaults];
        let upstream = match &version.upstream {
            None => Arc::clone(above.upstream),
            Some(section) => {
                let own = Written { at: at.key("upstream"), section: Some(section) };
                let full_name = format!("{}/{name}", above.name);
                Arc::new(self.upstream(&full_name, own, Some(above.upstream), &Chain { levels: &levels }))
            }
        };
        let bare = (is_default || !above.by_path).then(|| above.base_path.to_owned());
        let own = above.by_path.then(|| format!("{}/{path}", above.base_path));
        let prefixes = own.into_iter().chain(bare).collect();
        let place = format!("apis.{}.{name}", above.name);
        let [of_api, common] = above.validation;
        let validation = [version.validation.as_ref(), of_api, common];
        let contract = self.contract(at, version.openapi.as_ref(), validation);
        let published = self.published(at, version.published.as_ref(), contract.as_deref());
        let limits = self.caller_limits(&at.key("limits"), version.limits.as_ref(), &place, above.limits);
        let own_authz = self.authz(at, version.authz.as_ref(), false);
        let sections: Vec<&Section> = own_authz.iter().chain(above.authz.iter().copied()).collect();
        let scope = Scope {
            api: above.name,
            version: Some(name),
            index: above.index,
            levels: &levels,
            prefixes,
            slot: if above.by_path { None } else { Some(name) },
            upstream,
            locks: above.locks,
            authz: &sections,
            allow_path_parameters: above.allow_path_parameters,
            bodies: self.bodies(at, version.bodies.as_ref(), above.bodies),
            contract: contract.as_ref(),
            limits: Inherited { limits: &limits, ..above.limits },
            legacy_limit_headers: above.legacy_limit_headers,
            place,
        };
        let routes = self.served(version.routes.as_deref(), at, &scope, claims);
        self.unseen(at, version.bodies.as_ref(), routes.iter());
        let met = routes.iter().map(|route| (&route.limits, &route.authn));
        self.met(at, version.limits.as_ref(), &limits, met);
        self.authz_end(own_authz.as_ref());
        let lifecycle = self.lifecycle(version, at).map(Arc::new);
        let path = above.by_path.then_some(path);
        VersionPlan { name: Some(Arc::from(name)), path, default: is_default, lifecycle, published, routes }
    }

    /// The segment of a version: given, or its name if that can be one.
    fn version_path(&mut self, name: &str, version: &Version, at: &At<'_>, allow_path_parameters: bool) -> String {
        if let Some(path) = &version.path {
            self.path_parameters(&at.key("path"), &path.0, allow_path_parameters);
            return path.0.clone();
        }
        if let Err(why) = VersionPath::parse(Raw { text: name, plain: true }) {
            let message = format!("{} cannot be a path segment", quote(name));
            let diagnostic = Diagnostic::new("bad-name", at.name_span(), message);
            self.reject(at, diagnostic.help(format!("{why}; or give the version a `path`")));
        }
        name.to_owned()
    }

    fn hosts(&mut self, api: &Api, at: &At<'_>) {
        if api.hosts.is_empty() {
            let diagnostic = Diagnostic::new("empty-list", at.name_span(), "there is no host")
                .help("write `hosts: [api.example.com]`, or `hosts: [\"*\"]` for any");
            self.reject(at, diagnostic);
        }
        let mut seen: HashMap<&HostPattern, Span> = HashMap::new();
        for (index, host) in api.hosts.iter().enumerate() {
            let item = at.index(index);
            if let Some(first) = seen.insert(&host.0, item.span()) {
                let diagnostic = Diagnostic::new("duplicate", item.span(), "the same host stands twice")
                    .also(first, "first here")
                    .help("remove one of the two");
                self.reject(&item, diagnostic);
            }
        }
    }

    /// Two APIs on the same host and base path: nobody could tell whose rules apply.
    fn same_place(&mut self, plans: &[ApiPlan], section: &At<'_>) {
        let mut places: HashMap<(&HostPattern, &str), &ApiPlan> = HashMap::new();
        for plan in plans {
            let at = section.key(&plan.name);
            if at.key("base_path").is_tainted() {
                continue;
            }
            let list = at.key("hosts");
            for (index, host) in plan.hosts.iter().enumerate() {
                if list.index(index).is_tainted() {
                    continue;
                }
                let Some(first) = places.insert((host, &plan.base_path), plan) else { continue };
                if first.name == plan.name {
                    continue;
                }
                let other = section.key(&first.name);
                let message =
                    format!("the APIs `{}` and `{}` claim the same host and base path", first.name, plan.name);
                let diagnostic = Diagnostic::new("same-place", at.key("hosts").name_span(), message)
                    .also(other.key("hosts").name_span(), "claimed here")
                    .help("give one of them another host or `base_path`, or join them");
                self.reject(&at, diagnostic);
                break;
            }
        }
    }
}

pub(super) fn hosts_of(api: &Api) -> Vec<HostPattern> {
    api.hosts.iter().map(|host| host.0.clone()).collect()
}
