//! What a look at a log found.

use crate::Anchor;
use std::fmt;
use std::path::PathBuf;

/// LIMIT: damages that are listed; all are counted.
pub(crate) const LISTED_MAX: usize = 100;

/// What a log holds, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Lines whose hash is right.
    pub lines: u64,
    /// Checkpoints among them whose seal is right.
    pub checkpoints: u64,
    /// The number of the first line.
    pub first: Option<u64>,
    /// The last line whose hash is right.
    pub last: Option<Anchor>,
    /// The last line up to which everything is sealed.
    pub sealed: Option<Anchor>,
    /// What is wrong, in the order of the log, as far as it is listed.
    pub damages: Vec<Damage>,
    /// How much is wrong, listed or not.
    pub damaged: u64,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// In which file.
    pub file: PathBuf,
    /// From which byte on.
    pub offset: u64,
    /// In or after which line: the number of the last one that was whole before it.
    pub after: u64,
    /// What it is.
    pub kind: DamageKind,
}

/// Kinds of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// Something stands there that is no line.
    Unreadable,
    /// A line was changed, or the one before it.
    Changed,
    /// Lines are missing.
    Missing,
    /// The log ends before the place that the head names.
    CutOff,
    /// Lines stand behind the place that the head names: an addition was not finished, and the next one will mend it.
    Unfinished,
    /// A checkpoint whose seal is wrong.
    Forged,
    /// A checkpoint by a key that is not trusted.
    Stranger,
    /// The head cannot be read, or one of its two copies.
    Head,
    /// The line of the anchor is not there, or another one.
    Anchor,
    /// Lines that no checkpoint follows.
    Unsealed,
    /// The log says so itself: it was found damaged when somebody added to it.
    Told,
}

// === impl Report ===

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.damaged == 0
    }

    pub(crate) fn note(&mut self, damage: Damage) {
        self.damaged += 1;
        if self.damages.len() < LISTED_MAX {
            self.damages.push(damage);
        }
    }
}

// === impl Damage ===

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, offset, after, kind } = self;
        write!(formatter, "{}, byte {offset}, after line {after}: {kind}", file.display())
    }
}

impl fmt::Display for DamageKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unreadable => "what stands here is no line",
            Self::Changed => "this line or the one before it was changed",
            Self::Missing => "lines are missing here",
            Self::CutOff => "the log went further than this",
            Self::Unfinished => "an addition was not finished; the next one mends it",
            Self::Forged => "the seal of this checkpoint is wrong",
            Self::Stranger => "this checkpoint was sealed by another key",
            Self::Head => "the head of the log is damaged",
            Self::Anchor => "the line of the anchor is not what it was",
            Self::Unsealed => "no checkpoint follows these lines",
            Self::Told => "the log was found damaged when somebody added to it; what came before is checked by itself",
        })
    }
}

impl DamageKind {
    /// A name that does not change.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::CutOff => "cut_off",
            Self::Unfinished => "unfinished",
            Self::Forged => "forged",
            Self::Stranger => "stranger",
            Self::Head => "head",
            Self::Anchor => "anchor",
            Self::Unsealed => "unsealed",
            Self::Told => "told",
        }
    }
}
