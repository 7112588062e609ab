//! `multipart/form-data`: fields become arguments, files their names, every part's header lines a value of their own.
//! What a lenient server might read differently sets a flag.

use super::Unread;
use crate::bytes::{sub, trim};
use crate::store::{List, Span, Store};
use crate::variable::MULTIPART_FLAGS;

/// LIMIT: header lines of one part.
const PART_HEADERS: usize = 64;

/// The flags by position in `MULTIPART_FLAGS`.
mod flag {
    pub(super) const BOUNDARY_QUOTED: usize = 0;
    pub(super) const BOUNDARY_WHITESPACE: usize = 1;
    pub(super) const DATA_BEFORE: usize = 2;
    pub(super) const DATA_AFTER: usize = 3;
    pub(super) const HEADER_FOLDING: usize = 4;
    pub(super) const LF_LINE: usize = 5;
    pub(super) const MISSING_SEMICOLON: usize = 6;
    pub(super) const INVALID_QUOTING: usize = 7;
    pub(super) const INVALID_PART: usize = 8;
}

struct Reader<'s> {
    flags: [bool; MULTIPART_FLAGS.len()],
    unmatched: bool,
    crlf_seen: bool,
    files_size: usize,
    parts: usize,
    limit: usize,
    /// Whether a limit ended it.
    is_cut: bool,
    store: &'s mut Store,
}

/// One part's heading.
#[derive(Default)]
struct Heading {
    name: Option<Vec<u8>>,
    filename: Option<Vec<u8>>,
    lines: Vec<Span>,
}

/// Adds the parts.
pub(crate) fn read(body: &[u8], content_type: &[u8], limit: usize, store: &mut Store) -> Result<(), Unread> {
    let mut reader = Reader {
        flags: [false; MULTIPART_FLAGS.len()],
        unmatched: false,
        crlf_seen: false,
        files_size: 0,
        parts: 0,
        limit,
        is_cut: false,
        store,
    };
    let outcome = reader.boundary(content_type).and_then(|boundary| reader.body(body, &boundary));
    let (flags, unmatched, size, is_cut) = (reader.flags, reader.unmatched, reader.files_size, reader.is_cut);
    store.set_number(List::FilesSize, size);
    for set in flags.iter().chain([&unmatched]) {
        let span = store.intern(if *set { b"1" } else { b"0" });
        store.push(List::MultipartFlags, Span::default(), span);
    }
    outcome.map_err(|why| Unread { why, is_cut })
}

// === impl Reader ===

impl Reader<'_> {
    fn flag(&mut self, flag: usize) {
        if let Some(slot) = self.flags.get_mut(flag) {
            *slot = true;
        }
    }

    /// The boundary of the content type. RFC 2046 section 5.1.1: at most 70 characters.
    fn boundary(&mut self, content_type: &[u8]) -> Result<Vec<u8>, String> {
        let lower = content_type.to_ascii_lowercase();
        let missing = || "Multipart: the content type has no boundary".to_owned();
        let start = memchr::memmem::find(&lower, b"boundary").ok_or_else(missing)? + 8;
        let rest = sub(content_type, start, content_type.len());
        let equals = memchr::memchr(b'=', rest).ok_or_else(missing)?;
        let after = sub(rest, equals + 1, rest.len());
        if equals > 0 || after.first().is_some_and(u8::is_ascii_whitespace) {
            self.flag(flag::BOUNDARY_WHITESPACE);
        }
        let value = match trim(after) {
            [b'"', quoted @ ..] => {
                self.flag(flag::BOUNDARY_QUOTED);
                let end = memchr::memchr(b'"', quoted).ok_or("Multipart: the boundary's quote isn't closed")?;
                sub(quoted, 0, end)
            }
            plain => {
                let end = plain.iter().position(|b| matches!(b, b';' | b',' | b' ' | b'\t'));
                sub(plain, 0, end.unwrap_or(plain.len()))
            }
        };
        // LIMIT: the boundary's length.
        if value.is_empty() || value.len() > 70 {
            return Err("Multipart: the boundary is empty or too long".into());
        }
        Ok(value.to_vec())
    }

    fn body(&mut self, body: &[u8], boundary: &[u8]) -> Result<(), String> {
        let mut delimiter = b"--".to_vec();
        delimiter.extend_from_slice(boundary);
        let mut part_start: Option<usize> = None;
        let mut at = 0;
        let mut closed = false;
        while at < body.len() {
            let end = memchr::memchr(b'\n', sub(body, at, body.len())).map_or(body.len(), |n| at + n + 1);
            let line = sub(body, at, end);
            match line.strip_prefix(delimiter.as_slice()) {
                Some(after) if is_end(after) || is_blank(after) => {
                    if let Some(start) = part_start.take() {
                        self.part(sub(body, start, at))?;
                    }
                    if is_end(after) {
                        closed = true;
                        if sub(body, end, body.len()).iter().any(|b| !b.is_ascii_whitespace()) {
                            self.flag(flag::DATA_AFTER);
                        }
                        break;
                    }
                    part_start = Some(end);
                }
                // The boundary with something behind it: another parser may take it for one.
                Some(_) => self.unmatched = true,
                None if part_start.is_none() && !trim(line).is_empty() => self.flag(flag::DATA_BEFORE),
                None => {}
            }
            at = end;
        }
        if let Some(start) = part_start {
            self.part(sub(body, start, body.len()))?;
        }
        if closed { Ok(()) } else { Err("Multipart: the final boundary is missing".into()) }
    }

    fn part(&mut self, part: &[u8]) -> Result<(), String> {
        // LIMIT: parts, as many as arguments may be.
        self.parts += 1;
        if self.parts > self.limit {
            self.is_cut = true;
            return Err(format!("Multipart: more than {} parts", self.limit));
        }
        let mut heading = Heading::default();
        let data = self.headers(part, &mut heading)?;
        let data = data.strip_suffix(b"\n").unwrap_or(data);
        let data = data.strip_suffix(b"\r").unwrap_or(data);
        let name = heading.name.as_deref().unwrap_or_default();
        let name_span = self.store.intern(name);
        for line in &heading.lines {
            self.store.push(List::PartHeaders, name_span, *line);
        }
        if heading.name.is_none() {
            self.flag(flag::INVALID_PART);
            return Err("Multipart: a part has no name".into());
        }
        match heading.filename {
            Some(filename) => {
                self.files_size += data.len();
                let value = self.store.intern(&filename);
                self.store.push(List::Files, name_span, value);
                let size = self.store.intern(data.len().to_string().as_bytes());
                self.store.push(List::FilesSizes, name_span, size);
            }
            None => {
                let value = self.store.intern(data);
                self.store.push(List::ArgsPost, name_span, value);
            }
        }
        Ok(())
    }

    /// Reads the header lines; what is left is the data.
    fn headers<'p>(&mut self, part: &'p [u8], heading: &mut Heading) -> Result<&'p [u8], String> {
        let mut rest = part;
        let mut lines: Vec<Vec<u8>> = Vec::new();
        loop {
            let Some(end) = memchr::memchr(b'\n', rest) else {
                return Err("Multipart: a part's header isn't finished".into());
            };
            let line = sub(rest, 0, end);
            rest = sub(rest, end + 1, rest.len());
            let line = match line.strip_suffix(b"\r") {
                Some(line) => {
                    self.crlf_seen = true;
                    line
                }
                None => {
                    self.flag(flag::LF_LINE);
                    line
                }
            };
            if line.is_empty() {
                break;
            }
            match lines.last_mut() {
                Some(previous) if matches!(line.first(), Some(b' ' | b'\t')) => {
                    self.flag(flag::HEADER_FOLDING);
                    previous.extend_from_slice(line);
                }
                _ => lines.push(line.to_vec()),
            }
            if lines.len() > PART_HEADERS {
                self.is_cut = true;
                return Err("Multipart: too many header lines in a part".into());
            }
        }
        for line in lines {
            let colon = memchr::memchr(b':', &line).unwrap_or(line.len());
            if sub(&line, 0, colon).eq_ignore_ascii_case(b"content-disposition") {
                self.disposition(sub(&line, colon + 1, line.len()), heading);
            }
            heading.lines.push(self.store.intern(&line));
        }
        Ok(rest)
    }

    /// `form-data; name="…"; filename="…"`.
    fn disposition(&mut self, value: &[u8], heading: &mut Heading) {
        let value = trim(value);
        let start = memchr::memchr(b';', value).unwrap_or(value.len());
        if !trim(sub(value, 0, start)).eq_ignore_ascii_case(b"form-data") {
            self.flag(flag::INVALID_PART);
        }
        let mut rest = sub(value, start, value.len());
        while !trim(rest).is_empty() {
            rest = match trim(rest).strip_prefix(b";") {
                Some(after) => trim(after),
                None => {
                    self.flag(flag::MISSING_SEMICOLON);
                    trim(rest)
                }
            };
            let Some(equals) = memchr::memchr(b'=', rest) else { return };
            let key = trim(sub(rest, 0, equals)).to_ascii_lowercase();
            let (text, after) = self.parameter(trim(sub(rest, equals + 1, rest.len())));
            match key.as_slice() {
                b"name" => drop(heading.name.replace(text)),
                b"filename" | b"filename*" => drop(heading.filename.replace(text)),
                _ => {}
            }
            rest = after;
        }
    }

    /// A parameter's value and what follows it.
    fn parameter<'v>(&mut self, value: &'v [u8]) -> (Vec<u8>, &'v [u8]) {
        match value.split_first() {
            Some((quote @ (b'"' | b'\''), quoted)) => {
                if *quote == b'\'' {
                    self.flag(flag::INVALID_QUOTING);
                }
                let mut text = Vec::new();
                let mut i = 0;
                while let Some(byte) = quoted.get(i).copied() {
                    i += 1;
                    if byte == *quote {
                        return (text, sub(quoted, i, quoted.len()));
                    }
                    if byte == b'\\' && quoted.get(i) == Some(quote) {
                        text.push(*quote);
                        i += 1;
                    } else {
                        text.push(byte);
                    }
                }
                self.flag(flag::INVALID_QUOTING);
                (text, &[])
            }
            _ => {
                let end = memchr::memchr(b';', value).unwrap_or(value.len());
                (trim(sub(value, 0, end)).to_vec(), sub(value, end, value.len()))
            }
        }
    }
}

fn is_blank(after: &[u8]) -> bool {
    after.iter().all(u8::is_ascii_whitespace)
}

fn is_end(after: &[u8]) -> bool {
    after.strip_prefix(b"--").is_some_and(is_blank)
}

#[cfg(test)]
mod tests;
