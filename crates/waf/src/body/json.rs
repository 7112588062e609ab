//! JSON, flattened while it is read: `{"a":[{"b":1}]}` is the argument `json.a.0.b`. No tree is built.

use super::{BodyLimits, Unread};
use crate::bytes::at;
use crate::store::{List, Store};

struct Reader<'a> {
    input: &'a [u8],
    i: usize,
    /// The name of the value that is read now; levels are appended and taken off again.
    path: Vec<u8>,
    limits: BodyLimits,
    /// Where the arguments go.
    list: List,
    /// Whether a limit ended it.
    is_cut: bool,
}

/// What an open container is, and where its name ends in the path.
enum Level {
    Object { path: usize },
    Array { path: usize, index: usize },
}

/// Adds every scalar as an argument.
pub(crate) fn read(body: &[u8], limits: BodyLimits, store: &mut Store) -> Result<(), Unread> {
    let mut reader = Reader::new(body, limits, List::ArgsPost);
    reader.read(store).map_err(|why| Unread { why, is_cut: reader.is_cut })
}

/// Adds what of a text is JSON, as far as it goes. False if a limit ended it: what follows wasn't looked at.
pub(crate) fn derive(text: &[u8], limits: BodyLimits, store: &mut Store) -> bool {
    let mut reader = Reader::new(text, limits, List::Derived);
    // Where it breaks, it isn't JSON any more, and the value is looked at as it came.
    let broken = reader.read(store);
    drop(broken);
    !reader.is_cut
}

/// Appends what stands up to a string's closing quote, unescaped; says where it ends. A broken string ends where it breaks.
pub(crate) fn string(input: &[u8], out: &mut Vec<u8>) -> usize {
    let limits = BodyLimits { arguments: 0, json_depth: 0 };
    let mut reader = Reader::new(input, limits, List::Derived);
    match reader.string(out) {
        Ok(()) => reader.i,
        Err(_) => {
            // What wasn't taken over is looked at as it is.
            out.extend_from_slice(crate::bytes::sub(input, reader.i, input.len()));
            input.len()
        }
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn new(input: &'a [u8], limits: BodyLimits, list: List) -> Self {
        Self { input, i: 0, path: b"json".to_vec(), limits, list, is_cut: false }
    }

    fn read(&mut self, store: &mut Store) -> Result<(), String> {
        self.blank();
        if self.i >= self.input.len() {
            return Err("JSON: the body is empty".into());
        }
        self.document(store)?;
        self.blank();
        if self.i < self.input.len() { Err(self.wrong("something follows the value")) } else { Ok(()) }
    }

    fn wrong(&self, what: &str) -> String {
        format!("JSON: {what} at byte {}", self.i)
    }

    /// The same where a limit ends it.
    fn beyond(&mut self, what: &str) -> String {
        self.is_cut = true;
        self.wrong(what)
    }

    fn blank(&mut self) {
        while matches!(self.input.get(self.i), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.i += 1;
        }
    }

    fn next_is(&mut self, byte: u8) -> bool {
        let is = self.input.get(self.i) == Some(&byte);
        if is {
            self.i += 1;
        }
        is
    }

    fn document(&mut self, store: &mut Store) -> Result<(), String> {
        let mut levels: Vec<Level> = Vec::new();
        loop {
            // A value is due here.
            self.blank();
            let opened = match at(self.input, self.i) {
                b'{' => Some(Level::Object { path: self.path.len() }),
                b'[' => Some(Level::Array { path: self.path.len(), index: 0 }),
                _ => None,
            };
            if let Some(level) = opened {
                self.i += 1;
                // LIMIT: nesting.
                if levels.len() >= self.limits.json_depth {
                    return Err(self.beyond("nested too deeply"));
                }
                levels.push(level);
                self.blank();
                if self.enter(&mut levels)? {
                    continue;
                }
            } else {
                self.scalar(store)?;
            }
            if !self.leave(&mut levels, store)? {
                return Ok(());
            }
        }
    }

    /// After an opening bracket: true if a value follows, false if the container was closed at once.
    fn enter(&mut self, levels: &mut Vec<Level>) -> Result<bool, String> {
        let (object, close) = match levels.last() {
            Some(Level::Object { .. }) => (true, b'}'),
            _ => (false, b']'),
        };
        if self.next_is(close) {
            levels.pop();
            return Ok(false);
        }
        if object {
            self.key()?;
        } else {
            self.path.extend_from_slice(b".0");
        }
        Ok(true)
    }

    /// After a value: closes what ends here; true if another value follows.
    fn leave(&mut self, levels: &mut Vec<Level>, store: &mut Store) -> Result<bool, String> {
        loop {
            self.blank();
            let Some(level) = levels.last_mut() else { return Ok(false) };
            match level {
                Level::Object { path } => {
                    self.path.truncate(*path);
                    if self.next_is(b',') {
                        self.blank();
                        self.key()?;
                        return Ok(true);
                    }
                    if !self.next_is(b'}') {
                        return Err(self.wrong("`,` or `}` is missing"));
                    }
                }
                Level::Array { path, index } => {
                    self.path.truncate(*path);
                    if self.next_is(b',') {
                        *index += 1;
                        self.path.push(b'.');
                        crate::bytes::push_decimal(&mut self.path, i64::try_from(*index).unwrap_or(i64::MAX));
                        return Ok(true);
                    }
                    if !self.next_is(b']') {
                        return Err(self.wrong("`,` or `]` is missing"));
                    }
                    // The list itself is an argument, its length the value: rules on names see names that hold lists.
                    let length = *index + 1;
                    self.length(store, length)?;
                }
            }
            levels.pop();
        }
    }

    fn key(&mut self) -> Result<(), String> {
        if !self.next_is(b'"') {
            return Err(self.wrong("a name is missing"));
        }
        self.path.push(b'.');
        let mut path = std::mem::take(&mut self.path);
        let read = self.string(&mut path);
        self.path = path;
        // LIMIT: a name's length; paths grow by every level.
        if self.path.len() > 4096 {
            return Err(self.beyond("a name is too long"));
        }
        read?;
        self.blank();
        if self.next_is(b':') { Ok(()) } else { Err(self.wrong("`:` is missing")) }
    }

    fn room(&mut self, store: &Store) -> Result<(), String> {
        if store.list(self.list).len() >= self.limits.arguments {
            self.is_cut = true;
            return Err(format!("more than {} arguments", self.limits.arguments));
        }
        Ok(())
    }

    fn length(&mut self, store: &mut Store, length: usize) -> Result<(), String> {
        self.room(store)?;
        let name = store.intern(&self.path);
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let value = store.write(|out| crate::bytes::push_decimal(out, length));
        store.push(self.list, name, value);
        Ok(())
    }

    fn scalar(&mut self, store: &mut Store) -> Result<(), String> {
        self.room(store)?;
        let name = store.intern(&self.path);
        let mut outcome = Ok(());
        let value = if self.next_is(b'"') {
            store.write(|out| outcome = self.string(out))
        } else {
            let start = self.i;
            while at(self.input, self.i).is_ascii_alphanumeric() || matches!(at(self.input, self.i), b'+' | b'-' | b'.')
            {
                self.i += 1;
            }
            match crate::bytes::sub(self.input, start, self.i) {
                b"null" => store.intern(b""),
                word @ (b"true" | b"false") => store.intern(word),
                word if is_number(word) => store.intern(word),
                _ => return Err(self.wrong("not a value")),
            }
        };
        // What was read so far is looked at even if the string is broken.
        store.push(self.list, name, value);
        outcome
    }

    /// The rest of a string after its quote, unescaped.
    fn string(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        loop {
            let rest = crate::bytes::sub(self.input, self.i, self.input.len());
            let plain = memchr::memchr2(b'"', b'\\', rest).ok_or_else(|| self.wrong("a string isn't closed"))?;
            let text = crate::bytes::sub(rest, 0, plain);
            out.extend_from_slice(text);
            if text.iter().any(|b| *b < 0x20) {
                return Err(self.wrong("a control byte in a string"));
            }
            self.i += plain + 1;
            if at(rest, plain) == b'"' {
                return Ok(());
            }
            self.escape(out)?;
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let escaped = at(self.input, self.i);
        self.i += 1;
        out.push(match escaped {
            b'"' | b'\\' | b'/' => escaped,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode(out),
            _ => return Err(self.wrong("an unknown escape")),
        });
        Ok(())
    }

    fn unicode(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let first = self.code_unit().ok_or_else(|| self.wrong("a broken \\u escape"))?;
        let mut code = first;
        if (0xd800..0xdc00).contains(&first) && at(self.input, self.i) == b'\\' && at(self.input, self.i + 1) == b'u' {
            let back = self.i;
            self.i += 2;
            match self.code_unit() {
                Some(second) if (0xdc00..0xe000).contains(&second) => {
                    code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                }
                _ => self.i = back,
            }
        }
        let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn code_unit(&mut self) -> Option<u32> {
        let high = crate::bytes::hex_pair(self.input, self.i)?;
        let low = crate::bytes::hex_pair(self.input, self.i + 2)?;
        self.i += 4;
        Some(u32::from(high) << 8 | u32::from(low))
    }
}

/// A number by JSON's grammar.
fn is_number(word: &[u8]) -> bool {
    let digits = |from: usize| word.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    let mut i = usize::from(word.first() == Some(&b'-'));
    let whole = digits(i);
    if whole == 0 || (whole > 1 && at(word, i) == b'0') {
        return false;
    }
    i += whole;
    if at(word, i) == b'.' {
        let fraction = digits(i + 1);
        if fraction == 0 {
            return false;
        }
        i += fraction + 1;
    }
    if matches!(at(word, i), b'e' | b'E') {
        i += 1 + usize::from(matches!(at(word, i + 1), b'+' | b'-'));
        let exponent = digits(i);
        if exponent == 0 {
            return false;
        }
        i += exponent;
    }
    i == word.len()
}

#[cfg(test)]
mod tests;
