//! `shape`: every answer's head, the upstream's and ours alike, made fit to leave: framed anew, banners removed,
//! security headers and the request id on it.

use crate::named::Named;
use crate::problem::{Form, Problem};
use portcullis_h1::write::{decimal, field, status_line};
use portcullis_h1::{Field, Framing, Known, ResponseHead};
use portcullis_types::id::RequestId;

/// What decides about the outer form of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) id: RequestId,
    pub(crate) secure: bool,
    /// Whether the connection stays open after the answer.
    pub(crate) keep_alive: bool,
    /// A client of HTTP/1.0 has to be told that it stays open, and knows no chunks.
    pub(crate) old: bool,
    pub(crate) to_head: bool,
    pub(crate) date: &'a str,
}

/// On every answer. Nothing an API sends is a document that a browser should render or run.
const SECURITY_HEADERS: &[u8] = b"x-content-type-options: nosniff\r\n\
    content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n\
    x-frame-options: DENY\r\n\
    referrer-policy: no-referrer\r\n";

/// Only over TLS, where it means something (RFC 6797 section 7.2).
const TRANSPORT_SECURITY: &[u8] = b"strict-transport-security: max-age=31536000; includeSubDomains\r\n";

/// How the body of an upstream's answer leaves: in chunks or not.
pub(crate) fn is_chunked(framing: Framing, old: bool) -> bool {
    matches!(framing, Framing::Chunked | Framing::UntilClose) && !old
}

/// Whether only the end of the connection can tell the client where this answer ends.
pub(crate) fn needs_close(framing: Framing, old: bool) -> bool {
    matches!(framing, Framing::Chunked | Framing::UntilClose) && old
}

/// Appends the head of an upstream's answer.
pub(crate) fn answer(head: &ResponseHead, frame: &Frame<'_>, out: &mut Vec<u8>) {
    status_line(head.status(), out);
    let mut dated = false;
    let named = Named::by(head.fields());
    for line in head.fields().iter() {
        dated |= line.known == Known::Date;
        if !is_left_out(&line, frame, head) && !named.holds(line.name) {
            field(line.name, line.value, out);
        }
    }
    if !dated {
        field(b"date", frame.date.as_bytes(), out);
    }
    match head.framing() {
        framing if is_chunked(framing, frame.old) => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::Length(bytes) => length(bytes, out),
        Framing::None | Framing::Chunked | Framing::UntilClose => {}
    }
    finish(frame, out);
}

/// Appends one of our own answers, body included unless the question was HEAD.
pub(crate) fn problem(problem: &Problem, form: Form, base: &str, frame: &Frame<'_>, out: &mut Vec<u8>) {
    let body = problem.body(form, frame.id, base);
    status_line(problem.reason.status(), out);
    field(b"date", frame.date.as_bytes(), out);
    field(b"content-type", form.content_type().as_bytes(), out);
    length(body.len() as u64, out);
    field(b"cache-control", b"no-store", out);
    field(b"vary", b"accept", out);
    out.extend_from_slice(b"proxy-status: portcullis; error=");
    out.extend_from_slice(problem.proxy_status.as_bytes());
    out.extend_from_slice(b"\r\n");
    for (name, value) in &problem.headers {
        field(name.as_bytes(), value.as_bytes(), out);
    }
    finish(frame, out);
    if !frame.to_head {
        out.extend_from_slice(body.as_bytes());
    }
}

fn finish(frame: &Frame<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(SECURITY_HEADERS);
    if frame.secure {
        out.extend_from_slice(TRANSPORT_SECURITY);
    }
    field(b"x-request-id", frame.id.as_bytes(), out);
    match (frame.keep_alive, frame.old) {
        (false, _) => out.extend_from_slice(b"connection: close\r\n"),
        (true, true) => out.extend_from_slice(b"connection: keep-alive\r\n"),
        (true, false) => {}
    }
    out.extend_from_slice(b"\r\n");
}

fn length(bytes: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"content-length: ");
    decimal(bytes, out);
    out.extend_from_slice(b"\r\n");
}

/// Fields of the upstream's connection, banners, and what we say ourselves.
fn is_left_out(line: &Field<'_>, frame: &Frame<'_>, head: &ResponseHead) -> bool {
    let known = line.known;
    if known == Known::ContentLength {
        // Of an answer without a body it tells what the body would have been (RFC 9110 section 8.6).
        return !(head.framing() == Framing::None && head.status() != 204 && (frame.to_head || head.status() == 304));
    }
    is_ours(known) || is_banner(known) || known.is_hop_by_hop() || known.is_identity()
}

/// Fields that the gateway answers for, whatever the upstream says.
const fn is_ours(known: Known) -> bool {
    matches!(
        known,
        Known::ProxyStatus
            | Known::XRequestId
            | Known::XContentTypeOptions
            | Known::ContentSecurityPolicy
            | Known::XFrameOptions
            | Known::ReferrerPolicy
            | Known::StrictTransportSecurity
    )
}

/// Fields that tell an attacker what runs behind the gateway.
const fn is_banner(known: Known) -> bool {
    matches!(known, Known::Server | Known::XPoweredBy | Known::XAspNetVersion | Known::XAspNetMvcVersion | Known::Via)
}
