//! The audit log beside the store: what was done to the gateway, by whom.

use crate::ending::Stop;
use crate::service::Journal;
use portcullis_audit_log::{AuditLog, AuditLogError, Entry, PublicKey, SealKey};
use portcullis_console::By;
use portcullis_store::Home;
use portcullis_types::Clock;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// An audit log that can be added to.
#[derive(Debug)]
pub(crate) struct Audit(AuditLog);

// === impl Audit ===

impl Audit {
    /// The one of the store in this folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, Stop> {
        let home = Home::new(folder);
        let log = AuditLog::open(home.audit_log(), key(&home)?).map_err(unusable)?;
        Ok(Self(log))
    }

    /// Adds entries; once this returns they are on the disk.
    pub(crate) fn add(&self, entries: &[Entry]) -> Result<(), Stop> {
        let now = Clock::system().wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.0.add(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), entries).map(drop).map_err(unusable)
    }

    /// The same, and whether it was written; what goes wrong is said among the process's own facts.
    pub(crate) fn add_or_say(&self, journal: &Journal, entry: &Entry) -> bool {
        let outcome = self.add(std::slice::from_ref(entry));
        if let Err(stop) = &outcome {
            journal.event("audit_log_failed", &[("why", stop.summary())]);
        }
        outcome.is_ok()
    }
}

/// An entry about what the user does who runs this.
pub(crate) fn by_user(kind: &str) -> Entry {
    Entry::new(kind, &user())
}

/// Who runs this, as an actor.
pub(crate) fn user() -> String {
    // Files of a process belong to the user who runs it.
    std::fs::metadata("/proc/self").map_or_else(|_| "unknown".to_owned(), |file| By::Uid(file.uid()).to_string())
}

/// The public half of the key that seals the log of this store; `None` where there is no key yet.
pub(crate) fn public_key(folder: &Path) -> Result<PublicKey, Stop> {
    key(&Home::new(folder))?.public().map_err(unusable)
}

fn key(home: &Home) -> Result<SealKey, Stop> {
    let seed = home.audit_key(&random()?).map_err(|error| Stop::environment(error.to_string()))?;
    SealKey::from_seed(&seed).map_err(unusable)
}

fn unusable(error: AuditLogError) -> Stop {
    Stop::environment(format!("the audit log cannot be used: {error}"))
}

/// Bytes that nobody can guess.
pub(crate) fn random<const BYTES: usize>() -> Result<[u8; BYTES], Stop> {
    let mut bytes = [0; BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Stop::environment("the system has no randomness"))?;
    Ok(bytes)
}
