//! Of which bytes the single values of a schema are, where it says so: numbers, words, what it lists, formats and expressions
//! that hold a text from its beginning to its end. What is said here holds for every value that fits.

use super::Schemas;
use super::constant::Constants;
use super::format::Format;
use super::rules::{Parts, Schema, SchemaId, TextRules, Types};
use crate::json::{Item, Kind};

/// LIMIT: schemas within each other that are looked at; of deeper ones nothing is known.
const DEPTH_MAX: usize = 16;
/// However a number is written.
const NUMBER: &[u8] = b"+-.0123456789Ee";
const WORDS: &[u8] = b"aeflnrstu";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\r\n";

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ByteSet([u64; 4]);

// === impl ByteSet ===

impl ByteSet {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut set = Self::default();
        bytes.iter().for_each(|byte| set.insert(*byte));
        set
    }

    pub(super) fn insert(&mut self, byte: u8) {
        if let Some(word) = self.0.get_mut(usize::from(byte / 64)) {
            *word |= 1 << (byte % 64);
        }
    }

    pub(crate) fn has(self, byte: u8) -> bool {
        self.0.get(usize::from(byte / 64)).is_some_and(|word| word >> (byte % 64) & 1 == 1)
    }

    pub(crate) fn with(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
        self
    }

    fn within(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, kept)| *word &= kept);
        self
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        (0..=255).filter(|byte| self.has(*byte)).collect()
    }
}

/// What holds of a value of which both hold; of `None` nothing is known.
fn both(one: Option<ByteSet>, other: Option<ByteSet>) -> Option<ByteSet> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.within(other)),
        (one, other) => one.or(other),
    }
}

// === impl Schemas ===

impl Schemas {
    /// The bytes of single values that fit a schema; `None` where they may be any. Lists and objects have values of their own.
    pub(crate) fn bytes_of(&self, id: SchemaId) -> Option<ByteSet> {
        self.bytes_within(id, DEPTH_MAX)
    }

    fn bytes_within(&self, id: SchemaId, depth: usize) -> Option<ByteSet> {
        let (schema, depth) = (self.schema(id)?, depth.checked_sub(1)?);
        if let Some(always) = schema.always {
            return (!always).then(ByteSet::default);
        }
        let own = own(schema);
        match schema.parts.as_deref() {
            Some(parts) => both(own, self.bytes_of_parts(parts, depth)),
            None => own,
        }
    }

    /// What schemas about the same value say together. What must not fit, and what depends on something, says nothing.
    fn bytes_of_parts(&self, parts: &Parts, depth: usize) -> Option<ByteSet> {
        let all = parts.reference.iter().chain(&parts.all);
        let mut known = all.fold(None, |known, id| both(known, self.bytes_within(*id, depth)));
        for ways in parts.any.iter().chain(&parts.one) {
            let mut ways = ways.iter().map(|id| self.bytes_within(*id, depth));
            known = both(known, ways.try_fold(ByteSet::default(), |sum, way| Some(sum.with(way?))));
        }
        known
    }

    /// Members of the objects and items of the lists that fit a schema, as far as it names them: `None` for an item.
    pub(crate) fn inner(&self, id: SchemaId) -> Vec<(Option<&str>, SchemaId)> {
        let (mut out, mut waiting, mut seen) = (Vec::new(), vec![id], Vec::new());
        while let Some(id) = waiting.pop() {
            if seen.contains(&id.0) || seen.len() > DEPTH_MAX * 4 {
                continue;
            }
            seen.push(id.0);
            let Some(schema) = self.schema(id) else { continue };
            if let Some(rules) = schema.object.as_deref() {
                let properties = rules.names.all().zip(&rules.properties);
                out.extend(properties.filter_map(|(name, property)| Some((Some(name), property.schema?))));
            }
            if let Some(rules) = schema.array.as_deref() {
                out.extend(rules.prefix.iter().copied().chain(rules.rest).map(|id| (None, id)));
            }
            if let Some(parts) = schema.parts.as_deref() {
                // Where one of several ways will do, another may say nothing about a member.
                waiting.extend(parts.reference.iter().chain(&parts.all).copied());
            }
        }
        out
    }
}

/// What one schema says itself.
fn own(schema: &Schema) -> Option<ByteSet> {
    let listed = schema.constants.iter().fold(None, |known, (_, constants)| both(known, listed(constants)));
    both(listed, typed(schema))
}

fn typed(schema: &Schema) -> Option<ByteSet> {
    let types = schema.types;
    let mut set = ByteSet::default();
    if types.has(Types::INTEGER) {
        set = set.with(ByteSet::of(NUMBER));
    }
    if types.has(Types::BOOL) || types.has(Types::NULL) {
        set = set.with(ByteSet::of(WORDS));
    }
    if types.has(Types::TEXT) {
        set = set.with(text(schema.text.as_deref()?)?);
    }
    Some(set)
}

fn text(rules: &TextRules) -> Option<ByteSet> {
    both(rules.pattern.as_ref().and_then(super::pattern::Pattern::bytes), rules.format.and_then(format))
}

fn listed(constants: &Constants) -> Option<ByteSet> {
    let mut set = ByteSet::default();
    match constants {
        Constants::Texts(texts) => texts.iter().for_each(|text| set = set.with(ByteSet::of(text.as_bytes()))),
        Constants::Any(values) => {
            let mut note = |item: Item<'_>| match item.kind() {
                Kind::Text => set = set.with(ByteSet::of(item.text().as_bytes())),
                Kind::Number => set = set.with(ByteSet::of(NUMBER)),
                Kind::Null | Kind::Bool(_) => set = set.with(ByteSet::of(WORDS)),
                // No single value.
                Kind::Array | Kind::Object => {}
            };
            values.root().items().for_each(&mut note);
        }
    }
    Some(set)
}

fn format(format: Format) -> Option<ByteSet> {
    let bytes: &[u8] = match format {
        Format::Uuid => b"-0123456789ABCDEFabcdef",
        Format::Date => b"-0123456789",
        Format::DateTime | Format::Time => b"+-.:0123456789TZtz ",
        Format::Duration => b"+-.,0123456789PYMWDTHSpymwdths",
        Format::Ipv4 => b".0123456789",
        Format::Ipv6 => b".:0123456789ABCDEFabcdef",
        Format::Byte => BASE64,
        Format::Int32 | Format::Int64 | Format::Uint32 | Format::Uint64 | Format::Float | Format::Double => NUMBER,
        Format::Email
        | Format::Hostname
        | Format::Uri
        | Format::UriReference
        | Format::JsonPointer
        | Format::Regex
        | Format::Password
        | Format::Binary => return None,
    };
    Some(ByteSet::of(bytes))
}
