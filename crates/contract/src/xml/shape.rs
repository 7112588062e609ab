//! What elements and attributes stand for, read from a schema and its `xml` objects (OpenAPI 3.1, section 4.8.26).

use crate::schema::{Library, Pattern, Spot};
use crate::tree::Shape as Written;
use std::collections::{HashMap, HashSet};

/// LIMIT: shapes of one document; what is beyond has no members.
const SHAPES_MAX: usize = 100_000;
/// LIMIT: values within each other, up to the first that was met before.
const DEPTH_MAX: usize = 200;
/// LIMIT: schemas that are put together for one value.
const SCHEMAS_MAX: usize = 200;

/// All shapes of a document, each place of it once.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    all: Vec<Shape>,
    known: HashMap<Spot, usize>,
}

/// What a whole body is.
#[derive(Debug)]
pub(crate) struct Root {
    /// What the outermost element is called; nothing where nobody says.
    pub(super) label: Option<Label>,
    pub(super) shape: usize,
}

/// What a value is made of.
#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) text: bool,
    pub(super) number: bool,
    pub(super) bool: bool,
    pub(super) null: bool,
    pub(super) object: bool,
    /// Of an array: what its items are called, where they have a name of their own, and their shape.
    pub(super) items: Option<(Option<Label>, usize)>,
    pub(super) members: Vec<Member>,
    pub(super) patterns: Vec<(Pattern, usize)>,
    /// Of members that nothing names.
    pub(super) others: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Member {
    /// What the schema calls it.
    pub(super) name: Box<str>,
    pub(super) label: Label,
    pub(super) is_attribute: bool,
    /// Whether the items of an array stand in an element of their own.
    pub(super) is_wrapped: bool,
    pub(super) shape: usize,
}

/// What an element or an attribute is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) local: Box<str>,
    /// Where there is a prefix without one, the prefix counts.
    pub(super) space: Option<Box<str>>,
    pub(super) prefix: Option<Box<str>>,
}

/// What an `xml` object says.
#[derive(Debug, Default)]
struct Said {
    name: Option<Box<str>>,
    space: Option<Box<str>>,
    prefix: Option<Box<str>>,
    is_attribute: bool,
    is_wrapped: bool,
}

struct Reader<'l> {
    library: &'l Library,
    shapes: &'l mut Shapes,
}

// === impl Shapes ===

impl Shapes {
    /// What a body of the schema at a place is.
    pub(crate) fn root(&mut self, library: &Library, spot: Spot, resource: u32) -> Root {
        let mut reader = Reader { library, shapes: self };
        let said = reader.said(spot, resource);
        // A component is called as it is among the components.
        let named = library.text_at(spot, "$ref").and_then(|reference| reference.rsplit('/').next()).map(Into::into);
        Root { label: said.name.clone().or(named).map(|name| said.label(name)), shape: reader.shape(spot, resource, 0) }
    }

    pub(super) fn shape(&self, index: usize) -> Option<&Shape> {
        self.all.get(index)
    }
}

// === impl Shape ===

impl Shape {
    /// The shape of a member that is not among `members`.
    pub(super) fn unnamed(&self, name: &str) -> Option<usize> {
        let matched = self.patterns.iter().find(|(pattern, _)| pattern.fits(name)).map(|(_, shape)| *shape);
        matched.or(self.others)
    }
}

// === impl Said ===

impl Said {
    fn label(&self, fallback: Box<str>) -> Label {
        let local = self.name.clone().unwrap_or(fallback);
        Label { local, space: self.space.clone(), prefix: self.prefix.clone() }
    }
}

// === impl Reader ===

impl Reader<'_> {
    /// The number of the shape of a place; a place that was met is not read again, so that circles end.
    fn shape(&mut self, spot: Spot, resource: u32, depth: usize) -> usize {
        if let Some(known) = self.shapes.known.get(&spot) {
            return *known;
        }
        let index = self.shapes.all.len();
        self.shapes.all.push(Shape::default());
        self.shapes.known.insert(spot, index);
        if index >= SHAPES_MAX || depth > DEPTH_MAX {
            return index;
        }
        let library = self.library;
        let (mut shape, mut typed) = (Shape::default(), false);
        for (spot, resource) in self.about(spot, resource) {
            typed |= types(library, spot, &mut shape);
            if let Some(items) = library.member(spot, "items") {
                let said = self.said(items, resource);
                let label = said.name.clone().map(|name| said.label(name));
                shape.items = Some((label, self.shape(items, resource, depth + 1)));
            }
            let properties = library.member(spot, "properties").map(|at| library.members(at)).unwrap_or_default();
            for (name, at) in properties {
                let said = self.said(at, resource);
                let name: Box<str> = name.into();
                shape.members.retain(|member| member.name != name);
                shape.members.push(Member {
                    label: said.label(name.clone()),
                    name,
                    is_attribute: said.is_attribute,
                    is_wrapped: said.is_wrapped,
                    shape: self.shape(at, resource, depth + 1),
                });
            }
            self.unnamed(spot, resource, depth, &mut shape);
        }
        shape.object |= !typed && (!shape.members.is_empty() || !shape.patterns.is_empty() || shape.others.is_some());
        shape.text |= !typed && !shape.object && shape.items.is_none();
        if let Some(place) = self.shapes.all.get_mut(index) {
            *place = shape;
        }
        index
    }

    /// Members without names of their own.
    fn unnamed(&mut self, spot: Spot, resource: u32, depth: usize, shape: &mut Shape) {
        let library = self.library;
        let patterns = library.member(spot, "patternProperties").map(|at| library.members(at)).unwrap_or_default();
        for (source, at) in patterns {
            // What cannot be compiled keeps the contract from loading.
            if let Ok(pattern) = Pattern::new(&source) {
                shape.patterns.push((pattern, self.shape(at, resource, depth + 1)));
            }
        }
        for word in ["additionalProperties", "unevaluatedProperties"] {
            let found = library.member(spot, word).filter(|at| matches!(library.shape(*at), Written::Map(_)));
            if let Some(at) = found {
                shape.others = shape.others.or(Some(self.shape(at, resource, depth + 1)));
            }
        }
    }

    /// All places that speak of the same value.
    fn about(&self, spot: Spot, resource: u32) -> Vec<(Spot, u32)> {
        let (mut seen, mut all, mut waiting) = (HashSet::new(), Vec::new(), vec![(spot, resource)]);
        while let Some((spot, within)) = waiting.pop() {
            if !seen.insert(spot) || seen.len() > SCHEMAS_MAX {
                continue;
            }
            let resource = self.library.resource_at(spot, within);
            let reference = self.library.text_at(spot, "$ref");
            waiting.extend(reference.and_then(|to| self.library.resolve_known(to, resource)));
            for word in ["allOf", "anyOf", "oneOf"] {
                let items = self.library.member(spot, word).map(|at| self.library.items(at)).unwrap_or_default();
                waiting.extend(items.into_iter().map(|item| (item, resource)));
            }
            all.push((spot, resource));
        }
        all
    }

    /// What the nearest `xml` object says: of the place itself, or of what it refers to.
    fn said(&self, spot: Spot, resource: u32) -> Said {
        let library = self.library;
        let found = self.about(spot, resource).into_iter().find_map(|(spot, _)| library.member(spot, "xml"));
        let Some(at) = found else { return Said::default() };
        let text = |word: &str| library.text_at(at, word).map(Into::into);
        let flag = |word: &str| library.flag_at(at, word) == Some(true);
        Said {
            name: text("name"),
            space: text("namespace"),
            prefix: text("prefix"),
            is_attribute: flag("attribute"),
            is_wrapped: flag("wrapped"),
        }
    }
}

/// Adds the types that one schema allows; whether it names any.
fn types(library: &Library, spot: Spot, shape: &mut Shape) -> bool {
    let Some(at) = library.member(spot, "type") else { return false };
    let mut names = library.items(at);
    names.push(at);
    for name in names {
        let Written::Text(word) = library.shape(name) else { continue };
        match word.as_ref() {
            "string" => shape.text = true,
            "integer" | "number" => shape.number = true,
            "boolean" => shape.bool = true,
            "object" => shape.object = true,
            "null" => shape.null = true,
            _ => {}
        }
    }
    shape.null |= library.flag_at(spot, "nullable") == Some(true);
    true
}
