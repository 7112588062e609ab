//! One value of a body, seen from outside: what it is, what is in it, where it stands.

use super::decimal::Decimal;
use super::{Json, Kind, Node};
use std::fmt::Write as _;

/// LIMIT: bytes of one name in a pointer; the rest of a longer one is cut off.
const POINTER_NAME_BYTES_MAX: usize = 64;

/// A value within its body.
#[derive(Clone, Copy, Debug)]
pub struct Item<'j> {
    json: &'j Json<'j>,
    index: u32,
}

/// The items of an array.
#[derive(Clone, Debug)]
pub struct Items<'j> {
    json: &'j Json<'j>,
    at: u32,
    end: u32,
}

/// The members of an object: name and value.
#[derive(Clone, Debug)]
pub struct Members<'j>(Items<'j>);

// === impl Item ===

impl<'j> Item<'j> {
    pub(super) fn new(json: &'j Json<'_>, index: u32) -> Self {
        Self { json, index }
    }

    fn node(self) -> Option<&'j Node> {
        self.json.node(self.index)
    }

    /// Its number within its body.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.node().map_or(Kind::Null, |node| node.kind)
    }

    /// A text as it is meant, a number as it is written; nothing of other values.
    #[must_use]
    pub fn text(self) -> &'j str {
        match self.node() {
            Some(node) if matches!(node.kind, Kind::Text | Kind::Number) => self.json.text_of(node),
            Some(_) | None => "",
        }
    }

    /// Items of an array, members of an object.
    #[must_use]
    pub fn len(self) -> usize {
        self.node().and_then(|node| usize::try_from(node.count).ok()).unwrap_or(0)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// First and last byte in the text it was read from; nothing where it was built.
    #[must_use]
    pub fn span(self) -> (u32, u32) {
        self.node().map_or((0, 0), |node| (node.from, node.to))
    }

    fn inner(self, kind: Kind) -> Items<'j> {
        match self.node() {
            Some(node) if node.kind == kind => {
                Items { json: self.json, at: self.index.saturating_add(1), end: node.next }
            }
            Some(_) | None => Items { json: self.json, at: 0, end: 0 },
        }
    }

    /// What is in an array; nothing of other values.
    #[must_use]
    pub fn items(self) -> Items<'j> {
        self.inner(Kind::Array)
    }

    /// What is in an object; nothing of other values.
    #[must_use]
    pub fn members(self) -> Members<'j> {
        Members(self.inner(Kind::Object))
    }

    /// A member by its name.
    #[must_use]
    pub fn member(self, name: &str) -> Option<Self> {
        self.members().find(|(have, _)| have.text() == name).map(|(_, value)| value)
    }

    /// The JSON Pointer that leads to it (RFC 6901). Long names are cut.
    #[must_use]
    pub fn pointer(self) -> String {
        let mut pointer = String::new();
        let mut at = self.json.root();
        while at.index != self.index {
            let holds =
                |inner: &Self| inner.index <= self.index && inner.node().is_some_and(|node| self.index < node.next);
            let step = match at.kind() {
                Kind::Array => at.items().enumerate().find(|(_, inner)| holds(inner)).map(|(position, inner)| {
                    let written = write!(pointer, "/{position}");
                    debug_assert!(written.is_ok(), "a string takes everything");
                    inner
                }),
                Kind::Object => {
                    let mut members = at.members();
                    let found = members.find(|(name, inner)| name.index == self.index || holds(inner));
                    found.map(|(name, inner)| {
                        append_name(&mut pointer, name.text());
                        if name.index == self.index { name } else { inner }
                    })
                }
                Kind::Null | Kind::Bool(_) | Kind::Number | Kind::Text => None,
            };
            match step {
                Some(inner) => at = inner,
                None => break,
            }
        }
        pointer
    }

    /// Whether both are the same value: numbers by what they are worth, objects in any order (JSON Schema, section 4.2.2).
    /// `None` where that would take more than `work` comparisons, which are taken off.
    #[must_use]
    pub fn same(self, other: Item<'_>, work: &mut u64) -> Option<bool> {
        *work = work.checked_sub(1)?;
        Some(match (self.kind(), other.kind()) {
            (Kind::Number, Kind::Number) => {
                self.text() == other.text() || Decimal::of(self.text()) == Decimal::of(other.text())
            }
            (Kind::Text, Kind::Text) => self.text() == other.text(),
            (Kind::Array, Kind::Array) => {
                if self.len() != other.len() {
                    return Some(false);
                }
                for (one, another) in self.items().zip(other.items()) {
                    if !one.same(another, work)? {
                        return Some(false);
                    }
                }
                true
            }
            (Kind::Object, Kind::Object) => {
                if self.len() != other.len() {
                    return Some(false);
                }
                for (name, value) in self.members() {
                    *work = work.checked_sub(u64::try_from(other.len()).ok()?)?;
                    match other.member(name.text()) {
                        Some(have) if value.same(have, work)? => {}
                        Some(_) | None => return Some(false),
                    }
                }
                true
            }
            (one, another) => one == another,
        })
    }
}

/// `~` and `/` are written as RFC 6901 section 3 says.
pub(crate) fn append_name(pointer: &mut String, name: &str) {
    pointer.push('/');
    let mut bytes = 0;
    for letter in name.chars() {
        bytes += letter.len_utf8();
        if bytes > POINTER_NAME_BYTES_MAX {
            pointer.push('…');
            return;
        }
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

// === impl Items ===

impl<'j> Iterator for Items<'j> {
    type Item = Item<'j>;

    fn next(&mut self) -> Option<Item<'j>> {
        if self.at >= self.end {
            return None;
        }
        let item = Item { json: self.json, index: self.at };
        self.at = item.node()?.next;
        Some(item)
    }
}

// === impl Members ===

impl<'j> Iterator for Members<'j> {
    type Item = (Item<'j>, Item<'j>);

    fn next(&mut self) -> Option<(Item<'j>, Item<'j>)> {
        Some((self.0.next()?, self.0.next()?))
    }
}
