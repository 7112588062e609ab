//! Looking at a whole log: whether it is as it was written, and where it is not.

use crate::entry::{CHECKPOINT, DAMAGED, Record};
use crate::head::{Head, peek};
use crate::line::{Hash, Line};
use crate::report::{Damage, DamageKind, Report};
use crate::walk::{Piece, Walk};
use crate::{Anchor, AuditLogError, PublicKey, folder};
use std::path::{Path, PathBuf};

/// What whoever looks knows from elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The keys whose seals count.
    pub keys: &'a [PublicKey],
    /// The line that has to be there first: 1 unless older segments were moved away.
    pub from: u64,
    /// Lines that have to be there.
    pub anchors: &'a [Anchor],
}

/// The line before, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    /// Its number.
    seq: u64,
    /// Its hash as it says, and as it should be.
    hashes: [Option<Hash>; 2],
    /// Whether something is wrong just here, so that numbers may jump.
    lost: bool,
}

struct Look<'a> {
    expected: Expected<'a>,
    each: &'a mut dyn FnMut(&Record),
    report: Report,
    before: Before,
    file: PathBuf,
    /// Where the last piece of the file ended.
    reached: u64,
    /// Whether a segment was begun.
    begun: bool,
    /// Lines since the last checkpoint.
    open: u64,
}

/// Looks at the log in a folder and tells each whole line, in order. Memory: one line and the report.
///
/// # Errors
/// Files that cannot be read. Damage is no error; the report has it.
pub fn verify(log: &Path, expected: Expected<'_>, each: &mut dyn FnMut(&Record)) -> Result<Report, AuditLogError> {
    // The head first: what is added meanwhile is not looked at.
    let slots = peek(&folder::head(log))?;
    let segments = folder::segments(log)?;
    let from = expected.from.max(1);
    let mut look = Look {
        expected,
        each,
        report: Report::default(),
        before: Before::default(),
        file: folder::head(log),
        reached: 0,
        begun: false,
        open: 0,
    };
    if slots.torn || (slots.head.is_none() && !segments.is_empty()) {
        look.damage(0, DamageKind::Head);
    }
    let first = segments.iter().rposition(|segment| *segment <= from).unwrap_or(0);
    let wanted = segments.get(first..).unwrap_or_default();
    if wanted.first().is_some_and(|segment| *segment > from) {
        look.damage(0, DamageKind::Missing);
    }
    for (at, segment) in wanted.iter().enumerate() {
        look.segment(log, *segment, slots.head.as_ref())?;
        if wanted.get(at + 1).is_some_and(|next| *next != look.before.seq.saturating_add(1)) && !look.before.lost {
            look.damage(look.reached, DamageKind::CutOff);
        }
    }
    if let Some(head) = slots.head {
        look.end(log, &head);
    }
    look.anchors();
    Ok(look.report)
}

// === impl Look ===

impl Look<'_> {
    fn damage(&mut self, offset: u64, kind: DamageKind) {
        self.report.note(Damage { file: self.file.clone(), offset, after: self.before.seq, kind });
        self.before.lost = true;
    }

    fn segment(&mut self, log: &Path, number: u64, head: Option<&Head>) -> Result<(), AuditLogError> {
        self.file = folder::segment(log, number);
        if head.is_some_and(|head| number > head.segment) {
            self.damage(0, DamageKind::Unfinished);
            return Ok(());
        }
        let to = head.filter(|head| head.segment == number).map_or(u64::MAX, |head| head.length);
        let mut walk = Walk::open(&self.file, 0, to)?;
        let mut first = true;
        while let Some(piece) = walk.next()? {
            self.piece(piece, first.then_some(number));
            first = false;
        }
        let length = walk.offset();
        self.reached = length;
        self.begun = true;
        let real = std::fs::metadata(&self.file).map_err(AuditLogError::at(&self.file))?.len();
        if to != u64::MAX && length < to {
            self.damage(length, DamageKind::CutOff);
        } else if to != u64::MAX && real > to {
            self.damage(to, DamageKind::Unfinished);
        }
        Ok(())
    }

    fn piece(&mut self, piece: Piece<'_>, begins: Option<u64>) {
        let parsed = Line::parse(piece.bytes).and_then(|line| Some((line, Record::parse(line.payload)?)));
        let Some((line, record)) = parsed else {
            // A line that says nothing readable still has a hash that the next one follows.
            let line = Line::parse(piece.bytes);
            let kind = if line.is_some() { DamageKind::Changed } else { DamageKind::Unreadable };
            self.damage(piece.offset, kind);
            let known = self.before.hashes.iter().flatten().next().copied();
            let right = line.as_ref().and_then(|line| Some(known?.after(line.payload)));
            self.before.hashes = [line.map(|line| line.hash), right];
            return;
        };
        if let Some(number) = begins {
            self.begins(piece.offset, number, &record);
        }
        let known = self.before.hashes.into_iter().flatten().find(|hash| hash.after(line.payload) == line.hash);
        let linked = self.before.hashes.iter().any(Option::is_some);
        match known {
            Some(before) => self.whole(piece.offset, &line, &record, before),
            // After something unreadable nobody can say whether this line is right; the damage was told.
            None => {
                if linked {
                    self.damage(piece.offset, DamageKind::Changed);
                }
                let right = self.before.hashes.iter().flatten().next().map(|hash| hash.after(line.payload));
                self.before =
                    Before { seq: self.before.seq.max(record.seq), hashes: [Some(line.hash), right], lost: true };
            }
        }
    }

    /// The first line of a segment says what it follows.
    fn begins(&mut self, offset: u64, number: u64, record: &Record) {
        let stated = record.before();
        let first = !self.begun;
        let fits = self.before.hashes.iter().flatten().any(|hash| Some(*hash) == stated);
        if !(first || fits || self.before.lost) || number != record.seq || stated.is_none() {
            self.damage(offset, DamageKind::Missing);
        }
        // Nothing comes before the first line of all.
        if first && number == 1 && stated != Some(Hash::default()) {
            self.damage(offset, DamageKind::Changed);
        }
        if first && stated.is_some() {
            self.before.seq = number.saturating_sub(1);
        }
        self.before.hashes = [stated, None];
    }

    fn whole(&mut self, offset: u64, line: &Line<'_>, record: &Record, before: Hash) {
        let next = self.before.seq.saturating_add(1);
        if record.seq != next && !(self.before.lost && record.seq > self.before.seq) {
            self.damage(offset, DamageKind::Missing);
        }
        self.before = Before { seq: record.seq, hashes: [Some(line.hash), None], lost: false };
        let anchor = Anchor { seq: record.seq, hash: line.hash };
        if record.seq < self.expected.from {
            return;
        }
        self.report.lines += 1;
        self.report.first.get_or_insert(record.seq);
        self.report.last = Some(anchor);
        self.open += 1;
        if record.kind == CHECKPOINT {
            self.checkpoint(offset, record, before, anchor);
        }
        if record.kind == DAMAGED {
            self.damage(offset, DamageKind::Told);
        }
        if self.expected.anchors.iter().any(|known| known.seq == anchor.seq && *known != anchor) {
            self.damage(offset, DamageKind::Anchor);
        }
        (self.each)(record);
    }

    fn checkpoint(&mut self, offset: u64, record: &Record, before: Hash, anchor: Anchor) {
        let named = record.text("key");
        match self.expected.keys.iter().find(|key| key.to_string() == named) {
            None => self.damage(offset, DamageKind::Stranger),
            Some(key) if !key.opens(record.text("seal"), record.seq, before, &record.at) => {
                self.damage(offset, DamageKind::Forged);
            }
            Some(_) => {
                self.report.checkpoints += 1;
                self.report.sealed = Some(anchor);
                self.open = 0;
            }
        }
    }

    /// Whether the log goes as far as its head says.
    fn end(&mut self, log: &Path, head: &Head) {
        self.file = folder::segment(log, head.segment);
        let last = self.report.last;
        let clean = self.report.is_clean();
        if last.is_none_or(|last| last.seq < head.seq) && clean {
            self.damage(0, DamageKind::CutOff);
        } else if last.is_some_and(|last| last != Anchor { seq: head.seq, hash: head.hash }) && clean {
            self.damage(head.length, DamageKind::Changed);
        }
        if self.open > 0 {
            self.damage(head.length, DamageKind::Unsealed);
        }
    }

    fn anchors(&mut self) {
        let last = self.report.last.map_or(0, |last| last.seq);
        if self.expected.anchors.iter().any(|anchor| anchor.seq > last) {
            self.damage(0, DamageKind::Anchor);
        }
    }
}
