//! A configuration as a tree in which every node knows its place. Knows YAML's shapes, not ours.

mod at;
mod build;
mod merge;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use indexmap::IndexMap;

pub(crate) use at::{At, Step};
pub(crate) use build::build;
pub(crate) use merge::merge;

use crate::sources::Span;

/// A node of one tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NodeId(u32);

/// What stands somewhere.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
    /// A mistake here was reported already; what is read from it is made up and must not be reported again.
    pub(crate) poisoned: bool,
}

/// The shapes that a node can have.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Unreadable, and reported already.
    Bad,
    /// Nothing: `key:`.
    Null,
    /// Text as it was written, so that `1.10` and `010` keep their characters.
    Scalar { text: Box<str>, plain: bool },
    /// A list.
    Seq(Vec<NodeId>),
    /// Names and values, in the order of the file.
    Map(IndexMap<Box<str>, Entry>),
}

/// One name of a map, and what it stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) key: Span,
    pub(crate) value: NodeId,
}

/// All nodes of all files; an alias is a second way to the same node.
pub(crate) struct Tree {
    nodes: Vec<Node>,
    bad: Node,
    injected: HashMap<NodeId, Vec<&'static str>>,
}

impl Default for Tree {
    fn default() -> Self {
        let bad = Node { span: Span::nowhere(), kind: Kind::Bad, poisoned: true };
        Self { nodes: Vec::new(), bad, injected: HashMap::new() }
    }
}

impl Tree {
    pub(crate) fn add(&mut self, span: Span, kind: Kind) -> NodeId {
        let id = NodeId(crate::sources::narrow(self.nodes.len()));
        let poisoned = matches!(kind, Kind::Bad);
        self.nodes.push(Node { span, kind, poisoned });
        id
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        usize::try_from(id.0).ok().and_then(|index| self.nodes.get(index)).unwrap_or(&self.bad)
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(usize::try_from(id.0).ok()?)
    }

    pub(crate) fn poison(&mut self, id: NodeId) {
        if let Some(node) = self.node_mut(id) {
            node.poisoned = true;
        }
    }

    /// Remembers that a required name is missing and was reported, so that its value is made up from now on.
    pub(crate) fn inject(&mut self, id: NodeId, name: &'static str) {
        let names = self.injected.entry(id).or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }

    pub(crate) fn injected(&self, id: NodeId) -> &[&'static str] {
        self.injected.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Gives an entry the name that was meant, once the slip has been reported.
    pub(crate) fn rename(&mut self, id: NodeId, written: &str, meant: &str) {
        if let Some(Node { kind: Kind::Map(entries), .. }) = self.node_mut(id)
            && !entries.contains_key(meant)
            && let Some(entry) = entries.shift_remove(written)
        {
            entries.insert(meant.into(), entry);
        }
    }
}

impl Kind {
    /// How a message calls what it found.
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Self::Bad => "something unreadable",
            Self::Null => "nothing",
            Self::Scalar { .. } => "a single value",
            Self::Seq(_) => "a list",
            Self::Map(_) => "a section",
        }
    }
}
