//! Cross-origin rules: what no browser would accept, what would open the API to every page with its visitor's cookies, and what
//! does nothing.

use std::collections::HashSet;
use std::net::IpAddr;

use super::Check;
use crate::diagnostic::{Diagnostic, quote};
use crate::file::{Cors, defaults};
use crate::plan::{CorsPlan, Methods, Origins, VersionPlan};
use crate::scalar::{Method, PageOrigin, Period, Text};
use crate::tree::At;

/// LIMIT: no browser remembers a preflight for longer.
const MAX_AGE: Period = Period::seconds(24 * 60 * 60);
/// Names that say nothing to a browser where credentials are sent, and too much elsewhere.
const ANY: &str = "*";

impl Check<'_> {
    pub(super) fn cors(&mut self, written: &Cors, at: &At<'_>) -> CorsPlan {
        let origins = self.origins(&written.origins, "no page may read answers", &at.key("origins"));
        let credentials = written.credentials.is_some_and(|flag| flag.0);
        if credentials {
            self.with_credentials(written, at);
        }
        let max_age = written.max_age.unwrap_or(defaults::CORS_MAX_AGE);
        CorsPlan {
            origins,
            methods: written.methods.as_deref().map(|methods| self.cors_methods(methods, &at.key("methods"))),
            headers: written.headers.as_deref().map(|names| self.field_names(names, &at.key("headers"))),
            expose: written.expose.as_deref().map(|names| self.field_names(names, &at.key("expose"))),
            credentials,
            max_age: self.period(&at.key("max_age"), max_age, (Period::millis(0), MAX_AGE)),
            private_network: written.private_network.is_some_and(|flag| flag.0),
        }
    }

    /// Whoever sends cookies along has to be known, and nobody on the way may write the page.
    fn with_credentials(&mut self, written: &Cors, at: &At<'_>) {
        let list = at.key("origins");
        for (index, origin) in written.origins.iter().enumerate() {
            let item = list.index(index);
            let diagnostic = match origin {
                PageOrigin::Any => self
                    .wrong(&item, "danger", "every page could read answers with its visitor's cookies")
                    .also(at.key("credentials").name_span(), "cookies are sent along")
                    .help("name the origins, or remove `credentials`"),
                PageOrigin::Only(origin) if is_open(origin) => self
                    .wrong(
                        &item,
                        "danger",
                        "whoever is on the way to this page could read answers with its visitor's cookies",
                    )
                    .also(at.key("credentials").name_span(), "cookies are sent along")
                    .help("write `https://`, or remove `credentials`"),
                PageOrigin::Only(_) => continue,
            };
            self.reject(&item, diagnostic);
        }
    }

    fn cors_methods(&mut self, written: &[Method], at: &At<'_>) -> Vec<String> {
        if written.is_empty() {
            let diagnostic = Diagnostic::new("empty-list", at.name_span(), "pages may use no method");
            self.reject(at, diagnostic.help("leave `methods` out, or name some"));
        }
        let mut names = Vec::new();
        for (index, method) in written.iter().enumerate() {
            match method {
                Method::Any => {
                    let item = at.index(index);
                    let diagnostic = self.wrong(&item, "no-effect", "`any` is what counts without `methods`");
                    self.reject(&item, diagnostic.help("leave `methods` out, or name methods"));
                }
                Method::Only(name) => names.push(name.clone()),
            }
        }
        names
    }

    /// Names of fields, in lower case.
    fn field_names(&mut self, written: &[Text], at: &At<'_>) -> Vec<String> {
        let mut names = Vec::new();
        let mut seen = HashSet::new();
        for (index, Text(name)) in written.iter().enumerate() {
            let item = at.index(index);
            let is_token = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&byte));
            if !is_token {
                let message = format!("{} is not the name of a header", self.shown(&item, name));
                let help = if name == ANY { "name each of them" } else { "letters, digits and `-`, without a colon" };
                let diagnostic = self.wrong(&item, "bad-name", message).help(help);
                self.reject(&item, diagnostic);
            } else if !seen.insert(name.to_ascii_lowercase()) {
                let diagnostic = self.wrong(&item, "duplicate", format!("{} stands twice", self.shown(&item, name)));
                self.reject(&item, diagnostic.help("remove one of the two"));
            }
            names.push(name.to_ascii_lowercase());
        }
        names
    }

    /// Methods that pages may use and no route answers; to be called when the routes are known.
    pub(super) fn methods_of_nobody(&mut self, plan: &CorsPlan, at: &At<'_>, versions: &[VersionPlan]) {
        let section = at.key("cors");
        let list = section.key("methods");
        for (index, name) in plan.methods.iter().flatten().enumerate() {
            let answers = |methods: &Methods| match methods {
                Methods::Any => true,
                Methods::Only(names) => {
                    names.contains(name) || (name == "HEAD" && names.iter().any(|one| one == "GET"))
                }
            };
            let mut routes = versions.iter().flat_map(|version| &version.routes);
            if !routes.any(|route| answers(&route.methods)) && !at.key("routes").is_tainted() {
                let item = list.index(index);
                let message = format!("{} has no effect, because no route of the API answers it", quote(name));
                let diagnostic = self.wrong(&item, "no-effect", message).help("remove it");
                self.reject(&item, diagnostic);
            }
        }
    }

    /// The pages of a list; `nobody` says what an empty one means.
    pub(super) fn origins(&mut self, written: &[PageOrigin], nobody: &str, at: &At<'_>) -> Origins {
        if written.is_empty() {
            let diagnostic = Diagnostic::new("empty-list", at.name_span(), nobody)
                .help("write `origins: [\"https://app.example.com\"]`");
            self.reject(at, diagnostic);
        }
        let mut names = Vec::new();
        for (index, origin) in written.iter().enumerate() {
            match origin {
                PageOrigin::Any if written.len() > 1 => {
                    let item = at.index(index);
                    let diagnostic = self.wrong(&item, "contradiction", "`*` stands beside other origins");
                    self.reject(&item, diagnostic.help("`*` is every page; remove it or the others"));
                }
                PageOrigin::Any => return Origins::Any,
                PageOrigin::Only(name) => names.push(name.clone()),
            }
        }
        Origins::Only(names)
    }
}

/// Whether a page came over the network in the clear. One of this machine did not.
fn is_open(origin: &str) -> bool {
    let Some(authority) = origin.strip_prefix("http://") else { return false };
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_local = host == "localhost" || host.ends_with(".localhost");
    !is_local && !host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
