//! Contracts: documents that load, routes that they make, and routes that stand for an operation of theirs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_contract::{self as engine, Options, Severity};

use super::Check;
use super::apis::Scope;
use super::security::Unmet;
use crate::diagnostic::{Diagnostic, quote};
use crate::file::{self, Api, File, Route, Validation, defaults};
use crate::plan::{ContractMode, ContractPlan, Methods, RouteContract};
use crate::scalar::{FileName, Flag, Method, Raw, Scalar as _, Template, Text, shape};
use crate::tree::At;

/// LIMIT: bytes of a document, and of each file that it refers to.
pub(super) const MAX_DOCUMENT_BYTES: u64 = 16 << 20;
/// LIMIT: files that a document refers to.
pub(super) const MAX_FILES: usize = 1_000;
/// LIMIT: mistakes of one document that are shown; `contract check` shows all.
const MAX_SHOWN: usize = 10;

impl Check<'_> {
    /// The document that `openapi` names at a level. `validation` is what the levels say about it, the nearest first.
    pub(super) fn contract(
        &mut self,
        level: &At<'_>,
        openapi: Option<&FileName>,
        validation: [Option<&Validation>; 3],
    ) -> Option<Arc<ContractPlan>> {
        let at = level.key("openapi");
        let Some(name) = openapi else {
            if validation.first().is_some_and(Option::is_some) {
                self.ineffective(level);
            }
            return None;
        };
        let section = level.key("validation");
        let plan = self.validated(&section, validation);
        let path = self.locate(&at, name);
        self.watch(&path);
        if at.is_tainted() {
            return None;
        }
        let shown = self.shown(&at, &name.0);
        let bytes = match self.environment.read(&path, MAX_DOCUMENT_BYTES) {
            Ok(bytes) => bytes,
            Err(why) => {
                let diagnostic = self.wrong(&at, "unreadable-file", format!("{shown} cannot be read: {why}"));
                self.reject(&at, diagnostic.help("name an OpenAPI document, YAML or JSON, of version 3.0 or 3.1"));
                self.lacks_contract = true;
                return None;
            }
        };
        let (loaded, hash, read) = self.load(&path, &name.0, &bytes, plan.options.clone());
        for path in &read {
            self.watch(path);
        }
        self.mistakes(&at, &shown, &loaded.diagnostics);
        self.lacks_contract |= loaded.contract.is_none();
        let Validated { request, response, security, answer_bytes, options } = plan;
        let contract = Arc::new(loaded.contract?);
        Some(Arc::new(ContractPlan { file: path, hash, options, contract, request, response, security, answer_bytes }))
    }

    /// Reports settings for a contract that is not there.
    pub(super) fn ineffective(&mut self, level: &At<'_>) {
        let at = level.key("validation");
        let message = "this has no effect, because no contract is named";
        let diagnostic = Diagnostic::new("no-effect", at.name_span(), message)
            .help("add `openapi: FILE` beside it, or remove it; `bodies.json.strict` reads JSON without a contract");
        self.reject(&at, diagnostic);
    }

    /// The same of `defaults`, where no API has a contract.
    pub(super) fn validated_by_nobody(&mut self, file: &File, defaults: &At<'_>) {
        let has_contract = |api: &Api| {
            let versions = api.versions.iter().flat_map(|versions| versions.values());
            api.openapi.is_some() || versions.into_iter().any(|version| version.openapi.is_some())
        };
        let written = file.defaults.as_ref().and_then(|written| written.validation.as_ref());
        if written.is_some() && !self.incomplete && !file.apis.values().any(has_contract) {
            let at = defaults.key("validation");
            let message = "this has no effect, because no API names a contract";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(&at, diagnostic.help("add `openapi: FILE` to an API, or remove it"));
        }
    }

    fn load(&self, path: &Path, name: &str, bytes: &[u8], options: Options) -> (engine::Loaded, String, Vec<PathBuf>) {
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let mut hasher = blake3::Hasher::new();
        hasher.update(bytes);
        let mut read: Vec<PathBuf> = Vec::new();
        let base = Path::new(name).parent().unwrap_or(Path::new("")).to_path_buf();
        let loaded = engine::load(name, bytes, options, &mut |address: &str| {
            if address.contains("://") || read.len() >= MAX_FILES {
                return None;
            }
            // Addresses are relative to the document as it is named, files to where it lies.
            let relative = Path::new(address).strip_prefix(&base).unwrap_or(Path::new(address));
            let path = folder.join(relative);
            let bytes = self.environment.read(&path, MAX_DOCUMENT_BYTES).ok()?;
            hasher.update(&bytes);
            read.push(path);
            Some(bytes)
        });
        let hash = hasher.finalize().to_hex().to_string();
        (loaded, hash, read)
    }

    fn mistakes(&mut self, at: &At<'_>, shown: &str, found: &[engine::Diagnostic]) {
        let errors: Vec<&engine::Diagnostic> = found.iter().filter(|one| one.severity == Severity::Error).collect();
        for error in errors.iter().take(MAX_SHOWN) {
            let place = if error.pointer.is_empty() { String::new() } else { format!(" at {}", quote(&error.pointer)) };
            let file =
                if errors.iter().all(|one| one.file == error.file) { shown.to_owned() } else { quote(&error.file) };
            let message = format!("{file} line {}{place}: {}", error.line, error.message);
            let mut diagnostic = self.wrong(at, "contract", message);
            if !error.help.is_empty() {
                diagnostic = diagnostic.help(error.help.clone());
            }
            self.reject(at, diagnostic);
        }
        if errors.len() > MAX_SHOWN {
            let message = format!("{shown} has {} more mistakes", errors.len() - MAX_SHOWN);
            let diagnostic = self.wrong(at, "contract", message).help("`portcullis contract check` shows all");
            self.reject(at, diagnostic);
        }
    }

    fn validated(&mut self, at: &At<'_>, levels: [Option<&Validation>; 3]) -> Validated {
        let flag =
            |of: fn(&Validation) -> Option<Flag>| levels.iter().flatten().find_map(|one| of(one)).is_some_and(|f| f.0);
        let mode = |of: fn(&Validation) -> Option<file::ContractMode>, built_in| {
            levels.iter().flatten().find_map(|one| of(one)).map_or(built_in, mode_of)
        };
        let size = levels.iter().flatten().find_map(|one| one.answer_bytes).unwrap_or(defaults::HELD_BYTES);
        let names = levels.iter().flatten().find_map(|one| one.headers.as_ref());
        let mut headers: Vec<String> = names.into_iter().flatten().map(|name| name.0.to_ascii_lowercase()).collect();
        headers.push(self.key_field.clone());
        headers.extend(self.version_field.clone());
        Validated {
            request: mode(|one| one.request, ContractMode::Enforce),
            response: mode(|one| one.response, ContractMode::Report),
            security: mode(|one| one.security, ContractMode::Enforce),
            answer_bytes: self.size(&at.key("answer_bytes"), size, (1, defaults::MAX_HELD.bytes)),
            options: Options {
                open_objects: flag(|one| one.open_objects),
                unknown_query: flag(|one| one.unknown_query),
                unknown_headers: flag(|one| one.unknown_headers),
                unknown_cookies: flag(|one| one.unknown_cookies),
                undeclared_media_types: flag(|one| one.undeclared_media_types),
                undeclared_bodies: flag(|one| one.undeclared_bodies),
                undeclared_statuses: flag(|one| one.undeclared_statuses),
                headers,
                strict_reserved: flag(|one| one.strict_reserved),
            },
        }
    }

    /// The routes that a document makes where none are written: one for each operation.
    pub(super) fn derived(&mut self, at: &At<'_>, contract: &ContractPlan) -> Vec<Route> {
        let mut routes = Vec::new();
        let mut ids: HashMap<&str, usize> = HashMap::new();
        for id in contract.contract.operations().iter().filter_map(engine::Operation::id) {
            *ids.entry(id).or_default() += 1;
        }
        for operation in contract.contract.operations() {
            // Nobody is ever served TRACE.
            let Ok(method @ Method::Only(_)) = Method::parse(Raw { text: operation.method(), plain: true }) else {
                continue;
            };
            let path = match Template::parse(Raw { text: operation.template(), plain: true }) {
                Ok(path) => path,
                Err(why) => {
                    let message = format!("{} of the contract cannot be routed: {why}", quote(&operation.to_string()));
                    let diagnostic = self.wrong(at, "contract", message);
                    self.reject(at, diagnostic.help("write `routes` yourself, without this path"));
                    continue;
                }
            };
            let id = operation.id().filter(|id| ids.get(id) == Some(&1));
            let id = id.and_then(|id| Text::parse(Raw { text: id, plain: true }).ok());
            routes.push(Route::bare(id, path, method));
        }
        if routes.is_empty() {
            let diagnostic = self.wrong(at, "nothing-to-serve", "the contract has no operation that can be served");
            self.reject(at, diagnostic.help("name another document, or write `routes`"));
        }
        routes
    }

    /// What a route has of its contract; its methods are narrowed to those that the contract has.
    pub(super) fn contracted(
        &mut self,
        at: &At<'_>,
        template: &str,
        methods: &mut Methods,
        (scope, unmet): (&Scope<'_, '_>, &mut Unmet),
    ) -> Option<RouteContract> {
        let plan = scope.contract?;
        let written = if template.is_empty() { "/" } else { template };
        let all = plan.contract.operations().iter().enumerate();
        let own: Vec<(String, usize)> = all
            .filter(|(_, operation)| shape(operation.template()) == shape(written))
            .map(|(index, operation)| (operation.method().to_owned(), index))
            .collect();
        let path = at.key("path");
        if own.is_empty() {
            let message = format!("the contract has no path {}", self.shown(&path, written));
            let diagnostic = self.wrong(&path, "not-in-contract", message);
            self.reject(&path, diagnostic.help("add it to the document, or remove the route; without `routes`, all operations of the contract are served"));
            return None;
        }
        let list = at.key("methods");
        match methods {
            Methods::Any => *methods = Methods::Only(own.iter().map(|(method, _)| method.clone()).collect()),
            Methods::Only(names) => {
                for (index, name) in names.iter().enumerate().filter(|(_, name)| !has(&own, name)) {
                    let at = list.index(index);
                    let message = format!("the contract has no {} {}", quote(name), self.shown(&path, written));
                    let diagnostic = self.wrong(&at, "not-in-contract", message);
                    self.reject(&at, diagnostic.help("add the operation to the document, or remove the method"));
                }
            }
        }
        let served = own.iter().filter(|(method, _)| serves(methods, method));
        let operations = plan.contract.operations();
        let served: Vec<&engine::Operation> = served.filter_map(|(_, index)| operations.get(*index)).collect();
        if !scope.allow_path_parameters {
            self.unreachable(&path, &served);
        }
        let is_asked = plan.security != ContractMode::Off;
        let security = if is_asked { self.asked(&served, unmet) } else { None };
        Some(RouteContract { plan: Arc::clone(plan), operations: own, security })
    }
}

/// Whether a route with these methods serves the operation with that one.
pub(super) fn serves(methods: &Methods, method: &str) -> bool {
    match methods {
        Methods::Any => true,
        Methods::Only(names) => names.iter().any(|name| name == method || (name == "HEAD" && method == "GET")),
    }
}

impl Check<'_> {
    /// Reports operations whose paths are refused before anybody looks at the contract.
    fn unreachable(&mut self, path: &At<'_>, served: &[&engine::Operation]) {
        for (operation, name) in served.iter().filter_map(|one| Some((one, one.matrix()?))) {
            let message = format!(
                "{} of the contract has a `;` in its path (style `matrix` of {}), which is refused in requests",
                quote(&operation.to_string()),
                quote(name)
            );
            let diagnostic = self.wrong(path, "path-parameter", message);
            let help = "set `allow_path_parameters: true` for the API, or give the parameter another style";
            self.reject(path, diagnostic.help(help));
        }
    }
}

fn has(own: &[(String, usize)], name: &str) -> bool {
    own.iter().any(|(method, _)| method == name || (name == "HEAD" && method == "GET"))
}

fn mode_of(written: file::ContractMode) -> ContractMode {
    match written {
        file::ContractMode::Off => ContractMode::Off,
        file::ContractMode::Report => ContractMode::Report,
        file::ContractMode::Enforce => ContractMode::Enforce,
    }
}

/// The settings of a contract before it is there.
struct Validated {
    request: ContractMode,
    response: ContractMode,
    security: ContractMode,
    answer_bytes: u64,
    options: Options,
}
