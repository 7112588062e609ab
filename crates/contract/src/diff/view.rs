//! What a schema says about a value, taken together: its own words, what it refers to, and all of `allOf`.

use super::{Differ, Place, Side};
use crate::json::Decimal;
use crate::schema::{Direction, Draft};
use crate::tree::Shape;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// LIMIT: schemas of one view.
const PARTS_MAX: usize = 200;
/// LIMIT: nodes of a part that is compared as a text, and how deep they lie.
const TEXT_NODES_MAX: usize = 10_000;
const TEXT_DEPTH_MAX: usize = 64;

/// Words whose effect nobody can compare but by their text.
const OPAQUE: &[&str] = &[
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependentRequired",
    "dependencies",
    "patternProperties",
    "propertyNames",
    "contains",
    "minContains",
    "maxContains",
    "unevaluatedProperties",
    "unevaluatedItems",
    "additionalItems",
    "prefixItems",
    "discriminator",
    "$dynamicRef",
];
/// Words that a value has to fit as they stand: a new one narrows, one that is gone widens.
const EXACT: &[&str] = &["pattern", "format", "multipleOf", "uniqueItems", "contentEncoding", "contentMediaType"];
/// Limits from below and from above.
const LIMITS: &[(&str, bool)] = &[
    ("minimum", true),
    ("exclusiveMinimum", true),
    ("minLength", true),
    ("minItems", true),
    ("minProperties", true),
    ("maximum", false),
    ("exclusiveMaximum", false),
    ("maxLength", false),
    ("maxItems", false),
    ("maxProperties", false),
];
pub(super) const TYPES: &[&str] = &["null", "boolean", "integer", "number", "string", "array", "object"];

/// What is said about members that are not named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Others {
    /// Nothing; a contract closes what it does not declare.
    #[default]
    Unsaid,
    Refused,
    Any,
    Like(Place),
}

#[derive(Debug, Default)]
pub(super) struct View {
    /// `None`: all of them.
    pub(super) types: Option<BTreeSet<&'static str>>,
    /// `None`: any value.
    pub(super) values: Option<BTreeSet<String>>,
    /// By word: the limit, and whether it is one from below.
    pub(super) limits: BTreeMap<&'static str, (String, bool)>,
    pub(super) exact: BTreeMap<&'static str, String>,
    pub(super) members: BTreeMap<String, Place>,
    pub(super) required: BTreeSet<String>,
    pub(super) others: Others,
    pub(super) items: Option<Place>,
    /// Alternatives: `anyOf` and `oneOf`, one list each.
    pub(super) ways: BTreeMap<&'static str, Vec<Place>>,
    /// What can only be compared as a text.
    pub(super) opaque: BTreeMap<&'static str, String>,
    /// It has more parts than are looked at.
    pub(super) cut: bool,
}

impl Differ<'_> {
    /// All that a schema says, for messages that go one way.
    pub(super) fn view(&mut self, side: Side, place: Place, direction: Direction) -> View {
        let mut view = View::default();
        let mut waiting = vec![place];
        let mut seen = BTreeSet::new();
        while let Some(place) = waiting.pop() {
            if !seen.insert((place.spot.file, place.spot.node)) {
                continue;
            }
            if seen.len() > PARTS_MAX {
                view.cut = true;
                break;
            }
            if let Some(reference) = self.text(side, place, "$ref") {
                let found = self.walker(side).compiler.resolve(place.spot, &reference, place.resource);
                waiting.extend(found.map(|(spot, resource, _)| Place { spot, resource }));
                if self.library(side).draft != Draft::Current {
                    continue;
                }
            }
            if let Shape::Bool(false) = self.library(side).shape(place.spot) {
                view.types = Some(BTreeSet::new());
            }
            self.own(side, place, direction, &mut view);
            let parts = self.member(side, place, "allOf").map(|at| self.library(side).items(at.spot));
            waiting.extend(parts.unwrap_or_default().into_iter().map(|spot| Place { spot, ..place }));
        }
        view
    }

    fn own(&mut self, side: Side, place: Place, direction: Direction, view: &mut View) {
        self.own_types(side, place, view);
        self.own_values(side, place, view);
        self.own_limits(side, place, view);
        self.own_members(side, place, direction, view);
        for (word, into) in EXACT.iter().map(|word| (word, true)).chain(OPAQUE.iter().map(|word| (word, false))) {
            let Some(at) = self.member(side, place, word) else { continue };
            let text = self.canonical(side, at);
            let all = if into { &mut view.exact } else { &mut view.opaque };
            let whole = all.entry(word).or_default();
            whole.push_str(&text);
            whole.push('\n');
        }
        for word in ["anyOf", "oneOf"] {
            let ways = self.member(side, place, word).map(|at| self.library(side).items(at.spot)).unwrap_or_default();
            let ways = ways.into_iter().map(|spot| Place { spot, ..place });
            view.ways.entry(word).or_default().extend(ways);
        }
        view.items = self.member(side, place, "items").or(view.items);
    }

    fn own_types(&self, side: Side, place: Place, view: &mut View) {
        let Some(at) = self.member(side, place, "type") else { return };
        let library = self.library(side);
        let mut spots = library.items(at.spot);
        spots.push(at.spot);
        let named = |name: &str| TYPES.iter().find(|have| **have == name).copied();
        let word = |spot| match library.shape(spot) {
            Shape::Text(text) => named(text),
            Shape::Null => Some("null"),
            Shape::Bool(_) | Shape::Number(_) | Shape::List(_) | Shape::Map(_) => None,
        };
        let mut types: BTreeSet<&'static str> = spots.into_iter().filter_map(word).collect();
        if library.draft == Draft::OpenApi30 && self.flag(side, place, "nullable") {
            types.insert("null");
        }
        if types.contains("number") {
            types.insert("integer");
        }
        view.types = Some(match view.types.take() {
            Some(have) => have.intersection(&types).copied().collect(),
            None => types,
        });
    }

    fn own_values(&self, side: Side, place: Place, view: &mut View) {
        let listed = self.member(side, place, "enum").map(|at| self.library(side).items(at.spot));
        let constant = self.member(side, place, "const").map(|at| vec![at.spot]);
        for spots in listed.into_iter().chain(constant) {
            let values: BTreeSet<String> =
                spots.into_iter().map(|spot| self.canonical(side, Place { spot, ..place })).collect();
            view.values = Some(match view.values.take() {
                Some(have) => have.intersection(&values).cloned().collect(),
                None => values,
            });
        }
    }

    fn own_limits(&self, side: Side, place: Place, view: &mut View) {
        for (word, is_least) in LIMITS {
            let Some(at) = self.member(side, place, word) else { continue };
            let number = match self.library(side).shape(at.spot) {
                Shape::Number(text) => text.to_string(),
                // Before 2020-12 a flag says that the limit itself is not meant.
                Shape::Bool(true) => {
                    let limit = if *is_least { "minimum" } else { "maximum" };
                    let Some(at) = self.member(side, place, limit) else { continue };
                    self.canonical(side, at)
                }
                Shape::Bool(false) | Shape::Null | Shape::Text(_) | Shape::List(_) | Shape::Map(_) => continue,
            };
            let narrower = |have: &str| {
                let wanted = if *is_least { Ordering::Greater } else { Ordering::Less };
                Decimal::of(&number).cmp(&Decimal::of(have)) == wanted
            };
            if view.limits.get(word).is_none_or(|(have, _)| narrower(have)) {
                view.limits.insert(word, (number, *is_least));
            }
        }
    }

    fn own_members(&mut self, side: Side, place: Place, direction: Direction, view: &mut View) {
        let properties = self.member(side, place, "properties");
        let hidden = match direction {
            Direction::Request => "readOnly",
            Direction::Answer => "writeOnly",
        };
        for (name, at) in self.members(side, properties) {
            let meant = self.target(side, at);
            let is_hidden = |at: Option<Place>| at.is_some_and(|at| self.flag(side, at, hidden));
            if !is_hidden(Some(at)) && !is_hidden(meant) {
                view.members.entry(name).or_insert(at);
            }
        }
        let required = self.member(side, place, "required").map(|at| self.library(side).items(at.spot));
        for spot in required.unwrap_or_default() {
            let name = self.library(side).tree(spot).and_then(|tree| tree.text(spot.node)).map(str::to_owned);
            view.required.extend(name);
        }
        if let Some(at) = self.member(side, place, "additionalProperties") {
            let said = match self.library(side).shape(at.spot) {
                Shape::Bool(true) => Others::Any,
                Shape::Bool(false) => Others::Refused,
                Shape::Map(map) if map.is_empty() => Others::Any,
                Shape::Map(_) | Shape::Null | Shape::Number(_) | Shape::Text(_) | Shape::List(_) => Others::Like(at),
            };
            // Of several, one that refuses counts.
            view.others = if view.others == Others::Refused { Others::Refused } else { said };
        }
    }

    /// A part as a text that is the same for the same meaning: names in order, no words for people.
    pub(super) fn canonical(&self, side: Side, place: Place) -> String {
        let mut out = String::new();
        let mut left = TEXT_NODES_MAX;
        self.write(side, place, 0, &mut left, &mut out);
        out
    }

    fn write(&self, side: Side, place: Place, depth: usize, left: &mut usize, out: &mut String) {
        const SILENT: &[&str] =
            &["title", "description", "example", "examples", "$comment", "externalDocs", "deprecated"];
        if depth > TEXT_DEPTH_MAX || *left == 0 {
            return;
        }
        *left -= 1;
        let library = self.library(side);
        match library.shape(place.spot) {
            Shape::Null => out.push_str("null"),
            Shape::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Shape::Number(text) => out.push_str(text),
            Shape::Text(text) => out.push_str(&format!("{text:?}")),
            Shape::List(_) => {
                out.push('[');
                for spot in library.items(place.spot) {
                    self.write(side, Place { spot, ..place }, depth + 1, left, out);
                    out.push(',');
                }
                out.push(']');
            }
            Shape::Map(_) => {
                let mut members = library.members(place.spot);
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                out.push('{');
                let said =
                    members.into_iter().filter(|(name, _)| !SILENT.contains(&name.as_str()) && !name.starts_with("x-"));
                for (name, spot) in said {
                    out.push_str(&format!("{name:?}:"));
                    self.write(side, Place { spot, ..place }, depth + 1, left, out);
                    out.push(',');
                }
                out.push('}');
            }
        }
    }
}
