//! XML into a flat list of elements, strictly and within bounds (XML 1.0, and Namespaces in XML 1.0).
//!
//! INVARIANT: no document type, so that there are no entities but the five that XML itself has, and nothing is ever fetched.

use crate::json::Limits;
use std::borrow::Cow;

/// LIMIT: attributes of one element.
const ATTRIBUTES_MAX: usize = 100;
/// LIMIT: bytes of the name of a space, which each name in it may hold anew.
const SPACE_BYTES_MAX: usize = 256;
/// The name space of the prefix `xml`.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// A document: its elements in the order in which they begin, the outermost first.
#[derive(Debug, Default)]
pub(super) struct Tree<'x> {
    pub(super) elements: Vec<Element<'x>>,
}

#[derive(Debug)]
pub(super) struct Element<'x> {
    pub(super) name: Name<'x>,
    pub(super) attributes: Vec<(Name<'x>, Cow<'x, str>)>,
    /// All text that stands directly in it.
    pub(super) text: Cow<'x, str>,
    pub(super) children: Vec<usize>,
}

/// A name as it is written, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name<'x> {
    pub(super) prefix: &'x str,
    pub(super) local: &'x str,
    /// Empty for none.
    pub(super) space: Cow<'x, str>,
}

/// Why a text is no XML that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) keyword: &'static str,
    pub(super) detail: &'static str,
}

type Read<T> = Result<T, Flaw>;

struct Reader<'x, 'l> {
    rest: &'x str,
    limits: &'l Limits,
    tree: Tree<'x>,
    /// Elements that are open.
    open: Vec<usize>,
    /// Prefixes in force, with how many elements were open when they were declared.
    spaces: Vec<(usize, &'x str, Cow<'x, str>)>,
    values: usize,
}

const fn malformed(detail: &'static str) -> Flaw {
    Flaw { keyword: "malformed", detail }
}

/// Reads a whole document.
pub(super) fn read<'x>(text: &'x str, limits: &Limits) -> Read<Tree<'x>> {
    let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { rest, limits, tree: Tree::default(), open: Vec::new(), spaces: Vec::new(), values: 0 };
    reader.declaration()?;
    reader.document()?;
    Ok(reader.tree)
}

// === impl Reader ===

impl<'x> Reader<'x, '_> {
    fn starts(&mut self, with: &str) -> bool {
        match self.rest.strip_prefix(with) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// What stands before a text, which is taken as well.
    fn until(&mut self, end: &str, why: &'static str) -> Read<&'x str> {
        let (before, behind) = self.rest.split_once(end).ok_or(malformed(why))?;
        self.rest = behind;
        Ok(before)
    }

    /// `<?xml version="1.0" encoding="UTF-8"?>`
    fn declaration(&mut self) -> Read<()> {
        if !self.rest.starts_with("<?xml") {
            return Ok(());
        }
        let inner = self.until("?>", "its declaration does not end")?;
        let encoding = inner.split_once("encoding").map(|(_, behind)| {
            behind.trim_start_matches(is_blank).trim_start_matches('=').trim_start_matches(is_blank)
        });
        let is_utf8 = encoding.is_none_or(|named| {
            let named = named.trim_matches(|letter: char| is_blank(letter) || matches!(letter, '"' | '\''));
            let name = named.split(['"', '\'']).next().unwrap_or("");
            name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("us-ascii")
        });
        match is_utf8 {
            true => Ok(()),
            false => Err(Flaw { keyword: "charset", detail: "it must be UTF-8" }),
        }
    }

    fn document(&mut self) -> Read<()> {
        loop {
            let text = match self.rest.find('<') {
                Some(at) => self.rest.split_at_checked(at),
                None => Some((self.rest, "")),
            };
            let (text, rest) = text.ok_or(malformed("it cannot be read"))?;
            self.rest = rest;
            self.text(text)?;
            if self.rest.is_empty() {
                break;
            }
            self.markup()?;
        }
        match (self.open.is_empty(), self.tree.elements.is_empty()) {
            (true, false) => Ok(()),
            (false, _) => Err(malformed("an element does not end")),
            (true, true) => Err(malformed("there is no element")),
        }
    }

    fn markup(&mut self) -> Read<()> {
        if self.starts("<!--") {
            let comment = self.until("--", "a comment does not end")?;
            return match self.starts(">") && is_text(comment) {
                true => Ok(()),
                false => Err(malformed("two hyphens stand in a comment")),
            };
        }
        if self.starts("<![CDATA[") {
            let text = self.until("]]>", "a text does not end")?;
            return self.append(Cow::Borrowed(text));
        }
        if self.rest.starts_with("<!") {
            return Err(Flaw { keyword: "doctype", detail: "a document type is not read" });
        }
        if self.rest.starts_with("<?") {
            return Err(Flaw { keyword: "instruction", detail: "instructions are not read" });
        }
        if self.starts("</") {
            let (prefix, local) = self.name()?;
            self.blanks();
            let closes = self.open.pop().and_then(|index| self.tree.elements.get(index));
            let fits = closes.is_some_and(|open| (open.name.prefix, open.name.local) == (prefix, local));
            let depth = self.open.len();
            self.spaces.retain(|(at, _, _)| *at <= depth);
            return if fits && self.starts(">") { Ok(()) } else { Err(malformed("an element ends as another")) };
        }
        self.starts("<");
        self.element()
    }

    fn element(&mut self) -> Read<()> {
        if self.open.is_empty() && !self.tree.elements.is_empty() {
            return Err(malformed("there are two outermost elements"));
        }
        if self.open.len() >= self.limits.depth {
            return Err(Flaw { keyword: "depth", detail: "it is nested too deeply" });
        }
        self.count()?;
        let (prefix, local) = self.name()?;
        let depth = self.open.len().saturating_add(1);
        let mut written: Vec<(&'x str, &'x str, Cow<'x, str>)> = Vec::new();
        let is_empty = loop {
            let apart = self.blanks();
            if self.starts("/>") {
                break true;
            }
            if self.starts(">") {
                break false;
            }
            if !apart {
                return Err(malformed("attributes stand apart"));
            }
            let (prefix, local, value) = self.attribute()?;
            match (prefix, local) {
                ("", "xmlns") | ("xmlns", _) if value.len() > SPACE_BYTES_MAX => {
                    return Err(Flaw { keyword: "name_bytes", detail: "a name space is too long" });
                }
                ("", "xmlns") => self.spaces.push((depth, "", value)),
                ("xmlns", "xml" | "xmlns") => return Err(malformed("a prefix is not free")),
                ("xmlns", _) if value.is_empty() => return Err(malformed("a prefix stands for nothing")),
                ("xmlns", name) => self.spaces.push((depth, name, value)),
                _ => written.push((prefix, local, value)),
            }
            if written.len() > ATTRIBUTES_MAX || self.spaces.len() > ATTRIBUTES_MAX {
                return Err(Flaw { keyword: "members", detail: "an element has too many attributes" });
            }
        };
        let mut attributes: Vec<(Name<'x>, Cow<'x, str>)> = Vec::with_capacity(written.len());
        for (prefix, local, value) in written {
            self.count()?;
            let space = if prefix.is_empty() { Cow::Borrowed("") } else { self.space(prefix)? };
            let name = Name { prefix, local, space };
            if attributes.iter().any(|(have, _)| have.local == name.local && have.space == name.space) {
                return Err(Flaw { keyword: "repeated_member", detail: "an attribute stands twice" });
            }
            attributes.push((name, value));
        }
        let name = Name { prefix, local, space: self.space(prefix)? };
        let index = self.tree.elements.len();
        if let Some(parent) = self.open.last().and_then(|parent| self.tree.elements.get_mut(*parent)) {
            parent.children.push(index);
        }
        self.tree.elements.push(Element { name, attributes, text: Cow::Borrowed(""), children: Vec::new() });
        match is_empty {
            true => self.spaces.retain(|(at, _, _)| *at < depth),
            false => self.open.push(index),
        }
        Ok(())
    }

    fn count(&mut self) -> Read<()> {
        self.values = self.values.saturating_add(1);
        let fits = self.values <= self.limits.values;
        fits.then_some(()).ok_or(Flaw { keyword: "values", detail: "it holds too many values" })
    }

    /// The name space of a prefix; none is the default one.
    fn space(&self, prefix: &str) -> Read<Cow<'x, str>> {
        let found = self.spaces.iter().rev().find(|(_, name, _)| *name == prefix);
        match (found, prefix) {
            (Some((_, _, space)), _) => Ok(space.clone()),
            (None, "") => Ok(Cow::Borrowed("")),
            (None, "xml") => Ok(Cow::Borrowed(XML)),
            (None, _) => Err(malformed("a prefix is not declared")),
        }
    }

    fn blanks(&mut self) -> bool {
        let rest = self.rest.trim_start_matches(is_blank);
        let some = rest.len() < self.rest.len();
        self.rest = rest;
        some
    }

    fn name(&mut self) -> Read<(&'x str, &'x str)> {
        const WRONG: Flaw = malformed("a name is none");
        let is_end = |letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | ':' | '\u{b7}'));
        let at = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(at).ok_or(WRONG)?;
        self.rest = rest;
        if name.len() > self.limits.name_bytes {
            return Err(Flaw { keyword: "name_bytes", detail: "a name is too long" });
        }
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let begins = |part: &str| part.chars().next().is_some_and(|letter| letter.is_alphabetic() || letter == '_');
        let fits = begins(local) && !local.contains(':') && (!name.contains(':') || begins(prefix));
        fits.then_some((prefix, local)).ok_or(WRONG)
    }

    fn attribute(&mut self) -> Read<(&'x str, &'x str, Cow<'x, str>)> {
        const WRONG: Flaw = malformed("an attribute has no value in quotes");
        let (prefix, local) = self.name()?;
        self.blanks();
        if !self.starts("=") {
            return Err(WRONG);
        }
        self.blanks();
        let quote = if self.starts("\"") { "\"" } else { "'" };
        if quote == "'" && !self.starts("'") {
            return Err(WRONG);
        }
        let value = self.until(quote, "a value does not end")?;
        if value.contains('<') {
            return Err(malformed("`<` stands in a value"));
        }
        Ok((prefix, local, self.meant(value)?))
    }

    /// Text between markup.
    fn text(&mut self, text: &'x str) -> Read<()> {
        if text.contains("]]>") {
            return Err(malformed("`]]>` stands in a text"));
        }
        if self.open.is_empty() {
            return match text.chars().all(is_blank) {
                true => Ok(()),
                false => Err(malformed("text stands outside of all elements")),
            };
        }
        let text = self.meant(text)?;
        self.append(text)
    }

    fn append(&mut self, text: Cow<'x, str>) -> Read<()> {
        if text.is_empty() {
            return Ok(());
        }
        if !is_text(&text) {
            return Err(malformed("a control character stands in it"));
        }
        let max = self.limits.text_bytes;
        let element = self.open.last().and_then(|index| self.tree.elements.get_mut(*index));
        let element = element.ok_or(malformed("text stands outside of all elements"))?;
        if element.text.len().saturating_add(text.len()) > max {
            return Err(Flaw { keyword: "text_bytes", detail: "a text is too long" });
        }
        match element.text.is_empty() {
            true => element.text = text,
            false => element.text.to_mut().push_str(&text),
        }
        Ok(())
    }

    /// Text with its references undone (section 4.1).
    fn meant(&self, text: &'x str) -> Read<Cow<'x, str>> {
        if text.len() > self.limits.text_bytes {
            return Err(Flaw { keyword: "text_bytes", detail: "a text is too long" });
        }
        if !is_text(text) {
            return Err(malformed("a control character stands in it"));
        }
        if !text.contains('&') {
            return Ok(Cow::Borrowed(text));
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('&') {
            out.push_str(before);
            let (name, behind) = after.split_once(';').ok_or(malformed("a reference does not end"))?;
            out.push(referred(name)?);
            rest = behind;
        }
        out.push_str(rest);
        Ok(Cow::Owned(out))
    }
}

fn referred(name: &str) -> Read<char> {
    const WRONG: Flaw = malformed("a reference stands for no character");
    let number = match name.strip_prefix('#') {
        None => {
            return match name {
                "lt" => Ok('<'),
                "gt" => Ok('>'),
                "amp" => Ok('&'),
                "apos" => Ok('\''),
                "quot" => Ok('"'),
                _ => Err(Flaw { keyword: "entity", detail: "an entity is used that XML itself does not have" }),
            };
        }
        Some(number) => number,
    };
    let is_plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let value = match number.strip_prefix('x') {
        Some(digits) if is_plain(digits) => u32::from_str_radix(digits, 16),
        None if is_plain(number) => number.parse(),
        Some(_) | None => return Err(WRONG),
    };
    let letter = value.ok().and_then(char::from_u32).ok_or(WRONG)?;
    if is_letter(letter) { Ok(letter) } else { Err(WRONG) }
}

pub(super) fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

/// Section 2.2.
fn is_letter(letter: char) -> bool {
    !letter.is_control() && !matches!(letter, '\u{fffe}' | '\u{ffff}') || is_blank(letter)
}

fn is_text(text: &str) -> bool {
    text.chars().all(is_letter)
}
