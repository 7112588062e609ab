//! A document as operators write it, YAML or JSON, as a tree in which every node knows its line. It knows no OpenAPI.

mod read;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;
use std::fmt;

pub(crate) use read::read;

/// A node of one tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) u32);

/// What stands somewhere.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Null,
    Bool(bool),
    /// As it is written, in JSON's grammar.
    Number(Box<str>),
    Text(Box<str>),
    List(Vec<NodeId>),
    Map(IndexMap<Box<str>, NodeId>),
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) shape: Shape,
    /// From one.
    pub(crate) line: u32,
}

/// All nodes of one file; an alias of YAML is a second way to the same node.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    root: NodeId,
    nothing: Node,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// It works, and is not what was meant.
    Warning,
    /// The document cannot be enforced.
    Error,
}

/// Something about a document, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it weighs.
    pub severity: Severity,
    /// A stable word or number of the rule.
    pub code: &'static str,
    /// The file.
    pub file: String,
    /// Where in it: a JSON Pointer.
    pub pointer: String,
    /// Where in it: a line, from one.
    pub line: u32,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

// === impl Tree ===

impl Tree {
    pub(crate) fn root(&self) -> NodeId {
        self.root
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        usize::try_from(id.0).ok().and_then(|index| self.nodes.get(index)).unwrap_or(&self.nothing)
    }

    pub(crate) fn shape(&self, id: NodeId) -> &Shape {
        &self.node(id).shape
    }

    pub(crate) fn size(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn member(&self, id: NodeId, name: &str) -> Option<NodeId> {
        self.map(id)?.get(name).copied()
    }

    pub(crate) fn map(&self, id: NodeId) -> Option<&IndexMap<Box<str>, NodeId>> {
        match self.shape(id) {
            Shape::Map(map) => Some(map),
            Shape::Null | Shape::Bool(_) | Shape::Number(_) | Shape::Text(_) | Shape::List(_) => None,
        }
    }

    pub(crate) fn list(&self, id: NodeId) -> Option<&[NodeId]> {
        match self.shape(id) {
            Shape::List(items) => Some(items),
            Shape::Null | Shape::Bool(_) | Shape::Number(_) | Shape::Text(_) | Shape::Map(_) => None,
        }
    }

    pub(crate) fn text(&self, id: NodeId) -> Option<&str> {
        match self.shape(id) {
            Shape::Text(text) => Some(text),
            Shape::Null | Shape::Bool(_) | Shape::Number(_) | Shape::List(_) | Shape::Map(_) => None,
        }
    }

    pub(crate) fn flag(&self, id: NodeId) -> Option<bool> {
        match self.shape(id) {
            Shape::Bool(flag) => Some(*flag),
            Shape::Null | Shape::Number(_) | Shape::Text(_) | Shape::List(_) | Shape::Map(_) => None,
        }
    }

    pub(crate) fn number(&self, id: NodeId) -> Option<&str> {
        match self.shape(id) {
            Shape::Number(text) => Some(text),
            Shape::Null | Shape::Bool(_) | Shape::Text(_) | Shape::List(_) | Shape::Map(_) => None,
        }
    }

    pub(crate) fn text_at(&self, id: NodeId, name: &str) -> Option<&str> {
        self.text(self.member(id, name)?)
    }

    pub(crate) fn flag_at(&self, id: NodeId, name: &str) -> Option<bool> {
        self.flag(self.member(id, name)?)
    }

    /// One step of a JSON Pointer, unescaped.
    pub(crate) fn step(&self, id: NodeId, step: &str) -> Option<NodeId> {
        match self.shape(id) {
            Shape::Map(map) => map.get(step).copied(),
            Shape::List(items) => {
                let plain = step == "0" || !step.starts_with(['0', '+']);
                items.get(plain.then(|| step.parse::<usize>().ok())??).copied()
            }
            Shape::Null | Shape::Bool(_) | Shape::Number(_) | Shape::Text(_) => None,
        }
    }
}

/// A document that is small as it is written, and is not when its aliases are.
pub(crate) fn too_large(file: &str) -> Diagnostic {
    read::Unreadable { line: 1, message: "it is too large with its aliases written out".to_owned() }.diagnostic(file)
}

/// One step of a JSON Pointer as it is meant (RFC 6901 section 4).
pub(crate) fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

// === impl Diagnostic ===

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, code, file, pointer, line, message, help } = self;
        let word = match severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(formatter, "{word}[{code}] {file}:{line} {pointer}: {message}")?;
        if help.is_empty() { Ok(()) } else { write!(formatter, " ({help})") }
    }
}

/// The pointer to a node, by what each node stands in.
pub(crate) fn append_steps(parents: &std::collections::HashMap<NodeId, (NodeId, String)>, node: NodeId) -> String {
    let (mut steps, mut at) = (Vec::new(), node);
    while let Some((parent, step)) = parents.get(&at) {
        steps.push(step.as_str());
        at = *parent;
    }
    let mut pointer = String::new();
    for step in steps.into_iter().rev() {
        pointer.push('/');
        pointer += &step.replace('~', "~0").replace('/', "~1");
    }
    pointer
}
