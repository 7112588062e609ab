//! The state of the gateway as one JSON document. Names of members are a promise to programs: add, never rename.

use portcullis_proxy::Handle;
use serde_json::{Value, json};

/// Everything that `portcullis status` shows.
pub(super) fn status(handle: &Handle) -> Value {
    let facts = handle.facts();
    let listeners = facts.listeners.iter().map(|listener| {
        json!({
            "name": &*listener.name,
            "address": listener.address.to_string(),
            "scheme": if listener.tls { "https" } else { "http" },
            "connections": listener.connections,
        })
    });
    let certificates = facts.certificates.iter().map(|certificate| {
        json!({
            "listener": &*certificate.listener,
            "name": certificate.name,
            "expires": certificate.expires_seconds,
        })
    });
    let upstreams = facts.upstreams.iter().map(|upstream| {
        let targets = upstream.servers.iter().map(|server| {
            json!({
                "address": server.address,
                "state": server.state,
                "active": server.active,
                "kept": server.kept,
                "last_failure": (!server.last_failure.is_empty()).then_some(&server.last_failure),
            })
        });
        json!({ "name": upstream.name, "waiting": upstream.waiting, "targets": targets.collect::<Vec<_>>() })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "phase": facts.phase.name(),
        "ends_within_ms": facts.ends_within_ms,
        "cut_off": facts.cut_off,
        "ready": facts.ready,
        "uptime_s": facts.uptime_seconds,
        "workers": facts.workers,
        "config_hash": facts.config_hash,
        "reloads": {
            "done": facts.reloads,
            "failed": facts.reloads_failed,
            "last": facts.last_reload_seconds,
            "last_error": facts.last_error,
        },
        "connections": facts.connections,
        "listeners": listeners.collect::<Vec<_>>(),
        "certificates": certificates.collect::<Vec<_>>(),
        "upstreams": upstreams.collect::<Vec<_>>(),
    })
}
