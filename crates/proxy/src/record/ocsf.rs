//! Records as events of the Open Cybersecurity Schema Framework, whose numbers stand here with their names; what it has no words
//! for stands under `unmapped`.

use super::ecs::ip;
use super::form::{Action, Ended, Told, Turned};
use super::object::Object;
use super::security::Event;
use super::syslog::Severity;
use super::{Decision, Outcome};
use crate::anomalies::FindingFacts;

/// The version of the schema whose attributes are used.
const VERSION: &[u8] = b"1.3.0";

/// A class with its category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    DetectionFinding,
    Authentication,
    NetworkActivity,
    HttpActivity,
    ApiActivity,
}

/// What was done, in the numbers of its class.
type Activity = (u64, &'static str);

const OTHER: u64 = 99;

// === impl Class ===

impl Class {
    /// A request's: who called, what was called, or only that something was asked for.
    fn of(event: Option<Event>, has_route: bool) -> Self {
        match event {
            Some(Event::CredentialFailed | Event::CredentialFirstSeen) => Self::Authentication,
            Some(Event::Refused | Event::MaskingFailed | Event::ErrorScrubbed | Event::RuleMatch) if has_route => {
                Self::ApiActivity
            }
            Some(_) | None => Self::HttpActivity,
        }
    }

    /// Number and name of the class, then of its category.
    const fn numbers(self) -> (u64, &'static str, u64, &'static str) {
        match self {
            Self::DetectionFinding => (2004, "Detection Finding", 2, "Findings"),
            Self::Authentication => (3002, "Authentication", 3, "Identity & Access Management"),
            Self::NetworkActivity => (4001, "Network Activity", 4, "Network Activity"),
            Self::HttpActivity => (4002, "HTTP Activity", 4, "Network Activity"),
            Self::ApiActivity => (6003, "API Activity", 6, "Application Activity"),
        }
    }

    fn activity(self, method: &[u8]) -> Activity {
        match (self, method) {
            (Self::Authentication, _) => (1, "Logon"),
            (Self::DetectionFinding, _) => (1, "Create"),
            (Self::NetworkActivity, _) => (5, "Refuse"),
            (Self::ApiActivity, b"POST") => (1, "Create"),
            (Self::ApiActivity, b"GET" | b"HEAD") => (2, "Read"),
            (Self::ApiActivity, b"PUT" | b"PATCH") => (3, "Update"),
            (Self::ApiActivity, b"DELETE") => (4, "Delete"),
            (Self::HttpActivity, b"DELETE") => (2, "Delete"),
            (Self::HttpActivity, b"CONNECT") => (1, "Connect"),
            (Self::HttpActivity, b"GET") => (3, "Get"),
            (Self::HttpActivity, b"HEAD") => (4, "Head"),
            (Self::HttpActivity, b"OPTIONS") => (5, "Options"),
            (Self::HttpActivity, b"POST") => (6, "Post"),
            (Self::HttpActivity, b"PUT") => (7, "Put"),
            (Self::HttpActivity, b"TRACE") => (8, "Trace"),
            (Self::ApiActivity | Self::HttpActivity, _) => (OTHER, "Other"),
        }
    }
}

/// Appends a request's line, its line feed included.
pub(super) fn request(ended: Ended<'_>, event: Option<Event>, out: &mut Vec<u8>) {
    let Ended { record, subject, .. } = ended;
    let class = Class::of(event, ended.route().is_some());
    let mut line = Object::open(out);
    base(class, class.activity(subject.method), record.wall_ms, event, &mut line);
    metadata(record.id.as_bytes(), event, &mut line);
    let passed = !matches!(record.outcome, Outcome::Refused);
    let well = passed && (record.status < 400 || event == Some(Event::CredentialFirstSeen));
    status(well, &mut line);
    line.text("status_code", record.status.to_string().as_bytes());
    line.some("status_detail", ended.reason().as_bytes());
    disposition(passed, &mut line);
    line.number("duration", record.total_nanos() / 1_000_000);
    endpoints(ended, &mut line);
    http(ended, &mut line);
    match class {
        Class::Authentication => authentication(ended, &mut line),
        Class::ApiActivity => api(ended, &mut line),
        Class::HttpActivity | Class::DetectionFinding | Class::NetworkActivity => {
            if record.caller.is_some() {
                line.object("actor", |actor| user(ended, actor));
            }
        }
    }
    line.object("unmapped", |own| {
        own.some("event", event.map_or("", Event::name).as_bytes());
        own.text("outcome", record.outcome.name().as_bytes());
        own.text("trace_id", record.trace.trace_id());
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
                patch.text("uid", met.patch.id.as_bytes());
                patch.text("reason", met.patch.reason.as_bytes());
            });
        }
        if let Some(found) = &record.findings {
            own.number("score", u64::try_from(found.score).unwrap_or(0));
            if found.answer_score > 0 {
                own.number("answer_score", found.answer_score.unsigned_abs());
            }
            own.objects("rules", &found.matches, |one, object| {
                object.text("uid", one.rule.id.to_string().as_bytes());
                object.text("name", one.rule.msg.as_bytes());
                object.text("variable", one.variable.as_bytes());
                object.text("excerpt", one.excerpt.as_bytes());
            });
        }
    });
    line.end();
}

/// Appends another line of the security record.
pub(super) fn other(told: Told<'_>, wall_ms: u64, out: &mut Vec<u8>) {
    let event = Some(told.event());
    let mut line = Object::open(out);
    match told {
        Told::Turned(turned) => {
            let class = Class::NetworkActivity;
            base(class, class.activity(b""), wall_ms, event, &mut line);
            metadata(b"", event, &mut line);
            turned_away(turned, &mut line);
        }
        Told::Found(finding) => {
            let class = Class::DetectionFinding;
            base(class, class.activity(b""), wall_ms, event, &mut line);
            metadata(b"", event, &mut line);
            found(finding, &mut line);
        }
        Told::Done(action) => {
            base(Class::ApiActivity, (OTHER, "Other"), wall_ms, event, &mut line);
            metadata(b"", event, &mut line);
            done(action, &mut line);
        }
    }
    line.end();
}

fn base(class: Class, (activity, name): Activity, wall_ms: u64, event: Option<Event>, line: &mut Object<'_>) {
    let (number, class_name, category, category_name) = class.numbers();
    line.number("category_uid", category);
    line.text("category_name", category_name.as_bytes());
    line.number("class_uid", number);
    line.text("class_name", class_name.as_bytes());
    line.number("activity_id", activity);
    line.text("activity_name", name.as_bytes());
    line.number("type_uid", number * 100 + activity);
    line.number("time", wall_ms);
    let (severity, name) = match event.map(Event::severity) {
        None | Some(Severity::Informational) => (1, "Informational"),
        Some(Severity::Notice) => (2, "Low"),
        Some(Severity::Warning) => (3, "Medium"),
        Some(Severity::Error) => (4, "High"),
    };
    line.number("severity_id", severity);
    line.text("severity", name.as_bytes());
}

fn metadata(uid: &[u8], event: Option<Event>, line: &mut Object<'_>) {
    line.object("metadata", |metadata| {
        metadata.text("version", VERSION);
        metadata.object("product", |product| {
            product.text("name", b"Portcullis");
            product.text("vendor_name", b"Portcullis");
            product.text("version", env!("CARGO_PKG_VERSION").as_bytes());
        });
        metadata.texts("profiles", [&b"security_control"[..]]);
        metadata.text("log_name", if event.is_some() { b"security" } else { b"access" });
        metadata.some("uid", uid);
    });
}

fn status(well: bool, line: &mut Object<'_>) {
    line.number("status_id", if well { 1 } else { 2 });
    line.text("status", if well { b"Success" } else { b"Failure" });
}

fn disposition(passed: bool, line: &mut Object<'_>) {
    line.number("action_id", if passed { 1 } else { 2 });
    line.text("action", if passed { b"Allowed" } else { b"Denied" });
    line.number("disposition_id", if passed { 1 } else { 2 });
    line.text("disposition", if passed { b"Allowed" } else { b"Blocked" });
}

fn endpoints(ended: Ended<'_>, line: &mut Object<'_>) {
    let Ended { record, subject, .. } = ended;
    line.object("src_endpoint", |source| {
        if let Some(from) = ended.address() {
            ip("ip", from, source);
        }
        // The port belongs to the peer, who may be somebody between.
        if let Some(peer) = record.peer.filter(|_| record.client.is_none()) {
            source.number("port", u64::from(peer.port()));
        }
    });
    line.object("dst_endpoint", |to| {
        to.some("hostname", subject.host);
        to.text("svc_name", record.listener.as_deref().unwrap_or_default().as_bytes());
    });
}

fn http(ended: Ended<'_>, line: &mut Object<'_>) {
    let Ended { record, subject, .. } = ended;
    line.object("http_request", |request| {
        request.text("uid", record.id.as_bytes());
        request.text("http_method", subject.method);
        request.text("version", record.protocol.version().as_bytes());
        request.number("length", record.request_bytes);
        request.object("url", |url| {
            let shown = ended.shown();
            let at = shown.iter().position(|byte| *byte == b'?').unwrap_or(shown.len());
            let (path, query) = shown.split_at(at);
            url.some("hostname", subject.host);
            url.text("path", path);
            url.some("query_string", query.get(1..).unwrap_or_default());
            url.text("scheme", if record.tls.is_some() { b"https" } else { b"http" });
        });
    });
    line.object("http_response", |response| {
        response.number("code", u64::from(record.status));
        response.number("length", record.response_bytes);
    });
}

fn user(ended: Ended<'_>, object: &mut Object<'_>) {
    object.object("user", |user| match &ended.record.caller {
        Some(caller) => {
            user.text("uid", caller.id.as_bytes());
            user.some("name", caller.username.as_deref().unwrap_or_default().as_bytes());
            user.some("credential_uid", caller.credential.as_bytes());
            user.some("domain", caller.issuer.as_deref().unwrap_or_default().as_bytes());
        }
        None => user.text("name", b"unknown"),
    });
}

fn authentication(ended: Ended<'_>, line: &mut Object<'_>) {
    user(ended, line);
    line.raw("is_remote", |out| out.extend_from_slice(b"true"));
    line.number("auth_protocol_id", OTHER);
    let scheme = ended.record.caller.as_ref().map_or("unknown", |caller| caller.scheme.code());
    line.text("auth_protocol", scheme.as_bytes());
    line.object("service", |service| {
        service.text("name", ended.route().map_or("portcullis", |route| &route.api).as_bytes());
    });
}

fn api(ended: Ended<'_>, line: &mut Object<'_>) {
    let record = ended.record;
    line.object("actor", |actor| user(ended, actor));
    line.object("api", |api| {
        if let Some(route) = ended.route() {
            let mut operation = ended.subject.method.to_vec();
            operation.push(b' ');
            operation.extend_from_slice(route.template.as_bytes());
            api.text("operation", &operation);
            api.some("version", route.version.as_bytes());
            api.object("service", |service| service.text("name", route.api.as_bytes()));
        }
        api.object("request", |request| request.text("uid", record.id.as_bytes()));
        api.object("response", |response| {
            response.number("code", u64::from(record.status));
            response.some("error", ended.reason().as_bytes());
        });
    });
}

fn turned_away(turned: Turned<'_>, line: &mut Object<'_>) {
    status(false, line);
    line.text("status_detail", turned.reason.as_bytes());
    disposition(false, line);
    line.object("src_endpoint", |source| {
        ip("ip", turned.peer.ip(), source);
        source.number("port", u64::from(turned.peer.port()));
    });
    line.object("dst_endpoint", |to| to.text("svc_name", turned.listener.as_bytes()));
    line.object("unmapped", |own| {
        own.text("event", Event::ConnectionRefused.name().as_bytes());
        own.some("detail", turned.detail.as_bytes());
    });
}

fn found(finding: &FindingFacts, line: &mut Object<'_>) {
    let who = if finding.is_of_address || finding.caller.is_empty() { &finding.address } else { &finding.caller };
    let uid = format!("{}-{}-{who}", finding.at_ms, finding.kind);
    let step = finding.step.as_str();
    let passed = !matches!(step, "refuse" | "block");
    line.object("finding_info", |info| {
        info.text("uid", uid.as_bytes());
        info.text("title", format!("{} of {who}", finding.kind).as_bytes());
        info.texts("types", [finding.kind.as_bytes()]);
        info.number("created_time", finding.at_ms);
    });
    line.number("status_id", 1);
    line.text("status", b"New");
    disposition(passed, line);
    line.object("unmapped", |own| {
        own.text("event", Event::Anomaly.name().as_bytes());
        // Numbers and names of ours, which their own type writes.
        own.raw("finding", |out| out.extend_from_slice(finding.json().to_string().as_bytes()));
    });
}

fn done(action: Action<'_>, line: &mut Object<'_>) {
    let done = !action.what.ends_with(".refused") && !action.what.ends_with("_failed");
    status(done, line);
    disposition(done, line);
    line.object("actor", |actor| actor.object("user", |user| user.text("name", action.actor.as_bytes())));
    line.object("api", |api| api.text("operation", action.what.as_bytes()));
    // Over the admin socket, by a signal or by a file: from this machine. Users of the console may be anywhere.
    let host = if action.actor.starts_with("user:") { "console" } else { "localhost" };
    line.object("src_endpoint", |source| source.text("hostname", host.as_bytes()));
    line.object("unmapped", |own| {
        own.text("event", Event::AdminAction.name().as_bytes());
        own.object("details", |details| {
            action.details.iter().for_each(|(name, value)| details.text(name, value.as_bytes()));
        });
    });
}
