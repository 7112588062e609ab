//! Bytes to values. Goes down by calling itself, to a depth that is bounded before it does.

use super::{DEPTH_CAP, Flaw, Json, Kind, Limits, Node, Unsafe, narrow};
use std::borrow::Cow;
use std::collections::HashSet;

/// LIMIT: names that are compared with each other; more of them are put into a set.
const NAMES_COMPARED: usize = 12;
/// LIMIT: digits of an exponent, leading zeros included; with more a number says nothing that a program keeps.
const EXPONENT_DIGITS_MAX: usize = 4;

pub(super) fn parse<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Json<'b>, Unsafe> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(Unsafe { flaw: Flaw::TooManyValues, at: 0 });
    }
    let source = std::str::from_utf8(bytes).map_err(|error| Unsafe { flaw: Flaw::NotUtf8, at: error.valid_up_to() })?;
    let json = Json {
        source: Cow::Borrowed(source),
        extra: String::new(),
        nodes: Vec::with_capacity(bytes.len().min(1 << 16) / 12 + 4),
    };
    let mut reader = Reader { bytes, at: 0, limits, json };
    reader.blanks();
    reader.value(0)?;
    reader.blanks();
    if reader.at < bytes.len() {
        return Err(reader.flaw(Flaw::TrailingBytes));
    }
    Ok(reader.json)
}

struct Reader<'b, 'l> {
    bytes: &'b [u8],
    at: usize,
    limits: &'l Limits,
    json: Json<'b>,
}

// === impl Reader ===

impl Reader<'_, '_> {
    fn flaw(&self, flaw: Flaw) -> Unsafe {
        Unsafe { flaw, at: self.at }
    }

    fn broken(&self, how: &'static str) -> Unsafe {
        self.flaw(Flaw::Malformed(how))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), Unsafe> {
        match self.peek() {
            Some(b'"') => self.text(self.limits.text_bytes, Flaw::TextTooLong).map(drop),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true", Kind::Bool(true)),
            Some(b'f') => self.word(b"false", Kind::Bool(false)),
            Some(b'n') => self.word(b"null", Kind::Null),
            Some(_) => Err(self.broken("a value does not begin like one")),
            None => Err(self.broken("a value is missing")),
        }
    }

    /// Puts a node down and says which it is.
    fn add(&mut self, kind: Kind, from: usize) -> Result<usize, Unsafe> {
        let index = self.json.nodes.len();
        // Names count as well; what is bounded is the memory.
        if index >= self.limits.values {
            return Err(self.flaw(Flaw::TooManyValues));
        }
        let place = narrow(from);
        let next = narrow(index.saturating_add(1));
        let node = Node { kind, owned: false, start: place, end: place, from: place, to: place, next, count: 0 };
        self.json.nodes.push(node);
        Ok(index)
    }

    fn end(&mut self, index: usize, count: usize) {
        let (next, to) = (narrow(self.json.nodes.len()), narrow(self.at));
        if let Some(node) = self.json.nodes.get_mut(index) {
            (node.next, node.to, node.end, node.count) = (next, to, to, narrow(count));
        }
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<(), Unsafe> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.broken("a word is none of true, false and null"));
        }
        let index = self.add(kind, self.at)?;
        self.at += word.len();
        self.end(index, 0);
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - from
    }

    /// RFC 8259 section 6.
    fn number(&mut self) -> Result<(), Unsafe> {
        let from = self.at;
        let index = self.add(Kind::Number, from)?;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (zero && whole > 1) {
            return Err(self.broken("a number begins with a zero or without a digit"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.broken("a number ends with its point"));
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            match self.digits() {
                0 => return Err(self.broken("an exponent has no digit")),
                1..=EXPONENT_DIGITS_MAX => {}
                _ => return Err(self.flaw(Flaw::NumberTooLong)),
            }
        }
        if self.at - from > self.limits.number_bytes {
            return Err(Unsafe { flaw: Flaw::NumberTooLong, at: from });
        }
        self.end(index, 0);
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), Unsafe> {
        let index = self.open(Kind::Array, depth)?;
        let mut count = 0;
        if self.peek() == Some(b']') {
            self.at += 1;
            self.end(index, 0);
            return Ok(());
        }
        loop {
            if count >= self.limits.items {
                return Err(self.flaw(Flaw::TooManyItems));
            }
            count += 1;
            self.value(depth + 1)?;
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                Some(_) | None => return Err(self.broken("an array goes on without a comma or does not end")),
            }
            self.blanks();
        }
        self.at += 1;
        self.end(index, count);
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), Unsafe> {
        let index = self.open(Kind::Object, depth)?;
        let mut count = 0;
        if self.peek() == Some(b'}') {
            self.at += 1;
            self.end(index, 0);
            return Ok(());
        }
        loop {
            if count >= self.limits.members {
                return Err(self.flaw(Flaw::TooManyMembers));
            }
            count += 1;
            if self.peek() != Some(b'"') {
                return Err(self.broken("a member has no name in quotation marks"));
            }
            self.text(self.limits.name_bytes, Flaw::NameTooLong)?;
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.broken("no colon follows the name of a member"));
            }
            self.at += 1;
            self.blanks();
            self.value(depth + 1)?;
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                Some(_) | None => return Err(self.broken("an object goes on without a comma or does not end")),
            }
            self.blanks();
        }
        self.at += 1;
        self.end(index, count);
        self.names_differ(index, count)
    }

    fn open(&mut self, kind: Kind, depth: usize) -> Result<usize, Unsafe> {
        if depth >= self.limits.depth.min(DEPTH_CAP) {
            return Err(self.flaw(Flaw::TooDeep));
        }
        let index = self.add(kind, self.at)?;
        self.at += 1;
        self.blanks();
        Ok(index)
    }

    /// Names are compared as they are meant: `"a"` and `"\u0061"` are one.
    fn names_differ(&self, index: usize, count: usize) -> Result<(), Unsafe> {
        let object = self.json.item(narrow(index));
        let twice = |at: u32| {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            Err(Unsafe { flaw: Flaw::RepeatedMember, at })
        };
        if count > NAMES_COMPARED {
            let mut seen = HashSet::with_capacity(count);
            return match object.members().find(|(name, _)| !seen.insert(name.text())) {
                Some((name, _)) => twice(name.span().0),
                None => Ok(()),
            };
        }
        let mut seen = [""; NAMES_COMPARED];
        for (have, (name, _)) in object.members().enumerate() {
            let text = name.text();
            if seen.iter().take(have).any(|other| *other == text) {
                return twice(name.span().0);
            }
            if let Some(slot) = seen.get_mut(have) {
                *slot = text;
            }
        }
        Ok(())
    }

    /// Stands on the opening quotation mark. RFC 8259 section 7.
    fn text(&mut self, bytes_max: usize, too_long: Flaw) -> Result<(), Unsafe> {
        let from = self.at;
        let index = self.add(Kind::Text, from)?;
        self.at += 1;
        let begin = self.at;
        loop {
            self.plain();
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.escaped(begin, index, bytes_max)?;
                    break;
                }
                Some(0..=0x1f) => return Err(self.broken("a text holds a control character")),
                Some(_) => self.at += 1,
                None => return Err(self.broken("a text does not end")),
            }
        }
        let (start, end) = (narrow(begin), narrow(self.at));
        self.at += 1;
        let (next, to) = (narrow(index.saturating_add(1)), narrow(self.at));
        let Some(node) = self.json.nodes.get_mut(index) else { return Ok(()) };
        (node.next, node.to) = (next, to);
        if !node.owned {
            (node.start, node.end) = (start, end);
        }
        let length = node.end.saturating_sub(node.start);
        if usize::try_from(length).unwrap_or(usize::MAX) > bytes_max {
            return Err(Unsafe { flaw: too_long, at: from });
        }
        Ok(())
    }

    /// Passes over what stands for itself in a text.
    fn plain(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or(b"");
        self.at += rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)).count();
    }

    /// Copies a text that has an escape, up to its closing quotation mark.
    fn escaped(&mut self, begin: usize, index: usize, bytes_max: usize) -> Result<(), Unsafe> {
        let start = self.json.extra.len();
        let mut plain = begin;
        loop {
            self.plain();
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.copy(plain);
                    self.at += 1;
                    let meant = self.escape()?;
                    self.json.extra.push(meant);
                    plain = self.at;
                }
                Some(0..=0x1f) => return Err(self.broken("a text holds a control character")),
                Some(_) => self.at += 1,
                None => return Err(self.broken("a text does not end")),
            }
            if self.json.extra.len() - start > bytes_max {
                break;
            }
        }
        self.copy(plain);
        let end = self.json.extra.len();
        if let Some(node) = self.json.nodes.get_mut(index) {
            (node.owned, node.start, node.end) = (true, narrow(start), narrow(end));
        }
        Ok(())
    }

    fn copy(&mut self, from: usize) {
        self.json.extra.push_str(self.json.source.get(from..self.at).unwrap_or(""));
    }

    /// Stands behind the backslash.
    fn escape(&mut self) -> Result<char, Unsafe> {
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            Some(_) | None => return Err(self.broken("an escape is none of JSON's")),
        })
    }

    fn unicode(&mut self) -> Result<char, Unsafe> {
        let first = self.four()?;
        if let Some(one) = char::from_u32(first) {
            return Ok(one);
        }
        let lone = self.flaw(Flaw::LoneSurrogate);
        let follows = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b"\\u"));
        if !(0xd800..0xdc00).contains(&first) || !follows {
            return Err(lone);
        }
        self.at += 2;
        let second = self.four()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(lone);
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(lone)
    }

    fn four(&mut self) -> Result<u32, Unsafe> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return Err(self.broken("an escape needs four hexadecimal digits")) };
            value = value << 4 | digit;
            self.at += 1;
        }
        Ok(value)
    }
}
