//! The store that gateways share: servers that can be asked, nothing in the clear by accident, and no setting without effect.

use super::{Check, limits};
use crate::diagnostic::{Diagnostic, quote};
use crate::file::{File, SharedStore, defaults};
use crate::plan::{ApiPlan, SharedStorePlan, TargetPlan};
use crate::scalar::Period;
use crate::tree::At;
use portcullis_types::Secret;

/// LIMIT: servers that are named; a cluster tells of its others itself.
const MAX_SERVERS: usize = 16;
/// LIMIT: bytes of a prefix, which every key carries.
const MAX_PREFIX: usize = 64;

impl Check<'_> {
    /// To be called before any limit is read.
    pub(super) fn shared_store(&mut self, file: &File, root: &At<'_>) -> Option<SharedStorePlan> {
        let section = root.key("shared_store");
        self.named.shared_store = file.shared_store.is_some() || section.is_tainted();
        let written = file.shared_store.as_ref()?;
        let servers = self.store_servers(written, &section);
        let is_plain = servers.iter().all(|server| !server.tls);
        let at = section.key("tls");
        if is_plain && written.tls.is_some() && !section.key("servers").is_tainted() {
            let message = "`tls` has no effect, because no server begins with `rediss://`";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(&at, diagnostic.help("write `rediss://…`, or remove `tls`"));
        }
        let tls = (!is_plain).then(|| written.tls.as_ref().map(|tls| self.tls_towards(tls, &at)).unwrap_or_default());
        if let (Some(_), None) = (&written.user, &written.password) {
            let at = section.key("user");
            let diagnostic = Diagnostic::new("contradiction", at.name_span(), "`user` stands without a `password`");
            self.reject(&at, diagnostic.help("add `password: { env: STORE_PASSWORD }`, or remove `user`"));
        }
        let timeout = written.timeout.unwrap_or(defaults::STORE_TIMEOUT);
        let range = (Period::millis(5), Period::seconds(5));
        let timeout = self.period(&section.key("timeout"), timeout, range);
        let gateways = written.gateways.unwrap_or(defaults::GATEWAYS).0;
        let range = (1, defaults::MAX_GATEWAYS);
        let gateways = self.within(&section.key("gateways"), gateways, range, |value| value.to_string());
        Some(SharedStorePlan {
            servers,
            user: written.user.as_ref().map(|user| user.0.clone()),
            password: written.password.as_ref().map(|password| Secret::new(password.0.clone())),
            tls,
            prefix: self.store_prefix(written, &section),
            timeout,
            gateways,
        })
    }

    fn store_servers(&mut self, written: &SharedStore, section: &At<'_>) -> Vec<TargetPlan> {
        let at = section.key("servers");
        if written.servers.is_empty() || written.servers.len() > MAX_SERVERS {
            let diagnostic = Diagnostic::new("bad-list", at.name_span(), format!("`servers` names 1 to {MAX_SERVERS}"));
            self.reject(&at, diagnostic.help("write `servers: [\"redis://127.0.0.1:6379\"]`"));
        }
        let mut servers: Vec<TargetPlan> = Vec::new();
        let allowed = written.danger_plaintext.is_some_and(|flag| flag.0);
        let mut is_open = false;
        for (index, server) in written.servers.iter().enumerate() {
            let item = at.index(index);
            let server = TargetPlan { from: self.outside.get(&item.id()).cloned(), ..server.0.clone() };
            if servers.iter().any(|have| have == &server) {
                let diagnostic = Diagnostic::new("duplicate", item.span(), "the same server stands twice");
                self.reject(&item, diagnostic.help("remove one of the two"));
            }
            if !server.tls && !server.is_within_machine() {
                is_open = true;
                if !allowed {
                    let message = "limits would be shared in the clear, where others can read and change them";
                    let diagnostic = Diagnostic::new("plaintext", item.span(), message);
                    self.reject(&item, diagnostic.help("write `rediss://…`, or `danger_plaintext: true`"));
                }
            }
            servers.push(server);
        }
        if servers.iter().any(|server| server.tls) && servers.iter().any(|server| !server.tls) {
            let diagnostic = Diagnostic::new("contradiction", at.name_span(), "some servers speak TLS and some do not");
            self.reject(&at, diagnostic.help("write all of them as `rediss://…`"));
        }
        self.plaintext_danger(section, allowed, is_open);
        servers
    }

    fn plaintext_danger(&mut self, section: &At<'_>, allowed: bool, is_open: bool) {
        let at = section.key("danger_plaintext");
        if allowed && is_open {
            self.danger(&at, "what callers have spent crosses the network in the clear");
        } else if allowed && !section.key("servers").is_tainted() {
            let message = "`danger_plaintext` has no effect: nothing leaves this machine in the clear";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(&at, diagnostic.help("remove it"));
        }
    }

    fn store_prefix(&mut self, written: &SharedStore, section: &At<'_>) -> String {
        let Some(prefix) = &written.prefix else { return defaults::STORE_PREFIX.to_owned() };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:{}".contains(&byte);
        if prefix.0.len() > MAX_PREFIX || !prefix.0.bytes().all(is_plain) {
            let at = section.key("prefix");
            let message = format!("{} cannot be what keys begin with", self.shown(&at, &prefix.0));
            let help = format!("use 1 to {MAX_PREFIX} letters, digits, `-`, `_`, `.` and `:`");
            let diagnostic = self.wrong(&at, "bad-value", message).help(help);
            self.reject(&at, diagnostic);
        }
        prefix.0.clone()
    }

    /// A store that nobody's limits are in; to be called once all limits are read.
    pub(super) fn shared_store_end(&mut self, file: &File, root: &At<'_>, apis: &[ApiPlan]) {
        let mut routes = apis.iter().flat_map(|api| &api.versions).flat_map(|version| &version.routes);
        let shares = routes
            .any(|route| route.limits.entries.iter().any(|plan| plan.shared && limits::applies(plan, &route.authn)));
        if file.shared_store.is_some() && !shares && !root.key("apis").is_tainted() {
            let at = root.key("shared_store");
            let message = "`shared_store` has no effect, because no route has a limit that is shared";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(&at, diagnostic.help("write `shared: true` in a limit, or remove it"));
        }
    }

    /// Whether a limit is kept in the shared store.
    pub(super) fn is_shared(&mut self, at: &At<'_>, name: &str, written: Option<bool>, by_caller: bool) -> bool {
        let at = at.key("shared");
        if written == Some(true) && !self.named.shared_store {
            let message = format!("there is no store in which {} could be shared", quote(name));
            let diagnostic = self.wrong(&at, "no-store", message);
            self.reject(&at, diagnostic.help("add `shared_store: { servers: [\"redis://127.0.0.1:6379\"] }`"));
        }
        if written == Some(false) && !self.named.shared_store {
            let message = "`shared` has no effect: there is no `shared_store`";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(&at, diagnostic.help("remove it"));
        }
        written.unwrap_or(by_caller) && self.named.shared_store
    }
}
