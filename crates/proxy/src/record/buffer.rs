//! Where security records wait on disk until their collector has taken them: a folder of segments, each of which is delivered
//! whole and then removed. What is there at a start was left by the process before and goes first.
//!
//! A segment survives the end of the process, however it comes; it is not forced to the disk, so that a machine that loses its
//! power may lose its last seconds.

use portcullis_config::plan::BufferPlan;
use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

// LIMIT: bytes of a segment, but for the last batch in it; what is delivered at once.
const SEGMENT_BYTES_MAX: u64 = 256 * 1024;
/// How long the first record waits for others to share its segment.
const LINGER: Duration = Duration::from_millis(500);
const SUFFIX: &str = "records";

/// The buffer, between whoever writes and whoever delivers.
#[derive(Debug)]
pub(crate) struct DiskBuffer {
    folder: PathBuf,
    bytes_max: u64,
    state: Mutex<State>,
    news: Condvar,
    /// Held as long as the process lives: two that deliver one folder would deliver it twice.
    _lock: File,
}

#[derive(Debug)]
struct State {
    /// Those that nobody writes to any more, the oldest first.
    sealed: VecDeque<Segment>,
    open: Option<(Segment, File)>,
    /// Of all segments.
    bytes: u64,
    next: u64,
    /// Nobody writes any more.
    is_closed: bool,
}

/// Records of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    number: u64,
    bytes: u64,
}

/// What became of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Yes,
    /// It is full.
    NoRoom,
    /// The disk does not take them.
    Failed,
}

// === impl DiskBuffer ===

impl DiskBuffer {
    /// Opens the folder, with what was left in it.
    ///
    /// # Errors
    /// A folder that cannot be made or read, or that another process has.
    pub(super) fn open(plan: &BufferPlan) -> io::Result<Self> {
        let folder = &plan.folder;
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(folder.join("lock"))?;
        lock.try_lock().map_err(|_| io::Error::other(format!("{} belongs to another process", folder.display())))?;
        let mut sealed = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if let Some(number) = number_of(&entry.path()) {
                sealed.push(Segment { number, bytes: entry.metadata()?.len() });
            }
        }
        sealed.sort_by_key(|segment| segment.number);
        let state = State {
            bytes: sealed.iter().map(|segment| segment.bytes).sum(),
            next: sealed.last().map_or(1, |segment| segment.number.saturating_add(1)),
            sealed: sealed.into(),
            open: None,
            is_closed: false,
        };
        let (state, news) = (Mutex::new(state), Condvar::new());
        Ok(Self { folder: folder.clone(), bytes_max: plan.bytes, state, news, _lock: lock })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that wait, and how many may.
    pub(crate) fn fill(&self) -> (u64, u64) {
        (self.state().bytes, self.bytes_max)
    }

    /// Keeps whole lines.
    pub(super) fn add(&self, lines: &[u8]) -> Kept {
        let mut state = self.state();
        let length = lines.len() as u64;
        if state.bytes.saturating_add(length) > self.bytes_max {
            return Kept::NoRoom;
        }
        let full = |(segment, _): &mut (Segment, File)| segment.bytes >= SEGMENT_BYTES_MAX;
        if let Some((segment, _)) = state.open.take_if(full) {
            state.sealed.push_back(segment);
        }
        if state.open.is_none() {
            let number = state.next;
            let made = OpenOptions::new().create_new(true).append(true).mode(0o600).open(self.path(number));
            state.next = number.saturating_add(1);
            let Ok(file) = made else { return Kept::Failed };
            state.open = Some((Segment { number, bytes: 0 }, file));
            self.news.notify_one();
        }
        let Some((segment, file)) = &mut state.open else { return Kept::Failed };
        let written = file.write_all(lines);
        segment.bytes = segment.bytes.saturating_add(length);
        state.bytes = state.bytes.saturating_add(length);
        if written.is_err() {
            // Half a line may stand at its end, behind which nothing may be written.
            let broken = state.open.take();
            state.sealed.extend(broken.map(|(segment, _)| segment));
            return Kept::Failed;
        }
        Kept::Yes
    }

    /// The oldest segment, once there is one that is full or has waited; `None` when nobody writes any more and nothing is left.
    pub(super) fn next(&self) -> Option<Segment> {
        let mut state = self.state();
        let mut has_lingered = false;
        loop {
            if let Some(segment) = state.sealed.front() {
                return Some(*segment);
            }
            if state.open.is_some() {
                if has_lingered || state.is_closed {
                    let open = state.open.take();
                    state.sealed.extend(open.map(|(segment, _)| segment));
                    continue;
                }
                has_lingered = true;
            } else if state.is_closed {
                return None;
            }
            let waited = self.news.wait_timeout(state, LINGER);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The lines of a segment.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn read(&self, segment: Segment) -> io::Result<Vec<u8>> {
        fs::read(self.path(segment.number))
    }

    /// Removes a segment that was delivered, or that cannot be.
    pub(super) fn done(&self, segment: Segment) {
        let mut state = self.state();
        if state.sealed.front() == Some(&segment) {
            state.sealed.pop_front();
            state.bytes = state.bytes.saturating_sub(segment.bytes);
        }
        // One that stays is delivered again after a restart, which is better than never.
        drop(fs::remove_file(self.path(segment.number)));
    }

    /// Nobody writes any more.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.news.notify_all();
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:020}.{SUFFIX}"))
    }
}

fn number_of(path: &Path) -> Option<u64> {
    let is_ours = path.extension().is_some_and(|suffix| suffix == SUFFIX);
    path.file_stem().filter(|_| is_ours)?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{DiskBuffer, Kept};
    use portcullis_config::plan::BufferPlan;
    use portcullis_testkit::scratch::Scratch;

    fn open(scratch: &Scratch, bytes: u64) -> DiskBuffer {
        DiskBuffer::open(&BufferPlan { folder: scratch.path().join("buffer"), bytes }).unwrap()
    }

    /// Takes everything out.
    fn drain(buffer: &DiskBuffer) -> String {
        let mut text = String::new();
        buffer.close();
        while let Some(segment) = buffer.next() {
            text.push_str(&String::from_utf8(buffer.read(segment).unwrap()).unwrap());
            buffer.done(segment);
        }
        text
    }

    #[test]
    fn what_was_kept_comes_out_in_order_also_after_a_restart() {
        let scratch = Scratch::new();
        let buffer = open(&scratch, 1 << 30);
        let long = format!("{}\n", "x".repeat(200_000));
        for line in ["1\n", "2\n", &long, &long, "3\n"] {
            assert_eq!(buffer.add(line.as_bytes()), Kept::Yes);
        }
        let first = buffer.next().unwrap();
        assert_eq!(buffer.read(first).unwrap().len(), 400_006, "a segment is full at 256 KiB");
        assert_eq!(buffer.fill().0, 400_008);
        assert!(DiskBuffer::open(&BufferPlan { folder: buffer.folder.clone(), bytes: 1 }).is_err(), "one at a time");
        drop(buffer);
        let again = open(&scratch, 1 << 30);
        assert_eq!(again.fill().0, 400_008);
        again.add(b"4\n");
        assert_eq!(drain(&again), format!("1\n2\n{long}{long}3\n4\n"));
        assert_eq!(again.fill().0, 0);
        drop(again);
        assert_eq!(drain(&open(&scratch, 1 << 30)), "", "what was delivered is gone");
    }

    #[test]
    fn a_full_buffer_says_so_and_has_room_again() {
        let scratch = Scratch::new();
        let buffer = open(&scratch, 10);
        assert_eq!(buffer.add(b"12345678\n"), Kept::Yes);
        assert_eq!(buffer.add(b"9\n"), Kept::NoRoom);
        let segment = buffer.next().unwrap();
        buffer.done(segment);
        assert_eq!(buffer.add(b"9\n"), Kept::Yes);
        assert_eq!(drain(&buffer), "9\n");
    }
}
