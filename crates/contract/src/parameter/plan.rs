//! What a text may stand for: read from the schema, since `1` is a number for one and a text for another.

use crate::json::{Builder, Kind, is_number};
use crate::schema::{Library, Spot};
use crate::tree::Shape;
use std::collections::HashSet;

/// LIMIT: lists and objects within each other that a parameter may be made of.
const DEPTH_MAX: usize = 4;
/// LIMIT: schemas that are put together for one parameter.
const SCHEMAS_MAX: usize = 200;

/// Which values a text may be, and what lists and objects are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) text: bool,
    pub(crate) number: bool,
    pub(crate) bool: bool,
    pub(crate) null: bool,
    pub(crate) array: bool,
    pub(crate) object: bool,
    pub(crate) items: Option<Box<Plan>>,
    pub(crate) properties: Vec<(Box<str>, Plan)>,
    /// Members that are not named may be there.
    pub(crate) more: bool,
}

// === impl Plan ===

impl Plan {
    /// Reads a schema and all that is about the same value.
    pub(crate) fn of(library: &Library, spot: Spot, resource: u32) -> Self {
        read(library, spot, resource, DEPTH_MAX)
    }

    /// Of a member.
    pub(crate) fn property(&self, name: &str) -> Option<&Self> {
        self.properties.iter().find(|(have, _)| have.as_ref() == name).map(|(_, plan)| plan)
    }

    /// Puts a single value down as what it may be: a number or a word where that is allowed, else a text.
    pub(crate) fn put(&self, text: &str, builder: &mut Builder) {
        match text {
            _ if self.number && is_number(text) => builder.number(text),
            "true" | "false" if self.bool => builder.word(Kind::Bool(text == "true")),
            "null" | "" if self.null && !self.text => builder.word(Kind::Null),
            _ => builder.text(text),
        }
    }

    /// Whether a number or a word could be meant as a text as well.
    pub(crate) fn is_ambiguous(&self) -> bool {
        self.text && (self.number || self.bool)
    }
}

fn read(library: &Library, spot: Spot, resource: u32, depth: usize) -> Plan {
    let mut plan = Plan::default();
    let (mut seen, mut typed) = (HashSet::new(), false);
    let mut waiting = vec![(spot, resource)];
    while let Some((spot, within)) = waiting.pop() {
        if !seen.insert(spot) || seen.len() > SCHEMAS_MAX {
            continue;
        }
        let resource = library.resource_at(spot, within);
        if let Some(found) = library.text_at(spot, "$ref").and_then(|to| library.resolve_known(to, resource)) {
            waiting.push(found);
        }
        for word in ["allOf", "anyOf", "oneOf"] {
            let items = library.member(spot, word).map(|at| library.items(at)).unwrap_or_default();
            waiting.extend(items.into_iter().map(|item| (item, resource)));
        }
        typed |= types(library, spot, &mut plan);
        if depth == 0 {
            continue;
        }
        if let Some(items) = library.member(spot, "items") {
            plan.items = Some(Box::new(read(library, items, resource, depth - 1)));
        }
        let properties = library.member(spot, "properties").map(|at| library.members(at)).unwrap_or_default();
        for (name, at) in properties {
            plan.properties.push((name.into(), read(library, at, resource, depth - 1)));
        }
        let open = |at: Spot| !matches!(library.shape(at), Shape::Bool(false));
        plan.more |= library.member(spot, "additionalProperties").is_some_and(open);
    }
    if !typed {
        (plan.array, plan.object) = (plan.items.is_some(), !plan.properties.is_empty());
        let single = !plan.array && !plan.object;
        (plan.text, plan.number, plan.bool, plan.null) = (single, single, single, false);
    }
    plan
}

/// Adds the types that one schema allows; whether it names any.
fn types(library: &Library, spot: Spot, plan: &mut Plan) -> bool {
    let Some(at) = library.member(spot, "type") else { return false };
    let mut names: Vec<Spot> = library.items(at);
    names.push(at);
    for name in names {
        match library.shape(name) {
            Shape::Text(word) => match word.as_ref() {
                "string" => plan.text = true,
                "integer" | "number" => plan.number = true,
                "boolean" => plan.bool = true,
                "array" => plan.array = true,
                "object" => plan.object = true,
                _ => plan.null = true,
            },
            Shape::Null => plan.null = true,
            Shape::Bool(_) | Shape::Number(_) | Shape::List(_) | Shape::Map(_) => {}
        }
    }
    plan.null |= library.flag_at(spot, "nullable") == Some(true);
    true
}
