//! The request's head as the upstream gets it: written anew from what was parsed.
//!
//! Left out: fields of one connection, whatever the client says about who or where it is, and everything whose name a
//! careless server could take for such a field. A client cannot have a field of ours removed by naming it in
//! `Connection`, because ours are written after the client's are filtered.

use super::Routed;
use crate::exchange::Connection;
use crate::named::Named;
use portcullis_h1::write::{decimal, field};
use portcullis_h1::{Field, Framing, Known};
use std::net::IpAddr;

/// Appends the whole head.
pub(in crate::pipeline) fn write(routed: &Routed<'_>, connection: &Connection, target: &str, out: &mut Vec<u8>) {
    let request = routed.request;
    let head = request.head;
    out.extend_from_slice(head.method());
    out.push(b' ');
    out.extend_from_slice(request.target.as_str().as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    let host = head.authority();
    // Only a client of HTTP/1.0 may leave it out, but what we send is HTTP/1.1.
    field(b"host", if host.is_empty() { target.as_bytes() } else { host }, out);
    let named = Named::by(head.fields());
    for line in head.fields().iter() {
        if !is_left_out(&line) && !named.holds(line.name) {
            field(line.name, line.value, out);
        }
    }
    match head.framing() {
        Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::Length(bytes) => {
            out.extend_from_slice(b"content-length: ");
            decimal(bytes, out);
            out.extend_from_slice(b"\r\n");
        }
        Framing::None | Framing::UntilClose => {}
    }
    field(b"x-request-id", request.id.as_bytes(), out);
    field(b"traceparent", request.trace.as_bytes(), out);
    provenance(connection, host, out);
    out.extend_from_slice(b"\r\n");
}

fn is_left_out(line: &Field<'_>) -> bool {
    let known = line.known;
    if known == Known::Other {
        return is_lookalike(line.name);
    }
    known.is_hop_by_hop()
        || known.is_identity()
        || known.is_provenance()
        || matches!(known, Known::Host | Known::ContentLength | Known::Expect | Known::XRequestId | Known::Traceparent)
}

/// Servers that hand fields to programs as variables cannot tell `_` from `-`.
fn is_lookalike(name: &[u8]) -> bool {
    if !name.contains(&b'_') {
        return false;
    }
    let dashed: Vec<u8> = name.iter().map(|byte| if *byte == b'_' { b'-' } else { *byte }).collect();
    let known = Known::of(&dashed);
    known.is_identity() || known.is_provenance() || known.is_hop_by_hop() || known == Known::XRequestId
}

/// Where the request came from, as far as we have seen it ourselves.
fn provenance(connection: &Connection, host: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"x-forwarded-for: ");
    match connection.peer.ip() {
        IpAddr::V4(address) => {
            for (index, octet) in address.octets().into_iter().enumerate() {
                if index > 0 {
                    out.push(b'.');
                }
                decimal(u64::from(octet), out);
            }
        }
        IpAddr::V6(address) => out.extend_from_slice(address.to_string().as_bytes()),
    }
    out.extend_from_slice(b"\r\n");
    let scheme: &[u8] = if connection.is_secure() { b"https" } else { b"http" };
    field(b"x-forwarded-proto", scheme, out);
    if !host.is_empty() {
        field(b"x-forwarded-host", host, out);
    }
}
