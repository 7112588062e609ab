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
        let targets: Vec<Value> = upstream.targets.iter().map(|target| json!({ "address": target })).collect();
        json!({ "name": &*upstream.name, "targets": targets })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "phase": facts.phase.name(),
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
