//! How much work a document is, fragments counted wherever they are used, in one walk over each of them.

use super::parse::{Document, Selection};
use std::collections::HashMap;

/// LIMIT: fields, fragments and sets within each other; it bounds how deep this goes itself.
const LEVELS_MAX: usize = 300;

/// What an operation or a fragment amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// Fields within each other.
    pub(super) depth: u64,
    pub(super) fields: u64,
    pub(super) aliases: u64,
    /// Fields, times how many are wanted of those that they are within.
    pub(super) cost: u64,
    /// Whether it asks for the schema.
    pub(super) introspects: bool,
}

/// Why it cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endless {
    /// A fragment holds itself.
    Cycle,
    /// A fragment is used and not there.
    Unknown,
    TooDeep,
}

pub(super) struct Scale<'s, 'd> {
    document: &'s Document<'d>,
    /// By the fragment; `None` while it is being weighed.
    fragments: HashMap<&'s str, Option<Weight>>,
    levels: usize,
}

// === impl Scale ===

impl<'s, 'd> Scale<'s, 'd> {
    pub(super) fn new(document: &'s Document<'d>) -> Self {
        Self { document, fragments: HashMap::new(), levels: 0 }
    }

    /// All of a set.
    pub(super) fn set(&mut self, index: usize) -> Result<Weight, Endless> {
        self.levels += 1;
        if self.levels > LEVELS_MAX {
            return Err(Endless::TooDeep);
        }
        let document = self.document;
        let mut whole = Weight::default();
        for selection in document.sets.get(index).into_iter().flatten() {
            let one = match selection {
                Selection::Field { name, is_aliased, times, set } => {
                    let inner = set.map(|set| self.set(set)).transpose()?.unwrap_or_default();
                    Weight {
                        depth: inner.depth.saturating_add(1),
                        fields: inner.fields.saturating_add(1),
                        aliases: inner.aliases.saturating_add(u64::from(*is_aliased)),
                        cost: inner.cost.saturating_mul(*times).saturating_add(1),
                        introspects: inner.introspects || matches!(*name, "__schema" | "__type"),
                    }
                }
                Selection::Inline(set) => self.set(*set)?,
                Selection::Spread(name) => self.fragment(name)?,
            };
            whole = whole.and(one);
        }
        self.levels -= 1;
        Ok(whole)
    }

    /// A fragment, which is weighed once however often it is used.
    pub(super) fn fragment(&mut self, name: &'s str) -> Result<Weight, Endless> {
        match self.fragments.get(name) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => return Err(Endless::Cycle),
            None => {}
        }
        let set = self.document.fragments.get(name).ok_or(Endless::Unknown)?;
        self.fragments.insert(name, None);
        let weight = self.set(*set)?;
        self.fragments.insert(name, Some(weight));
        Ok(weight)
    }
}

// === impl Weight ===

impl Weight {
    /// Both together, side by side.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            fields: self.fields.saturating_add(other.fields),
            aliases: self.aliases.saturating_add(other.aliases),
            cost: self.cost.saturating_add(other.cost),
            introspects: self.introspects || other.introspects,
        }
    }
}
