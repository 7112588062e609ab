//! Listeners: addresses that collide, plain HTTP where others can listen, and limits that contradict each other.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{File, Listener, ListenerLimits as Written, ListenerTls, MinVersion, defaults};
use crate::plan::{CertificateSource, ListenerLimits, ListenerPlan, TlsPlan, TlsVersion};
use crate::scalar::{Count, Period, Size};
use crate::tree::At;

/// LIMIT: what a limit may be set to; beyond it a mistake is more likely than a wish.
const MAX_HEAD: Size = Size::mib(1);
const LEAST_HEAD: u64 = 1024;
const LEAST_TARGET: u64 = 64;
const LEAST_TIMEOUT: Period = Period::millis(100);
const MAX_TIMEOUT: Period = Period::seconds(60 * 60);
const MAX_IDLE: Period = Period::seconds(24 * 60 * 60);
/// A request line holds more than its target: a method, a version and two blanks.
const REQUEST_LINE_REST: u64 = 64;

impl Check<'_> {
    pub(super) fn listeners(&mut self, file: &File, root: &At<'_>) -> Vec<ListenerPlan> {
        let section = root.key("listeners");
        let mut plans: Vec<ListenerPlan> = Vec::new();
        for (name, listener) in &file.listeners {
            let at = section.key(name);
            self.name(&at, name, "a listener");
            let bind = at.key("bind");
            if let Some(taken) = plans.iter().find(|plan| collide(plan.bind, listener.bind.0)) {
                let other = section.key(&taken.name);
                let message = format!("listeners `{}` and `{name}` collide", taken.name);
                let diagnostic = self
                    .wrong(&bind, "bind-collision", message)
                    .also(other.key("bind").span(), "taken here")
                    .help("give one of them another port");
                self.reject(&bind, diagnostic);
            }
            plans.push(self.listener(name, listener, &at));
        }
        if file.listeners.is_empty() && !self.incomplete {
            let diagnostic = Diagnostic::new("nothing-to-serve", section.name_span(), "there is no listener")
                .help("add one: `listeners: { public: { bind: \"127.0.0.1:8080\" } }`");
            self.reject(&section, diagnostic);
        }
        plans
    }

    fn listener(&mut self, name: &str, listener: &Listener, at: &At<'_>) -> ListenerPlan {
        let bind = listener.bind.0;
        let tls = listener.tls.as_ref().map(|tls| self.tls(tls, &at.key("tls")));
        self.plaintext(listener, at, bind);
        let limits = self.limits(listener.limits.as_ref(), &at.key("limits"));
        ListenerPlan {
            name: Arc::from(name),
            bind,
            tls,
            provenance: self.provenance(listener, at),
            limits,
            http2: self.http2(listener.http2.as_ref(), &at.key("http2")),
        }
    }

    fn plaintext(&mut self, listener: &Listener, at: &At<'_>, bind: SocketAddr) {
        let danger = at.key("danger_plaintext");
        let allowed = listener.danger_plaintext.is_some_and(|flag| flag.0);
        match (&listener.tls, allowed) {
            (Some(_), true) => {
                let diagnostic = self
                    .wrong(&danger, "contradiction", "`danger_plaintext` and `tls` exclude each other")
                    .also(at.key("tls").name_span(), "encrypted here")
                    .help("remove `danger_plaintext`");
                self.reject(&danger, diagnostic);
            }
            (None, true) => self.danger(&danger, "requests and answers can be read and changed on their way"),
            (None, false) if !bind.ip().is_loopback() && !at.key("tls").is_tainted() => {
                let bind_at = at.key("bind");
                let message =
                    format!("plain HTTP on {} can be read on its way", self.shown(&bind_at, &bind.to_string()));
                let diagnostic = self.wrong(&bind_at, "plaintext", message).help(
                    "add `tls`, bind to `127.0.0.1`, or say `danger_plaintext: true` if something before the gateway encrypts",
                );
                self.reject(&bind_at, diagnostic);
            }
            (Some(_) | None, false) => {}
        }
    }

    pub(super) fn tls(&mut self, tls: &ListenerTls, at: &At<'_>) -> TlsPlan {
        let certificates = match (&tls.certificates, &tls.self_signed) {
            (Some(_), Some(_)) => {
                let self_signed = at.key("self_signed");
                let diagnostic = Diagnostic::new(
                    "contradiction",
                    self_signed.name_span(),
                    "`certificates` and `self_signed` exclude each other",
                )
                .also(at.key("certificates").name_span(), "the other one")
                .help("keep `certificates` for real clients, `self_signed` for development");
                self.reject(&self_signed, diagnostic);
                CertificateSource::Files(Vec::new())
            }
            (None, None) => {
                let diagnostic = Diagnostic::new("missing-setting", at.name_span(), "`tls` needs certificates").help(
                    "add `certificates: [{ cert_file: tls.crt, key_file: tls.key }]`, or `self_signed` for development",
                );
                let is_hidden = at.key("certificates").is_tainted() || at.key("self_signed").is_tainted();
                if !is_hidden {
                    self.reject(at, diagnostic);
                }
                CertificateSource::Files(Vec::new())
            }
            (Some(pairs), None) => self.certificates(pairs, &at.key("certificates")),
            (None, Some(self_signed)) => self.self_signed(self_signed, &at.key("self_signed")),
        };
        let min_version = match tls.min_version {
            None | Some(MinVersion::Tls12) => TlsVersion::Tls12,
            Some(MinVersion::Tls13) => TlsVersion::Tls13,
        };
        let client_auth = tls.client_auth.as_ref().map(|client| self.client_auth(client, &at.key("client_auth")));
        TlsPlan { certificates, min_version, client_auth }
    }

    fn limits(&mut self, written: Option<&Written>, at: &At<'_>) -> ListenerLimits {
        let head_bytes = written.and_then(|limits| limits.head_bytes).unwrap_or(defaults::HEAD_BYTES);
        let target_bytes = written.and_then(|limits| limits.target_bytes);
        let head_at = at.key("head_bytes");
        let head = self.size(&head_at, head_bytes, (LEAST_HEAD, MAX_HEAD.bytes));
        let target_at = at.key("target_bytes");
        // Who lowers only the head means the target as well.
        let fitting = head.saturating_sub(REQUEST_LINE_REST).min(defaults::TARGET_BYTES.bytes);
        let target = target_bytes.unwrap_or(Size { bytes: fitting });
        let target = self.size(&target_at, target, (LEAST_TARGET, MAX_HEAD.bytes));
        if target + REQUEST_LINE_REST > head && !head_at.is_tainted() {
            let target_shown = self.shown(&target_at, &Size { bytes: target }.to_string());
            let head_shown = self.shown(&head_at, &head_bytes.to_string());
            let message = format!("a target of {target_shown} does not fit into a head of {head_shown}");
            let diagnostic = self
                .wrong(&target_at, "contradiction", message)
                .also(head_at.span(), "the head's limit")
                .help(format!("the request line needs {REQUEST_LINE_REST} bytes besides the target"));
            self.reject(&target_at, diagnostic);
        }
        let count = |value: Option<Count>, default: Count| value.unwrap_or(default).0;
        let headers = count(written.and_then(|limits| limits.headers), defaults::HEADERS);
        let connections = count(written.and_then(|limits| limits.connections), defaults::CONNECTIONS);
        let requests = written.and_then(|limits| limits.requests_per_connection);
        let requests = count(requests, defaults::REQUESTS_PER_CONNECTION);
        let head_timeout = written.and_then(|limits| limits.head_timeout).unwrap_or(defaults::HEAD_TIMEOUT);
        let idle_timeout = written.and_then(|limits| limits.idle_timeout).unwrap_or(defaults::IDLE_TIMEOUT);
        let body_idle = written.and_then(|limits| limits.body_idle_timeout).unwrap_or(defaults::BODY_IDLE_TIMEOUT);
        let plain = |value: u64| value.to_string();
        ListenerLimits {
            head_bytes: whole(head),
            target_bytes: whole(target),
            headers: whole(self.within(&at.key("headers"), headers, (1, defaults::MAX_HEADERS), plain)),
            head_timeout: self.period(&at.key("head_timeout"), head_timeout, (LEAST_TIMEOUT, MAX_TIMEOUT)),
            idle_timeout: self.period(&at.key("idle_timeout"), idle_timeout, (LEAST_TIMEOUT, MAX_IDLE)),
            body_idle_timeout: self.period(&at.key("body_idle_timeout"), body_idle, (LEAST_TIMEOUT, MAX_TIMEOUT)),
            pace: self.pace(written, at),
            connections: whole(self.within(&at.key("connections"), connections, (1, defaults::MAX_CONNECTIONS), plain)),
            requests_per_connection: self.within(&at.key("requests_per_connection"), requests, (1, u64::MAX), plain),
        }
    }

    pub(super) fn size(&mut self, at: &At<'_>, value: Size, range: (u64, u64)) -> u64 {
        self.within(at, value.bytes, range, |bytes| Size { bytes }.to_string())
    }
}

/// Whether two addresses cannot be bound at the same time. Port 0 is any free one.
pub(super) fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    if one.port() != other.port() || one.port() == 0 {
        return false;
    }
    let covers = |wide: IpAddr, narrow: IpAddr| match wide {
        // `[::]` takes the IPv4 addresses as well.
        IpAddr::V6(_) => wide.is_unspecified(),
        IpAddr::V4(_) => wide.is_unspecified() && narrow.is_ipv4(),
    };
    one.ip() == other.ip() || covers(one.ip(), other.ip()) || covers(other.ip(), one.ip())
}

fn whole(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
