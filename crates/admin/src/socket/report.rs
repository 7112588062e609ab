//! The state of the gateway as one JSON document. Names of members are a promise to programs: add, never rename.

use portcullis_console::{listeners, reloads, server};
use portcullis_proxy::Handle;
use serde_json::{Value, json};

/// Everything that `portcullis status` shows.
pub(super) fn status(handle: &Handle) -> Value {
    let facts = handle.facts();
    let certificates = facts.certificates.iter().map(|certificate| {
        json!({
            "listener": &*certificate.listener,
            "name": certificate.name,
            "expires": certificate.expires_seconds,
        })
    });
    let upstreams = facts.upstreams.iter().map(|upstream| {
        let targets = upstream.servers.iter().map(server);
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
        "reloads": reloads(&facts),
        "connections": facts.connections,
        "listeners": listeners(&facts),
        "certificates": certificates.collect::<Vec<_>>(),
        "upstreams": upstreams.collect::<Vec<_>>(),
    })
}
