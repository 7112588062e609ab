//! A document of JSON masked while it passes. What is not masked leaves byte for byte as it came; what is held back is no more
//! than a name and one value, however long the document is.
//!
//! INVARIANT: nothing of a value leaves before it is decided that it may.

mod frame;
mod number;
mod scan;
#[cfg(test)]
mod tests;
mod value;

use crate::automaton::State;
use crate::rules::{Active, Ruleset, Start};
use crate::text::{Utf8, decode};
use frame::Frame;
use number::Number;
use std::fmt;
use std::sync::Arc;

// LIMIT: lists and objects within each other.
const DEPTH_MAX: usize = 128;
// LIMIT: bytes of a name, with the blanks around it.
const HELD_BYTES_MAX: usize = 1 << 20;
// LIMIT: bytes of a value that has to be looked at whole; of a longer one nothing is shown.
const VALUE_BYTES_MAX: usize = 1 << 20;

/// Why a document cannot be masked; nothing more of it may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskError {
    /// It is not JSON (RFC 8259).
    Malformed(&'static str),
    /// It is not UTF-8.
    NotUtf8,
    /// It is nested too deeply.
    TooDeep,
    /// A name, or an event, is too long to be held.
    TooLong,
    /// It ends too early.
    Truncated,
}

/// Masks one document, or several one after another.
#[derive(Debug)]
pub struct Rewriter {
    rules: Arc<Ruleset>,
    active: Active,
    /// Whether texts and numbers are looked at.
    looks: bool,
    /// Whether a line break may be followed by another document.
    many: bool,
    at: At,
    frames: Vec<Frame>,
    /// What is said about a whole document.
    start: State,
    /// What the paths say about the value that comes next.
    child: State,
    /// What happens to the value that is being read.
    mode: Mode,
    /// Bytes of earlier pieces that may leave once the next value is decided.
    held: Vec<u8>,
    holding: bool,
    /// Where the name began, counted from the beginning of what is held.
    name_from: usize,
    /// Bytes of earlier pieces that belong to the value that is being read.
    value: Vec<u8>,
    overlong: bool,
    utf8: Utf8,
    counts: Vec<u64>,
    withheld: u64,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// A value; where `ends`, also the end of the list.
    Value {
        ends: bool,
    },
    /// The quote before a name; where `ends`, also the end of the object.
    Name {
        ends: bool,
    },
    Colon,
    /// A comma or the end.
    After,
    /// Within a text, which may be a name.
    Text {
        name: bool,
    },
    Escape {
        name: bool,
    },
    /// So many hexadecimal digits.
    Hex {
        name: bool,
        left: u8,
    },
    Number(Number),
    /// The rest of `true`, `false` or `null`.
    Literal(&'static [u8]),
    /// The document has ended.
    Done,
}

/// What happens to the bytes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// They leave.
    Pass,
    /// They are looked at first, for an action of a rule or for what detectors find.
    Look(Option<usize>),
    /// They don't leave. What is at this depth ends it; `kept` is whether something stands for the value.
    Drop { depth: usize, kept: bool },
}

/// One piece of input on its way.
struct Piece<'p> {
    input: &'p [u8],
    out: &'p mut Vec<u8>,
    /// The next byte.
    next: usize,
    /// From here on nothing has left.
    run: usize,
    /// From here on bytes are held back.
    mark: Option<usize>,
    /// Where the value that is being looked at began in this piece.
    begun: usize,
}

// === impl Piece ===

impl Piece<'_> {
    fn part(&self, from: usize, to: usize) -> &[u8] {
        self.input.get(from..to).unwrap_or_default()
    }

    /// Lets everything before `to` leave.
    fn flush(&mut self, to: usize) {
        self.out.extend_from_slice(self.input.get(self.run..to).unwrap_or_default());
        self.run = to;
    }
}

// === impl Rewriter ===

impl Rewriter {
    /// For a document, with the rules that count for whoever gets it.
    #[must_use]
    pub fn new(rules: Arc<Ruleset>, active: Active) -> Self {
        Self::from(rules, active, Start::default())
    }

    /// For a document of which more is known.
    #[must_use]
    pub fn from(rules: Arc<Ruleset>, active: Active, start: Start) -> Self {
        let looks = !rules.detectors(active).is_empty();
        let counts = vec![0; rules.len()];
        Self {
            rules,
            active,
            looks,
            many: false,
            at: At::Value { ends: false },
            frames: Vec::new(),
            start: start.0,
            child: start.0,
            mode: Mode::Pass,
            held: Vec::new(),
            holding: false,
            name_from: 0,
            value: Vec::new(),
            overlong: false,
            utf8: Utf8::default(),
            counts,
            withheld: 0,
        }
    }

    /// For documents on lines of their own.
    #[must_use]
    pub fn lines(rules: Arc<Ruleset>, active: Active, start: Start) -> Self {
        Self { many: true, ..Self::from(rules, active, start) }
    }

    /// How many values each rule has changed, in the order of the rules.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many values were left out because nothing grants them.
    #[must_use]
    pub const fn withheld(&self) -> u64 {
        self.withheld
    }

    /// Takes the next piece and appends what may leave.
    ///
    /// # Errors
    /// What cannot be read. Nothing may be fed after that.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), MaskError> {
        if !self.utf8.check(input) {
            return Err(MaskError::NotUtf8);
        }
        let mark = self.holding.then_some(0);
        let mut piece = Piece { input, out, next: 0, run: 0, mark, begun: 0 };
        while let Some(byte) = input.get(piece.next) {
            self.step(*byte, &mut piece)?;
        }
        self.keep(&mut piece)
    }

    /// Takes the end.
    ///
    /// # Errors
    /// A document that is not whole.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), MaskError> {
        let mut piece = Piece { input: &[], out, next: 0, run: 0, mark: None, begun: 0 };
        if let At::Number(number) = self.at
            && number.is_whole()
            && self.frames.is_empty()
        {
            self.end_value(&mut piece);
        }
        let is_empty = self.many && self.at == At::Value { ends: false } && self.frames.is_empty();
        if self.utf8.is_whole() && (self.at == At::Done || is_empty) { Ok(()) } else { Err(MaskError::Truncated) }
    }

    /// What is not over at the end of a piece is kept for the next one, or has left.
    fn keep(&mut self, piece: &mut Piece<'_>) -> Result<(), MaskError> {
        let end = piece.input.len();
        self.holding = piece.mark.is_some();
        match (self.mode, piece.mark) {
            (_, Some(mark)) => {
                piece.flush(mark);
                self.held.extend_from_slice(piece.part(mark, end));
                if self.held.len() > HELD_BYTES_MAX {
                    return Err(MaskError::TooLong);
                }
            }
            (Mode::Drop { .. }, None) => {}
            (Mode::Look(_), None) => {
                piece.flush(piece.begun);
                self.overlong |= self.value.len() + end.saturating_sub(piece.begun) > VALUE_BYTES_MAX;
                if self.overlong {
                    self.value.clear();
                } else {
                    self.value.extend_from_slice(piece.part(piece.begun, end));
                }
            }
            (Mode::Pass, None) => piece.flush(end),
        }
        Ok(())
    }

    fn step(&mut self, byte: u8, piece: &mut Piece<'_>) -> Result<(), MaskError> {
        match self.at {
            At::Text { name } => self.text(name, piece),
            At::Value { .. } | At::Name { .. } | At::Colon | At::After | At::Done if is_blank(byte) => {
                let from = piece.next;
                piece.next += scan::blanks(piece.input.get(from..).unwrap_or_default());
                if self.at == At::Done && self.many && memchr::memchr(b'\n', piece.part(from, piece.next)).is_some() {
                    (self.at, self.child) = (At::Value { ends: false }, self.start);
                }
                Ok(())
            }
            At::Value { ends } => self.begin_value(byte, ends, piece),
            At::Name { ends } => self.begin_name(byte, ends, piece),
            At::Colon => self.expect(byte == b':', At::Value { ends: false }, "a colon was expected", piece),
            At::After => self.after(byte, piece),
            At::Escape { name } => {
                let next = if byte == b'u' { At::Hex { name, left: 4 } } else { At::Text { name } };
                self.expect(b"\"\\/bfnrtu".contains(&byte), next, "an escape that is none", piece)
            }
            At::Hex { name, left } => {
                let next = if left > 1 { At::Hex { name, left: left - 1 } } else { At::Text { name } };
                self.expect(byte.is_ascii_hexdigit(), next, "an escape that is none", piece)
            }
            At::Number(number) => self.number(number, byte, piece),
            At::Literal(rest) => self.literal(rest, byte, piece),
            At::Done => Err(MaskError::Malformed("something stands behind the end")),
        }
    }

    fn expect(&mut self, is_good: bool, next: At, wrong: &'static str, piece: &mut Piece<'_>) -> Result<(), MaskError> {
        if !is_good {
            return Err(MaskError::Malformed(wrong));
        }
        self.at = next;
        piece.next += 1;
        Ok(())
    }

    // --- Texts, numbers, literals.

    fn text(&mut self, name: bool, piece: &mut Piece<'_>) -> Result<(), MaskError> {
        piece.next += scan::plain(piece.input.get(piece.next..).unwrap_or_default());
        match piece.input.get(piece.next) {
            None => Ok(()),
            Some(b'\\') => self.expect(true, At::Escape { name }, "", piece),
            Some(b'"') if name => {
                self.named(piece);
                self.expect(true, At::Colon, "", piece)
            }
            Some(b'"') => {
                piece.next += 1;
                self.end_value(piece);
                Ok(())
            }
            Some(_) => Err(MaskError::Malformed("a control character stands in a text")),
        }
    }

    fn number(&mut self, number: Number, byte: u8, piece: &mut Piece<'_>) -> Result<(), MaskError> {
        if let Some(next) = number.with(byte) {
            self.at = At::Number(next);
            piece.next += 1;
            return Ok(());
        }
        if !number.is_whole() {
            return Err(MaskError::Malformed("a number that is none"));
        }
        self.end_value(piece);
        Ok(())
    }

    fn literal(&mut self, rest: &'static [u8], byte: u8, piece: &mut Piece<'_>) -> Result<(), MaskError> {
        let Some((wanted, left)) = rest.split_first() else {
            return Err(MaskError::Malformed("a literal that is none"));
        };
        self.expect(byte == *wanted, At::Literal(left), "a literal that is none", piece)?;
        if left.is_empty() {
            self.end_value(piece);
        }
        Ok(())
    }

    // --- Lists and objects.

    fn begin_name(&mut self, byte: u8, ends: bool, piece: &mut Piece<'_>) -> Result<(), MaskError> {
        if byte == b'}' && ends {
            return self.close(piece);
        }
        self.expect(byte == b'"', At::Text { name: true }, "a name was expected", piece)?;
        if let Some(mark) = piece.mark {
            self.name_from = self.held.len() + piece.next - mark;
        }
        Ok(())
    }

    /// A name is over: what paths say about its value.
    fn named(&mut self, piece: &Piece<'_>) {
        let Some(frame) = self.frames.last().filter(|frame| frame.live) else { return };
        let Some(mark) = piece.mark else { return };
        let joined;
        let raw = match self.name_from.checked_sub(self.held.len()) {
            Some(from) => piece.part(mark + from, piece.next),
            None => {
                let earlier = self.held.get(self.name_from..).unwrap_or_default();
                joined = [earlier, piece.part(mark, piece.next)].concat();
                &joined
            }
        };
        let automaton = &self.rules.automaton;
        self.child = match memchr::memchr(b'\\', raw) {
            None => automaton.member(frame.state, raw),
            Some(_) => automaton.member(frame.state, decode(raw).as_bytes()),
        };
    }

    fn after(&mut self, byte: u8, piece: &mut Piece<'_>) -> Result<(), MaskError> {
        let Some(frame) = self.frames.last() else {
            return Err(MaskError::Malformed("something stands behind the end"));
        };
        let next = match (frame.object, byte) {
            (true, b',') => At::Name { ends: false },
            (false, b',') => At::Value { ends: false },
            (true, b'}') | (false, b']') => return self.close(piece),
            _ => return Err(MaskError::Malformed("a comma or the end was expected")),
        };
        // Where nothing before it is left, the comma separates nothing.
        if let Some(mark) = piece.mark.filter(|_| !frame.kept) {
            piece.flush(mark);
            self.held.extend_from_slice(piece.input.get(mark..piece.next).unwrap_or_default());
            piece.run = piece.next + 1;
            piece.mark = Some(piece.run);
        }
        self.at = next;
        piece.next += 1;
        Ok(())
    }

    fn close(&mut self, piece: &mut Piece<'_>) -> Result<(), MaskError> {
        self.release(piece);
        self.frames.pop();
        piece.next += 1;
        self.end_value(piece);
        Ok(())
    }

    fn open(
        &mut self,
        object: bool,
        state: State,
        (allowed, leaf): (bool, Option<usize>),
        piece: &mut Piece<'_>,
    ) -> Result<(), MaskError> {
        if self.frames.len() == DEPTH_MAX {
            return Err(MaskError::TooDeep);
        }
        let reach = self.rules.automaton.reach(state) & self.active.0;
        let live = !matches!(self.mode, Mode::Drop { .. }) && (reach != 0 || !allowed);
        self.frames.push(Frame { object, state, live, allowed, leaf, kept: false, items: 0 });
        self.at = if object { At::Name { ends: true } } else { At::Value { ends: true } };
        piece.next += 1;
        piece.mark = live.then_some(piece.next);
        Ok(())
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

impl fmt::Display for MaskError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed(what) => what,
            Self::NotUtf8 => "it is not UTF-8",
            Self::TooDeep => "it is nested too deeply",
            Self::TooLong => "a name or an event in it is too long",
            Self::Truncated => "it ends too early",
        })
    }
}

impl std::error::Error for MaskError {}
