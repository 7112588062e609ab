//! The texts that were read, and where in them something stands. Knows nothing of YAML.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::plan::Origin;

/// Which text a span belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FileId(u32);

/// A range of bytes in one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) file: FileId,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// One text.
pub(crate) struct Source {
    pub(crate) name: Arc<str>,
    pub(crate) text: String,
    folder: PathBuf,
    line_starts: Vec<u32>,
}

/// All texts of one run.
#[derive(Default)]
pub(crate) struct Sources {
    files: Vec<Source>,
}

impl Span {
    /// A part of it, by bytes from its start.
    pub(crate) fn part(self, start: usize, end: usize) -> Self {
        let at = |offset| self.start.saturating_add(narrow(offset)).min(self.end);
        Self { file: self.file, start: at(start), end: at(end) }
    }

    /// The place of what stands in no text.
    pub(crate) fn nowhere() -> Self {
        Self { file: FileId(u32::MAX), start: 0, end: 0 }
    }

    /// The place before the first byte of a file.
    pub(crate) fn start_of(file: FileId) -> Self {
        Self { file, start: 0, end: 0 }
    }
}

impl Sources {
    /// Keeps a text; `folder` is what relative paths in it are relative to.
    pub(crate) fn add(&mut self, name: &str, text: String, folder: &Path) -> FileId {
        let id = FileId(narrow(self.files.len()));
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| narrow(at + 1));
        let line_starts = std::iter::once(0).chain(breaks).collect();
        self.files.push(Source { name: Arc::from(name), text, folder: folder.to_path_buf(), line_starts });
        id
    }

    /// The text behind an id; ids are only made by `add`, so the fallback is never met.
    pub(crate) fn file(&self, id: FileId) -> Option<&Source> {
        self.files.get(usize::try_from(id.0).ok()?)
    }

    /// What relative paths in this text are relative to.
    pub(crate) fn folder(&self, id: FileId) -> &Path {
        self.file(id).map_or(Path::new(""), |source| source.folder.as_path())
    }

    /// File and line, for records and tables.
    pub(crate) fn origin(&self, span: Span) -> Origin {
        match self.file(span.file) {
            Some(source) => Origin { file: Arc::clone(&source.name), line: source.position(span.start).line },
            None => Origin { file: Arc::from("?"), line: 1 },
        }
    }

    /// What stands there.
    pub(crate) fn text(&self, span: Span) -> &str {
        let text = self.file(span.file).map_or("", |source| source.text.as_str());
        text.get(wide(span.start)..wide(span.end)).unwrap_or_default()
    }

    /// In the order in which they were read.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.iter()
    }
}

impl Source {
    /// Line and column of a byte.
    pub(crate) fn position(&self, offset: u32) -> Position {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_start(line);
        let before = self.text.get(start..wide(offset)).unwrap_or_default();
        Position { line: narrow(line), column: narrow(before.chars().count() + 1) }
    }

    /// The lines that a range touches: the number of the first, where it starts, and their text.
    pub(crate) fn lines_around(&self, start: u32, end: u32) -> (usize, usize, &str) {
        let first = self.line_starts.partition_point(|at| *at <= start).max(1);
        let last = self.line_starts.partition_point(|at| *at <= end.max(start)).max(first);
        let from = self.line_start(first);
        let to = self.line_starts.get(last).map_or(self.text.len(), |at| wide(*at));
        (first, from, self.text.get(from..to).unwrap_or_default())
    }

    fn line_start(&self, line: usize) -> usize {
        self.line_starts.get(line.saturating_sub(1)).map_or(0, |at| wide(*at))
    }
}

/// Offsets fit: a file is at most a few megabytes (see `read::MAX_FILE_BYTES`).
pub(crate) fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

pub(crate) fn wide(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
