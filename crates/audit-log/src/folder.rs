//! The files of a log.

use crate::AuditLogError;
use std::fs;
use std::path::{Path, PathBuf};

const SUFFIX: &str = ".log";

/// The head's file.
pub(crate) fn head(folder: &Path) -> PathBuf {
    folder.join("head")
}

/// Where lines go that a crash left unfinished.
pub(crate) fn torn(folder: &Path) -> PathBuf {
    folder.join("unfinished")
}

/// The segment that begins with this line.
pub(crate) fn segment(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}{SUFFIX}"))
}

/// The numbers with which segments begin, in order.
pub(crate) fn segments(folder: &Path) -> Result<Vec<u64>, AuditLogError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(AuditLogError::at(folder))? {
        let name = entry.map_err(AuditLogError::at(folder))?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
        if let Some(number) = digits.filter(|digits| digits.len() == 20).and_then(|digits| digits.parse().ok()) {
            found.push(number);
        }
    }
    found.sort_unstable();
    Ok(found)
}
