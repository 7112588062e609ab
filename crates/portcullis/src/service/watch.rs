//! Whether files changed since they were read, by their metadata. A change counts when it has stood still from one
//! look to the next: a certificate and its key are rarely replaced in the same instant.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What tells one state of a file from another: device, inode, length, and when content and entry last changed.
type Print = Option<[i64; 5]>;

/// The files of a configuration.
#[derive(Debug)]
pub(crate) struct Watch {
    paths: Vec<PathBuf>,
    read: Vec<Print>,
    seen: Vec<Print>,
}

// === impl Watch ===

impl Watch {
    /// Files as they are now count as read.
    pub(crate) fn new(path: &Path, watched: &[PathBuf]) -> Self {
        let mut paths = watched.to_vec();
        if !paths.iter().any(|have| have == path) {
            paths.push(path.to_owned());
        }
        let read = prints(&paths);
        Self { paths, seen: read.clone(), read }
    }

    /// Whether something is different from what was read, and the same as at the last look.
    pub(crate) fn has_changed(&mut self) -> bool {
        let now = prints(&self.paths);
        let settled = now == self.seen;
        self.seen = now;
        settled && self.seen != self.read
    }

    /// What is there now counts as read, good or bad: a mistake is told once.
    pub(crate) fn mark(&mut self) {
        self.read = prints(&self.paths);
        self.seen.clone_from(&self.read);
    }
}

fn prints(paths: &[PathBuf]) -> Vec<Print> {
    paths.iter().map(|path| std::fs::metadata(path).ok().map(|metadata| print(&metadata))).collect()
}

fn print(metadata: &Metadata) -> [i64; 5] {
    let fold = |value: u64| i64::try_from(value & 0x7fff_ffff_ffff_ffff).unwrap_or(i64::MAX);
    let changed = metadata.mtime().wrapping_mul(1_000_000_000).wrapping_add(metadata.mtime_nsec());
    let entry = metadata.ctime().wrapping_mul(1_000_000_000).wrapping_add(metadata.ctime_nsec());
    [fold(metadata.dev()), fold(metadata.ino()), fold(metadata.len()), changed, entry]
}
