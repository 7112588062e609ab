//! What operations are done with: the gateway, the owner of the process, the configuration that is in force, and what was seen of the
//! last minutes.

use crate::history::History;
use crate::order::{By, Order, Orders, Reloaded, note};
use crate::problem::Problem;
use portcullis_config::Loaded;
use portcullis_proxy::Handle;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::oneshot;

// LIMIT: findings that somebody has seen and that are remembered as such.
const SEEN_MAX: usize = 2_000;

/// All of it.
pub(crate) struct Desk {
    pub(crate) handle: Handle,
    orders: Orders,
    loaded: RwLock<Arc<Loaded>>,
    pub(crate) history: History,
    /// Findings by what identifies them, and who has seen them.
    seen: Mutex<HashMap<String, String>>,
}

// === impl Desk ===

impl Desk {
    pub(crate) fn new(handle: Handle, orders: Orders, loaded: Arc<Loaded>) -> Self {
        Self { handle, orders, loaded: RwLock::new(loaded), history: History::default(), seen: Mutex::default() }
    }

    /// From now on this configuration is in force.
    pub(crate) fn take_over(&self, loaded: Arc<Loaded>) {
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
    }

    /// The configuration in force.
    pub(crate) fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes down what is about to be done, and waits for it.
    pub(crate) fn note(&self, by: &By, what: &'static str, details: Value) -> Result<(), Problem> {
        note(&self.orders, by, what, details)
    }

    pub(crate) fn orders(&self) -> &Orders {
        &self.orders
    }

    pub(crate) fn reload(&self, by: &By) -> Result<Reloaded, Problem> {
        let (answer, told) = oneshot::channel();
        self.order(Order::Reload { by: by.clone(), answer })?;
        told.blocking_recv().map_err(|_| Problem::busy())
    }

    /// The configuration as it is in its files.
    pub(crate) fn candidate(&self) -> Result<Result<Box<Loaded>, Reloaded>, Problem> {
        let (answer, told) = oneshot::channel();
        self.order(Order::Look { answer })?;
        told.blocking_recv().map_err(|_| Problem::busy())
    }

    /// The last entries of the audit log; `None` without one.
    pub(crate) fn recall(&self, count: usize) -> Result<Option<Vec<Value>>, Problem> {
        let (answer, told) = oneshot::channel();
        self.order(Order::Recall { count, answer })?;
        told.blocking_recv().map_err(|_| Problem::busy())
    }

    fn order(&self, order: Order) -> Result<(), Problem> {
        if (self.orders)(order) { Ok(()) } else { Err(Problem::busy()) }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers who has seen a finding.
    pub(crate) fn see(&self, finding: &str, who: &By) {
        let mut seen = self.seen();
        if seen.len() >= SEEN_MAX && !seen.contains_key(finding) {
            seen.clear();
        }
        seen.insert(finding.to_owned(), who.to_string());
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Desk")
    }
}
