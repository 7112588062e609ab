//! What is known of fields before they come, say by a contract: of which bytes their values are, and which rules can
//! therefore match none of them. Promises are believed only for values that keep them.

use crate::classes::{self, Classes};
use crate::gate::{Bits, Gate, Mixer};
use crate::store::List;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// LIMIT: bytes of a name that is looked up; longer ones are looked at as if nothing were known.
const NAME_BYTES: usize = 256;

/// Where a field stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// In the query.
    Query,
    /// In a header field; the name counts without case.
    Header,
    /// In a cookie.
    Cookie,
    /// In the body.
    Body,
}

/// Of which bytes the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise<'a> {
    /// Where it stands.
    pub place: Place,
    /// Its name as rules know it: `page`, `json.items.*.id`, where `*` is any number.
    pub name: &'a str,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// The fields that rules are spared, for one set of rules.
#[derive(Debug)]
pub struct Spared {
    pub(crate) serial: u64,
    /// By place.
    fields: [Fields; Place::ALL.len()],
}

/// What one field is spared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SparedField {
    /// Where it stands.
    pub place: Place,
    /// Its name; header fields in lower case, `*` for a number between dots of a name in a body.
    pub name: String,
    /// How many rules look at it.
    pub looking: usize,
    /// How many of them are tried all the same.
    pub tried: usize,
}

/// The names are the operator's: what clients send is looked up and never kept, so that none can be made to collide.
type Fields = HashMap<Box<[u8]>, Field, BuildHasherDefault<Mixer>>;

#[derive(Debug)]
struct Field {
    classes: Classes,
    /// The rules that such a value can match.
    rules: Bits,
    looking: usize,
    tried: usize,
}

// === impl Place ===

impl Place {
    const ALL: [Self; 4] = [Self::Query, Self::Header, Self::Cookie, Self::Body];

    /// As people are told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Body => "body",
        }
    }

    const fn list(self) -> List {
        match self {
            Self::Query => List::ArgsGet,
            Self::Header => List::Headers,
            Self::Cookie => List::Cookies,
            Self::Body => List::ArgsPost,
        }
    }
}

// === impl Spared ===

impl Spared {
    pub(crate) fn new(gate: &Gate, promises: &[Promise<'_>]) -> Self {
        let mut out = Self { serial: gate.serial, fields: Default::default() };
        for promise in promises {
            let mut buffer = [0; NAME_BYTES];
            let name = normal(promise.place, promise.name.as_bytes(), &mut buffer);
            let fields = Place::ALL.iter().zip(&mut out.fields).find(|(place, _)| **place == promise.place);
            let (Some(name), Some((place, fields))) = (name, fields) else { continue };
            // Of a field that is promised twice, either may come.
            let classes = classes::mask(promise.bytes) | fields.get(name).map_or(0, |known| known.classes);
            let rules = gate.possible(classes);
            let (looking, tried) = gate.looks(place.list(), promise.name.as_bytes(), &rules);
            fields.insert(name.into(), Field { classes, rules, looking, tried });
        }
        out
    }

    /// The rules that a value with these classes can match, as far as its name says something.
    pub(crate) fn rules(&self, list: List, name: &[u8], mask: Classes) -> Option<&Bits> {
        let (place, fields) = Place::ALL.iter().zip(&self.fields).find(|(place, _)| place.list() == list)?;
        if fields.is_empty() {
            return None;
        }
        let field = fields.get(normal(*place, name, &mut [0; NAME_BYTES])?)?;
        // INVARIANT: a value is held to its promise here, whoever else has looked at it before.
        (mask & !field.classes == 0).then_some(&field.rules)
    }

    /// What each field is spared.
    pub fn fields(&self) -> impl Iterator<Item = SparedField> {
        Place::ALL.iter().zip(&self.fields).flat_map(|(place, fields)| {
            fields.iter().map(|(name, field)| SparedField {
                place: *place,
                name: String::from_utf8_lossy(name).into_owned(),
                looking: field.looking,
                tried: field.tried,
            })
        })
    }
}

/// Whether a part of a name begins here that may be a number.
fn begins_a_number(pair: &[u8]) -> bool {
    matches!(pair, [b'.', b'0'..=b'9'])
}

/// The name that a field is known by; none if it is too long.
fn normal<'a>(place: Place, name: &'a [u8], buffer: &'a mut [u8; NAME_BYTES]) -> Option<&'a [u8]> {
    let same = match place {
        Place::Query | Place::Cookie => true,
        Place::Header => !name.iter().any(u8::is_ascii_uppercase),
        Place::Body => !name.first().is_some_and(u8::is_ascii_digit) && !name.windows(2).any(begins_a_number),
    };
    if same || name.len() > NAME_BYTES {
        return same.then_some(name);
    }
    if place == Place::Header {
        let out = buffer.get_mut(..name.len())?;
        out.copy_from_slice(name);
        out.make_ascii_lowercase();
        return Some(out);
    }
    let mut length = 0;
    for (at, part) in name.split(|byte| *byte == b'.').enumerate() {
        let is_number = !part.is_empty() && part.iter().all(u8::is_ascii_digit);
        let part: &[u8] = if is_number { b"*" } else { part };
        for byte in (at > 0).then_some(&b'.').into_iter().chain(part) {
            *buffer.get_mut(length)? = *byte;
            length += 1;
        }
    }
    buffer.get(..length)
}

#[cfg(test)]
mod tests;
