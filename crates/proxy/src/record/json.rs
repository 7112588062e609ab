//! A record as one line of JSON. Whatever a client sent is escaped, cut and redacted: it cannot forge a line, fill the
//! disk with one request, or put a secret into the log.

use super::AccessRecord;
use super::form::{Ended, Told};
use super::object::Object;
use super::security::Event;
use super::wall::WallTexts;
use crate::inspection::findings::Findings;
use crate::reports::shown;
use crate::snapshot::Snapshot;
use crate::snapshot::rules::Rules;
use portcullis_access::Decision as Permission;
use portcullis_h1::write::{address, decimal};
use portcullis_patch::Met;
use portcullis_types::Stage;
use std::net::SocketAddr;

/// What stands before a member's value: `,"name":`, and a quote where the value is a text.
macro_rules! member {
    ($name:literal) => {
        concat!(",\"", $name, "\":").as_bytes()
    };
    ($name:literal, text) => {
        concat!(",\"", $name, "\":\"").as_bytes()
    };
}

// LIMIT: bytes of a client's text in a record.
const TEXT_BYTES_MAX: usize = 1024;

// LIMIT: bytes of a query parameter's name in a record; a longer one is redacted like its value.
const QUERY_NAME_BYTES_MAX: usize = 32;

/// What the line says about the request itself, beside the record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) host: &'a [u8],
    /// Canonical where there is such a form, else path and query as they came, without an authority that could hold a
    /// password.
    pub(crate) target: &'a [u8],
}

/// Appends the line, its line feed included; with an event it is one of the security record.
pub(crate) fn line(ended: Ended<'_>, event: Option<Event>, wall: &mut WallTexts, out: &mut Vec<u8>) {
    let Ended { record, subject, snapshot } = ended;
    out.extend_from_slice(b"{\"time\":\"");
    wall.rfc3339(record.wall_ms, out);
    out.push(b'"');
    if let Some(event) = event {
        word(member!("event", text), event.name(), out);
    }
    out.extend_from_slice(b",\"request_id\":\"");
    out.extend_from_slice(record.id.as_bytes());
    out.extend_from_slice(b"\",\"traceparent\":\"");
    out.extend_from_slice(record.trace.as_bytes());
    out.push(b'"');
    if let Some(listener) = &record.listener {
        text(member!("listener", text), listener.as_bytes(), out);
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
        word(member!("tls_version", text), tls.version, out);
        word(member!("tls_group", text), tls.group, out);
    }
    if let Some(route) = record.route.and_then(|index| snapshot.routes.get(index)) {
        out.extend_from_slice(route.named());
    }
    who(record, out);
    out.extend_from_slice(record.protocol.member());
    text(member!("method", text), subject.method, out);
    text(member!("host", text), subject.host, out);
    redacted_target(subject.target, snapshot, out);
    number(member!("status"), u64::from(record.status), out);
    word(member!("outcome", text), record.outcome.name(), out);
    decision(record, snapshot, out);
    limits(record, snapshot, out);
    if let Some(met) = &record.patch {
        patch(met, out);
    }
    if let Some(found) = &record.findings {
        findings(found, record.verdict(), out);
    }
    told(record, out);
    if event.is_some() && !record.original.is_empty() {
        text(member!("original", text), record.original.as_bytes(), out);
    }
    if let Some(note) = record.note {
        word(member!("detail", text), note, out);
    }
    if let Some(target) = &record.target {
        text(member!("target_server", text), target.as_bytes(), out);
    }
    number(member!("request_bytes"), record.request_bytes, out);
    number(member!("response_bytes"), record.response_bytes, out);
    let (total, upstream) = (record.total_nanos() / 1000, record.upstream_nanos() / 1000);
    number(member!("total_us"), total, out);
    number(member!("gateway_us"), total.saturating_sub(upstream), out);
    number(member!("upstream_us"), upstream, out);
    out.extend_from_slice(b"}\n");
}

/// What contracts and browsers had to say.
fn told(record: &AccessRecord, out: &mut Vec<u8>) {
    if let Some(breach) = &record.breaches.request {
        text(member!("request_breach", text), breach.as_bytes(), out);
    }
    if let Some(breach) = &record.breaches.answer {
        text(member!("answer_breach", text), breach.as_bytes(), out);
    }
    if let Some(reports) = &record.reports {
        text(member!("reported_to", text), reports.0.as_bytes(), out);
        text(member!("reports", text), shown(&reports.1).as_bytes(), out);
    }
}

/// Who calls, where it is somebody.
fn who(record: &AccessRecord, out: &mut Vec<u8>) {
    if let Some(caller) = &record.caller {
        text(member!("principal", text), caller.id.as_bytes(), out);
        word(member!("scheme", text), caller.scheme.code(), out);
        if !caller.credential.is_empty() {
            text(member!("credential", text), caller.credential.as_bytes(), out);
        }
        if let Some(issuer) = &caller.issuer {
            text(member!("issuer", text), issuer.as_bytes(), out);
        }
    }
}

/// Appends another line of the security record.
pub(super) fn other(told: Told<'_>, wall_ms: u64, wall: &mut WallTexts, out: &mut Vec<u8>) {
    let mut line = Object::open(out);
    line.raw("time", |out| {
        out.push(b'"');
        wall.rfc3339(wall_ms, out);
        out.push(b'"');
    });
    line.text("event", told.event().name().as_bytes());
    match told {
        Told::Turned(turned) => {
            line.text("listener", turned.listener.as_bytes());
            line.raw("peer", |out| {
                out.push(b'"');
                peer_text(turned.peer, out);
                out.push(b'"');
            });
            line.text("reason", turned.reason.as_bytes());
            line.some("detail", turned.detail.as_bytes());
        }
        // Numbers and names of ours, which their own type writes.
        Told::Found(finding) => line.raw("finding", |out| out.extend_from_slice(finding.json().to_string().as_bytes())),
        Told::Done(action) => {
            line.text("action", action.what.as_bytes());
            line.text("actor", action.actor.as_bytes());
            line.object("details", |details| {
                action.details.iter().for_each(|(name, value)| details.text(name, value.as_bytes()));
            });
        }
    }
    line.end();
}

fn decision(record: &AccessRecord, snapshot: &Snapshot, out: &mut Vec<u8>) {
    if record.guesses > 0 {
        number(member!("guesses"), record.guesses, out);
    }
    let route = record.route.and_then(|index| snapshot.routes.get(index));
    if let Some(decision) = &record.decision {
        word(member!("stage", text), decision.stage.name(), out);
        word(member!("reason", text), decision.reason.code(), out);
        if let Some(private) = &decision.private {
            text(member!("detail", text), private.as_bytes(), out);
        }
        let rules = route.and_then(|route| route.rules.as_ref()).filter(|_| decision.stage == Stage::Permit);
        let named = rules.zip(record.permit).map(|(rules, permit)| rules.named(permit.rule));
        if let Some(named) = named {
            text(member!("rule", text), named.name.as_bytes(), out);
        }
        let limit = record.limit.and_then(|place| snapshot.books.get(place)).map(|book| &book.origin);
        let origin = limit.or(named.map(|named| &named.origin)).or(route.map(|route| &route.origin));
        if let Some(origin) = origin.filter(|origin| !origin.is_empty()) {
            text(member!("decided_by", text), origin.as_bytes(), out);
        }
    } else if let Some(route) = route {
        out.extend_from_slice(route.stages().as_bytes());
        if let (Some(rules), Some(permit)) = (&route.rules, record.permit) {
            permitted(rules, permit, out);
        }
    }
}

/// Which rule has let the request pass, and which one would not have, if it counted.
fn permitted(rules: &Rules, permit: Permission, out: &mut Vec<u8>) {
    if permit.rule.is_some() {
        let named = rules.named(permit.rule);
        text(member!("rule", text), named.name.as_bytes(), out);
        text(member!("allowed_by", text), named.origin.as_bytes(), out);
    }
    if let Some(rule) = permit.would_refuse {
        let named = rules.named(rule);
        text(member!("would_refuse", text), named.name.as_bytes(), out);
        text(member!("would_refuse_by", text), named.origin.as_bytes(), out);
    }
}

/// Which limits had no room.
fn limits(record: &AccessRecord, snapshot: &Snapshot, out: &mut Vec<u8>) {
    let place =
        |place: Option<usize>| place.and_then(|place| snapshot.books.get(place)).map(|book| book.place.as_bytes());
    if let Some(limit) = place(record.limit) {
        text(member!("limit", text), limit, out);
    }
    if let Some(limit) = place(record.limit_observed) {
        text(member!("limit_observed", text), limit, out);
    }
}

/// The virtual patch that is about the request.
fn patch(met: &Met, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"patch\":{\"verdict\":\"");
    out.extend_from_slice(crate::feed::verdict(met).as_bytes());
    out.push(b'"');
    text(member!("id", text), met.patch.id.as_bytes(), out);
    text(member!("reason", text), met.patch.reason.as_bytes(), out);
    out.push(b'}');
}

/// What rules about attacks found.
fn findings(found: &Findings, verdict: &'static str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"waf\":{\"verdict\":\"");
    out.extend_from_slice(verdict.as_bytes());
    out.push(b'"');
    number(member!("score"), u64::try_from(found.score).unwrap_or(0), out);
    if found.answer_score > 0 {
        number(member!("answer_score"), found.answer_score.unsigned_abs(), out);
    }
    out.extend_from_slice(b",\"rules\":[");
    for (index, one) in found.matches.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b",{\"id\":" } else { b"{\"id\":" });
        decimal(one.rule.id, out);
        text(member!("msg", text), one.rule.msg.as_bytes(), out);
        text(member!("variable", text), one.variable.as_bytes(), out);
        text(member!("excerpt", text), one.excerpt.as_bytes(), out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

fn number(member: &'static [u8], value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(member);
    decimal(value, out);
}

/// What a route is called in every record of it, made once.
pub(crate) fn route_members(api: &str, version: &str, template: &str) -> Vec<u8> {
    let mut out = Vec::new();
    text(member!("api", text), api.as_bytes(), &mut out);
    if !version.is_empty() {
        text(member!("version", text), version.as_bytes(), &mut out);
    }
    text(member!("route", text), template.as_bytes(), &mut out);
    out
}

fn text(member: &'static [u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(member);
    escape(value, out);
    out.push(b'"');
}

/// A text of ours, in which nothing has to be escaped.
fn word(member: &'static [u8], value: &'static str, out: &mut Vec<u8>) {
    out.extend_from_slice(member);
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

/// Appends text inside a JSON string. Bytes outside ASCII are written as `\u00xx`, so that no encoding can be broken.
pub(crate) fn escape(value: &[u8], out: &mut Vec<u8>) {
    let cut = value.get(..TEXT_BYTES_MAX).unwrap_or(value);
    if is_plain(cut) {
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

/// Whether every byte can stand in a string as it is.
fn is_plain(text: &[u8]) -> bool {
    let (words, _) = text.as_chunks::<8>();
    // What no whole word covers is looked at within the last eight bytes, or filled up with blanks.
    let last = text.last_chunk::<8>().copied().unwrap_or_else(|| {
        let mut last = [b' '; 8];
        last.iter_mut().zip(text).for_each(|(slot, byte)| *slot = *byte);
        last
    });
    words.iter().chain([&last]).all(|word| is_plain_word(u64::from_ne_bytes(*word)))
}

/// The same of eight bytes at once: the highest bit of a byte tells that something about it is not plain.
const fn is_plain_word(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    // Of bytes below 0x80 only, so that no sum carries into the next byte.
    let low = word & !HIGH;
    let graphic = low + (0x80 - 0x20) * ONES;
    let delete = low + ONES;
    let not_quote = (low ^ (b'"' as u64 * ONES)) + 0x7f * ONES;
    let not_backslash = (low ^ (b'\\' as u64 * ONES)) + 0x7f * ONES;
    (graphic & not_quote & not_backslash & !delete & !word) & HIGH == HIGH
}

/// The target with every query value replaced, but for the parameters that the configuration shows.
fn redacted_target(target: &[u8], snapshot: &Snapshot, out: &mut Vec<u8>) {
    // A refused target may hold a fragment, and that a token.
    let Some(at) = target.iter().position(|byte| matches!(byte, b'?' | b'#')) else {
        text(member!("target", text), target, out);
        return;
    };
    text(member!("target", text), &shown_target_from(target, at, snapshot), out);
}

/// The same by itself.
pub(super) fn shown_target(target: &[u8], snapshot: &Snapshot) -> Vec<u8> {
    let at = target.iter().position(|byte| matches!(byte, b'?' | b'#'));
    at.map_or_else(|| target.to_vec(), |at| shown_target_from(target, at, snapshot))
}

fn shown_target_from(target: &[u8], at: usize, snapshot: &Snapshot) -> Vec<u8> {
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
            // A key or a token before a `=` is none of somebody's names, and is too long for one.
            Some((name, _)) if name.len() > QUERY_NAME_BYTES_MAX => shown.extend_from_slice(b"*=*"),
            Some((name, _)) => {
                shown.extend_from_slice(name);
                shown.extend_from_slice(b"=*");
            }
            // A parameter without a name may be a token all the same.
            None => shown.push(b'*'),
        }
    }
    shown
}

pub(super) fn peer_text(peer: SocketAddr, out: &mut Vec<u8>) {
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
            ("/a?of_thirty_two_bytes_is_still_one_=s", "/a?*=*"),
            ("/a?a_name_of_thirty_two_bytes_is_ok=s", "/a?a_name_of_thirty_two_bytes_is_ok=*"),
            ("/a?pk_1Wj94X41jSX_e76mZzftPNOIaJM8GMBjKa1mH9MFiYWQ=1&b=2", "/a?*=*&b=*"),
        ] {
            assert_eq!(shown(target), format!(",\"target\":\"{expected}\""), "{target}");
        }
        assert!(shown(&format!("/a?{}", "k=v&".repeat(10_000))).len() < 1200);
    }

    #[test]
    fn what_is_plain_is_the_same_for_eight_bytes_as_for_one() {
        assert!(super::is_plain(b"") && super::is_plain(b"plain") && !super::is_plain(b"a\"b"));
        for byte in 0..=u8::MAX {
            let expected = (0x20..=0x7e).contains(&byte) && byte != b'"' && byte != b'\\';
            for at in 0..11 {
                let mut text = *b"plain ~ text";
                text[at] = byte;
                assert_eq!(super::is_plain(&text), expected, "{byte:#x} at {at}");
            }
        }
    }

    #[test]
    fn no_text_ends_its_string_or_its_line() {
        let mut out = Vec::new();
        escape(b"a\"b\\c\n\r\0\x1b\x7f\xe2\x80\xa8\xff", &mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, r#"a\"b\\c\u000a\u000d\u0000\u001b\u007f\u00e2\u0080\u00a8\u00ff"#);
    }
}
