//! What the caller sees when we refuse or fail: RFC 9457 problem+json, or a page where a browser asks for one.
//!
//! INVARIANT: nothing here holds what an upstream said, and of what a client sent only the names and places that do not fit a
//! contract, escaped and cut; every other text is fixed.

mod errors;

use crate::answer::Scrubbed;
use crate::head::Head;
use crate::pipeline::Stop;
use portcullis_h1::{Fields, Known};
use portcullis_limit::ProblemType;
use portcullis_types::id::RequestId;
use portcullis_types::{Fault, FaultKind, Reason, Refusal, Stage, Violation};

/// Seconds after which a server may have become free or well again.
const RETRY_AFTER: &str = "1";
/// The answer could not be made fit to leave (RFC 9209 section 2.3).
const TRANSFORM_ERROR: &str = "http_response_transform_error";

/// An answer of our own.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) reason: Reason,
    detail: std::borrow::Cow<'static, str>,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The error type for `Proxy-Status` (RFC 9209 section 2.3).
    pub(crate) proxy_status: &'static str,
    pub(crate) close: bool,
    /// Names of limits that the caller went over.
    violated: Vec<String>,
    /// On the wire; the reason's, unless a server has said it.
    status: u16,
    /// Why a message does not fit its contract.
    errors: Vec<Violation>,
}

/// The forms of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Html,
    /// A call of gRPC, which reads status and message from fields.
    Grpc,
}

// === impl Problem ===

impl Problem {
    /// The answer to give, if there is anybody to give it to.
    pub(crate) fn of(stop: &Stop) -> Option<Self> {
        match stop {
            Stop::Refused(refusal) => Some(Self::refused(refusal)),
            Stop::Failed(fault) => Some(Self::failed(fault)),
            Stop::Scrubbed(scrubbed) => Some(Self::scrubbed(scrubbed)),
            Stop::Answered(_) | Stop::Told(_) | Stop::Noted | Stop::Gone => None,
        }
    }

    pub(crate) fn refused(refusal: &Refusal) -> Self {
        Self {
            reason: refusal.reason,
            detail: refusal.detail.clone(),
            headers: refusal.headers.clone(),
            proxy_status: if refusal.stage == Stage::Shape { TRANSFORM_ERROR } else { "http_request_denied" },
            status: refusal.reason.status(),
            close: refusal.close,
            violated: refusal.violated.clone(),
            errors: refusal.errors.as_deref().map(<[_]>::to_vec).unwrap_or_default(),
        }
    }

    fn failed(fault: &Fault) -> Self {
        let reason = fault.kind.reason();
        let proxy_status = fault.kind.proxy_status();
        let soon = matches!(fault.kind, FaultKind::Busy | FaultKind::Unhealthy);
        let headers = if soon { vec![("retry-after", RETRY_AFTER.to_owned())] } else { Vec::new() };
        let (detail, status) = (reason.title().into(), reason.status());
        Self { reason, detail, headers, proxy_status, close: false, violated: Vec::new(), errors: Vec::new(), status }
    }

    fn scrubbed(scrubbed: &Scrubbed) -> Self {
        let reason = Reason::UpstreamError;
        Self {
            reason,
            detail: reason.title().into(),
            headers: scrubbed.headers.clone(),
            proxy_status: TRANSFORM_ERROR,
            close: false,
            violated: Vec::new(),
            errors: Vec::new(),
            status: scrubbed.status,
        }
    }

    /// The body in the form that the client asks for.
    pub(crate) fn body(&self, form: Form, id: RequestId, base: &str) -> String {
        match form {
            Form::Json => self.json(id, base),
            Form::Html => self.html(id, base),
            Form::Grpc => String::new(),
        }
    }

    /// Status and message of a call that ends with its head ("Trailers-Only" of gRPC over HTTP/2).
    pub(crate) fn grpc_status(&self, out: &mut impl Head) {
        out.number(b"grpc-status", grpc_code(self.reason));
        out.field_with(b"grpc-message", |out| {
            percent(&self.detail, out);
            out.extend_from_slice(b" (");
            out.extend_from_slice(self.reason.code().as_bytes());
            out.push(b')');
        });
    }

    fn json(&self, id: RequestId, base: &str) -> String {
        let (title, status, code) = (self.reason.title(), self.status, self.reason.code());
        let (detail, id) = (&self.detail, id.as_str());
        let kind = ProblemType::of(self.reason).map_or_else(|| format!("{base}{code}"), |kind| kind.uri().to_owned());
        // Names of limits need no escapes.
        let violated = match self.violated.is_empty() {
            true => String::new(),
            false => format!(",\"{}\":[\"{}\"]", ProblemType::VIOLATED_POLICIES, self.violated.join("\",\"")),
        };
        let errors = errors::member(&self.errors);
        format!(
            "{{\"type\":\"{kind}\",\"title\":\"{title}\",\"status\":{status},\"code\":\"{code}\",\
             \"detail\":\"{}\",\"request_id\":\"{id}\"{violated}{errors}}}\n",
            detail.replace('\\', "\\\\").replace('"', "\\\"")
        )
    }

    fn html(&self, id: RequestId, base: &str) -> String {
        let (title, status, code) = (self.reason.title(), self.status, self.reason.code());
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
        if is_grpc(fields) {
            return Self::Grpc;
        }
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
            Self::Grpc => "application/grpc",
        }
    }

    /// The status on the wire: a call of gRPC fails within an answer that HTTP takes for a success.
    pub(crate) fn status(self, problem: &Problem) -> u16 {
        match self {
            Self::Json | Self::Html => problem.status,
            Self::Grpc => 200,
        }
    }
}

/// Whether a message belongs to a call of gRPC.
pub(crate) fn is_grpc(fields: Fields<'_>) -> bool {
    let begins = |value: &[u8]| value.get(..16).is_some_and(|start| start.eq_ignore_ascii_case(b"application/grpc"));
    let ends = |value: &[u8]| matches!(value.get(16), None | Some(b'+' | b';' | b' ' | b'-'));
    fields.first(Known::ContentType).is_some_and(|value| begins(value) && ends(value))
}

/// The status of gRPC that tells a client what to do about a reason (the mapping of HTTP statuses in the gRPC
/// documentation, finer where the status alone would say UNKNOWN).
fn grpc_code(reason: Reason) -> u64 {
    match reason.status() {
        401 => 16,
        403 => 7,
        404 | 405 | 415 | 501 => 12,
        408 | 504 => 4,
        413 | 414 | 429 | 431 => 8,
        400..=499 => 3,
        500 => 13,
        _ => 14,
    }
}

/// Text as gRPC wants a message: ASCII, everything else and the percent sign escaped.
fn percent(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'%' | 0..0x20 | 0x7f.. => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            plain => out.push(plain),
        }
    }
}
