//! A place in the tree and the way to it, held without allocating. A place that isn't there still has a path, and its
//! span is that of the nearest place that is.

use super::{Entry, Kind, Node, NodeId, Tree};
use crate::sources::Span;

/// A place.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    tree: &'a Tree,
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
    id: NodeId,
    key: Option<Span>,
    missing: bool,
}

/// One step of the way.
#[derive(Clone, Copy)]
pub(crate) enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    pub(crate) fn root(tree: &'a Tree, id: NodeId) -> Self {
        Self { tree, parent: None, step: Step::Root, id, key: None, missing: false }
    }

    /// What stands under a name.
    pub(crate) fn key<'b>(&'b self, name: &'b str) -> At<'b>
    where
        'a: 'b,
    {
        let entry = match (&self.node().kind, self.missing) {
            (Kind::Map(entries), false) => entries.get(name),
            _ => None,
        };
        self.child(Step::Key(name), entry.copied())
    }

    /// What stands at a place of a list, from 0.
    pub(crate) fn index<'b>(&'b self, index: usize) -> At<'b>
    where
        'a: 'b,
    {
        let item = match (&self.node().kind, self.missing) {
            (Kind::Seq(items), false) => items.get(index).copied(),
            _ => None,
        };
        let entry = item.map(|value| Entry { key: self.tree.node(value).span, value });
        let mut at = self.child(Step::Index(index), entry);
        // Items have no name of their own; what is wrong with one is shown where it starts.
        at.key = None;
        at
    }

    fn child<'b>(&'b self, step: Step<'b>, entry: Option<Entry>) -> At<'b>
    where
        'a: 'b,
    {
        match entry {
            Some(entry) => {
                At { tree: self.tree, parent: Some(self), step, id: entry.value, key: Some(entry.key), missing: false }
            }
            None => At { tree: self.tree, parent: Some(self), step, id: self.id, key: self.key, missing: true },
        }
    }

    pub(crate) fn tree(&self) -> &'a Tree {
        self.tree
    }

    pub(crate) fn id(&self) -> NodeId {
        self.id
    }

    pub(crate) fn node(&self) -> &'a Node {
        self.tree.node(self.id)
    }

    pub(crate) fn is_missing(&self) -> bool {
        self.missing
    }

    /// The name if the place has one, else the value: what to underline when the whole is wrong or incomplete.
    pub(crate) fn name_span(&self) -> Span {
        self.key.unwrap_or_else(|| self.short_span())
    }

    /// The value: what to underline when it is the value that is wrong. Sections are shown by their name.
    pub(crate) fn span(&self) -> Span {
        match self.node().kind {
            Kind::Scalar { .. } | Kind::Bad if !self.missing => self.node().span,
            Kind::Scalar { .. } | Kind::Bad | Kind::Null | Kind::Seq(_) | Kind::Map(_) => self.name_span(),
        }
    }

    /// A section without a name is shown by its first name, so that an underline stays on one line.
    fn short_span(&self) -> Span {
        let span = self.node().span;
        match &self.node().kind {
            Kind::Map(entries) => entries.first().map_or(span, |(_, entry)| entry.key),
            Kind::Seq(items) => items.first().map_or(span, |item| At { id: *item, key: None, ..*self }.short_span()),
            Kind::Bad | Kind::Null | Kind::Scalar { .. } => span,
        }
    }

    /// Whether something here or above was reported already and made up.
    pub(crate) fn is_tainted(&self) -> bool {
        if self.node().poisoned {
            return true;
        }
        if let (true, Step::Key(name)) = (self.missing, self.step)
            && self.tree.injected(self.id).contains(&name)
        {
            return true;
        }
        self.parent.is_some_and(At::is_tainted)
    }

    /// The way here from the root.
    pub(crate) fn steps(&self) -> Vec<Step<'_>> {
        let mut steps = self.parent.map(At::steps).unwrap_or_default();
        steps.push(self.step);
        steps
    }

    /// `apis.orders.routes[3].path`
    pub(crate) fn path(&self) -> String {
        let mut path = self.parent.map(At::path).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Key(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            Step::Index(index) => {
                path.push_str(&format!("[{index}]"));
            }
        }
        path
    }
}
