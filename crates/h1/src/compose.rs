//! Heads that arrive as fields instead of bytes: HTTP/2 delivers them so (RFC 9113 section 8.3). They are written out and
//! kept like any other head, so that every stage after the codec sees one kind of message, under the same rules.

use crate::field::{Line, Lines, Span, is_token_byte};
use crate::{FIELDS_CEILING, Fields, HeadError, HeadLimits, Known};

/// Field lines as they are written out one after another.
#[derive(Debug)]
pub(crate) struct Composer<'a> {
    raw: &'a mut Vec<u8>,
    lines: &'a mut Lines,
    limits: &'a HeadLimits,
}

// === impl Composer ===

impl<'a> Composer<'a> {
    pub(crate) fn new(raw: &'a mut Vec<u8>, lines: &'a mut Lines, limits: &'a HeadLimits) -> Self {
        Self { raw, lines, limits }
    }

    /// Appends text of the first line and says where it stands.
    pub(crate) fn word(&mut self, text: &[u8], after: &[u8]) -> Span {
        let start = self.raw.len();
        self.raw.extend_from_slice(text);
        let span = Span::of_range(start, self.raw.len());
        self.raw.extend_from_slice(after);
        span
    }

    /// Appends `name: value` and a line end, within the limits and the grammar of RFC 9110 section 5.5.
    pub(crate) fn field(&mut self, name: &[u8], value: &[u8]) -> Result<(), HeadError> {
        if self.lines.len() >= self.limits.fields_max.min(FIELDS_CEILING) {
            return Err(HeadError::TooManyFields);
        }
        check(name, value)?;
        let known = Known::of(name);
        let name = self.word(name, b": ");
        let value = self.word(value, b"\r\n");
        self.lines.push(Line { name, value, known });
        self.within()
    }

    /// Appends to the value of the last line, which HTTP/2 lets clients split (RFC 9113 section 8.2.3).
    fn crumb(&mut self, value: &[u8]) -> Result<(), HeadError> {
        check(b"cookie", value)?;
        self.raw.truncate(self.raw.len().saturating_sub(2));
        self.raw.extend_from_slice(b"; ");
        self.raw.extend_from_slice(value);
        self.lines.end_last_at(self.raw.len());
        self.raw.extend_from_slice(b"\r\n");
        self.within()
    }

    /// Appends all fields; equal names stand side by side.
    pub(crate) fn fields<'f>(&mut self, fields: impl Iterator<Item = (&'f [u8], &'f [u8])>) -> Result<(), HeadError> {
        for (name, value) in fields {
            let splits = self.lines.last().is_some_and(|line| line.known == Known::Cookie);
            if splits && Known::of(name) == Known::Cookie { self.crumb(value)? } else { self.field(name, value)? }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<(), HeadError> {
        self.raw.extend_from_slice(b"\r\n");
        self.within()
    }

    fn within(&self) -> Result<(), HeadError> {
        if self.raw.len() > self.limits.head_bytes_max { Err(HeadError::HeadTooLarge) } else { Ok(()) }
    }
}

fn check(name: &[u8], value: &[u8]) -> Result<(), HeadError> {
    if name.is_empty() {
        return Err(HeadError::EmptyName);
    }
    if !name.iter().all(|byte| is_token_byte(*byte)) {
        return Err(HeadError::Name);
    }
    // HTTP/1 has blanks around values that are none of them; in HTTP/2 they would be, and be read differently behind us.
    if value.trim_ascii().len() != value.len() {
        return Err(HeadError::PaddedValue);
    }
    let is_text = |byte: &u8| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..);
    if value.iter().all(is_text) { Ok(()) } else { Err(HeadError::Control) }
}

/// Trailer fields of HTTP/2 as the lines of a chunked body.
///
/// # Errors
/// A field that must not stand in trailers, or more of them than a chunked body may have.
pub fn trailer_lines<'f>(fields: impl Iterator<Item = (&'f [u8], &'f [u8])>) -> Result<Vec<u8>, crate::BodyError> {
    let mut lines = Vec::new();
    for (name, value) in fields {
        let start = lines.len();
        crate::write::field(name, value.trim_ascii(), &mut lines);
        crate::chunked::check_trailer(lines.get(start..lines.len() - 2).unwrap_or_default())?;
        if lines.len() > crate::chunked::TRAILER_BYTES_MAX {
            return Err(crate::BodyError::TrailerTooLarge);
        }
    }
    Ok(lines)
}

/// Name and value of each trailer line that a body has passed on.
pub fn trailer_fields(lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        Some((name, value.get(1..).unwrap_or_default().trim_ascii()))
    })
}

/// Whether any field speaks about one connection, which HTTP/2 has frames for (RFC 9113 section 8.2.2).
pub(crate) fn names_connection(fields: Fields<'_>) -> bool {
    let names = |known| {
        matches!(
            known,
            Known::Connection
                | Known::KeepAlive
                | Known::ProxyConnection
                | Known::TransferEncoding
                | Known::Upgrade
                | Known::Http2Settings
        )
    };
    fields
        .iter()
        .any(|field| names(field.known) || (field.known == Known::Te && !field.value.eq_ignore_ascii_case(b"trailers")))
}
