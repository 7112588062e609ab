//! Upstreams: targets, timeouts that contradict each other, and what TLS needs.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Check;
use super::certificates::Pem;
use super::layers::{Chain, Found};
use crate::diagnostic::Diagnostic;
use crate::file::{Lockable, Upstream, UpstreamTls, defaults};
use crate::plan::{TargetPlan, UpstreamPlan, UpstreamTlsPlan};
use crate::scalar::{Period, Text};
use crate::sources::Span;
use crate::tree::At;

/// LIMIT: targets of one upstream.
pub(super) const MAX_TARGETS: usize = 1024;
/// LIMIT: what a timeout may be.
const LEAST_TIMEOUT: Period = Period::millis(1);
const MAX_TIMEOUT: Period = Period::seconds(24 * 60 * 60);
const MAX_CONNECT: Period = Period::seconds(5 * 60);

/// An `upstream` section and where it is, if it is written.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) at: At<'a>,
    pub(super) section: Option<&'a Upstream>,
}

impl Check<'_> {
    /// An upstream from its own section and the one it inherits from.
    pub(super) fn upstream(
        &mut self,
        name: &str,
        own: Written<'_>,
        parent: Option<&UpstreamPlan>,
        chain: &Chain<'_, '_>,
    ) -> UpstreamPlan {
        self.timeouts(&own, chain);
        let written = own.section.and_then(|section| section.targets.as_deref());
        let targets = match (written, parent) {
            (Some(_), _) => self.targets(&own),
            (None, Some(parent)) => parent.targets.clone(),
            (None, None) => Vec::new(),
        };
        let mut targets = targets;
        let pool = self.pool(&own, &mut targets, parent);
        let speaks_tls = targets.iter().any(|target| target.tls);
        let tls = match own.section.and_then(|section| section.tls.as_ref()) {
            Some(_) => Some(self.upstream_tls(&own, &targets)),
            None => parent.and_then(|parent| parent.tls.clone()),
        };
        let idle_connections = chain.idle_connections().value.0.min(defaults::MAX_IDLE_CONNECTIONS);
        let timeout = chain.timeout().value;
        UpstreamPlan {
            name: Arc::from(name),
            targets,
            // What is built in gives way to a shorter total; what is written is compared above.
            connect_timeout: shorter(chain.connect_timeout(), timeout),
            first_byte_timeout: shorter(chain.first_byte_timeout(), timeout),
            idle_timeout: chain.idle_timeout().value.duration(),
            idle_connections: usize::try_from(idle_connections).unwrap_or(usize::MAX),
            tls: speaks_tls.then(|| tls.unwrap_or_default()),
            protocol: Self::protocol(&own, parent),
            streams: self.streams(&own, parent),
            pool,
        }
    }

    /// Timeouts of an `upstream` section, wherever it stands.
    pub(super) fn timeouts(&mut self, own: &Written<'_>, chain: &Chain<'_, '_>) {
        let Some(nearest) = chain.levels.first() else { return };
        for (setting, most) in [
            (Lockable::Timeout, MAX_TIMEOUT),
            (Lockable::ConnectTimeout, MAX_CONNECT),
            (Lockable::FirstByteTimeout, MAX_TIMEOUT),
            (Lockable::IdleTimeout, MAX_TIMEOUT),
        ] {
            if let Some(value) = nearest.period(setting) {
                let _clamped: Duration = self.period(&own.at.key(setting.name()), value, (LEAST_TIMEOUT, most));
            }
        }
        if nearest.text(Lockable::IdleConnections).is_some() {
            let count = chain.idle_connections().value.0;
            let at = own.at.key("idle_connections");
            self.within(&at, count, (0, defaults::MAX_IDLE_CONNECTIONS), |value| value.to_string());
        }
        let total = chain.timeout();
        let writes = |setting| nearest.text(setting).is_some();
        for (setting, part) in [
            (Lockable::ConnectTimeout, chain.connect_timeout()),
            (Lockable::FirstByteTimeout, chain.first_byte_timeout()),
        ] {
            let written_here = writes(setting) || writes(Lockable::Timeout);
            // A made-up value contradicts nothing.
            if chain.is_hidden(setting) || chain.is_hidden(Lockable::Timeout) {
                continue;
            }
            if let Some(span) = part.span
                && written_here
                && part.value > total.value
            {
                let message = format!("`{}` is longer than `timeout`, so it never ends a request", setting.name());
                let diagnostic = Diagnostic::new("contradiction", span, message);
                let diagnostic = match total.span {
                    Some(other) => diagnostic.also(other, "the whole request").help("choose less, or raise `timeout`"),
                    None => {
                        diagnostic.help(format!("`timeout` is {} by default; choose less, or raise it", total.value))
                    }
                };
                self.reject(&own.at.key(setting.name()), diagnostic);
            }
        }
    }

    fn targets(&mut self, own: &Written<'_>) -> Vec<TargetPlan> {
        let list = own.at.key("targets");
        let written = own.section.and_then(|section| section.targets.as_deref()).unwrap_or_default();
        if written.is_empty() {
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "there is no target")
                .help("write `targets: [\"http://127.0.0.1:9000\"]`");
            self.reject(&list, diagnostic);
        }
        if written.len() > MAX_TARGETS {
            let diagnostic = Diagnostic::new("too-large", list.name_span(), format!("more than {MAX_TARGETS} targets"));
            self.reject(&list, diagnostic);
        }
        let mut seen: HashSet<(bool, &str, u16)> = HashSet::new();
        let mut targets = Vec::new();
        for (index, target) in written.iter().enumerate().take(MAX_TARGETS) {
            let at = list.index(index);
            let target = &target.0;
            if !seen.insert((target.tls, &target.host, target.port)) {
                let message = format!("the target {} stands twice", self.shown(&at, &target.to_string()));
                self.reject(&at, Diagnostic::new("duplicate", at.span(), message).help("remove one of the two"));
            }
            targets.push(TargetPlan { from: self.outside.get(&at.id()).cloned(), ..target.clone() });
        }
        targets
    }

    fn upstream_tls(&mut self, own: &Written<'_>, targets: &[TargetPlan]) -> UpstreamTlsPlan {
        let at = own.at.key("tls");
        let Some(written) = own.section.and_then(|section| section.tls.as_ref()) else {
            return UpstreamTlsPlan::default();
        };
        let targets_are_known = !targets.is_empty() && !own.at.key("targets").is_tainted();
        if targets_are_known && !targets.iter().any(|target| target.tls) {
            let message = "`tls` has no effect, because no target begins with `https://`";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message)
                .help("write the targets as `https://…`, or remove `tls`");
            self.reject(&at, diagnostic);
        }
        self.tls_towards(written, &at)
    }

    /// How a server that speaks TLS is verified, wherever that is written.
    pub(super) fn tls_towards(&mut self, written: &UpstreamTls, at: &At<'_>) -> UpstreamTlsPlan {
        let ca_file = written.ca_file.as_ref().map(|name| self.pem(&at.key("ca_file"), name, Pem::Certificate));
        let server_name = written.server_name.as_ref().map(|name| self.server_name(&at.key("server_name"), name));
        let client_certificate = written
            .client_certificate
            .as_ref()
            .map(|pair| self.pair(&at.key("client_certificate"), &pair.cert_file, &pair.key_file));
        UpstreamTlsPlan { ca_file, server_name, client_certificate }
    }

    fn server_name(&mut self, at: &At<'_>, name: &Text) -> String {
        let is_name = name.0.parse::<IpAddr>().is_ok()
            || name.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        if !is_name {
            let message = format!("{} is no host name or address", self.shown(at, &name.0));
            let diagnostic = self.wrong(at, "bad-value", message).help("write it without scheme, port or path");
            self.reject(at, diagnostic);
        }
        name.0.to_ascii_lowercase()
    }
}

impl super::layers::Level<'_> {
    fn period(&self, setting: Lockable) -> Option<Period> {
        let alone = Chain { levels: &[self] };
        self.text(setting)?;
        match setting {
            Lockable::Timeout => Some(alone.timeout().value),
            Lockable::ConnectTimeout => Some(alone.connect_timeout().value),
            Lockable::FirstByteTimeout => Some(alone.first_byte_timeout().value),
            Lockable::IdleTimeout => Some(alone.idle_timeout().value),
            Lockable::Authn
            | Lockable::Authz
            | Lockable::BodyBytes
            | Lockable::AllowPathParameters
            | Lockable::Limits
            | Lockable::Waf
            | Lockable::Bodies
            | Lockable::Validation
            | Lockable::IdleConnections => None,
        }
    }
}

fn shorter(part: Found<Period>, total: Period) -> Duration {
    let span: Option<Span> = part.span;
    match span {
        None => part.value.min(total).duration(),
        Some(_) => part.value.duration(),
    }
}
