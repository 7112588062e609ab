//! The file in which findings and pardons outlive the process: a line each, and one older file beside it.

use super::finding::FindingFacts;
use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

// LIMIT: bytes of one file; two are kept.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Where they are written.
#[derive(Debug)]
pub(super) struct Shelf {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// The last line may have been written by half.
    broken: bool,
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    /// Something unusual.
    Found(FindingFacts),
    /// Somebody looked at whoever is called so, and found nothing wrong.
    Pardoned { at_ms: u64, who: String },
}

// === impl Shelf ===

impl Shelf {
    /// Opens the file in a folder, and reads what was found before, the oldest first. Lines that are not whole are left out: the
    /// process died while it wrote them.
    ///
    /// # Errors
    /// Files that cannot be read or opened.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Vec<Entry>)> {
        fs::create_dir_all(folder)?;
        let path = folder.join("findings.jsonl");
        let mut found = Vec::new();
        for path in [older(&path), path.clone()] {
            let text = match fs::read(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let lines = text.split(|byte| *byte == b'\n');
            found.extend(lines.filter_map(|line| Entry::read(&serde_json::from_slice(line).ok()?)));
        }
        let (file, bytes) = append(&path)?;
        Ok((Self { path, file, bytes, broken: bytes > 0 }, found))
    }

    /// Writes one.
    ///
    /// # Errors
    /// The disk's; the next one is tried anew.
    pub(super) fn write(&mut self, entry: &Entry) -> io::Result<()> {
        if self.bytes >= FILE_BYTES_MAX {
            fs::rename(&self.path, older(&self.path))?;
            (self.file, self.bytes) = append(&self.path)?;
        }
        // Half a line must not become part of the next one.
        let start = if std::mem::replace(&mut self.broken, true) { "\n" } else { "" };
        let line = format!("{start}{}\n", entry.json());
        self.file.write_all(line.as_bytes())?;
        self.broken = false;
        self.bytes += line.len() as u64;
        Ok(())
    }
}

// === impl Entry ===

impl Entry {
    fn json(&self) -> Value {
        match self {
            Self::Found(finding) => finding.json(),
            Self::Pardoned { at_ms, who } => json!({ "at_ms": at_ms, "pardoned": who }),
        }
    }

    /// What [`Entry::json`] wrote; `None` if it is anything else.
    fn read(value: &Value) -> Option<Self> {
        match value.get("pardoned") {
            Some(who) => Some(Self::Pardoned { at_ms: value.get("at_ms")?.as_u64()?, who: who.as_str()?.to_owned() }),
            None => FindingFacts::read(value).map(Self::Found),
        }
    }
}

fn append(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

fn older(path: &Path) -> PathBuf {
    path.with_extension("jsonl.1")
}
