//! What the caller sees when we refuse or fail: RFC 9457 problem+json, or a page where a browser asks for one.
//!
//! INVARIANT: nothing here holds what a client sent or what an upstream said; every text is fixed.

use crate::pipeline::Stop;
use portcullis_h1::{Fields, Known};
use portcullis_types::id::RequestId;
use portcullis_types::{Fault, Reason, Refusal};

/// An answer of our own.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) reason: Reason,
    detail: std::borrow::Cow<'static, str>,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The error type for `Proxy-Status` (RFC 9209 section 2.3).
    pub(crate) proxy_status: &'static str,
    pub(crate) close: bool,
}

/// The two forms of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Html,
}

// === impl Problem ===

impl Problem {
    /// The answer to give, if there is anybody to give it to.
    pub(crate) fn of(stop: &Stop) -> Option<Self> {
        match stop {
            Stop::Refused(refusal) => Some(Self::refused(refusal)),
            Stop::Failed(fault) => Some(Self::failed(fault)),
            Stop::Gone => None,
        }
    }

    pub(crate) fn refused(refusal: &Refusal) -> Self {
        Self {
            reason: refusal.reason,
            detail: refusal.detail.clone(),
            headers: refusal.headers.clone(),
            proxy_status: "http_request_denied",
            close: refusal.close,
        }
    }

    fn failed(fault: &Fault) -> Self {
        let reason = fault.kind.reason();
        let proxy_status = fault.kind.proxy_status();
        Self { reason, detail: reason.title().into(), headers: Vec::new(), proxy_status, close: false }
    }

    /// The body in the form that the client asks for.
    pub(crate) fn body(&self, form: Form, id: RequestId, base: &str) -> String {
        match form {
            Form::Json => self.json(id, base),
            Form::Html => self.html(id, base),
        }
    }

    fn json(&self, id: RequestId, base: &str) -> String {
        let (title, status, code) = (self.reason.title(), self.reason.status(), self.reason.code());
        let (detail, id) = (&self.detail, id.as_str());
        format!(
            "{{\"type\":\"{base}{code}\",\"title\":\"{title}\",\"status\":{status},\"code\":\"{code}\",\
             \"detail\":\"{}\",\"request_id\":\"{id}\"}}\n",
            detail.replace('\\', "\\\\").replace('"', "\\\"")
        )
    }

    fn html(&self, id: RequestId, base: &str) -> String {
        let (title, status, code) = (self.reason.title(), self.reason.status(), self.reason.code());
        let (caller, id) = (self.reason.page().caller, id.as_str());
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{status} {title}</title></head>\n\
             <body>\n<h1>{title}</h1>\n<p>{caller}</p>\n\
             <p>Status {status}, code <a href=\"{base}{code}\"><code>{code}</code></a>, request <code>{id}</code></p>\n\
             </body>\n</html>\n"
        )
    }
}

// === impl Form ===

impl Form {
    /// HTML only where the client names it before any JSON, as browsers do on navigation.
    pub(crate) fn asked_by(fields: Fields<'_>) -> Self {
        for value in fields.all(Known::Accept) {
            for member in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                if member.starts_with(b"text/html") {
                    return Self::Html;
                }
                if member.starts_with(b"application/") && !member.starts_with(b"application/xhtml") {
                    return Self::Json;
                }
            }
        }
        Self::Json
    }

    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/problem+json",
            Self::Html => "text/html; charset=utf-8",
        }
    }
}
