//! Structured fields (RFC 8941), as far as signatures and digests use them: dictionaries of items and inner lists.
//!
//! Stricter in one point: what stands twice is an error, because who signed and who reads may pick different ones.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

// LIMIT: bytes of a field.
const FIELD_BYTES_MAX: usize = 16 * 1024;
// LIMIT: members of a dictionary, items of a list, parameters of an item.
const ITEMS_MAX: usize = 64;

/// A value without parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bare {
    Integer(i64),
    Text(String),
    Token(String),
    Bytes(Vec<u8>),
    Boolean(bool),
}

pub(super) type Parameters = Vec<(String, Bare)>;

/// A value with parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) bare: Bare,
    pub(super) parameters: Parameters,
}

/// What a dictionary holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Item(Item),
    List(Vec<Item>, Parameters),
}

/// Reads a dictionary from a whole field; several lines of it are joined with commas before.
pub(super) fn dictionary(text: &str) -> Option<Vec<(String, Member)>> {
    if text.len() > FIELD_BYTES_MAX || !text.is_ascii() {
        return None;
    }
    let mut reader = Reader(text.trim_matches(' '));
    let mut members: Vec<(String, Member)> = Vec::new();
    while !reader.0.is_empty() {
        let key = reader.key()?;
        let member = if reader.eat('=') {
            reader.member()?
        } else {
            Member::Item(Item { bare: Bare::Boolean(true), parameters: reader.parameters()? })
        };
        if members.len() >= ITEMS_MAX || members.iter().any(|(have, _)| *have == key) {
            return None;
        }
        members.push((key, member));
        reader.0 = reader.0.trim_start_matches([' ', '\t']);
        if reader.0.is_empty() {
            break;
        }
        if !reader.eat(',') {
            return None;
        }
        reader.0 = reader.0.trim_start_matches([' ', '\t']);
        if reader.0.is_empty() {
            return None;
        }
    }
    Some(members)
}

// === impl Reader ===

struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn eat(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|letter| !belongs(letter)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at_checked(end).unwrap_or(("", self.0));
        self.0 = rest;
        taken
    }

    fn key(&mut self) -> Option<String> {
        if !self.0.starts_with(|first: char| first.is_ascii_lowercase() || first == '*') {
            return None;
        }
        let belongs = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-.*".contains(letter);
        Some(self.take(belongs).to_owned())
    }

    fn member(&mut self) -> Option<Member> {
        if !self.eat('(') {
            return Some(Member::Item(self.item()?));
        }
        let mut items = Vec::new();
        loop {
            self.take(|letter| letter == ' ');
            if self.eat(')') {
                return Some(Member::List(items, self.parameters()?));
            }
            if items.len() >= ITEMS_MAX {
                return None;
            }
            items.push(self.item()?);
            if !self.0.starts_with([' ', ')']) {
                return None;
            }
        }
    }

    fn item(&mut self) -> Option<Item> {
        Some(Item { bare: self.bare()?, parameters: self.parameters()? })
    }

    fn parameters(&mut self) -> Option<Parameters> {
        let mut parameters: Parameters = Vec::new();
        while self.eat(';') {
            self.take(|letter| letter == ' ');
            let key = self.key()?;
            let value = if self.eat('=') { self.bare()? } else { Bare::Boolean(true) };
            if parameters.len() >= ITEMS_MAX || parameters.iter().any(|(have, _)| *have == key) {
                return None;
            }
            parameters.push((key, value));
        }
        Some(parameters)
    }

    fn bare(&mut self) -> Option<Bare> {
        let first = self.0.chars().next()?;
        match first {
            '"' => self.text(),
            ':' => {
                self.eat(':');
                let (encoded, rest) = self.0.split_once(':')?;
                self.0 = rest;
                STANDARD.decode(encoded).ok().map(Bare::Bytes)
            }
            '?' => {
                self.eat('?');
                let value = self.eat('1');
                (value || self.eat('0')).then_some(Bare::Boolean(value))
            }
            '-' | '0'..='9' => {
                let minus = self.eat('-');
                let digits = self.take(|letter| letter.is_ascii_digit());
                // Fifteen digits (section 3.3.1); decimals are used by neither field.
                if digits.is_empty() || digits.len() > 15 || self.0.starts_with('.') {
                    return None;
                }
                digits.parse::<i64>().ok().map(|value| Bare::Integer(if minus { -value } else { value }))
            }
            '*' | 'a'..='z' | 'A'..='Z' => {
                let belongs = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(letter);
                Some(Bare::Token(self.take(belongs).to_owned()))
            }
            _ => None,
        }
    }

    fn text(&mut self) -> Option<Bare> {
        let mut letters = self.0.chars();
        letters.next()?;
        let mut text = String::new();
        loop {
            match letters.next()? {
                '"' => {
                    self.0 = letters.as_str();
                    return Some(Bare::Text(text));
                }
                '\\' => text.push(letters.next().filter(|next| matches!(next, '"' | '\\'))?),
                letter @ ' '..='~' => text.push(letter),
                _ => return None,
            }
        }
    }
}

// === impl Bare ===

impl Bare {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(_) | Self::Token(_) | Self::Bytes(_) | Self::Boolean(_) => None,
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Integer(value) => value.to_string(),
            Self::Text(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            Self::Token(token) => token.clone(),
            Self::Bytes(bytes) => format!(":{}:", STANDARD.encode(bytes)),
            Self::Boolean(value) => if *value { "?1" } else { "?0" }.to_owned(),
        }
    }
}

// === impl Item ===

impl Item {
    /// The one written form (section 4.1).
    pub(super) fn write(&self) -> String {
        format!("{}{}", self.bare.write(), write_parameters(&self.parameters))
    }
}

/// The one written form of an inner list.
pub(super) fn write_list(items: &[Item], parameters: &Parameters) -> String {
    let items: Vec<String> = items.iter().map(Item::write).collect();
    format!("({}){}", items.join(" "), write_parameters(parameters))
}

fn write_parameters(parameters: &Parameters) -> String {
    let write = |(key, value): &(String, Bare)| match value {
        Bare::Boolean(true) => format!(";{key}"),
        Bare::Boolean(false) | Bare::Integer(_) | Bare::Text(_) | Bare::Token(_) | Bare::Bytes(_) => {
            format!(";{key}={}", value.write())
        }
    };
    parameters.iter().map(write).collect()
}

// === impl Member ===

impl Member {
    pub(super) fn write(&self) -> String {
        match self {
            Self::Item(item) => item.write(),
            Self::List(items, parameters) => write_list(items, parameters),
        }
    }
}
