//! How far a log goes: two slots of one file, written in turn, so that one of them is whole whenever a process dies.

use crate::AuditLogError;
use crate::line::Hash;
use portcullis_types::Clock;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes of a slot. The text in it is shorter for all numbers there are.
const SLOT: usize = 256;
/// How long an addition waits for another one.
const PATIENCE_MS: u64 = 5_000;
const PAUSE: Duration = Duration::from_millis(2);

/// The end of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// How many heads there were before.
    pub(crate) turn: u64,
    /// The number of the first line of the last segment.
    pub(crate) segment: u64,
    /// Bytes of the last segment.
    pub(crate) length: u64,
    /// The number of the last line.
    pub(crate) seq: u64,
    /// Its hash.
    pub(crate) hash: Hash,
}

/// What the file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slots {
    /// The newest that is whole.
    pub(crate) head: Option<Head>,
    /// Whether something is in the file that is not whole.
    pub(crate) torn: bool,
}

/// The file, locked for as long as this lives.
#[derive(Debug)]
pub(crate) struct HeadFile {
    file: File,
    path: PathBuf,
}

// === impl HeadFile ===

impl HeadFile {
    /// Locks the file, which is made if it is not there.
    pub(crate) fn lock(path: &Path) -> Result<Self, AuditLogError> {
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let file = options.map_err(AuditLogError::at(path))?;
        let file = Self { file, path: path.to_owned() };
        file.wait(File::try_lock)?;
        Ok(file)
    }

    fn wait(&self, lock: fn(&File) -> Result<(), TryLockError>) -> Result<(), AuditLogError> {
        let clock = Clock::system();
        loop {
            match lock(&self.file) {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(error)) => return Err(AuditLogError::Io(self.path.clone(), error)),
                Err(TryLockError::WouldBlock) if clock.millis() > PATIENCE_MS => {
                    return Err(AuditLogError::Busy(self.path.clone()));
                }
                // SLEEP: the system tells nobody when a lock with a deadline becomes free.
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            }
        }
    }

    pub(crate) fn read(&self) -> Result<Slots, AuditLogError> {
        let mut bytes = [0; 2 * SLOT + 1];
        let mut length = 0;
        while let Some(rest) = bytes.get_mut(length..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, length as u64).map_err(AuditLogError::at(&self.path))? {
                0 => break,
                count => length += count,
            }
        }
        Ok(Slots::parse(bytes.get(..length).unwrap_or_default()))
    }

    pub(crate) fn write(&self, head: &Head) -> Result<(), AuditLogError> {
        let offset = head.turn % 2 * SLOT as u64;
        self.file.write_all_at(head.spell().as_bytes(), offset).map_err(AuditLogError::at(&self.path))
    }
}

// === impl Slots ===

impl Slots {
    /// From the bytes of the file.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let (first, second) = bytes.split_at(bytes.len().min(SLOT));
        let heads = [Head::parse(first, 0), Head::parse(second, 1)];
        let head = heads.iter().flatten().max_by_key(|head| head.turn).copied();
        let both = matches!(heads, [Some(one), Some(other)] if one.turn.abs_diff(other.turn) == 1);
        Self { head, torn: !(bytes.is_empty() || both) }
    }
}

// === impl Head ===

impl Head {
    /// One spelling, which fills its slot.
    fn spell(&self) -> String {
        let Self { turn, segment, length, seq, hash } = self;
        let text = format!("{turn} {segment} {length} {seq} {hash}");
        let check = Hash::default().after(text.as_bytes());
        let text = format!("{text} {check}");
        format!("{text:<width$}\n", width = SLOT - 1)
    }

    /// From a slot, if it is exactly as it was written.
    fn parse(slot: &[u8], parity: u64) -> Option<Self> {
        let text = std::str::from_utf8(slot).ok()?;
        let mut words = text.split_ascii_whitespace();
        let mut number = || words.next()?.parse().ok();
        let (turn, segment, length, seq) = (number()?, number()?, number()?, number()?);
        let head = Self { turn, segment, length, seq, hash: Hash::parse(words.next()?.as_bytes())? };
        (head.spell() == text && turn % 2 == parity).then_some(head)
    }
}

/// What the file at this path holds, without making it.
pub(crate) fn peek(path: &Path) -> Result<Slots, AuditLogError> {
    match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Slots::parse(&[])),
        Err(error) => Err(AuditLogError::Io(path.to_owned(), error)),
        Ok(file) => {
            let file = HeadFile { file, path: path.to_owned() };
            file.wait(File::try_lock_shared)?;
            file.read()
        }
    }
}
