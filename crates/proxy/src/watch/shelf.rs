//! The file in which findings outlive the process: a line each, and one older file beside it.

use super::finding::FindingFacts;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

// LIMIT: bytes of one file; two are kept.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Where findings are written.
#[derive(Debug)]
pub(super) struct Shelf {
    path: PathBuf,
    file: File,
    bytes: u64,
}

// === impl Shelf ===

impl Shelf {
    /// Opens the file in a folder, and reads what was found before, the oldest first. Lines that are not whole are left out: the
    /// process died while it wrote them.
    ///
    /// # Errors
    /// Files that cannot be read or opened.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Vec<FindingFacts>)> {
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
            found.extend(lines.filter_map(|line| FindingFacts::read(&serde_json::from_slice(line).ok()?)));
        }
        let (mut file, bytes) = append(&path)?;
        // Half a line of a process that died must not become part of the next one.
        if bytes > 0 {
            file.write_all(b"\n")?;
        }
        Ok((Self { path, file, bytes }, found))
    }

    /// Writes one.
    ///
    /// # Errors
    /// The disk's; the next one is tried anew.
    pub(super) fn write(&mut self, finding: &FindingFacts) -> io::Result<()> {
        if self.bytes >= FILE_BYTES_MAX {
            fs::rename(&self.path, older(&self.path))?;
            (self.file, self.bytes) = append(&self.path)?;
        }
        let line = format!("{}\n", finding.json());
        self.file.write_all(line.as_bytes())?;
        self.bytes += line.len() as u64;
        Ok(())
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
