//! Cross-origin rules of an API, ready for its answers (the Fetch standard, section 3.2).

use crate::head::Head;
use portcullis_config::plan::{CorsPlan, Origins};
use std::sync::Arc;

/// What pages may read where the configuration names nothing: what the gateway itself says.
const EXPOSED: [&str; 8] = [
    "x-request-id",
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "www-authenticate",
    "deprecation",
    "sunset",
    "link",
];

/// The rules of one API.
#[derive(Debug)]
pub(crate) struct Cors {
    plan: Arc<CorsPlan>,
    /// In lower case.
    headers: Vec<String>,
    headers_line: String,
    exposed_line: String,
    max_age_seconds: u64,
}

/// What an answer says about origins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sharing<'a> {
    cors: &'a Cors,
    /// The page's origin, if it may read the answer.
    reader: Option<&'a [u8]>,
}

// === impl Cors ===

impl Cors {
    /// `key_field` is where API keys come. Pages that prove what they hold read the nonces that they need for it.
    pub(crate) fn compile(plan: &Arc<CorsPlan>, key_field: &str, needs_nonces: bool) -> Self {
        let headers = plan.page_fields(key_field);
        let nonce = needs_nonces.then_some("dpop-nonce");
        let own = || EXPOSED.into_iter().chain(nonce).collect::<Vec<_>>().join(", ");
        let exposed_line = plan.expose.as_ref().map_or_else(own, |names| names.join(", "));
        Self {
            plan: Arc::clone(plan),
            headers_line: headers.join(", "),
            headers,
            exposed_line,
            max_age_seconds: plan.max_age.as_secs(),
        }
    }

    /// Whether pages of this origin may read answers.
    pub(crate) fn allows(&self, origin: &[u8]) -> bool {
        self.plan.origins.allow(origin)
    }

    pub(crate) fn takes_method(&self, method: &[u8]) -> bool {
        self.plan.methods.as_ref().is_none_or(|names| names.iter().any(|name| name.as_bytes() == method))
    }

    /// Whether pages may set every field of a list as a preflight states it. What every page may set, a browser does not ask
    /// about, and what it asks about it looks for in the answer.
    pub(crate) fn takes_fields(&self, list: &[u8]) -> bool {
        let mut names = list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|name| !name.is_empty());
        names.all(|name| self.headers.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(name)))
    }

    pub(crate) fn opens_private_network(&self) -> bool {
        self.plan.private_network
    }

    /// What an answer to a request of this origin says.
    pub(crate) fn sharing<'a>(&'a self, origin: Option<&'a [u8]>) -> Sharing<'a> {
        Sharing { cors: self, reader: origin.filter(|origin| self.allows(origin)) }
    }
}

// === impl Sharing ===

impl Sharing<'_> {
    /// Writes who may read an answer.
    pub(crate) fn write(&self, out: &mut impl Head) {
        self.origin("origin", out);
        if self.reader.is_some() && !self.cors.exposed_line.is_empty() {
            out.field(b"access-control-expose-headers", self.cors.exposed_line.as_bytes());
        }
    }

    /// Writes what a preflight asked for; `method` is one that may be used.
    pub(crate) fn write_preflight(&self, method: &[u8], private_network: bool, out: &mut impl Head) {
        self.origin("origin, access-control-request-method, access-control-request-headers", out);
        out.field(b"access-control-allow-methods", method);
        if !self.cors.headers_line.is_empty() {
            out.field(b"access-control-allow-headers", self.cors.headers_line.as_bytes());
        }
        out.number(b"access-control-max-age", self.cors.max_age_seconds);
        if private_network {
            out.field(b"access-control-allow-private-network", b"true");
        }
    }

    /// The answer differs by origin even where it names none, or a cache would give one page what was meant for another.
    fn origin(&self, vary: &str, out: &mut impl Head) {
        out.field(b"vary", vary.as_bytes());
        let Some(reader) = self.reader else { return };
        let anybody = self.cors.plan.origins == Origins::Any;
        out.field(b"access-control-allow-origin", if anybody { b"*" } else { reader });
        if self.cors.plan.credentials {
            out.field(b"access-control-allow-credentials", b"true");
        }
    }
}
