//! XML: the text of the document as one value, each attribute's value as one. Entities that a document
//! declares itself are never expanded; nothing outside the document is ever read.

use super::Unread;
use crate::bytes::{at, sub};
use crate::store::{List, Span, Store};

/// LIMIT: open elements.
const DEPTH: usize = 512;
/// LIMIT: attributes in a document.
const ATTRIBUTES: usize = 10_000;

struct Reader<'a> {
    input: &'a [u8],
    i: usize,
    text: Vec<u8>,
    /// The open elements' names.
    open: Vec<&'a [u8]>,
    seen_root: bool,
    /// Whether a limit ended it.
    is_cut: bool,
}

/// Adds the text and the attributes.
pub(crate) fn read(body: &[u8], store: &mut Store) -> Result<(), Unread> {
    let mut reader = Reader { input: body, i: 0, text: Vec::new(), open: Vec::new(), seen_root: false, is_cut: false };
    let outcome = reader.document(store);
    let text = store.intern(&reader.text);
    store.push(List::XmlText, Span::default(), text);
    outcome.map_err(|why| Unread { why, is_cut: reader.is_cut })
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn wrong(&self, what: &str) -> String {
        format!("XML: {what} at byte {}", self.i)
    }

    fn document(&mut self, store: &mut Store) -> Result<(), String> {
        if self.input.starts_with(b"\xef\xbb\xbf") {
            self.i = 3;
        }
        while self.i < self.input.len() {
            let rest = sub(self.input, self.i, self.input.len());
            let plain = memchr::memchr(b'<', rest).unwrap_or(rest.len());
            let text = sub(rest, 0, plain);
            if self.open.is_empty() {
                if text.iter().any(|b| !b.is_ascii_whitespace()) {
                    return Err(self.wrong("text outside the root element"));
                }
            } else {
                decode(text, &mut self.text);
            }
            self.i += plain;
            if self.i < self.input.len() {
                self.markup(store)?;
            }
        }
        match (self.open.is_empty(), self.seen_root) {
            (true, true) => Ok(()),
            (true, false) => Err(self.wrong("there is no root element")),
            (false, _) => Err(self.wrong("an element isn't closed")),
        }
    }

    fn markup(&mut self, store: &mut Store) -> Result<(), String> {
        let rest = sub(self.input, self.i, self.input.len());
        if rest.starts_with(b"<!--") {
            self.skip_past(b"-->")
        } else if rest.starts_with(b"<![CDATA[") {
            let end = memchr::memmem::find(rest, b"]]>").ok_or_else(|| self.wrong("a CDATA section isn't closed"))?;
            if self.open.is_empty() {
                return Err(self.wrong("text outside the root element"));
            }
            self.text.extend_from_slice(sub(rest, 9, end));
            self.i += end + 3;
            Ok(())
        } else if rest.starts_with(b"<?") {
            self.skip_past(b"?>")
        } else if rest.starts_with(b"<!DOCTYPE") {
            self.doctype()
        } else if rest.starts_with(b"</") {
            self.i += 2;
            let name = self.name()?;
            self.blank();
            if at(self.input, self.i) != b'>' || self.open.pop() != Some(name) {
                return Err(self.wrong("a closing tag that closes nothing"));
            }
            self.i += 1;
            Ok(())
        } else {
            self.element(store)
        }
    }

    fn skip_past(&mut self, end: &[u8]) -> Result<(), String> {
        let rest = sub(self.input, self.i, self.input.len());
        let found = memchr::memmem::find(rest, end).ok_or_else(|| self.wrong("markup isn't closed"))?;
        self.i += found + end.len();
        Ok(())
    }

    /// A document type, its internal subset included, is looked at as text: that is where entity attacks live.
    fn doctype(&mut self) -> Result<(), String> {
        let start = self.i;
        let mut brackets = 0usize;
        let mut quote = 0u8;
        while let Some(byte) = self.input.get(self.i).copied() {
            self.i += 1;
            match byte {
                _ if quote == byte => quote = 0,
                _ if quote != 0 => {}
                b'"' | b'\'' => quote = byte,
                b'[' => brackets += 1,
                b']' => brackets = brackets.saturating_sub(1),
                b'>' if brackets == 0 => {
                    self.text.extend_from_slice(sub(self.input, start, self.i));
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(self.wrong("a document type isn't closed"))
    }

    fn blank(&mut self) {
        while self.input.get(self.i).is_some_and(u8::is_ascii_whitespace) {
            self.i += 1;
        }
    }

    fn name(&mut self) -> Result<&'a [u8], String> {
        let start = self.i;
        while let Some(byte) = self.input.get(self.i)
            && (byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.' | 0x80..))
        {
            self.i += 1;
        }
        if self.i == start { Err(self.wrong("a name is missing")) } else { Ok(sub(self.input, start, self.i)) }
    }

    fn element(&mut self, store: &mut Store) -> Result<(), String> {
        if self.open.is_empty() && self.seen_root {
            return Err(self.wrong("a second root element"));
        }
        self.i += 1;
        let name = self.name()?;
        self.seen_root = true;
        loop {
            let before = self.i;
            self.blank();
            match at(self.input, self.i) {
                b'>' => {
                    self.i += 1;
                    if self.open.len() >= DEPTH {
                        self.is_cut = true;
                        return Err(self.wrong("nested too deeply"));
                    }
                    self.open.push(name);
                    return Ok(());
                }
                b'/' if at(self.input, self.i + 1) == b'>' => {
                    self.i += 2;
                    return Ok(());
                }
                _ if before == self.i => return Err(self.wrong("a tag is broken")),
                _ => self.attribute(store)?,
            }
        }
    }

    fn attribute(&mut self, store: &mut Store) -> Result<(), String> {
        self.name()?;
        self.blank();
        if at(self.input, self.i) != b'=' {
            return Err(self.wrong("an attribute has no value"));
        }
        self.i += 1;
        self.blank();
        let quote = at(self.input, self.i);
        if quote != b'"' && quote != b'\'' {
            return Err(self.wrong("an attribute's value isn't quoted"));
        }
        self.i += 1;
        let rest = sub(self.input, self.i, self.input.len());
        let end = memchr::memchr(quote, rest).ok_or_else(|| self.wrong("an attribute isn't closed"))?;
        if store.list(List::XmlAttributes).len() >= ATTRIBUTES {
            self.is_cut = true;
            return Err(self.wrong("too many attributes"));
        }
        let value = store.write(|out| decode(sub(rest, 0, end), out));
        store.push(List::XmlAttributes, Span::default(), value);
        self.i += end + 1;
        Ok(())
    }
}

/// Text with character references and the five predefined entities resolved.
fn decode(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(found) = memchr::memchr(b'&', rest) {
        out.extend_from_slice(sub(rest, 0, found));
        rest = sub(rest, found, rest.len());
        let end = memchr::memchr(b';', sub(rest, 0, 12));
        match end.and_then(|end| reference(sub(rest, 1, end)).map(|c| (c, end))) {
            Some((c, end)) => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = sub(rest, end + 1, rest.len());
            }
            None => {
                out.push(b'&');
                rest = sub(rest, 1, rest.len());
            }
        }
    }
    out.extend_from_slice(rest);
}

fn reference(name: &[u8]) -> Option<char> {
    match name {
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"amp" => Some('&'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        [b'#', b'x' | b'X', digits @ ..] => code(digits, 16),
        [b'#', digits @ ..] => code(digits, 10),
        _ => None,
    }
}

fn code(digits: &[u8], radix: u32) -> Option<char> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests;
