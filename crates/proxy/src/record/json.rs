//! A record as one line of JSON. Whatever a client sent is escaped, cut and redacted: it cannot forge a line, fill the
//! disk with one request, or put a secret into the log.

use super::AccessRecord;
use super::wall::WallTexts;
use crate::snapshot::Snapshot;
use portcullis_h1::write::{address, decimal};
use std::net::SocketAddr;

// LIMIT: bytes of a client's text in a record.
const TEXT_BYTES_MAX: usize = 1024;

/// What the line says about the request itself, beside the record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) host: &'a [u8],
    /// Canonical where there is such a form, else path and query as they came, without an authority that could hold a
    /// password.
    pub(crate) target: &'a [u8],
}

/// Appends the line, its line feed included.
pub(crate) fn line(
    record: &AccessRecord,
    subject: Subject<'_>,
    snapshot: &Snapshot,
    wall: &mut WallTexts,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"{\"time\":\"");
    wall.rfc3339(record.wall_ms, out);
    out.extend_from_slice(b"\",\"request_id\":\"");
    out.extend_from_slice(record.id.as_bytes());
    out.extend_from_slice(b"\",\"traceparent\":\"");
    out.extend_from_slice(record.trace.as_bytes());
    out.push(b'"');
    if let Some(listener) = &record.listener {
        text("listener", listener.as_bytes(), out);
    }
    if let Some(peer) = record.peer {
        out.extend_from_slice(b",\"peer\":\"");
        peer_text(peer, out);
        out.push(b'"');
    }
    if let Some(client) = record.client {
        out.extend_from_slice(b",\"client\":\"");
        address(client, out);
        out.push(b'"');
    }
    if let Some(tls) = record.tls {
        text("tls_version", tls.version.as_bytes(), out);
        text("tls_group", tls.group.as_bytes(), out);
    }
    if let Some(route) = record.route.and_then(|index| snapshot.routes.get(index)) {
        out.extend_from_slice(route.named());
    }
    if let Some(caller) = &record.caller {
        text("principal", caller.id.as_bytes(), out);
        text("scheme", caller.scheme.code().as_bytes(), out);
        if !caller.credential.is_empty() {
            text("credential", caller.credential.as_bytes(), out);
        }
        if let Some(issuer) = &caller.issuer {
            text("issuer", issuer.as_bytes(), out);
        }
    }
    out.extend_from_slice(record.protocol.member());
    text("method", subject.method, out);
    text("host", subject.host, out);
    redacted_target(subject.target, snapshot, out);
    number("status", u64::from(record.status), out);
    text("outcome", record.outcome.name().as_bytes(), out);
    decision(record, snapshot, out);
    if let Some(note) = record.note {
        text("detail", note.as_bytes(), out);
    }
    if let Some(target) = &record.target {
        text("target_server", target.as_bytes(), out);
    }
    number("request_bytes", record.request_bytes, out);
    number("response_bytes", record.response_bytes, out);
    let (total, upstream) = (record.total_nanos() / 1000, record.upstream_nanos() / 1000);
    number("total_us", total, out);
    number("gateway_us", total.saturating_sub(upstream), out);
    number("upstream_us", upstream, out);
    out.extend_from_slice(b"}\n");
}

fn decision(record: &AccessRecord, snapshot: &Snapshot, out: &mut Vec<u8>) {
    let route = record.route.and_then(|index| snapshot.routes.get(index));
    if let Some(decision) = &record.decision {
        text("stage", decision.stage.name().as_bytes(), out);
        text("reason", decision.reason.code().as_bytes(), out);
        if let Some(private) = &decision.private {
            text("detail", private.as_bytes(), out);
        }
        if let Some(route) = route {
            text("decided_by", route.origin.as_bytes(), out);
        }
    } else if let Some(route) = route {
        out.extend_from_slice(route.stages().as_bytes());
    }
}

fn number(name: &str, value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    decimal(value, out);
}

/// What a route is called in every record of it, made once.
pub(crate) fn route_members(api: &str, version: &str, template: &str) -> Vec<u8> {
    let mut out = Vec::new();
    text("api", api.as_bytes(), &mut out);
    if !version.is_empty() {
        text("version", version.as_bytes(), &mut out);
    }
    text("route", template.as_bytes(), &mut out);
    out
}

fn text(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":\"");
    escape(value, out);
    out.push(b'"');
}

/// Appends text inside a JSON string. Bytes outside ASCII are written as `\u00xx`, so that no encoding can be broken.
pub(crate) fn escape(value: &[u8], out: &mut Vec<u8>) {
    let cut = value.get(..TEXT_BYTES_MAX).unwrap_or(value);
    let plain = |byte: &u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b'"' | b'\\');
    if cut.iter().all(plain) {
        out.extend_from_slice(cut);
    } else {
        for byte in cut {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
                0x20..=0x7e => out.push(*byte),
                other => out.extend_from_slice(format!("\\u{:04x}", u16::from(*other)).as_bytes()),
            }
        }
    }
    if cut.len() < value.len() {
        out.extend_from_slice(b"...");
    }
}

/// The target with every query value replaced, but for the parameters that the configuration shows.
fn redacted_target(target: &[u8], snapshot: &Snapshot, out: &mut Vec<u8>) {
    // A refused target may hold a fragment, and that a token.
    let Some(at) = target.iter().position(|byte| matches!(byte, b'?' | b'#')) else {
        text("target", target, out);
        return;
    };
    let (path, query) = target.split_at(at);
    let mut shown = Vec::with_capacity(target.len().min(TEXT_BYTES_MAX));
    shown.extend_from_slice(path);
    for (index, pair) in query.get(1..).unwrap_or_default().split(|byte| matches!(byte, b'&' | b'#' | b'?')).enumerate()
    {
        if shown.len() > TEXT_BYTES_MAX {
            break;
        }
        shown.push(if index == 0 { b'?' } else { b'&' });
        match pair.iter().position(|byte| *byte == b'=').map(|at| pair.split_at(at)) {
            Some((name, _)) if snapshot.show_query.iter().any(|shown| shown.as_bytes() == name) => {
                shown.extend_from_slice(pair);
            }
            // What ends with padding is a value without a name.
            Some((_, rest)) if rest.iter().all(|byte| *byte == b'=') => shown.push(b'*'),
            Some((name, _)) => {
                shown.extend_from_slice(name);
                shown.extend_from_slice(b"=*");
            }
            // A parameter without a name may be a token all the same.
            None => shown.push(b'*'),
        }
    }
    text("target", &shown, out);
}

fn peer_text(peer: SocketAddr, out: &mut Vec<u8>) {
    let bracketed = peer.is_ipv6();
    out.extend_from_slice(if bracketed { b"[" } else { b"" });
    address(peer.ip(), out);
    out.extend_from_slice(if bracketed { b"]:" } else { b":" });
    decimal(u64::from(peer.port()), out);
}

#[cfg(test)]
mod tests {
    use super::{escape, redacted_target};
    use crate::snapshot::Snapshot;

    fn shown(target: &str) -> String {
        let mut out = Vec::new();
        let snapshot = Snapshot { show_query: vec!["page".to_owned()], ..Snapshot::default() };
        redacted_target(target.as_bytes(), &snapshot, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_that_nobody_asked_to_see_are_not_written() {
        for (target, expected) in [
            ("/a", "/a"),
            ("/a?page=2&token=s", "/a?page=2&token=*"),
            ("/a?s3cret", "/a?*"),
            ("/a?page", "/a?*"),
            ("/a?czNjcmV0czNjcmU=", "/a?*"),
            ("/a?czNjcmV0czNjcg==&b=", "/a?*&*"),
            ("/a?x=1?y=s&page=s?z=s", "/a?x=*&y=*&page=s&z=*"),
            ("/a#access_token=s", "/a?access_token=*"),
            ("/a?b=1#s3cret", "/a?b=*&*"),
            ("/a?", "/a?*"),
        ] {
            assert_eq!(shown(target), format!(",\"target\":\"{expected}\""), "{target}");
        }
        assert!(shown(&format!("/a?{}", "k=v&".repeat(10_000))).len() < 1200);
    }

    #[test]
    fn no_text_ends_its_string_or_its_line() {
        let mut out = Vec::new();
        escape(b"a\"b\\c\n\r\0\x1b\x7f\xe2\x80\xa8\xff", &mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, r#"a\"b\\c\u000a\u000d\u0000\u001b\u007f\u00e2\u0080\u00a8\u00ff"#);
    }
}
