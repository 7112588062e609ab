//! What operators are told about a running gateway, as plain values.

use super::{Handle, Phase};
use crate::UpstreamStatus;
use crate::tls::expiry::Expiry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The state of a gateway at one moment.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Serving, leaving or draining.
    pub phase: Phase,
    /// When it will have ended at the latest, in milliseconds from now; `None` while it serves.
    pub ends_within_ms: Option<u64>,
    /// Connections that were ended by force because the time was up.
    pub cut_off: u64,
    /// Whether new requests are welcome.
    pub ready: bool,
    /// Seconds since it was started.
    pub uptime_seconds: u64,
    /// Threads that carry requests and run.
    pub workers: usize,
    /// Digest of the configuration in force.
    pub config_hash: String,
    /// Configurations that were taken over, not counting the first.
    pub reloads: u64,
    /// Configurations that were not.
    pub reloads_failed: u64,
    /// When the configuration in force was taken over, in seconds since 1970.
    pub last_reload_seconds: u64,
    /// Why the last configuration was not taken over; `None` if it was.
    pub last_error: Option<String>,
    /// Open client connections, those of listeners that are gone included.
    pub connections: u64,
    /// Where it listens.
    pub listeners: Vec<ListenerFacts>,
    /// What its listeners show.
    pub certificates: Vec<CertificateFacts>,
    /// Where requests go.
    pub upstreams: Vec<UpstreamStatus>,
}

/// One listener.
#[derive(Clone, Debug)]
pub struct ListenerFacts {
    /// Its name.
    pub name: Arc<str>,
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Its open connections.
    pub connections: u64,
}

/// One certificate of a listener.
#[derive(Clone, Debug)]
pub struct CertificateFacts {
    /// The listener's name.
    pub listener: Arc<str>,
    /// The first name that it holds, or its place in the list.
    pub name: String,
    /// When it expires, in seconds since 1970; `None` if it does not say so in a form that is known.
    pub expires_seconds: Option<i64>,
}

// === impl Handle ===

impl Handle {
    /// What is known of each contract.
    #[must_use]
    pub fn contracts(&self) -> Vec<crate::ContractFacts> {
        self.shared.snapshot.load().contracts.all.iter().map(|knowledge| knowledge.facts()).collect()
    }

    /// What its listeners show.
    pub(crate) fn certificates(&self) -> Vec<CertificateFacts> {
        certificates(&self.state().listeners, &self.shared.snapshot.load())
    }

    /// Everything that an operator may want to know at once.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let shared = &self.shared;
        let registry = &shared.registry;
        let load = |value: &std::sync::atomic::AtomicU64| value.load(Ordering::Relaxed);
        let state = self.state();
        let snapshot = shared.snapshot.load();
        let listeners = state.listeners.iter().map(|listener| ListenerFacts {
            name: Arc::clone(&listener.name),
            address: listener.address,
            tls: snapshot.listeners.get(&listener.name).is_some_and(|settings| settings.tls.is_some()),
            connections: load(&listener.life.open),
        });
        Facts {
            phase: self.phase(),
            ends_within_ms: self.shared.leaving.ends_at().map(|at| at.saturating_sub(self.shared.clock.millis())),
            cut_off: self.shared.leaving.cut_off(),
            ready: self.is_ready(),
            uptime_seconds: shared.clock.millis().saturating_sub(shared.started) / 1000,
            workers: shared.workers_left.load(Ordering::Relaxed),
            config_hash: state.plan.hash.clone(),
            reloads: load(&registry.reloads),
            reloads_failed: load(&registry.reloads_failed),
            last_reload_seconds: load(&registry.last_reload_seconds),
            last_error: state.last_error.clone(),
            connections: load(&registry.connections_open),
            listeners: listeners.collect(),
            certificates: certificates(&state.listeners, &snapshot),
            upstreams: self.upstreams(),
        }
    }
}

/// The certificates of all listeners, names unlike each other within a listener.
pub(super) fn certificates(
    listeners: &[super::Listener],
    snapshot: &crate::snapshot::Snapshot,
) -> Vec<CertificateFacts> {
    let mut all: Vec<CertificateFacts> = Vec::new();
    for listener in listeners {
        let Some(tls) = snapshot.listeners.get(&listener.name).and_then(|settings| settings.tls.as_ref()) else {
            continue;
        };
        for (index, Expiry { name, seconds }) in tls.names.expiries().enumerate() {
            let taken = |name: &str| all.iter().any(|have| have.listener == listener.name && have.name == name);
            let name = match name {
                Some(name) if !taken(name) => name.to_owned(),
                Some(_) | None => format!("certificate-{}", index + 1),
            };
            all.push(CertificateFacts { listener: Arc::clone(&listener.name), name, expires_seconds: seconds });
        }
    }
    all
}
