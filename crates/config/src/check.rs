//! What settings mean together: a typed file becomes a plan, and everything about it that cannot work is reported. The
//! shape of the file is settled before.

mod accounts;
mod admin;
mod alerts;
mod anomalies;
mod apis;
pub(crate) mod authz;
mod bodies;
mod calls;
mod certificates;
mod client_auth;
mod conflicts;
mod contract;
mod cors;
mod costs;
mod dns;
mod feed;
mod headers;
mod http2;
pub(crate) mod identity;
mod introspection;
pub(crate) mod layers;
mod lifecycle;
pub(crate) mod limits;
mod listeners;
mod locks;
mod logs;
mod mask;
mod operations;
mod pool;
mod portal;
mod proofs;
mod provenance;
mod published;
mod relief;
mod resource;
mod routes;
mod security;
mod shared_store;
mod signature;
mod statement;
#[cfg(test)]
mod tests;
mod tracing;
mod upstream;
pub(crate) mod waf;

use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, Report, quote};
use crate::file::File;
use crate::plan::{Danger, Origin, Plan};
use crate::recover::Outside;
use crate::scalar::FileName;
use crate::sources::Sources;
use crate::texts::Texts;
use crate::tree::{At, Kind};
use crate::values::{Environment, resolve};

/// LIMIT: characters in the name of a listener, an API or a version; they become labels of metrics.
const MAX_NAME_CHARS: usize = 64;

/// What every check needs, and what all of them leave behind.
pub(crate) struct Check<'c> {
    pub(crate) sources: &'c Sources,
    pub(crate) environment: &'c Environment,
    pub(crate) outside: &'c Outside,
    /// Files that the configuration names and that have texts with places of their own.
    pub(crate) texts: &'c Texts,
    pub(crate) report: &'c mut Report,
    /// A file could not be read: what seems to be missing may stand there.
    pub(crate) incomplete: bool,
    /// A contract has not loaded: what seems to be missing in it may stand there.
    pub(crate) lacks_contract: bool,
    pub(crate) named: identity::Named,
    pub(crate) has_mask_key: bool,
    /// The field in which API keys come, in small letters: no contract has to declare it.
    pub(crate) key_field: String,
    /// The field that says which version of the API at hand is meant, where one does; no contract has to declare it either.
    pub(crate) version_field: Option<String>,
    /// Of all limits so far.
    pub(crate) accounts: u64,
    /// Rules about attacks so far.
    pub(crate) waf_sets: waf::Sets,
    pub(crate) waf: Option<crate::plan::WafPlan>,
    pub(crate) dangers: Vec<Danger>,
    pub(crate) warnings: Vec<Danger>,
    pub(crate) watched: Vec<PathBuf>,
}

/// Checks a file. The plan is only good if nothing is in the report.
pub(crate) fn check(mut check: Check<'_>, file: &File, root: &At<'_>, hash: String) -> Plan {
    if file.version.0 != 1 {
        let diagnostic = check.wrong(&root.key("version"), "version", "only version 1 of the format is known");
        check.reject(&root.key("version"), diagnostic.help("write `version: 1`"));
    }
    let listeners = check.listeners(file, root);
    let status = check.status(file, root, &listeners);
    let portal = check.portal(file, root, (&listeners, &status));
    let workers = check.workers(file, root);
    let access_log = check.access_log(file, root);
    let security_log = check.security_log(file, root, &access_log);
    let tracing = check.tracing(file, root);
    let anomalies = check.anomalies(file, root);
    let admin = check.admin(file, root, (&listeners, &status, portal.as_ref()));
    let shutdown_grace = check.grace(file, root);
    let shutdown_deadline = check.shutdown(file, root);
    let identity = check.identity(file, root);
    let feed = check.feed(file, root);
    let shared_store = check.shared_store(file, root);
    check.has_mask_key = file.mask_key.is_some();
    let apis = check.apis(file, root);
    check.trials(root, portal.as_ref(), &apis);
    check.offers(root, portal.as_ref(), &apis);
    check.shared_store_end(file, root, &apis);
    let mask_key = check.mask_key(file, root, &apis);
    let ground = alerts::Ground { listeners: &listeners, apis: &apis, anomalies: anomalies.as_ref() };
    let alerts = check.alerts(file, root, &ground);
    let dns = check.dns(file, root, &apis);
    check.unused(file, root);
    Plan {
        listeners,
        status,
        portal,
        admin,
        workers,
        access_log,
        security_log,
        shared_store,
        anomalies,
        alerts,
        feed,
        tracing,
        shutdown_grace,
        shutdown_deadline,
        identity,
        mask_key,
        dns,
        waf: check.waf,
        apis,
        dangers: check.dangers,
        warnings: check.warnings,
        watched: check.watched,
        hash,
    }
}

impl Check<'_> {
    /// Reports a mistake, unless it follows from one that was reported already.
    fn reject(&mut self, at: &At<'_>, diagnostic: Diagnostic) {
        if !at.is_tainted() {
            self.report.push(diagnostic.path(at.path()));
        }
    }

    /// A mistake in the value at a place.
    fn wrong(&self, at: &At<'_>, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, at.span(), message)
    }

    /// User input in a message; a value from outside the file is shown by where it came from.
    fn shown(&self, at: &At<'_>, text: &str) -> String {
        match self.outside.get(&at.id()) {
            Some(source) => source.to_string(),
            None => quote(text),
        }
    }

    fn origin(&self, at: &At<'_>) -> Origin {
        self.sources.origin(at.name_span())
    }

    /// Where a file is: relative to the file that names it.
    fn locate(&self, at: &At<'_>, name: &FileName) -> PathBuf {
        resolve(self.sources.folder(at.node().span.file), &name.0)
    }

    /// A number that must lie in a range; what is out of it is reported and replaced by the nearest that isn't.
    fn within(&mut self, at: &At<'_>, value: u64, range: (u64, u64), show: impl Fn(u64) -> String) -> u64 {
        let (least, most) = range;
        if value >= least && value <= most {
            return value;
        }
        let written = match &at.node().kind {
            Kind::Scalar { text, .. } => String::from(&**text),
            Kind::Bad | Kind::Null | Kind::Seq(_) | Kind::Map(_) => show(value),
        };
        let message = match value < least {
            true => format!("{} is less than {}", self.shown(at, &written), show(least)),
            false => format!("{} is more than {}", self.shown(at, &written), show(most)),
        };
        let help = format!("choose a value from {} to {}", show(least), show(most));
        let diagnostic = self.wrong(at, "out-of-range", message).help(help);
        self.reject(at, diagnostic);
        value.clamp(least, most)
    }

    /// Names become labels of metrics and parts of paths, so they are plain.
    fn name(&mut self, at: &At<'_>, name: &str, what: &str) {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        if name.is_empty() || !is_plain || name.len() > MAX_NAME_CHARS {
            let message = format!("{} is not a name for {what}", quote(name));
            let help = format!("use 1 to {MAX_NAME_CHARS} letters, digits, `_`, `-` or `.`");
            let diagnostic = Diagnostic::new("bad-name", at.name_span(), message).help(help);
            self.reject(at, diagnostic);
        }
    }

    fn danger(&mut self, at: &At<'_>, message: &str) {
        let danger = Danger { path: at.path(), message: message.to_owned(), origin: self.origin(at) };
        self.dangers.push(danger);
    }

    fn watch(&mut self, path: &PathBuf) {
        if !self.watched.contains(path) {
            self.watched.push(path.clone());
        }
    }
}
