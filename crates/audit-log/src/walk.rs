//! The lines of a segment, one after another, never more of them in memory than one.

use crate::AuditLogError;
use crate::line::LINE_BYTES_MAX;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A segment that is being read.
#[derive(Debug)]
pub(crate) struct Walk {
    reader: BufReader<std::io::Take<File>>,
    path: PathBuf,
    offset: u64,
    line: Vec<u8>,
}

/// A stretch of bytes up to a line feed, or to the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    /// Where it begins.
    pub(crate) offset: u64,
    /// Its bytes, the line feed included; cut where no line is so long.
    pub(crate) bytes: &'a [u8],
}

// === impl Walk ===

impl Walk {
    /// The bytes from `from` up to `to`, or up to the end of the file if that comes first.
    pub(crate) fn open(path: &Path, from: u64, to: u64) -> Result<Self, AuditLogError> {
        let mut file = File::open(path).map_err(AuditLogError::at(path))?;
        file.seek(SeekFrom::Start(from)).map_err(AuditLogError::at(path))?;
        let reader = BufReader::new(file.take(to.saturating_sub(from)));
        Ok(Self { reader, path: path.to_owned(), offset: from, line: Vec::new() })
    }

    /// The next piece.
    pub(crate) fn next(&mut self) -> Result<Option<Piece<'_>>, AuditLogError> {
        self.line.clear();
        let mut limited = self.reader.by_ref().take(LINE_BYTES_MAX as u64);
        limited.read_until(b'\n', &mut self.line).map_err(AuditLogError::at(&self.path))?;
        let offset = self.offset;
        self.offset += self.line.len() as u64;
        Ok((!self.line.is_empty()).then_some(Piece { offset, bytes: &self.line }))
    }

    /// Where the next piece begins.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }
}
