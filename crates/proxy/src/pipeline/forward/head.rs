//! The request's head as the upstream gets it: written anew from what was parsed.
//!
//! Left out: fields of one connection, whatever the client says about who or where it is, and everything whose name a
//! careless server could take for such a field. A client cannot have a field of ours removed by naming it in
//! `Connection`, because ours are written after the client's are filtered.

use super::super::route::Request;
use super::Routed;
use crate::head::Head;
use crate::identity;
use crate::named::Named;
use crate::trace::context::write_state;
use portcullis_h1::write::address;
use portcullis_h1::{Field, Framing, Known, claims_identity};

/// Writes the whole head.
pub(in crate::pipeline) fn write(routed: &Routed<'_>, target: &str, out: &mut impl Head) {
    let request = routed.request;
    let head = request.head;
    let choice = routed.route().choice.as_deref();
    let chosen = choice.and_then(|choice| choice.target(request.target));
    out.request(head.method(), chosen.as_deref().unwrap_or(request.target.as_str()));
    if request.host.is_empty() {
        // Only a client of HTTP/1.0 may leave it out, but what we send is not.
        out.host(|out| out.extend_from_slice(target.as_bytes()));
    } else {
        out.host(|out| host(&request, out));
    }
    let named = Named::by(head.fields());
    let masks = masks(routed);
    for line in head.fields().iter() {
        let kept = routed.route().access.keeps(line.known, line.name);
        let asks = masks && is_about_the_body(line.name);
        if kept || asks || is_left_out(&line) || named.holds(line.name) {
            continue;
        }
        match choice {
            Some(choice) if choice.hides(line.name) => {}
            Some(choice) if line.known == Known::Accept => {
                out.field(line.name, choice.accept(line.value).as_deref().unwrap_or(line.value));
            }
            Some(_) | None => out.field(line.name, line.value),
        }
    }
    match head.framing() {
        Framing::Chunked => out.framing(b"transfer-encoding: chunked\r\n"),
        Framing::Length(bytes) => out.number(b"content-length", bytes),
        Framing::None | Framing::UntilClose => {}
    }
    if masks {
        // What is masked has to be read first.
        out.field(b"accept-encoding", b"identity");
    }
    out.field(b"x-request-id", routed.record.id.as_bytes());
    out.field(b"traceparent", routed.record.trace.as_bytes());
    if routed.record.trace.keeps_state {
        out.field_with(b"tracestate", |out| write_state(head.fields(), out));
    }
    if let Some(caller) = &routed.record.caller {
        identity::write(caller, out);
        if let Some(statement) = &routed.statement {
            out.field(b"x-identity-token", statement.as_bytes());
        }
    }
    provenance(&request, out);
    if let Some(handshake) = &routed.handshake {
        out.framing(b"connection: upgrade\r\nupgrade: websocket\r\n");
        out.field(b"sec-websocket-version", b"13");
        out.field(b"sec-websocket-key", handshake.key.as_bytes());
    }
    out.end();
}

/// Whether the answer will be another one than the server gives.
fn masks(routed: &Routed<'_>) -> bool {
    let disclosure = routed.route().disclosure.as_ref().zip(routed.record.active);
    disclosure.is_some_and(|(disclosure, active)| !disclosure.rules.is_idle(active))
}

/// What a client asks about a body that it will not get: a part of it, or whether it has changed.
fn is_about_the_body(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 6] =
        [b"accept-encoding", b"range", b"if-range", b"if-none-match", b"if-modified-since", b"te"];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn is_left_out(line: &Field<'_>) -> bool {
    let known = line.known;
    if known == Known::Other {
        // Servers that hand fields to programs as variables cannot tell `_` from `-`.
        return claims_identity(line.name) || Known::imitated_by(line.name) != Known::Other;
    }
    known.is_hop_by_hop()
        || known.is_identity()
        || known.is_provenance()
        || known.is_override()
        || matches!(
            known,
            Known::Host
                | Known::ContentLength
                | Known::Expect
                | Known::XRequestId
                | Known::Traceparent
                | Known::Tracestate
                // The handshake with the server is ours.
                | Known::SecWebSocketKey
                | Known::SecWebSocketVersion
        )
}

/// The host that was routed, and the port that the client named.
fn host(request: &Request<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(request.host.as_bytes());
    let authority = request.head.authority();
    let port = authority.rsplit(|byte| *byte == b':').next().filter(|port| port.len() < authority.len());
    if let Some(port) = port.filter(|port| port.iter().all(u8::is_ascii_digit)) {
        out.push(b':');
        out.extend_from_slice(port);
    }
}

/// Where the request came from: one client, as far as we have seen it ourselves or believe who says it. What others
/// wrote is never passed on.
fn provenance(request: &Request<'_>, out: &mut impl Head) {
    out.field_with(b"x-forwarded-for", |out| address(request.client.address, out));
    let scheme: &[u8] = if request.client.secure { b"https" } else { b"http" };
    out.field(b"x-forwarded-proto", scheme);
    if !request.host.is_empty() {
        out.field_with(b"x-forwarded-host", |out| host(request, out));
    }
}
