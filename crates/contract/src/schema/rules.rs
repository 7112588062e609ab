//! What a schema is once it is compiled. Rules that do not say anything about a kind of value are not there for it.

use super::constant::Constants;
use super::format::Format;
use super::marks::Bits;
use super::pattern::Pattern;
use crate::json::{Decimal, Kind};
use std::cmp::Ordering;

/// The number of a compiled schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SchemaId(pub(crate) u32);

/// One compiled schema.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    /// `true` or `false` instead of rules.
    pub(super) always: Option<bool>,
    /// The resource that it belongs to, for `$dynamicRef`.
    pub(super) resource: u32,
    pub(super) types: Types,
    /// Something here or below asks what was looked at.
    pub(super) tracks: bool,
    pub(super) constants: Box<[(&'static str, Constants)]>,
    pub(super) number: Option<Box<NumberRules>>,
    pub(super) text: Option<Box<TextRules>>,
    pub(super) array: Option<Box<ArrayRules>>,
    pub(super) object: Option<Box<ObjectRules>>,
    pub(super) parts: Option<Box<Parts>>,
    /// Numbers of what it is marked with.
    pub(super) marks: Box<[u32]>,
}

/// The types that a value may have, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Types(u8);

#[derive(Debug, Default)]
pub(super) struct NumberRules {
    pub(super) least: Option<Bound>,
    pub(super) most: Option<Bound>,
    pub(super) above: Option<Bound>,
    pub(super) below: Option<Bound>,
    /// Digits, the power of ten they count in, and the whole as it is written.
    pub(super) multiple_of: Option<(u64, i64, Box<str>)>,
    pub(super) format: Option<Format>,
    /// Draft 4: `1.0` is no integer.
    pub(super) strict_integer: bool,
}

/// A limit, exactly as it is written.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) text: Box<str>,
    small: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct TextRules {
    pub(super) least: usize,
    pub(super) most: Option<usize>,
    pub(super) pattern: Option<Pattern>,
    pub(super) format: Option<Format>,
}

#[derive(Debug, Default)]
pub(super) struct ArrayRules {
    pub(super) least: usize,
    pub(super) most: Option<usize>,
    pub(super) unique: bool,
    pub(super) prefix: Box<[SchemaId]>,
    pub(super) rest: Option<SchemaId>,
    /// With how many there have to be, at least and at most.
    pub(super) contains: Option<(SchemaId, usize, Option<usize>)>,
    pub(super) unevaluated: Option<SchemaId>,
    /// What the rest is called: `items` or `additionalItems`.
    pub(super) rest_keyword: &'static str,
}

#[derive(Debug, Default)]
pub(super) struct ObjectRules {
    pub(super) least: usize,
    pub(super) most: Option<usize>,
    pub(super) names: Names,
    /// By the number of the name.
    pub(super) properties: Vec<Property>,
    /// Numbers of the names that have to be there.
    pub(super) required: Box<[usize]>,
    pub(super) patterns: Box<[(Pattern, SchemaId)]>,
    pub(super) additional: Option<SchemaId>,
    pub(super) property_names: Option<SchemaId>,
    pub(super) dependent: Box<[(usize, Box<[usize]>)]>,
    pub(super) unevaluated: Option<SchemaId>,
    /// Nothing was said about other members, and what is not said is refused.
    pub(super) closed: bool,
}

/// What is said about one name.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Property {
    pub(super) schema: Option<SchemaId>,
    /// `readOnly` in a request, `writeOnly` in an answer.
    pub(super) refused: Option<&'static str>,
}

/// Names of members, found by a guess or by halving.
#[derive(Debug, Default)]
pub(super) struct Names {
    declared: Vec<Box<str>>,
    sorted: Vec<usize>,
}

/// What else the same value has to fit.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) reference: Option<SchemaId>,
    /// Where it leads if no resource on the way has an anchor of that name, and the name.
    pub(super) dynamic: Option<(SchemaId, u32)>,
    pub(super) all: Box<[SchemaId]>,
    pub(super) any: Option<Box<[SchemaId]>>,
    pub(super) one: Option<Box<[SchemaId]>>,
    pub(super) not: Option<SchemaId>,
    pub(super) condition: Option<(SchemaId, Option<SchemaId>, Option<SchemaId>)>,
    pub(super) dependents: Box<[(Box<str>, SchemaId)]>,
    pub(super) discriminator: Option<Discriminator>,
}

/// The member that says which of several schemas is meant.
#[derive(Debug)]
pub(super) struct Discriminator {
    pub(super) property: Box<str>,
    /// In order of the names.
    pub(super) table: Box<[(Box<str>, SchemaId)]>,
}

// === impl Types ===

impl Types {
    pub(super) const NONE: Self = Self(0);
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOL: Self = Self(2);
    pub(super) const INTEGER: Self = Self(4);
    pub(super) const NUMBER: Self = Self(8 | 4);
    pub(super) const TEXT: Self = Self(16);
    pub(super) const ARRAY: Self = Self(32);
    pub(super) const OBJECT: Self = Self(64);

    const NAMES: [(&'static str, Self); 7] = [
        ("null", Self::NULL),
        ("boolean", Self::BOOL),
        ("integer", Self::INTEGER),
        ("number", Self::NUMBER),
        ("string", Self::TEXT),
        ("array", Self::ARRAY),
        ("object", Self::OBJECT),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(have, _)| *have == name).map(|(_, types)| *types)
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Of a number whether it may be one at all.
    pub(super) const fn allow(self, kind: Kind) -> bool {
        let bit = match kind {
            Kind::Null => Self::NULL,
            Kind::Bool(_) => Self::BOOL,
            Kind::Number => Self::INTEGER,
            Kind::Text => Self::TEXT,
            Kind::Array => Self::ARRAY,
            Kind::Object => Self::OBJECT,
        };
        self.has(bit)
    }

    /// `string or null`
    pub(super) fn words(self) -> String {
        let has = |(name, types): &(&'static str, Self)| {
            let double = *name == "integer" && self.has(Self::NUMBER);
            (self.has(*types) && !double).then_some(*name)
        };
        Self::NAMES.iter().filter_map(has).collect::<Vec<_>>().join(" or ")
    }
}

impl Default for Types {
    fn default() -> Self {
        Self(127)
    }
}

// === impl Bound ===

impl Bound {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.into(), small: text.parse().ok() }
    }

    /// How a number of a body stands to it.
    pub(super) fn order(&self, number: &str) -> Ordering {
        if let Some(bound) = self.small
            && let Ok(number) = number.parse::<i64>()
        {
            return number.cmp(&bound);
        }
        Decimal::of(number).cmp(&Decimal::of(&self.text))
    }
}

// === impl Names ===

impl Names {
    /// The number of a name, which is new if the name is.
    pub(super) fn add(&mut self, name: &str) -> usize {
        let declared = &self.declared;
        let place = self.sorted.binary_search_by(|index| declared.get(*index).map_or("", |have| have).cmp(name));
        match place {
            Ok(place) => self.sorted.get(place).copied().unwrap_or(0),
            Err(place) => {
                let index = self.declared.len();
                self.declared.push(name.into());
                self.sorted.insert(place, index);
                index
            }
        }
    }

    /// Members mostly come in the order in which they are declared, so the name after the last one is tried first.
    pub(super) fn find(&self, name: &str, guess: usize) -> Option<usize> {
        if self.declared.get(guess).is_some_and(|have| have.as_ref() == name) {
            return Some(guess);
        }
        let compare = |index: &usize| self.declared.get(*index).map_or("", |have| have).cmp(name);
        let place = self.sorted.binary_search_by(compare).ok()?;
        self.sorted.get(place).copied()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.declared.iter().map(AsRef::as_ref)
    }

    pub(super) fn name(&self, index: usize) -> &str {
        self.declared.get(index).map_or("", |name| name)
    }

    pub(super) fn len(&self) -> usize {
        self.declared.len()
    }
}

// === impl ObjectRules ===

impl ObjectRules {
    pub(super) fn missing<'r>(&'r self, seen: &'r Bits) -> impl Iterator<Item = &'r str> {
        self.required.iter().filter(|index| !seen.has(**index)).map(|index| self.names.name(*index))
    }
}

// === impl Discriminator ===

impl Discriminator {
    pub(super) fn choose(&self, name: &str) -> Option<SchemaId> {
        let place = self.table.binary_search_by(|(have, _)| have.as_ref().cmp(name)).ok()?;
        self.table.get(place).map(|(_, id)| *id)
    }
}
