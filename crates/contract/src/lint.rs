//! What is unwise in a document, by numbered rules: it can be enforced as it is, and yet lets through more than anybody needs.
//!
//! A pure function of the document; who calls it decides what fails a build and how findings are shown.

mod rules;
mod schemas;
mod security;
#[cfg(test)]
mod tests;

pub use rules::{RULES, Rule};

use crate::document::{METHODS, Walker, opened};
use crate::parameter::Location;
use crate::schema::{Compiler, Fetch, Finding, Library, Settings, Spot, diagnostics};
use crate::tree::Diagnostic;
use std::collections::{HashMap, HashSet};

/// LIMIT: findings about one document.
const FINDINGS_MAX: usize = 10_000;

/// All findings about a document, in the order of its lines. What keeps it from being enforced is for
/// [`load`](crate::document::load) to say; of a text that is no document nothing is said here.
#[must_use]
pub fn lint(file: &str, bytes: &[u8], fetch: Fetch<'_>) -> Vec<Diagnostic> {
    let Ok((mut library, root)) = opened(file, bytes) else { return Vec::new() };
    let resource = library.resource_of_file(root);
    library.look_at(root, resource);
    let settings = Settings { open_objects: false, formats: true, openapi: true };
    let walker = Walker::new(Compiler::new(&mut library, fetch, settings));
    let mut linter = Linter { walker, found: Vec::new(), said: HashSet::new(), schemas: HashSet::new() };
    linter.servers(root);
    let schemes = linter.schemes(root, resource);
    linter.operations(root, resource, &schemes);
    let Linter { found, walker, .. } = linter;
    drop(walker);
    diagnostics(&library, found)
}

pub(super) struct Linter<'l> {
    pub(super) walker: Walker<'l>,
    found: Vec<Finding>,
    said: HashSet<(&'static str, Spot)>,
    /// Schemas that were looked at, as a part of a whole or by themselves.
    schemas: HashSet<(Spot, bool)>,
}

// === impl Linter ===

impl Linter<'_> {
    pub(super) fn library(&self) -> &Library {
        self.walker.library()
    }

    /// Notes that a rule is broken, once at each place.
    pub(super) fn say(&mut self, number: &'static str, spot: Spot, message: String) {
        let Some(rule) = RULES.iter().find(|rule| rule.number == number) else { return };
        if self.found.len() < FINDINGS_MAX && self.said.insert((number, spot)) {
            let (severity, code, help) = (rule.severity, rule.number, rule.help);
            self.found.push(Finding { spot, severity, code, message, help });
        }
    }

    fn operations(&mut self, root: Spot, resource: u32, schemes: &HashSet<String>) {
        let paths = self.library().member(root, "paths").map(|at| self.library().members(at)).unwrap_or_default();
        let shared_security = self.library().member(root, "security");
        let mut ids: HashMap<String, Spot> = HashMap::new();
        for (path, item) in paths {
            let Some((item, resource)) = self.walker.target(item, resource) else { continue };
            let shared = self.walker.parameters(item, resource, &[]);
            for method in METHODS {
                let Some(at) = self.library().member(item, method) else { continue };
                let secured = self.security(at, shared_security, schemes);
                self.statuses(at, secured);
                self.identity(at, &mut ids);
                for (spot, resource) in self.walker.parameters(at, resource, &shared) {
                    self.parameter(spot, resource, &path);
                }
                self.body(at, resource, method);
                self.answers(at, resource);
            }
        }
    }

    fn identity(&mut self, at: Spot, ids: &mut HashMap<String, Spot>) {
        match self.library().text_at(at, "operationId").map(str::to_owned) {
            None => self.say("C040", at, "the operation has no `operationId`".to_owned()),
            Some(id) => {
                if ids.insert(id.clone(), at).is_some() {
                    let message = format!("`{}` is the id of another operation as well", crate::text::short(&id));
                    self.say("C041", at, message);
                }
            }
        }
    }

    fn statuses(&mut self, at: Spot, secured: bool) {
        let Some(responses) = self.library().member(at, "responses") else { return };
        let has = |word: &str| self.library().member(responses, word).is_some();
        if has("4XX") || has("default") {
            return;
        }
        let missing: Vec<(&'static str, &str)> = [("C020", "401"), ("C021", "403"), ("C022", "429")]
            .into_iter()
            .filter(|(number, status)| (secured || *number == "C022") && !has(status))
            .collect();
        for (number, status) in missing {
            self.say(number, responses, format!("no answer with status {status} is declared"));
        }
    }

    fn parameter(&mut self, spot: Spot, resource: u32, path: &str) {
        let location = self.library().text_at(spot, "in").and_then(Location::named);
        let Some(schema) = self.library().member(spot, "schema") else { return };
        if location == Some(Location::Path) && self.is_of_type(schema, resource, "integer") {
            let name = self.library().text_at(spot, "name").unwrap_or("").to_ascii_lowercase();
            if name == "id" || name.ends_with("_id") || name.ends_with("id") {
                let message = format!("`{}` has ids that can be counted through", crate::text::short(path));
                self.say("C035", spot, message);
            }
        }
        self.schema(schema, resource, false);
    }

    fn body(&mut self, at: Spot, resource: u32, method: &str) {
        let Some(body) = self.library().member(at, "requestBody") else { return };
        if matches!(method, "get" | "head" | "delete" | "trace") {
            let message = format!("a body of {} means nothing to HTTP", method.to_ascii_uppercase());
            self.say("C031", body, message);
        }
        let Some((body, resource)) = self.walker.target(body, resource) else { return };
        let content = self.library().member(body, "content").map(|at| self.library().members(at)).unwrap_or_default();
        for (name, at) in content {
            if name.contains('*') {
                self.say("C033", at, format!("`{}` takes bodies of any type", crate::text::short(&name)));
            }
            match self.library().member(at, "schema") {
                Some(schema) => self.schema(schema, resource, false),
                None => self.say("C030", at, "no schema says what the body may be".to_owned()),
            }
        }
    }

    fn answers(&mut self, at: Spot, resource: u32) {
        let responses = self.library().member(at, "responses").map(|at| self.library().members(at)).unwrap_or_default();
        for (_, response) in responses {
            let Some((response, resource)) = self.walker.target(response, resource) else { continue };
            let content = self.library().member(response, "content").map(|at| self.library().members(at));
            for (name, at) in content.unwrap_or_default() {
                match self.library().member(at, "schema") {
                    Some(schema) => self.secrets(schema, resource),
                    None if name.contains("json") => {
                        self.say("C032", at, "no schema says what the answer may hold".to_owned());
                    }
                    None => {}
                }
            }
        }
    }
}
