//! The two logs of a gateway and its alerts: started, asked to open their files anew, ended.

use super::{Handle, StartError, listen};
use crate::alerts::{self, AlertError, Alerting};
use crate::record::form::{Action, Told};
use crate::record::log::{self, Fill, Log, LogError, Queue, Settings, Tally, Writer};
use crate::record::security::Security;
use portcullis_config::plan::{AlertsPlan, Plan};
use portcullis_types::Clock;
use std::sync::{Arc, Mutex, PoisonError};

/// The logs as all share them.
#[derive(Debug)]
pub(crate) struct Records {
    access: Mutex<Option<Arc<Queue>>>,
    security: Option<SecurityRecord>,
}

/// The security record, where there is one.
#[derive(Debug)]
pub(crate) struct SecurityRecord {
    pub(crate) shared: Arc<Security>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) fill: Fill,
}

/// Opens both logs.
///
/// # Errors
/// A file, a buffer or TLS files that cannot be used; no thread.
pub(super) fn start(plan: &Plan, clock: &Clock) -> Result<(Records, Vec<Writer>), StartError> {
    let refused = |place: &'static str| move |error: LogError| StartError::Log(format!("{place}: {error}"));
    let access = log::start(&Settings::access(&plan.access_log), clock).map_err(refused("access_log"))?;
    let mut writers = Vec::new();
    let access = access.map(|Log { queue, writer }| {
        writers.push(writer);
        queue
    });
    let mut security = None;
    if let Some(plan) = &plan.security_log
        && let Some(log) = log::start(&Settings::security(plan), clock).map_err(refused("security_log"))?
    {
        let seed = listen::seed(0).map_err(StartError::System)?;
        let (tally, fill) = (Arc::clone(log.queue.tally()), log.writer.fill());
        security = Some(SecurityRecord { shared: Security::new(&log.queue, seed, clock), tally, fill });
        writers.push(log.writer);
    }
    Ok((Records { access: Mutex::new(access), security }, writers))
}

// === impl Records ===

impl Records {
    pub(crate) fn access(&self) -> Option<Arc<Queue>> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn security(&self) -> Option<&SecurityRecord> {
        self.security.as_ref()
    }

    /// Lets go of the queues, so that the writers end.
    pub(super) fn close(&self) {
        self.access.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(security) = &self.security {
            security.shared.close();
        }
    }

    fn reopen(&self) {
        if let Some(queue) = self.access() {
            queue.reopen();
        }
        if let Some(security) = &self.security {
            security.shared.reopen();
        }
    }
}

// === impl SecurityRecord ===

impl SecurityRecord {
    /// Bytes of the buffer on disk that are in use, and how many may be; `None` without one.
    pub(crate) fn fill(&self) -> Option<(u64, u64)> {
        self.fill.upgrade().map(|buffer| buffer.fill())
    }
}

// === impl Handle ===

impl Handle {
    /// Begins to look for what somebody has to be told of.
    ///
    /// # Errors
    /// TLS files or a file that cannot be used; no thread.
    pub(super) fn alert(&self, plan: &AlertsPlan) -> Result<Alerting, StartError> {
        let shared = &self.shared;
        alerts::start(plan, self.clone(), &shared.alerts, &shared.clock).map_err(|error| match error {
            AlertError::Tls(way, error) => StartError::Log(format!("alerts.{}: {error}", way.name())),
            AlertError::File(error) => StartError::Log(format!("alerts.file: cannot be opened for appending: {error}")),
            AlertError::System(error) => StartError::System(error),
        })
    }

    /// Opens the files of records anew, before the next line of each, which something else has put aside.
    pub fn reopen_logs(&self) {
        self.shared.records.reopen();
    }

    /// Enters into the security record what was done to the gateway: what, in words with points, by whom, and to what.
    pub fn note_action(&self, what: &str, actor: &str, details: &[(&str, String)]) {
        if let Some(security) = self.shared.records.security() {
            security.shared.tell(Told::Done(Action { what, actor, details }));
        }
    }
}
