//! Records in the words of the Elastic Common Schema; what it has no words for stands under `portcullis`.

use super::form::{Ended, Told, Turned};
use super::json::peer_text;
use super::object::Object;
use super::security::Event;
use super::wall::WallTexts;
use super::{Decision, Outcome};
use crate::anomalies::FindingFacts;
use crate::inspection::findings::Findings;
use portcullis_h1::write::address;
use std::net::{IpAddr, SocketAddr};

/// The version of the schema whose fields are used.
const VERSION: &[u8] = b"8.11.0";

/// What the schema says of an event of ours: kind, category, type.
struct Kind(&'static [u8], &'static [u8], &'static [&'static [u8]]);

// === impl Kind ===

impl Kind {
    fn of(event: Option<Event>, outcome: Outcome) -> Self {
        match event {
            Some(Event::CredentialFailed | Event::CredentialFirstSeen) => {
                Self(b"event", b"authentication", &[b"start"])
            }
            Some(Event::RuleMatch | Event::Anomaly) => Self(b"alert", b"intrusion_detection", &[b"info"]),
            Some(Event::ConnectionRefused) => Self(b"event", b"network", &[b"connection", b"denied"]),
            Some(Event::AdminAction) => Self(b"event", b"configuration", &[b"change"]),
            Some(Event::Refused | Event::MaskingFailed | Event::ErrorScrubbed) | None => match outcome {
                Outcome::Refused => Self(b"event", b"api", &[b"access", b"denied"]),
                Outcome::Served | Outcome::Answered | Outcome::Gone => Self(b"event", b"api", &[b"access", b"allowed"]),
                Outcome::Failed | Outcome::Truncated => Self(b"event", b"api", &[b"access", b"error"]),
            },
        }
    }

    fn write(&self, object: &mut Object<'_>) {
        let Self(kind, category, types) = self;
        object.text("kind", kind);
        object.texts("category", [*category]);
        object.texts("type", types.iter().copied());
    }
}

/// Appends a request's line, its line feed included.
pub(super) fn request(ended: Ended<'_>, event: Option<Event>, wall: &mut WallTexts, out: &mut Vec<u8>) {
    let Ended { record, subject, .. } = ended;
    let mut line = begin(record.wall_ms, wall, out);
    line.object("event", |object| {
        Kind::of(event, record.outcome).write(object);
        object.text("action", event.map_or(record.outcome.name(), Event::name).as_bytes());
        object.text("outcome", if succeeded(ended, event) { b"success" } else { b"failure" });
        object.some("reason", ended.reason().as_bytes());
        object.number("duration", record.total_nanos());
        object.text("dataset", dataset(event));
    });
    line.object("http", |http| {
        http.object("request", |request| {
            request.text("id", record.id.as_bytes());
            request.text("method", subject.method);
            request.object("body", |body| body.number("bytes", record.request_bytes));
        });
        http.object("response", |response| {
            response.number("status_code", u64::from(record.status));
            response.number("bytes", record.response_bytes);
        });
        http.text("version", record.protocol.version().as_bytes());
    });
    line.object("url", |url| {
        let shown = ended.shown();
        let at = shown.iter().position(|byte| *byte == b'?').unwrap_or(shown.len());
        let (path, query) = shown.split_at(at);
        url.some("domain", subject.host);
        url.text("path", path);
        url.some("query", query.get(1..).unwrap_or_default());
        url.text("scheme", if record.tls.is_some() { b"https" } else { b"http" });
    });
    if let Some(peer) = record.peer {
        source(peer, &mut line);
    }
    if let Some(from) = ended.address() {
        line.object("client", |client| ip("ip", from, client));
    }
    if let Some(caller) = &record.caller {
        line.object("user", |user| {
            user.text("id", caller.id.as_bytes());
            user.some("domain", caller.issuer.as_deref().unwrap_or_default().as_bytes());
        });
    }
    if let Some(tls) = record.tls {
        line.object("tls", |object| {
            object.text("version", tls.version.as_bytes());
            object.text("version_protocol", b"tls");
            object.text("curve", tls.group.as_bytes());
        });
    }
    line.object("trace", |trace| trace.text("id", record.trace.trace_id()));
    if let Some(found) = &record.findings {
        line.object("rule", |rule| {
            let ids: Vec<String> = found.matches.iter().map(|one| one.rule.id.to_string()).collect();
            rule.texts("id", ids.iter().map(String::as_bytes));
            rule.texts("name", found.matches.iter().map(|one| one.rule.msg.as_bytes()));
        });
    }
    line.object("portcullis", |own| own_members(ended, event, own));
    line.end();
}

/// What the schema has no words for.
fn own_members(ended: Ended<'_>, event: Option<Event>, own: &mut Object<'_>) {
    let record = ended.record;
    own.some("listener", record.listener.as_deref().unwrap_or_default().as_bytes());
    if let Some(route) = ended.route() {
        own.text("api", route.api.as_bytes());
        own.some("version", route.version.as_bytes());
        own.text("route", route.template.as_bytes());
    }
    if let Some(caller) = &record.caller {
        own.text("scheme", caller.scheme.code().as_bytes());
        own.some("credential", caller.credential.as_bytes());
    }
    own.text("outcome", record.outcome.name().as_bytes());
    if let Some(Decision { stage, private, .. }) = &record.decision {
        own.text("stage", stage.name().as_bytes());
        own.some("detail", private.as_deref().unwrap_or_default().as_bytes());
    }
    if event.is_some() {
        own.some("original", record.original.as_bytes());
    }
    if let Some(met) = &record.patch {
        own.object("patch", |patch| {
            patch.text("verdict", crate::feed::verdict(met).as_bytes());
            patch.text("id", met.patch.id.as_bytes());
            patch.text("reason", met.patch.reason.as_bytes());
        });
    }
    if let Some(found) = &record.findings {
        findings(found, record.verdict(), own);
    }
    own.some("target_server", record.target.as_deref().unwrap_or_default().as_bytes());
    own.number("upstream_us", record.upstream_nanos() / 1000);
}

fn findings(found: &Findings, verdict: &'static str, own: &mut Object<'_>) {
    own.object("waf", |waf| {
        waf.text("verdict", verdict.as_bytes());
        waf.number("score", u64::try_from(found.score).unwrap_or(0));
        if found.answer_score > 0 {
            waf.number("answer_score", found.answer_score.unsigned_abs());
        }
        waf.objects("matches", &found.matches, |one, object| {
            object.number("id", one.rule.id);
            object.text("variable", one.variable.as_bytes());
            object.text("excerpt", one.excerpt.as_bytes());
        });
    });
}

/// Appends another line of the security record.
pub(super) fn other(told: Told<'_>, wall_ms: u64, wall: &mut WallTexts, out: &mut Vec<u8>) {
    let event = told.event();
    let mut line = begin(wall_ms, wall, out);
    line.object("event", |object| {
        Kind::of(Some(event), Outcome::Served).write(object);
        let action = match told {
            Told::Done(action) => action.what,
            Told::Turned(_) | Told::Found(_) => event.name(),
        };
        object.text("action", action.as_bytes());
        if let Told::Turned(turned) = told {
            object.text("outcome", b"failure");
            object.text("reason", turned.reason.as_bytes());
        }
        object.text("dataset", dataset(Some(event)));
    });
    match told {
        Told::Turned(Turned { listener, peer, detail, .. }) => {
            source(peer, &mut line);
            line.object("portcullis", |own| {
                own.text("listener", listener.as_bytes());
                own.some("detail", detail.as_bytes());
            });
        }
        Told::Found(finding) => found(finding, &mut line),
        Told::Done(action) => {
            line.object("user", |user| user.text("name", action.actor.as_bytes()));
            line.object("portcullis", |own| {
                own.object("details", |details| {
                    action.details.iter().for_each(|(name, value)| details.text(name, value.as_bytes()));
                });
            });
        }
    }
    line.end();
}

fn found(finding: &FindingFacts, line: &mut Object<'_>) {
    line.object("rule", |rule| rule.text("name", finding.kind.as_bytes()));
    line.object("source", |source| source.text("address", finding.address.as_bytes()));
    if !finding.caller.is_empty() {
        line.object("user", |user| {
            user.text("id", finding.caller.as_bytes());
            user.some("domain", finding.issuer.as_bytes());
        });
    }
    // Numbers and names of ours, which their own type writes.
    line.object("portcullis", |own| {
        own.raw("finding", |out| out.extend_from_slice(finding.json().to_string().as_bytes()));
    });
}

fn begin<'a>(wall_ms: u64, wall: &mut WallTexts, out: &'a mut Vec<u8>) -> Object<'a> {
    let mut line = Object::open(out);
    line.raw("@timestamp", |out| {
        out.push(b'"');
        wall.rfc3339(wall_ms, out);
        out.push(b'"');
    });
    line.object("ecs", |ecs| ecs.text("version", VERSION));
    line.object("observer", |observer| {
        observer.text("vendor", b"Portcullis");
        observer.text("product", b"portcullis");
        observer.text("version", env!("CARGO_PKG_VERSION").as_bytes());
        observer.text("type", b"proxy");
    });
    line
}

const fn dataset(event: Option<Event>) -> &'static [u8] {
    if event.is_some() { b"portcullis.security" } else { b"portcullis.access" }
}

/// Whether what the event is about went well: the request, or for a credential its check.
fn succeeded(ended: Ended<'_>, event: Option<Event>) -> bool {
    let went_well = match ended.record.outcome {
        Outcome::Served | Outcome::Answered => ended.record.status < 400,
        Outcome::Refused | Outcome::Failed | Outcome::Truncated | Outcome::Gone => false,
    };
    event == Some(Event::CredentialFirstSeen) || went_well
}

fn source(peer: SocketAddr, line: &mut Object<'_>) {
    line.object("source", |source| {
        let mut text = Vec::with_capacity(48);
        peer_text(peer, &mut text);
        source.text("address", &text);
        ip("ip", peer.ip(), source);
        source.number("port", u64::from(peer.port()));
    });
}

pub(super) fn ip(name: &str, from: IpAddr, object: &mut Object<'_>) {
    let mut text = Vec::with_capacity(40);
    address(from, &mut text);
    object.text(name, &text);
}
