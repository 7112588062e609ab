//! Adding to a log, and mending what a crash left unfinished.

use crate::entry::{BEGAN, CHECKPOINT, DAMAGED, RECOVERED, Record, moment};
use crate::head::{Head, HeadFile, Slots};
use crate::line::{Hash, Line};
use crate::walk::Walk;
use crate::{Anchor, AuditLogError, Entry, PAYLOAD_BYTES_MAX, PublicKey, SEGMENT_BYTES_MAX, SealKey, folder};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Who does what the log does by itself.
const SELF: &str = "portcullis";
/// LIMIT: bytes of unfinished lines that are kept for whoever wants to look at them.
const UNFINISHED_BYTES_MAX: u64 = 1024 * 1024;

/// A log that can be added to.
#[derive(Debug)]
pub struct AuditLog {
    folder: PathBuf,
    key: SealKey,
    public: PublicKey,
    segment_bytes_max: u64,
}

/// Where the next line goes.
#[derive(Clone, Copy, Debug)]
struct Point {
    segment: u64,
    length: u64,
    seq: u64,
    hash: Hash,
}

/// Lines that are not written yet.
#[derive(Debug)]
struct Draft<'a> {
    log: &'a AuditLog,
    at: u64,
    point: Point,
    text: String,
}

// === impl AuditLog ===

impl AuditLog {
    /// The log in this folder, which is made if it is not there.
    ///
    /// # Errors
    /// A folder that cannot be made, a key that cannot sign.
    pub fn open(folder: impl Into<PathBuf>, key: SealKey) -> Result<Self, AuditLogError> {
        let folder = folder.into();
        if !folder.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(AuditLogError::at(&folder))?;
        }
        Ok(Self { public: key.public()?, folder, key, segment_bytes_max: SEGMENT_BYTES_MAX })
    }

    /// The same log with shorter segments.
    #[cfg(test)]
    pub(crate) fn with_segments_of(self, segment_bytes_max: u64) -> Self {
        Self { segment_bytes_max, ..self }
    }

    /// Adds entries and seals them. Once this returns they are on the disk. `at` is in milliseconds since 1970.
    ///
    /// # Errors
    /// What cannot be written, of which nothing counts then; another process that holds the log for longer than five seconds.
    pub fn add(&self, at: u64, entries: &[Entry]) -> Result<Anchor, AuditLogError> {
        let file = HeadFile::lock(&folder::head(&self.folder))?;
        let slots = file.read()?;
        let (point, notes) = self.end(slots)?;
        let mut draft = Draft { log: self, at, point, text: String::new() };
        let full = point.length >= self.segment_bytes_max;
        let fresh = point.length == 0 || full;
        if fresh {
            draft.begin()?;
        }
        for entry in notes.iter().chain(entries) {
            draft.push(entry)?;
        }
        draft.seal()?;
        let end = self.write(&draft, fresh)?;
        let turn = slots.head.map_or(0, |head| head.turn + 1);
        let head = Head { turn, segment: end.segment, length: end.length, seq: end.seq, hash: end.hash };
        if slots.head.is_none() {
            // Both copies exist from the beginning, so that one that is gone is missed.
            file.write(&Head { turn: 0, ..head })?;
            file.write(&Head { turn: 1, ..head })?;
        } else {
            file.write(&head)?;
        }
        Ok(Anchor { seq: end.seq, hash: end.hash })
    }

    fn write(&self, draft: &Draft<'_>, fresh: bool) -> Result<Point, AuditLogError> {
        let path = folder::segment(&self.folder, draft.point.segment);
        let at = AuditLogError::at;
        let mut file = OpenOptions::new().append(true).create(fresh).mode(0o600).open(&path).map_err(at(&path))?;
        file.write_all(draft.text.as_bytes()).and_then(|()| file.sync_data()).map_err(at(&path))?;
        if fresh {
            File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(at(&self.folder))?;
        }
        Ok(Point { length: draft.point.length + draft.text.len() as u64, ..draft.point })
    }

    /// Where the log ends, and what has to be said about how it was found.
    fn end(&self, slots: Slots) -> Result<(Point, Vec<Entry>), AuditLogError> {
        let segments = folder::segments(&self.folder)?;
        let last = segments.last().copied();
        let Some(head) = slots.head else {
            return match last {
                None => Ok((Point { segment: 1, length: 0, seq: 0, hash: Hash::default() }, Vec::new())),
                Some(segment) => self.without_head(segment),
            };
        };
        let point = Point { segment: head.segment, length: head.length, seq: head.seq, hash: head.hash };
        let length = match fs::metadata(folder::segment(&self.folder, head.segment)) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(AuditLogError::Io(folder::segment(&self.folder, head.segment), error)),
        };
        if length < head.length {
            let note = Entry::new(DAMAGED, SELF).with("what", "cut_off").with("missing_bytes", head.length - length);
            return Ok((Point { segment: head.seq + 1, length: 0, ..point }, vec![note]));
        }
        let (point, mut notes) = self.finish(point)?;
        match last {
            // A segment that was begun when the process died.
            Some(segment) if segment == point.seq + 1 && segment > head.segment => {
                let (point, more) = self.finish(Point { segment, length: 0, ..point })?;
                notes.extend(more);
                Ok((point, notes))
            }
            Some(_) | None => Ok((point, notes)),
        }
    }

    /// Takes over what an addition wrote before its process died, if it wrote all of it, and puts the rest aside.
    fn finish(&self, point: Point) -> Result<(Point, Vec<Entry>), AuditLogError> {
        let path = folder::segment(&self.folder, point.segment);
        let mut walk = Walk::open(&path, point.length, u64::MAX)?;
        let (mut sealed, mut last) = (point, point);
        while let Some(piece) = walk.next()? {
            let Some((hash, record)) = follows(&last, piece.bytes) else { break };
            let before = last.hash;
            last = Point { length: piece.offset + piece.bytes.len() as u64, seq: record.seq, hash, ..last };
            // Only a seal tells lines of ours from lines that somebody else put there.
            let seal = record.text("seal");
            if record.kind == CHECKPOINT && self.public.opens(seal, record.seq, before, &record.at) {
                sealed = last;
            }
        }
        let bytes = fs::metadata(&path).map_err(AuditLogError::at(&path))?.len().saturating_sub(sealed.length);
        if bytes == 0 && sealed.seq == point.seq {
            return Ok((point, Vec::new()));
        }
        let kept = bytes > 0 && self.put_aside(&path, sealed.length, bytes)?;
        let note = Entry::new(RECOVERED, SELF).with("lines_kept", sealed.seq - point.seq);
        Ok((sealed, vec![note.with("bytes_unfinished", bytes).with("set_aside", kept)]))
    }

    fn put_aside(&self, path: &Path, from: u64, bytes: u64) -> Result<bool, AuditLogError> {
        let aside = folder::torn(&self.folder);
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(AuditLogError::at(path))?;
        let used = fs::metadata(&aside).map_or(0, |metadata| metadata.len());
        let room = used.saturating_add(bytes) <= UNFINISHED_BYTES_MAX;
        if room {
            file.seek(SeekFrom::Start(from)).map_err(AuditLogError::at(path))?;
            let kept = OpenOptions::new().append(true).create(true).mode(0o600).open(&aside);
            let mut kept = kept.map_err(AuditLogError::at(&aside))?;
            std::io::copy(&mut (&mut file).take(bytes), &mut kept).map_err(AuditLogError::at(&aside))?;
        }
        file.set_len(from).and_then(|()| file.sync_data()).map_err(AuditLogError::at(path))?;
        Ok(room)
    }

    /// Nothing is touched; what follows stands in a segment of its own.
    fn without_head(&self, segment: u64) -> Result<(Point, Vec<Entry>), AuditLogError> {
        let mut walk = Walk::open(&folder::segment(&self.folder, segment), 0, u64::MAX)?;
        let (mut seq, mut hash) = (segment, Hash::default());
        while let Some(piece) = walk.next()? {
            let Some(line) = Line::parse(piece.bytes) else { continue };
            if let Some(record) = Record::parse(line.payload).filter(|record| record.seq >= seq) {
                (seq, hash) = (record.seq, line.hash);
            }
        }
        let note = Entry::new(DAMAGED, SELF).with("what", "head");
        Ok((Point { segment: seq + 1, length: 0, seq, hash }, vec![note]))
    }
}

// === impl Draft ===

impl Draft<'_> {
    fn begin(&mut self) -> Result<(), AuditLogError> {
        self.point = Point { segment: self.point.seq + 1, length: 0, ..self.point };
        let before = self.point.hash.to_string();
        self.push(
            &Entry::new(BEGAN, SELF).with("before", before).with("format", 1).with("key", self.log.public.to_string()),
        )
    }

    fn seal(&mut self) -> Result<(), AuditLogError> {
        let seal = self.log.key.seal(self.point.seq + 1, self.point.hash, &moment(self.at));
        self.push(&Entry::new(CHECKPOINT, SELF).with("key", self.log.public.to_string()).with("seal", seal))
    }

    fn push(&mut self, entry: &Entry) -> Result<(), AuditLogError> {
        let payload = entry.payload(self.point.seq + 1, self.at);
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(AuditLogError::TooLong(payload.len()));
        }
        let (hash, line) = Line::spell(self.point.hash, &payload);
        self.text.push_str(&line);
        self.point = Point { seq: self.point.seq + 1, hash, ..self.point };
        Ok(())
    }
}

/// The hash and the content of a line, if it is the one after this point.
fn follows(point: &Point, bytes: &[u8]) -> Option<(Hash, Record)> {
    let line = Line::parse(bytes)?;
    let record = Record::parse(line.payload)?;
    (point.hash.after(line.payload) == line.hash && record.seq == point.seq + 1).then_some((line.hash, record))
}
