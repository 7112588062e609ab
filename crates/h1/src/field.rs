//! Field lines of a head: offsets into the raw bytes, in their order, with the names we know found once.

use crate::Known;

/// One field line, as offsets into its head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) name: Span,
    pub(crate) value: Span,
    pub(crate) known: Known,
}

/// The lines of a head in their order, and which known names are among them: most of the names that are asked for are not there,
/// and then no line is looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    all: Vec<Line>,
    present: u128,
}

/// A part of a head. `u32` holds, because a head is at most 4 GiB by any limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// One field as it stands in the head.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// The name as it was sent.
    pub name: &'a [u8],
    /// The value without the blanks around it.
    pub value: &'a [u8],
    /// What the name is to us.
    pub known: Known,
}

/// The field lines of a head in their order, duplicates included.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) lines: &'a Lines,
}

// === impl Line ===

impl Line {
    /// A line as the parser found it in `raw`.
    pub(crate) fn parsed(header: &httparse::Header<'_>, raw: &[u8]) -> Self {
        Self {
            name: Span::of(header.name.as_bytes(), raw),
            value: Span::of(header.value, raw),
            known: Known::of(header.name.as_bytes()),
        }
    }
}

// === impl Lines ===

impl Lines {
    pub(crate) fn push(&mut self, line: Line) {
        self.present |= line.known.bit();
        self.all.push(line);
    }

    pub(crate) fn clear(&mut self) {
        self.present = 0;
        self.all.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn last(&self) -> Option<&Line> {
        self.all.last()
    }

    /// Lets the last value end elsewhere.
    pub(crate) fn end_last_at(&mut self, end: usize) {
        if let Some(last) = self.all.last_mut() {
            last.value = Span::of_range(last.value.start as usize, end);
        }
    }
}

// === impl Span ===

impl Span {
    /// The offsets of `part` in `whole`, of which it must be a slice; otherwise the empty span.
    pub(crate) fn of(part: &[u8], whole: &[u8]) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        let end = start.wrapping_add(part.len());
        if end > whole.len() {
            return Self::default();
        }
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Self { start, end },
            _ => Self::default(),
        }
    }

    pub(crate) fn of_range(start: usize, end: usize) -> Self {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Self { start, end },
            _ => Self::default(),
        }
    }

    pub(crate) fn slice(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

// === impl Fields ===

impl<'a> Fields<'a> {
    /// All fields in their order.
    pub fn iter(self) -> impl Iterator<Item = Field<'a>> {
        let bytes = self.bytes;
        self.lines.all.iter().map(move |line| Field {
            name: line.name.slice(bytes),
            value: line.value.slice(bytes),
            known: line.known,
        })
    }

    /// The values of a known field in their order.
    pub fn all(self, known: Known) -> impl Iterator<Item = &'a [u8]> {
        let bytes = self.bytes;
        let is_there = self.lines.present & known.bit() != 0;
        let lines = if is_there { self.lines.all.as_slice() } else { &[] };
        lines.iter().filter(move |line| line.known == known).map(move |line| line.value.slice(bytes))
    }

    /// The first value of a known field.
    #[must_use]
    pub fn first(self, known: Known) -> Option<&'a [u8]> {
        self.all(known).next()
    }

    /// The value of a known field that stands exactly once.
    #[must_use]
    pub fn only(self, known: Known) -> Option<&'a [u8]> {
        let mut values = self.all(known);
        values.next().filter(|_| values.next().is_none())
    }

    /// How many field lines there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.lines.all.len()
    }

    /// Whether there is no field line.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.lines.all.is_empty()
    }
}

/// Whether a byte may stand in a token (RFC 9110 section 5.6.2).
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// The comma-separated members of a field value, blanks around them cut off, empty ones left out.
pub fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}
