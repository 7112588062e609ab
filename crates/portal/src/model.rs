//! What there is to say about each operation, taken from the policy that is in force and from the contract. Pages, plain texts and
//! documents for programs are all written from this, and a test holds it against a running gateway.

mod callers;
mod contract;
mod errors;
mod limits;
mod place;

pub use callers::{Callers, IssuerFact, ProofFact, SignatureFact, Way};
pub use contract::{Answer, Content, Parameter};
pub(crate) use errors::problem;
pub use errors::{ErrorCase, Group};
pub use limits::{Limit, LimitFields};

use crate::document::{Document, Documents, Fetch, Unreadable, text_of};
use portcullis_config::plan::{
    ApiPlan, ContractMode, CorsPlan, LifecyclePlan, Methods, Origins, Plan, RoutePlan, VersionBy, VersionPlan, Who,
};
use std::collections::HashSet;
use std::sync::Arc;

/// All APIs of a gateway.
#[derive(Debug, Default)]
pub struct Portal {
    /// In the order of the configuration.
    pub apis: Vec<Api>,
}

/// One API.
#[derive(Debug)]
pub struct Api {
    /// Its name in the configuration.
    pub name: String,
    /// In the order of the configuration; never empty.
    pub versions: Vec<Version>,
}

/// One version of an API; the only one where it has none.
#[derive(Debug)]
pub struct Version {
    /// The API's name.
    pub api: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its folder within the site: `apis/orders/v1`.
    pub folder: String,
    /// What the contract calls it, or its name.
    pub title: String,
    /// What the contract says of it, in Markdown.
    pub description: String,
    /// The version that the contract states.
    pub contract_version: Option<String>,
    /// Whether it answers without being named.
    pub is_default: bool,
    /// How it comes to its end.
    pub lifecycle: Option<Arc<LifecyclePlan>>,
    /// Its address up to the paths of operations: `https://api.example.com/orders/v1`.
    pub address: String,
    /// In the order of the configuration.
    pub operations: Vec<Operation>,
    /// Whether there is a page about what changed.
    pub has_changes: bool,
    pub(crate) document: Option<Arc<Document>>,
}

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// The route's name.
    pub id: String,
    /// Its page within the version's folder, without `.html`.
    pub slug: String,
    /// The method; `any` where every one is answered.
    pub method: String,
    /// Scheme, host and port.
    pub origin: String,
    /// Whether that is a whole address, and not one with a part to be filled in.
    pub is_origin_whole: bool,
    /// The whole path template.
    pub path: String,
    /// The other path by which it can be called, where its version is the default one.
    pub also_at: Option<String>,
    /// How a call names its version, where not by its path: the version's name stands there.
    pub version_by: Option<(VersionBy, String)>,
    /// Path and method in the contract.
    pub in_contract: Option<(String, String)>,
    /// A few words about it.
    pub summary: String,
    /// What the contract says of it, in Markdown.
    pub description: String,
    /// By what the contract groups it.
    pub tag: Option<String>,
    /// Whether the contract says that nobody should begin to use it.
    pub is_deprecated: bool,
    /// Who may call, and how he proves who he is.
    pub callers: Callers,
    /// What callers may ask for.
    pub limits: Vec<Limit>,
    /// What answers say about limits.
    pub limit_fields: LimitFields,
    /// Sizes and times: what, and how much.
    pub bounds: Vec<(&'static str, String)>,
    /// Which values are masked, and for whom.
    pub masks: Vec<Mask>,
    /// Which pages may read answers.
    pub pages: Option<Pages>,
    /// How it can be refused or fail.
    pub errors: Vec<ErrorCase>,
    /// What of a request beside its body the contract speaks of.
    pub parameters: Vec<Parameter>,
    /// The body of a request, and whether there has to be one.
    pub body: Vec<Content>,
    /// Whether there has to be a body.
    pub is_body_required: bool,
    /// Answers, by status.
    pub answers: Vec<Answer>,
    /// Whether messages are held to the contract: requests, answers.
    pub is_held: (bool, bool),
    /// Other ways to talk: WebSocket, gRPC, GraphQL.
    pub also: Vec<String>,
}

/// A masked value.
#[derive(Debug, PartialEq, Eq)]
pub struct Mask {
    /// Where it stands.
    pub field: String,
    /// The rule's name.
    pub rule: String,
    /// Who sees what of it.
    pub seen: Vec<(String, String)>,
}

/// What pages of other origins may do.
#[derive(Debug, PartialEq, Eq)]
pub struct Pages {
    /// `None` for any.
    pub origins: Option<Vec<String>>,
    /// `None` for all that routes answer.
    pub methods: Option<Vec<String>>,
    /// Request fields that they may set.
    pub fields: Vec<String>,
    /// Whether browsers send cookies along.
    pub with_cookies: bool,
    /// Seconds for which an answer to a preflight is good.
    pub max_age: u64,
    /// Whether the portal's own pages may call.
    pub includes_portal: bool,
}

// === impl Portal ===

impl Portal {
    /// Of all APIs of a plan. Problems say that they are explained below `problems`.
    ///
    /// # Errors
    /// A contract cannot be read.
    pub fn of(plan: &Plan, problems: &str, fetch: Fetch<'_>) -> Result<Self, Unreadable> {
        let mut documents = Documents::default();
        let (mut apis, mut taken) = (Vec::new(), HashSet::new());
        for api in &plan.apis {
            let mut versions = Vec::new();
            for version in &api.versions {
                let contract = version.routes.iter().find_map(|route| route.contract.as_ref());
                let file = contract.map(|contract| contract.plan.file.as_path());
                let document = file.map(|file| documents.read(file, &mut *fetch)).transpose()?;
                let scope = Scope { plan, api, version, document: document.as_deref(), problems };
                let version = scope.version(&document);
                // Names that differ in what a folder's cannot hold.
                versions.push(Version { folder: unique(&version.folder, &mut taken), ..version });
            }
            apis.push(Api { name: api.name.to_string(), versions });
        }
        Ok(Self { apis })
    }

    /// Every version of every API.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        self.apis.iter().flat_map(|api| &api.versions)
    }
}

/// Where a version stands.
#[derive(Clone, Copy)]
struct Scope<'s> {
    plan: &'s Plan,
    api: &'s ApiPlan,
    version: &'s VersionPlan,
    document: Option<&'s Document>,
    problems: &'s str,
}

// === impl Scope ===

impl Scope<'_> {
    fn version(self, document: &Option<Arc<Document>>) -> Version {
        let Self { api, version, .. } = self;
        let name = version.name.as_ref().map(ToString::to_string);
        let info = |word: &str| document.as_ref().and_then(|document| document.text(&format!("/info/{word}")));
        let plain = match &name {
            Some(name) => format!("{} {name}", api.name),
            None => api.name.to_string(),
        };
        let folder = match &name {
            Some(name) => format!("apis/{}/{}", slug(&api.name), slug(name)),
            None => format!("apis/{}", slug(&api.name)),
        };
        let segment = version.path.as_ref().map(|path| format!("/{path}")).unwrap_or_default();
        Version {
            api: api.name.to_string(),
            folder,
            title: info("title").map_or(plain, str::to_owned),
            description: info("description").unwrap_or_default().to_owned(),
            contract_version: info("version").map(str::to_owned),
            is_default: version.default,
            lifecycle: version.lifecycle.clone(),
            address: format!("{}{}{segment}", place::origin(self.plan, api), api.base_path),
            operations: self.operations(),
            document: document.clone(),
            has_changes: false,
            name,
        }
    }

    fn operations(self) -> Vec<Operation> {
        let mut taken: HashSet<String> = ["index", "changes", "openapi"].map(str::to_owned).into();
        let mut all = Vec::new();
        for route in &self.version.routes {
            let methods: Vec<&str> = match &route.methods {
                Methods::Any => vec!["any"],
                Methods::Only(names) => names.iter().map(String::as_str).collect(),
            };
            for method in &methods {
                let name = if methods.len() == 1 { route.id.to_string() } else { format!("{}-{method}", route.id) };
                let slug = unique(&slug(&name), &mut taken);
                all.push(self.operation(route, method, slug));
            }
        }
        all
    }

    fn operation(self, route: &RoutePlan, method: &str, slug: String) -> Operation {
        let Self { plan, api, version, document, .. } = self;
        let in_contract = route
            .contract
            .as_ref()
            .and_then(|contract| contract.operation(method.as_bytes()))
            .map(|operation| (operation.template().to_owned(), operation.method().to_owned()));
        let place = document.zip(in_contract.as_ref());
        let described = place.and_then(|(document, (template, method))| document.operation(template, method));
        let own = described.map(|(_, operation)| operation);
        let text = |word: &str| own.and_then(|own| text_of(own, word)).unwrap_or_default().to_owned();
        let mut paths = version.paths(api, route).into_iter().map(whole);
        let messages = place.map(|(document, (template, method))| contract::messages(document, template, method));
        let (parameters, body, answers) = messages.unwrap_or_else(|| contract::unwritten(&route.template));
        let held = route.contract.as_ref().map(|contract| (contract.plan.request, contract.plan.response));
        Operation {
            id: route.id.to_string(),
            slug,
            method: method.to_owned(),
            origin: place::origin(plan, api),
            is_origin_whole: place::is_whole(plan, api),
            path: paths.next().unwrap_or_default(),
            also_at: paths.next(),
            version_by: version
                .name
                .as_ref()
                .filter(|_| api.version_by != VersionBy::Path)
                .map(|name| (api.version_by.clone(), name.to_string())),
            summary: text("summary"),
            description: text("description"),
            tag: own.and_then(|own| own.get("tags")?.get(0)?.as_str()).map(str::to_owned),
            is_deprecated: own
                .is_some_and(|own| own.get("deprecated").and_then(serde_json::Value::as_bool) == Some(true)),
            callers: callers::callers(plan, route),
            limits: limits::limits(route),
            limit_fields: limits::fields(route),
            bounds: bounds(route),
            masks: masks(route),
            pages: api.cors.as_deref().map(|cors| Pages::of(cors, plan)),
            errors: errors::errors(self, route, method),
            parameters,
            is_body_required: body.1,
            body: body.0,
            answers,
            is_held: held.map_or((false, false), |(request, response)| {
                (request == ContractMode::Enforce, response == ContractMode::Enforce)
            }),
            also: also(route),
            in_contract,
        }
    }
}

// === impl Pages ===

impl Pages {
    fn of(cors: &CorsPlan, plan: &Plan) -> Self {
        let home = plan.portal.as_ref().and_then(|portal| portal.address.as_ref());
        Self {
            includes_portal: home.is_some_and(|home| cors.origins.allow(home.as_bytes())),
            origins: match &cors.origins {
                Origins::Any => None,
                Origins::Only(list) => Some(list.clone()),
            },
            methods: cors.methods.clone(),
            fields: cors.page_fields(&plan.identity.key_field),
            with_cookies: cors.credentials,
            max_age: cors.max_age.as_secs(),
        }
    }
}

// === impl Operation ===

impl Operation {
    /// How a call names its version, in words; nothing where its path does.
    #[must_use]
    pub fn version_told(&self) -> Option<String> {
        let (by, version) = self.version_by.as_ref()?;
        Some(match by {
            VersionBy::Path => return None,
            VersionBy::Header(name) => format!("Calls name their version in the field `{name}`: `{version}`."),
            VersionBy::Query(name) => format!("Calls name their version in the query: `{name}={version}`."),
            VersionBy::MediaType(name) => {
                format!("Calls name their version in `Accept`: `application/json;{name}={version}`.")
            }
        })
    }

    /// What it is called in lists.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.summary.is_empty() { &self.id } else { &self.summary }
    }
}

fn whole(path: String) -> String {
    if path.is_empty() { "/".to_owned() } else { path }
}

fn bounds(route: &RoutePlan) -> Vec<(&'static str, String)> {
    let mut all = vec![("Largest request body", bytes(route.body_bytes))];
    if route.looks_into_bodies() {
        let bodies = &route.bodies;
        all.push(("Largest body that is looked into, as it is sent", bytes(bodies.held_bytes)));
        all.push(("The same once it is decompressed", bytes(bodies.decoded_bytes)));
        all.push(("JSON: values within each other", bodies.json.depth.to_string()));
        all.push(("JSON: members of one object", bodies.json.members.to_string()));
        all.push(("JSON: items of one array", bodies.json.items.to_string()));
    }
    all.push(("Time until the answer has ended", format!("{:?}", route.timeout)));
    if let Some(limits) = &route.graphql {
        all.push(("GraphQL: fields within each other", limits.depth.to_string()));
        all.push(("GraphQL: cost of one request", limits.cost.to_string()));
    }
    all
}

/// A number of bytes as people read it.
pub(crate) fn bytes(count: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let fits = units.into_iter().find(|(size, _)| count >= *size && count.is_multiple_of(*size));
    fits.map_or_else(|| format!("{count} bytes"), |(size, unit)| format!("{} {unit}", count / size))
}

fn masks(route: &RoutePlan) -> Vec<Mask> {
    let mut audiences: Vec<Who> = Vec::new();
    for who in route.shape.audiences() {
        if !audiences.contains(&who) {
            audiences.push(who);
        }
    }
    let mut all = Vec::new();
    for mask in &route.shape.masks {
        let mut seen: Vec<(String, String)> =
            audiences.iter().map(|who| (who.text(), mask.sight(who).to_string())).collect();
        seen.push(("everybody else".to_owned(), mask.sight(&Who::default()).to_string()));
        all.extend(mask.fields(route.shape.outline.as_deref()).into_iter().map(|(field, _)| Mask {
            field,
            rule: mask.name.to_string(),
            seen: seen.clone(),
        }));
    }
    all
}

fn also(route: &RoutePlan) -> Vec<String> {
    let mut all = Vec::new();
    if route.websocket.is_some() {
        all.push("It can be opened as a WebSocket, over HTTP/1.1 and HTTP/2.".to_owned());
    }
    if route.grpc {
        all.push("It takes calls of gRPC.".to_owned());
    }
    if let Some(limits) = &route.graphql {
        let asked = if limits.introspection { "may" } else { "may not" };
        all.push(format!("It takes requests of GraphQL; the schema {asked} be asked for."));
    }
    all
}

/// A name that can stand in an address and on any disk.
pub(crate) fn slug(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars().take(80) {
        match letter {
            'a'..='z' | '0'..='9' | '_' => out.push(letter),
            'A'..='Z' => out.push(letter.to_ascii_lowercase()),
            _ if out.ends_with('-') || out.is_empty() => {}
            _ => out.push('-'),
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { "unnamed".to_owned() } else { out.to_owned() }
}

/// The name, or the first free one with a number behind it.
pub(crate) fn unique(name: &str, taken: &mut HashSet<String>) -> String {
    let numbered = (2_u32..).map(|number| format!("{name}-{number}"));
    let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains(name));
    let free = free.unwrap_or_else(|| name.to_owned());
    taken.insert(free.clone());
    free
}
