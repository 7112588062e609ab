//! Values that a schema names: `enum` and `const`.

use crate::json::{Builder, DEPTH_CAP, Item, Json, Kind};
use crate::tree::{NodeId, Shape, Tree};

/// LIMIT: values that one `enum` or `const` may hold, with all that aliases repeat.
const VALUES_MAX: usize = 100_000;

/// A list of values of which one has to be met.
#[derive(Debug)]
pub(super) enum Constants {
    /// Texts only, in order.
    Texts(Box<[Box<str>]>),
    /// An array of them.
    Any(Json<'static>),
}

// === impl Constants ===

impl Constants {
    /// `None` where they are too many.
    pub(super) fn of(tree: &Tree, values: &[NodeId]) -> Option<Self> {
        let texts: Option<Vec<Box<str>>> = values.iter().map(|id| tree.text(*id).map(Box::from)).collect();
        if let Some(mut texts) = texts {
            texts.sort_unstable();
            texts.dedup();
            return Some(Self::Texts(texts.into()));
        }
        let mut left = VALUES_MAX;
        let mut builder = Builder::default();
        builder.open(Kind::Array);
        for id in values {
            build(tree, *id, &mut builder, &mut left)?;
        }
        builder.close();
        Some(Self::Any(builder.finish()))
    }

    /// Whether a value is one of them; `None` where that would take more than `work`.
    pub(super) fn hold(&self, item: Item<'_>, work: &mut u64) -> Option<bool> {
        match self {
            Self::Texts(texts) => {
                let found = texts.binary_search_by(|text| text.as_ref().cmp(item.text()));
                Some(item.kind() == Kind::Text && found.is_ok())
            }
            Self::Any(values) => {
                for value in values.root().items() {
                    if value.same(item, work)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
        }
    }
}

fn build(tree: &Tree, id: NodeId, builder: &mut Builder, left: &mut usize) -> Option<()> {
    *left = left.checked_sub(1)?;
    // LIMIT: aliases within aliases make a value deeper than a text can be.
    if builder.depth() >= DEPTH_CAP {
        return None;
    }
    match tree.shape(id) {
        Shape::Null => builder.word(Kind::Null),
        Shape::Bool(flag) => builder.word(Kind::Bool(*flag)),
        Shape::Number(text) => builder.number(text),
        Shape::Text(text) => builder.text(text),
        Shape::List(items) => {
            builder.open(Kind::Array);
            for item in items {
                build(tree, *item, builder, left)?;
            }
            builder.close();
        }
        Shape::Map(map) => {
            builder.open(Kind::Object);
            for (name, value) in map {
                builder.name(name);
                build(tree, *value, builder, left)?;
            }
            builder.close();
        }
    }
    Some(())
}
