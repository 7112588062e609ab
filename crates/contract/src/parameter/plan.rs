//! What a text may stand for: read from the schema, since `1` is a number for one and a text for another.

use super::spoken::Spoken;
use crate::json::{Builder, Json, Kind, is_number};
use crate::schema::{Library, Pattern, Spot};
use crate::tree::Shape;
use std::collections::HashSet;
use std::sync::Arc;

/// LIMIT: lists and objects within each other that a parameter may be made of.
const DEPTH_MAX: usize = 4;
/// LIMIT: schemas that are put together for one parameter.
const SCHEMAS_MAX: usize = 200;
/// LIMIT: items that have a schema of their own; later ones are read as texts.
const PREFIX_MAX: usize = 1_000;

/// Which values a text may be, and what lists and objects are made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) text: bool,
    pub(crate) number: bool,
    pub(crate) bool: bool,
    pub(crate) null: bool,
    pub(crate) array: bool,
    pub(crate) object: bool,
    /// The first items, each as it is.
    prefix: Vec<Plan>,
    items: Option<Box<Plan>>,
    pub(crate) properties: Vec<(Box<str>, Plan)>,
    patterns: Vec<(Arc<Pattern>, Plan)>,
    /// Of members that nothing names.
    rest: Option<Box<Plan>>,
    /// Members that are not named may be there.
    pub(crate) more: bool,
    /// Nobody says as what a number is meant, and there are rules for both: as a text it has to fit as well.
    pub(crate) every: bool,
}

// === impl Plan ===

impl Plan {
    /// Reads a schema and all that is about the same value.
    pub(crate) fn of(library: &Library, spot: Spot, resource: u32) -> Self {
        read(library, spot, resource, DEPTH_MAX)
    }

    /// Of a member.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let named = self.properties.iter().find(|(have, _)| have.as_ref() == name).map(|(_, plan)| plan);
        let matched = || self.patterns.iter().find(|(pattern, _)| pattern.fits(name)).map(|(_, plan)| plan);
        named.or_else(matched).or(self.rest.as_deref())
    }

    /// Of an item, by its place.
    pub(crate) fn item(&self, place: usize) -> Option<&Self> {
        self.prefix.get(place).or(self.items.as_deref())
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

    /// A single value by itself.
    pub(crate) fn alone(&self, text: &str) -> Json<'static> {
        let mut builder = Builder::default();
        self.put(text, &mut builder);
        builder.finish()
    }

    /// The same of an item.
    pub(crate) fn put_item(&self, place: usize, text: &str, builder: &mut Builder) {
        match self.item(place) {
            Some(items) => items.put(text, builder),
            None => builder.text(text),
        }
    }

    /// The same of a member.
    pub(crate) fn put_member(&self, name: &str, text: &str, builder: &mut Builder) {
        builder.name(name);
        match self.member(name) {
            Some(member) => member.put(text, builder),
            None => builder.text(text),
        }
    }

    /// Whether a number or a word could be meant as a text as well.
    pub(crate) fn is_ambiguous(&self) -> bool {
        self.text && (self.number || self.bool)
    }

    /// Whether a single value could be there in place of a list or an object.
    pub(crate) fn is_mixed(&self) -> bool {
        (self.text || self.number || self.bool) && (self.array || self.object)
    }

    /// What either of two schemas says.
    fn widen(&mut self, other: Self) {
        self.text |= other.text;
        self.number |= other.number;
        self.bool |= other.bool;
        self.null |= other.null;
        self.array |= other.array;
        self.object |= other.object;
        self.items = self.items.take().or(other.items);
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
        if depth > 0 {
            below(library, (spot, resource), depth - 1, &mut plan);
        }
    }
    let spoken = Spoken::of(library, spot, resource);
    if !typed {
        plan.array = plan.items.is_some() || !plan.prefix.is_empty();
        plan.object = !plan.properties.is_empty() || !plan.patterns.is_empty() || plan.rest.is_some();
        let single = !plan.array && !plan.object;
        let silent = !spoken.number && !spoken.text && !spoken.bool;
        plan.text = single && (silent || spoken.text);
        plan.number = single && (silent || spoken.number);
        plan.bool = single && (silent || spoken.bool);
        plan.every = spoken.rules_for_both;
    }
    // What a condition asks of numbers is not escaped by a number that is said to be a text.
    plan.every |= spoken.condition;
    plan
}

/// What a schema says of items and members.
fn below(library: &Library, (spot, resource): (Spot, u32), depth: usize, plan: &mut Plan) {
    let is_schema = |at: &Spot| matches!(library.shape(*at), Shape::Map(_));
    for word in ["items", "unevaluatedItems"] {
        if let Some(items) = library.member(spot, word).filter(|at| is_schema(at) || word == "items") {
            plan.items = Some(Box::new(read(library, items, resource, depth)));
            break;
        }
    }
    let prefix = library.member(spot, "prefixItems").map(|at| library.items(at)).unwrap_or_default();
    for (place, at) in prefix.into_iter().enumerate().take(PREFIX_MAX) {
        let item = read(library, at, resource, depth);
        match plan.prefix.get_mut(place) {
            Some(have) => have.widen(item),
            None => plan.prefix.push(item),
        }
    }
    for (name, at) in library.member(spot, "properties").map(|at| library.members(at)).unwrap_or_default() {
        plan.properties.push((name.into(), read(library, at, resource, depth)));
    }
    for (source, at) in library.member(spot, "patternProperties").map(|at| library.members(at)).unwrap_or_default() {
        // What cannot be compiled keeps the contract from loading.
        if let Ok(pattern) = Pattern::new(&source) {
            plan.patterns.push((Arc::new(pattern), read(library, at, resource, depth)));
        }
    }
    for word in ["additionalProperties", "unevaluatedProperties"] {
        let Some(at) = library.member(spot, word) else { continue };
        plan.more |= !matches!(library.shape(at), Shape::Bool(false));
        if is_schema(&at) {
            let rest = read(library, at, resource, depth);
            match &mut plan.rest {
                Some(have) => have.widen(rest),
                None => plan.rest = Some(Box::new(rest)),
            }
        }
    }
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
