//! Whether files changed since they were read, by their metadata. A change counts when it has stood still from one
//! look to the next: a certificate and its key are rarely replaced in the same instant. Which files a configuration
//! depends on is only known when it has been read, so what was read before it was watched is read once more.

#[cfg(test)]
mod tests;

use crate::ending::Stop;
use portcullis_config::Loaded;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What tells one state of a file from another: device, inode, length, and when content and entry last changed.
pub(super) type Print = Option<[i64; 5]>;

// LIMIT: readings until one names no file that was not watched before it.
const READINGS_MAX: usize = 4;

/// The files of a configuration.
#[derive(Debug)]
pub(crate) struct Watch {
    files: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    read: Print,
    seen: Print,
    /// Named by the last configuration that could be loaded; else only by a mistaken one.
    named: bool,
}

// === impl Watch ===

impl Watch {
    /// The first file, as it is now; `read` finds the others.
    pub(crate) fn new(path: &Path) -> Self {
        Self { files: vec![Watched::now(path, true)] }
    }

    /// Reads a configuration, so that no change from the first moment on is lost, and watches what it names.
    pub(crate) fn read(&mut self, mut load: impl FnMut() -> Result<Loaded, Stop>) -> Result<Loaded, Stop> {
        self.mark();
        let mut outcome = load();
        for _ in 1..READINGS_MAX {
            // A file that was not watched yet may have changed since it was read.
            if !self.follow_outcome(&outcome) || !self.can_be_read_again() {
                return outcome;
            }
            outcome = load();
        }
        self.follow_outcome(&outcome);
        outcome
    }

    /// Whether something is different from what was read, and the same as at the last look.
    pub(crate) fn has_changed(&mut self) -> bool {
        let (mut settled, mut changed) = (true, false);
        for file in &mut self.files {
            let now = print_of(&file.path);
            settled &= now == file.seen;
            changed |= now != file.read;
            file.seen = now;
        }
        settled && changed
    }

    /// What is there now counts as read, good or bad: a mistake is told once.
    fn mark(&mut self) {
        for file in &mut self.files {
            file.read = print_of(&file.path);
            file.seen = file.read;
        }
    }

    /// What came through a pipe is gone; a file that is missing may be there the next time.
    fn can_be_read_again(&self) -> bool {
        self.files.iter().all(|file| std::fs::metadata(&file.path).map_or(true, |metadata| metadata.is_file()))
    }

    /// Whether a file is new.
    fn follow_outcome(&mut self, outcome: &Result<Loaded, Stop>) -> bool {
        match outcome {
            Ok(loaded) => self.follow(&loaded.plan.watched, true),
            Err(Stop::Mistakes(failure)) => self.follow(failure.files(), false),
            Err(Stop::Unfit(_) | Stop::Environment(_)) => self.follow(&[], false),
        }
    }

    /// Watches these files; prints taken earlier stay. A mistaken configuration may not name all of its files, so the
    /// ones of the last good one are watched as well.
    fn follow(&mut self, paths: &[PathBuf], good: bool) -> bool {
        let first = self.files.first().map(|file| file.path.clone());
        self.files.retain_mut(|file| {
            let again = paths.contains(&file.path) || first.as_ref() == Some(&file.path);
            let kept = again || (file.named && !good);
            file.named = if good { again } else { file.named };
            kept
        });
        let mut fresh = false;
        for path in paths {
            if !self.files.iter().any(|file| file.path == *path) {
                self.files.push(Watched::now(path, good));
                fresh = true;
            }
        }
        fresh
    }
}

// === impl Watched ===

impl Watched {
    fn now(path: &Path, named: bool) -> Self {
        let read = print_of(path);
        Self { path: path.to_owned(), read, seen: read, named }
    }
}

pub(super) fn print_of(path: &Path) -> Print {
    std::fs::metadata(path).ok().map(|metadata| print(&metadata))
}

fn print(metadata: &Metadata) -> [i64; 5] {
    let fold = |value: u64| i64::try_from(value & 0x7fff_ffff_ffff_ffff).unwrap_or(i64::MAX);
    let changed = metadata.mtime().wrapping_mul(1_000_000_000).wrapping_add(metadata.mtime_nsec());
    let entry = metadata.ctime().wrapping_mul(1_000_000_000).wrapping_add(metadata.ctime_nsec());
    [fold(metadata.dev()), fold(metadata.ino()), fold(metadata.len()), changed, entry]
}
