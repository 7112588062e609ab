//! Why something could not be written down or read.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a log could not be opened, added to or read. What was added before stays.
#[derive(Debug)]
pub enum AuditLogError {
    /// A file could not be read or written.
    Io(PathBuf, io::Error),
    /// Another process holds the log for too long.
    Busy(PathBuf),
    /// What was to be written down is longer than a line may be, in bytes.
    TooLong(usize),
    /// The key cannot sign.
    Key,
}

impl AuditLogError {
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io(path, error)
    }
}

impl fmt::Display for AuditLogError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(formatter, "{}: {error}", path.display()),
            Self::Busy(path) => write!(formatter, "{}: another process holds the audit log", path.display()),
            Self::TooLong(bytes) => write!(formatter, "an entry of {bytes} bytes is too long for the audit log"),
            Self::Key => formatter.write_str("the key of the audit log cannot sign"),
        }
    }
}

impl std::error::Error for AuditLogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(_, error) => Some(error),
            Self::Busy(_) | Self::TooLong(_) | Self::Key => None,
        }
    }
}
