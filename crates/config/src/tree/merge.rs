//! Joins an included file to the file that includes it: sections of the same name become one, and a name that stands
//! in both is a mistake with two places.

use indexmap::IndexMap;

use super::build::duplicate;
use super::{Entry, Kind, NodeId, Tree};
use crate::diagnostic::Report;

/// Adds the settings of `from` to `into`. Both are roots; what isn't a section is left for the reader to report.
pub(crate) fn merge(tree: &mut Tree, report: &mut Report, into: NodeId, from: NodeId) {
    for (name, entry) in entries_of(tree, from) {
        // These two speak about the file they stand in.
        if &*name == "version" || &*name == "include" {
            continue;
        }
        let existing = match &tree.node(into).kind {
            Kind::Map(entries) => entries.get(&name).copied(),
            Kind::Bad | Kind::Null | Kind::Scalar { .. } | Kind::Seq(_) => return,
        };
        match existing {
            None => insert(tree, into, name, entry),
            Some(first) => join(tree, report, &name, first, entry),
        }
    }
}

/// Two sections of the same name; names inside of them must differ.
fn join(tree: &mut Tree, report: &mut Report, name: &str, first: Entry, second: Entry) {
    let both_are_sections =
        matches!(tree.node(first.value).kind, Kind::Map(_)) && matches!(tree.node(second.value).kind, Kind::Map(_));
    if !both_are_sections {
        report.push(duplicate(name, second.key, first.key));
        return;
    }
    for (inner, entry) in entries_of(tree, second.value) {
        let existing = match &tree.node(first.value).kind {
            Kind::Map(entries) => entries.get(&inner).copied(),
            Kind::Bad | Kind::Null | Kind::Scalar { .. } | Kind::Seq(_) => None,
        };
        match existing {
            Some(before) => report.push(duplicate(&inner, entry.key, before.key)),
            None => insert(tree, first.value, inner, entry),
        }
    }
}

fn entries_of(tree: &Tree, id: NodeId) -> IndexMap<Box<str>, Entry> {
    match &tree.node(id).kind {
        Kind::Map(entries) => entries.clone(),
        Kind::Bad | Kind::Null | Kind::Scalar { .. } | Kind::Seq(_) => IndexMap::new(),
    }
}

fn insert(tree: &mut Tree, into: NodeId, name: Box<str>, entry: Entry) {
    if let Some(node) = tree.node_mut(into)
        && let Kind::Map(entries) = &mut node.kind
    {
        entries.insert(name, entry);
    }
}
