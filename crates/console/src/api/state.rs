//! How the gateway is: at a glance, and part by part.

use crate::history::{SECONDS, Second, quantile};
use crate::problem::Problem;
use crate::table::{Call, Kind, Member, Outcome, may, needs};
use portcullis_proxy::{CertificateFacts, Facts, ServerStatus, UpstreamStatus};
use serde_json::{Map, Value, json};

// LIMIT: rows of a summary.
const TOP: usize = 8;
// LIMIT: entries of the audit log in one answer.
const ENTRIES_MAX: u64 = 1_000;

pub(crate) const OVERVIEW: &[Member] = &[
    needs("version", Kind::Text, "of the program"),
    needs("phase", Kind::Text, "`serving`, `leaving` or `draining`"),
    needs("ready", Kind::Flag, "whether new requests are welcome"),
    needs("uptime_s", Kind::Number, "seconds since the start"),
    needs("config_hash", Kind::Text, "digest of the configuration in force"),
    needs("reloads", Kind::Object, "how many were done and failed, when the last one was, and why it failed"),
    needs("connections", Kind::Number, "client connections that are open"),
    needs("listeners", Kind::Objects, "where clients connect"),
    needs("minute", Kind::Object, "the last minute: requests a second by outcome, and times in microseconds"),
    needs("seconds", Kind::Objects, "the last five minutes, second by second, the oldest first"),
    needs("decisions", Kind::Objects, "why requests were refused or failed since the start, the most frequent first"),
    needs("routes", Kind::Objects, "which routes were called most since the start"),
    needs("attention", Kind::Texts, "what somebody should look at"),
];

pub(crate) const ISSUERS: &[Member] =
    &[needs("issuers", Kind::Objects, "name, age of its keys in milliseconds, keys, failures")];
pub(crate) const UPSTREAMS: &[Member] = &[needs("upstreams", Kind::Objects, "name, requests that wait, servers")];
pub(crate) const CERTIFICATES: &[Member] =
    &[needs("certificates", Kind::Objects, "listener, name, end in seconds since 1970, days that are left")];
pub(crate) const RULES: &[Member] = &[needs("rules", Kind::Objects, "kind, route, rule, what it did, how often")];
pub(crate) const LAST: &[Member] =
    &[may("count", Kind::Number, "at most so many entries; 100 without it, at most 1000")];
pub(crate) const AUDIT_LOG: &[Member] = &[needs("entries", Kind::Objects, "the newest last, without seals")];

/// How it is, and what it did.
pub(crate) fn overview(call: &Call<'_>) -> Outcome {
    let handle = &call.desk.handle;
    let facts = handle.facts();
    let traffic = handle.traffic();
    let mut decisions: Vec<_> = traffic.decisions.into_iter().collect();
    decisions.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let decisions = decisions.iter().take(TOP).map(|((stage, reason, outcome), count)| {
        json!({ "stage": stage, "reason": reason, "outcome": outcome, "count": count })
    });
    let mut routes: Vec<_> = traffic.routes.into_iter().filter(|((api, ..), _)| !api.is_empty()).collect();
    routes.sort_by_key(|(_, (all, _))| std::cmp::Reverse(*all));
    let routes = routes.iter().take(TOP).map(|((api, version, route), (all, refused))| {
        json!({ "api": api, "version": version, "route": route, "requests": all, "refused": refused })
    });
    Ok(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "phase": facts.phase.name(),
        "ready": facts.ready,
        "uptime_s": facts.uptime_seconds,
        "config_hash": facts.config_hash,
        "reloads": reloads(&facts),
        "connections": facts.connections,
        "listeners": listeners(&facts),
        "minute": minute(&call.desk.history.last(60)),
        "seconds": call.desk.history.last(SECONDS).iter().map(second).collect::<Vec<_>>(),
        "decisions": decisions.collect::<Vec<_>>(),
        "routes": routes.collect::<Vec<_>>(),
        "attention": attention(call),
    }))
}

/// How often another configuration was taken over, and why the last one was not.
#[must_use]
pub fn reloads(facts: &Facts) -> Value {
    json!({
        "done": facts.reloads,
        "failed": facts.reloads_failed,
        "last": facts.last_reload_seconds,
        "last_error": facts.last_error,
    })
}

/// Where clients connect.
#[must_use]
pub fn listeners(facts: &Facts) -> Value {
    let listeners = facts.listeners.iter().map(|listener| {
        json!({
            "name": &*listener.name,
            "address": listener.address.to_string(),
            "scheme": if listener.tls { "https" } else { "http" },
            "connections": listener.connections,
        })
    });
    listeners.collect()
}

/// A server that is asked.
#[must_use]
pub fn server(server: &ServerStatus) -> Value {
    json!({
        "address": server.address,
        "state": server.state,
        "active": server.active,
        "kept": server.kept,
        "last_failure": (!server.last_failure.is_empty()).then_some(&server.last_failure),
    })
}

fn minute(seconds: &[Second]) -> Value {
    let count = u32::try_from(seconds.len().max(1)).unwrap_or(u32::MAX);
    let rate = |pick: fn(&Second) -> u64| {
        let sum: u64 = seconds.iter().map(pick).sum();
        (f64::from(u32::try_from(sum).unwrap_or(u32::MAX)) / f64::from(count) * 10.0).round() / 10.0
    };
    let ((half, half_own), (most, most_own)) = (quantile(seconds, 500), quantile(seconds, 990));
    json!({
        "served_per_s": rate(|second| second.served),
        "refused_per_s": rate(|second| second.refused),
        "failed_per_s": rate(|second| second.failed),
        "total_us": { "p50": half, "p99": most },
        "gateway_us": { "p50": half_own, "p99": most_own },
    })
}

fn second(second: &Second) -> Value {
    json!({ "served": second.served, "refused": second.refused, "failed": second.failed })
}

/// What somebody should look at.
fn attention(call: &Call<'_>) -> Vec<String> {
    let handle = &call.desk.handle;
    let facts = handle.facts();
    let mut all = Vec::new();
    if let Some(error) = &facts.last_error {
        let first = error.lines().next().unwrap_or_default();
        all.push(format!("The last configuration was not taken over: {first}"));
    }
    for upstream in &facts.upstreams {
        let bad = upstream.servers.iter().filter(|server| matches!(server.state, "unhealthy" | "ejected")).count();
        if bad > 0 {
            all.push(format!("{bad} of {} servers of {} are not asked", upstream.servers.len(), upstream.name));
        }
    }
    let now = i64::try_from(handle.seconds()).unwrap_or(i64::MAX);
    for certificate in &facts.certificates {
        let when = match days_left(certificate, now) {
            Some(..0) => "has ended".to_owned(),
            Some(0) => "ends within a day".to_owned(),
            Some(1) => "ends in 1 day".to_owned(),
            Some(days @ 2..14) => format!("ends in {days} days"),
            Some(14..) | None => continue,
        };
        all.push(format!("A certificate of {} {when}: {}", certificate.listener, certificate.name));
    }
    for issuer in handle.issuers().iter().filter(|issuer| issuer.keys == 0) {
        all.push(format!("No key of the issuer {} is known", issuer.name));
    }
    let seen = call.desk.seen();
    let findings = handle.findings().unwrap_or_default();
    let open = findings.iter().filter(|finding| !seen.contains_key(&super::findings::name_of(finding))).count();
    match open {
        0 => {}
        1 => all.push("1 finding that nobody has seen".to_owned()),
        _ => all.push(format!("{open} findings that nobody has seen")),
    }
    all
}

pub(crate) fn issuers(call: &Call<'_>) -> Outcome {
    let issuers = call.desk.handle.issuers().into_iter().map(|issuer| {
        json!({ "name": &*issuer.name, "age_ms": issuer.age_ms, "keys": issuer.keys, "failures": issuer.failures })
    });
    Ok(json!({ "issuers": issuers.collect::<Vec<_>>() }))
}

pub(crate) fn upstreams(call: &Call<'_>) -> Outcome {
    Ok(json!({ "upstreams": call.desk.handle.upstreams().iter().map(upstream).collect::<Vec<_>>() }))
}

fn upstream(upstream: &UpstreamStatus) -> Value {
    let servers = upstream.servers.iter().map(server);
    json!({ "name": upstream.name, "waiting": upstream.waiting, "servers": servers.collect::<Vec<_>>() })
}

/// Until a certificate ends; below nought, it has.
fn days_left(certificate: &CertificateFacts, now: i64) -> Option<i64> {
    certificate.expires_seconds.map(|end| end.saturating_sub(now).div_euclid(86_400))
}

pub(crate) fn certificates(call: &Call<'_>) -> Outcome {
    let handle = &call.desk.handle;
    let now = i64::try_from(handle.seconds()).unwrap_or(i64::MAX);
    let certificates = handle.facts().certificates.into_iter().map(|certificate| {
        json!({
            "listener": &*certificate.listener,
            "name": certificate.name,
            "expires": certificate.expires_seconds,
            "days_left": days_left(&certificate, now),
        })
    });
    Ok(json!({ "certificates": certificates.collect::<Vec<_>>() }))
}

pub(crate) fn rules(call: &Call<'_>) -> Outcome {
    let rules = call.desk.handle.traffic().rules.into_iter().map(|(rule, count)| {
        let (api, version, route) = rule.route;
        json!({
            "kind": rule.kind, "api": api, "version": version, "route": route,
            "rule": rule.rule, "result": rule.result, "count": count,
        })
    });
    Ok(json!({ "rules": rules.collect::<Vec<_>>() }))
}

pub(crate) fn audit_log(call: &Call<'_>) -> Outcome {
    let count = call.number("count", 100, ENTRIES_MAX)?;
    match call.desk.recall(usize::try_from(count).unwrap_or(usize::MAX))? {
        Some(entries) => Ok(json!({ "entries": entries })),
        None => Err(Problem::nothing("there is no audit log, because the configuration names no store")),
    }
}

/// An object's member as a text, however it is written.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(list) => list.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(members) => pairs(members),
    }
}

fn pairs(members: &Map<String, Value>) -> String {
    members.iter().map(|(name, value)| format!("{name}: {}", shown(value))).collect::<Vec<_>>().join(", ")
}
