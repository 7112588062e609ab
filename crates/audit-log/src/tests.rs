//! What the tests of the log share.

mod damage;
mod life;

use crate::{AuditLog, Entry, Expected, PublicKey, Record, Report, SealKey, verify};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder that goes with its test.
pub(super) struct Place(PathBuf);

impl Place {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("portcullis-audit-log-{}-{number}", std::process::id()));
        std::fs::remove_dir_all(&path).ok();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

pub(super) fn key(seed: u8) -> SealKey {
    SealKey::from_seed(&[seed; 32]).unwrap()
}

pub(super) fn log(place: &Place) -> AuditLog {
    AuditLog::open(place.path(), key(1)).unwrap().with_segments_of(1500)
}

/// Adds an entry that names itself.
pub(super) fn add(log: &AuditLog, number: u64) {
    log.add(1_795_470_645_000 + number, &[Entry::new("key.created", "uid:0").with("number", number)]).unwrap();
}

pub(super) fn look(path: &Path, from: u64) -> (Report, Vec<Record>) {
    let keys: [PublicKey; 1] = [key(1).public().unwrap()];
    let mut records = Vec::new();
    let expected = Expected { keys: &keys, from, anchors: &[] };
    let report = verify(path, expected, &mut |record| records.push(record.clone())).unwrap();
    (report, records)
}

/// The numbers of the entries that are there.
pub(super) fn numbers(records: &[Record]) -> Vec<u64> {
    records.iter().filter_map(|record| record.details.get("number")?.as_u64()).collect()
}
