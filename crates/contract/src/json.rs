//! JSON, read once: strictly (RFC 8259), within limits that count before any schema is asked, and without losing a digit.
//!
//! A body becomes a flat list of values in the order of the text. What is asked of it later (a schema, a mask, a rule) walks
//! that list and never reads the text again.

mod build;
mod decimal;
pub(crate) mod digest;
mod item;
mod parse;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

pub use build::Builder;
pub(crate) use build::is_number;
pub use decimal::Decimal;
pub(crate) use item::append_name;
pub use item::{Item, Items, Members};

/// LIMIT: nesting, whatever the settings say; readers of values go down by calling themselves.
pub const DEPTH_CAP: usize = 128;

/// What a body may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Arrays and objects within each other; at most [`DEPTH_CAP`].
    pub depth: usize,
    /// Members of one object.
    pub members: usize,
    /// Items of one array.
    pub items: usize,
    /// Values, all together.
    pub values: usize,
    /// Bytes of one text, as it is meant.
    pub text_bytes: usize,
    /// Bytes of the name of a member, as it is meant.
    pub name_bytes: usize,
    /// Bytes of a number, as it is written.
    pub number_bytes: usize,
}

/// Why bytes are no JSON that is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// They break the grammar; the text says how.
    Malformed(&'static str),
    /// They are not UTF-8 (RFC 8259 section 8.1).
    NotUtf8,
    /// Half of a surrogate pair: programs replace it by different things (RFC 8259 section 8.2).
    LoneSurrogate,
    /// Something follows the value.
    TrailingBytes,
    /// A member stands twice: programs take different ones (RFC 8259 section 4).
    RepeatedMember,
    /// Beyond [`Limits::depth`].
    TooDeep,
    /// Beyond [`Limits::members`].
    TooManyMembers,
    /// Beyond [`Limits::items`].
    TooManyItems,
    /// Beyond [`Limits::values`], or 4 GiB.
    TooManyValues,
    /// Beyond [`Limits::text_bytes`].
    TextTooLong,
    /// Beyond [`Limits::name_bytes`].
    NameTooLong,
    /// Beyond [`Limits::number_bytes`], or an exponent beyond four digits.
    NumberTooLong,
}

/// A flaw, and the byte at which it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsafe {
    /// What is wrong.
    pub flaw: Flaw,
    /// Where, counted from the start.
    pub at: usize,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it is written.
    Number,
    /// A text.
    Text,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// One value, or the name of a member in front of its value.
#[derive(Clone, Copy, Debug)]
struct Node {
    kind: Kind,
    /// Its text is not in the source.
    owned: bool,
    /// Where its own text begins and ends: of a number what is written, of a text what is meant.
    start: u32,
    end: u32,
    /// Where it begins and ends in the source.
    from: u32,
    to: u32,
    /// The node after it and all that is in it.
    next: u32,
    /// Members or items.
    count: u32,
}

/// A value with all that is in it.
#[derive(Debug, Default)]
pub struct Json<'b> {
    source: Cow<'b, str>,
    /// Texts that are not written as they are meant.
    extra: String,
    /// INVARIANT: in the order of the text; never empty in what [`Json::parse`] and [`Builder::finish`] return.
    nodes: Vec<Node>,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 32,
            members: 1_000,
            items: 10_000,
            values: 100_000,
            text_bytes: 1 << 20,
            name_bytes: 256,
            number_bytes: 64,
        }
    }
}

impl Limits {
    /// For documents that an operator has written.
    #[must_use]
    pub const fn generous() -> Self {
        Self {
            depth: DEPTH_CAP,
            members: 1 << 20,
            items: 1 << 20,
            values: 1 << 22,
            text_bytes: 16 << 20,
            name_bytes: 1 << 16,
            number_bytes: 256,
        }
    }
}

// === impl Kind ===

impl Kind {
    /// What JSON Schema calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number => "number",
            Self::Text => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

// === impl Flaw ===

impl Flaw {
    /// The stable word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::NotUtf8 => "not_utf8",
            Self::LoneSurrogate => "lone_surrogate",
            Self::TrailingBytes => "trailing_bytes",
            Self::RepeatedMember => "repeated_member",
            Self::TooDeep => "depth",
            Self::TooManyMembers => "members",
            Self::TooManyItems => "items",
            Self::TooManyValues => "values",
            Self::TextTooLong => "text_bytes",
            Self::NameTooLong => "name_bytes",
            Self::NumberTooLong => "number_bytes",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed(how) => how,
            Self::NotUtf8 => "it is not UTF-8",
            Self::LoneSurrogate => "an escape is half of a surrogate pair",
            Self::TrailingBytes => "something follows the value",
            Self::RepeatedMember => "a member stands twice",
            Self::TooDeep => "it is nested too deeply",
            Self::TooManyMembers => "an object has too many members",
            Self::TooManyItems => "an array has too many items",
            Self::TooManyValues => "it holds too many values",
            Self::TextTooLong => "a text is too long",
            Self::NameTooLong => "the name of a member is too long",
            Self::NumberTooLong => "a number is too long",
        })
    }
}

// === impl Json ===

impl<'b> Json<'b> {
    /// Reads the whole of `bytes` as one value.
    ///
    /// # Errors
    /// The first flaw.
    pub fn parse(bytes: &'b [u8], limits: &Limits) -> Result<Self, Unsafe> {
        parse::parse(bytes, limits)
    }

    /// Reads the whole of `bytes` as one value, and keeps them.
    ///
    /// # Errors
    /// The first flaw, and the bytes.
    pub fn read(bytes: Vec<u8>, limits: &Limits) -> Result<Json<'static>, (Unsafe, Vec<u8>)> {
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                return Err((Unsafe { flaw: Flaw::NotUtf8, at }, error.into_bytes()));
            }
        };
        match parse::parse(text.as_bytes(), limits) {
            Ok(Json { source: _, extra, nodes }) => Ok(Json { source: Cow::Owned(text), extra, nodes }),
            Err(flaw) => Err((flaw, text.into_bytes())),
        }
    }

    /// The text that it was read from; nothing where it was built.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The bytes that it was read from, given back.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.source.into_owned().into_bytes()
    }

    /// Bytes of memory beside the text.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.nodes.capacity().saturating_mul(size_of::<Node>()).saturating_add(self.extra.capacity())
    }

    /// The value itself.
    #[must_use]
    pub fn root(&self) -> Item<'_> {
        Item::new(self, 0)
    }

    /// How many values and names it holds.
    #[must_use]
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// The value with this number, as [`Item::index`] gives it.
    #[must_use]
    pub fn item(&self, index: u32) -> Item<'_> {
        Item::new(self, index)
    }

    fn node(&self, index: u32) -> Option<&Node> {
        self.nodes.get(usize::try_from(index).ok()?)
    }

    fn text_of(&self, node: &Node) -> &str {
        let text = if node.owned { self.extra.as_str() } else { &*self.source };
        range(text, node.start, node.end)
    }
}

fn range(text: &str, start: u32, end: u32) -> &str {
    let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else { return "" };
    text.get(start..end).unwrap_or("")
}

/// Texts of 4 GiB are refused before this is asked.
fn narrow(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
