//! A record as spans and as a log record, in the words of OpenTelemetry's semantic conventions for HTTP.
//!
//! Names and kinds come from closed sets and the configuration. Of the client's texts there are two, as values: the
//! canonical path without its query, and the host. No header line, no query, no private detail.

use super::otlp::{Attributes, Kind, Severity};
use crate::metrics::METHODS;
use crate::record::object::Object;
use crate::record::{AccessRecord, Outcome};
use crate::snapshot::Route;
use portcullis_h1::Version;
use portcullis_h1::write::{address, decimal};

/// Bits 8 and 9 of a span's flags: whether it is known, and so, that the parent is remote.
const HAS_REMOTE: u64 = 0x100;
const IS_REMOTE: u64 = 0x200;
/// `STATUS_CODE_ERROR` of the schema.
const STATUS_ERROR: u64 = 2;

/// A finished request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finished<'a> {
    pub(crate) record: &'a AccessRecord,
    pub(crate) route: Option<&'a Route>,
    pub(crate) method: &'a [u8],
    /// Canonical and without a query; empty where the target is not canonical.
    pub(crate) path: &'a [u8],
    pub(crate) host: &'a [u8],
    pub(crate) version: Version,
}

/// What the conventions call every other method.
const OTHER_METHOD: &str = "_OTHER";

// === impl Finished ===

impl Finished<'_> {
    /// Appends the span of the request to us, and that of the request to the upstream if there was one. Returns how many.
    pub(crate) fn spans(&self, out: &mut Vec<u8>) -> usize {
        self.server(out);
        if self.record.forwarded == 0 {
            return 1;
        }
        out.push(b',');
        self.client(out);
        2
    }

    fn server(&self, out: &mut Vec<u8>) {
        let (record, trace) = (self.record, &self.record.trace);
        let mut span = Object::open(out);
        span.text("traceId", trace.trace_id());
        span.text("spanId", trace.server_span());
        if let Some(parent) = trace.parent() {
            span.text("parentSpanId", parent);
        }
        let remote = if trace.parent().is_some() { HAS_REMOTE | IS_REMOTE } else { HAS_REMOTE };
        span.number("flags", u64::from(trace.flags()) | remote);
        span.raw("name", |out| self.name(out));
        span.number("kind", Kind::Server as u64);
        span.long("startTimeUnixNano", self.unix(record.started));
        span.long("endTimeUnixNano", self.unix(record.ended));
        Attributes::write(&mut span, |attributes| self.attributes(attributes));
        // What a client did wrong is no failure of ours.
        let failed = record.status >= 500 || matches!(record.outcome, Outcome::Failed | Outcome::Truncated);
        status(&mut span, failed);
        span.close();
    }

    fn client(&self, out: &mut Vec<u8>) {
        let (record, trace) = (self.record, &self.record.trace);
        let answered = self.answered();
        let mut span = Object::open(out);
        span.text("traceId", trace.trace_id());
        span.text("spanId", trace.client_span());
        span.text("parentSpanId", trace.server_span());
        span.number("flags", u64::from(trace.flags()) | HAS_REMOTE);
        span.text("name", self.known_method().unwrap_or("HTTP").as_bytes());
        span.number("kind", Kind::Client as u64);
        span.long("startTimeUnixNano", self.unix(record.forwarded));
        span.long("endTimeUnixNano", self.unix(record.answered.max(record.forwarded)));
        Attributes::write(&mut span, |attributes| {
            attributes.text("http.request.method", self.known_method().unwrap_or(OTHER_METHOD).as_bytes());
            if let Some(target) = &record.target {
                server(target, attributes);
            }
            match answered {
                Some(code) => attributes.number("http.response.status_code", u64::from(code)),
                None => self.error_type(attributes),
            }
            if answered.is_some_and(|code| code >= 400) {
                attributes.text("error.type", record.status.to_string().as_bytes());
            }
        });
        status(&mut span, answered.is_none_or(|code| code >= 400) || record.outcome == Outcome::Truncated);
        span.close();
    }

    /// Appends the access record. Its body is a short text for people; the facts are attributes.
    pub(crate) fn log(&self, out: &mut Vec<u8>) {
        let (record, trace) = (self.record, &self.record.trace);
        let mut log = Object::open(out);
        log.long("timeUnixNano", self.unix(record.started));
        log.long("observedTimeUnixNano", self.unix(record.ended));
        let severity = match record.outcome {
            Outcome::Served | Outcome::Answered | Outcome::Gone => Severity::Info,
            Outcome::Refused => Severity::Warn,
            Outcome::Failed | Outcome::Truncated => Severity::Error,
        };
        severity.write(&mut log);
        log.text("eventName", b"portcullis.access");
        log.body("body", |out| {
            out.extend_from_slice(self.known_method().unwrap_or("HTTP").as_bytes());
            out.push(b' ');
            decimal(u64::from(record.status), out);
            out.push(b' ');
            out.extend_from_slice(record.outcome.name().as_bytes());
        });
        Attributes::write(&mut log, |attributes| {
            self.attributes(attributes);
            if let Some(target) = &record.target {
                attributes.text("portcullis.target", target.as_bytes());
            }
            attributes.number("portcullis.total_us", record.total_nanos() / 1000);
            attributes.number("portcullis.upstream_us", record.upstream_nanos() / 1000);
        });
        log.number("flags", u64::from(trace.flags()));
        log.text("traceId", trace.trace_id());
        log.text("spanId", trace.server_span());
        log.close();
    }

    /// `GET /orders/{id}`: method and template, never the path that was asked for.
    fn name(&self, out: &mut Vec<u8>) {
        let mut name = self.known_method().unwrap_or("HTTP").to_owned();
        if let Some(route) = self.route {
            name.push(' ');
            name.push_str(&route.template);
        }
        out.push(b'"');
        crate::record::json::escape(name.as_bytes(), out);
        out.push(b'"');
    }

    fn attributes(&self, attributes: &mut Attributes<'_>) {
        let record = self.record;
        attributes.text("http.request.method", self.known_method().unwrap_or(OTHER_METHOD).as_bytes());
        if !self.path.is_empty() {
            attributes.text("url.path", self.path);
        }
        attributes.text("url.scheme", if record.tls.is_some() { b"https" } else { b"http" });
        attributes.text("network.protocol.version", protocol(self.version));
        if !self.host.is_empty() {
            attributes.text("server.address", self.host);
        }
        if let Some(peer) = record.peer {
            let mut text = Vec::with_capacity(40);
            address(peer.ip(), &mut text);
            attributes.text("client.address", &text);
        }
        if record.outcome != Outcome::Gone {
            attributes.number("http.response.status_code", u64::from(record.status));
        }
        attributes.number("http.request.body.size", record.request_bytes);
        attributes.number("http.response.size", record.response_bytes);
        if let Some(route) = self.route {
            attributes.text("http.route", route.template.as_bytes());
            attributes.text("portcullis.api", route.api.as_bytes());
            if !route.version.is_empty() {
                attributes.text("portcullis.version", route.version.as_bytes());
            }
        }
        if let Some(listener) = &record.listener {
            attributes.text("portcullis.listener", listener.as_bytes());
        }
        attributes.text("portcullis.request_id", record.id.as_bytes());
        attributes.text("portcullis.outcome", record.outcome.name().as_bytes());
        if let Some(decision) = &record.decision {
            attributes.text("portcullis.stage", decision.stage.name().as_bytes());
            attributes.text("portcullis.reason", decision.reason.code().as_bytes());
        }
        if record.status >= 500 || matches!(record.outcome, Outcome::Truncated | Outcome::Gone) {
            self.error_type(attributes);
        }
    }

    /// What went wrong, from a closed set.
    fn error_type(&self, attributes: &mut Attributes<'_>) {
        let record = self.record;
        match (&record.decision, record.outcome) {
            (Some(decision), _) => attributes.text("error.type", decision.reason.code().as_bytes()),
            (None, Outcome::Truncated | Outcome::Gone) => {
                attributes.text("error.type", record.outcome.name().as_bytes());
            }
            (None, Outcome::Served | Outcome::Answered | Outcome::Refused | Outcome::Failed) => {
                attributes.text("error.type", record.status.to_string().as_bytes());
            }
        }
    }

    /// The status of the upstream's answer, if there was one.
    fn answered(&self) -> Option<u16> {
        let record = self.record;
        match record.outcome {
            Outcome::Served | Outcome::Truncated => Some(record.status),
            // 499 is our word for a client that went away before there was an answer.
            Outcome::Gone => (record.status != 499).then_some(record.status),
            Outcome::Answered | Outcome::Refused | Outcome::Failed => None,
        }
    }

    fn known_method(&self) -> Option<&'static str> {
        METHODS.iter().find(|known| known.as_bytes() == self.method).copied()
    }

    /// A moment of the monotonic clock as nanoseconds since 1970.
    fn unix(&self, nanos: u64) -> u64 {
        let record = self.record;
        record.wall_ms.saturating_mul(1_000_000).saturating_add(nanos.saturating_sub(record.started))
    }
}

fn protocol(version: Version) -> &'static [u8] {
    match version {
        Version::Http10 => b"1.0",
        Version::Http11 => b"1.1",
        Version::Http2 => b"2",
    }
}

fn status(span: &mut Object<'_>, failed: bool) {
    if failed {
        span.raw("status", |out| {
            let mut status = Object::open(out);
            status.number("code", STATUS_ERROR);
            status.close();
        });
    }
}

/// The target's host and port; a target that is a value from outside the file is never printed.
fn server(target: &str, attributes: &mut Attributes<'_>) {
    attributes.text("portcullis.target", target.as_bytes());
    let authority = target.strip_prefix("http://").or_else(|| target.strip_prefix("https://"));
    let Some((host, port)) = authority.and_then(|authority| authority.rsplit_once(':')) else { return };
    attributes.text("server.address", host.trim_matches(['[', ']']).as_bytes());
    if let Ok(port) = port.parse::<u16>() {
        attributes.number("server.port", u64::from(port));
    }
}
