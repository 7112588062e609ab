//! One schema: its types, its values, and what else the same value has to fit.

use super::super::constant::Constants;
use super::super::library::{Draft, Spot};
use super::super::rules::{Parts, Schema, SchemaId, Types};
use super::{Compiler, Use};
use crate::tree::Shape;

/// Words that say nothing about what fits.
const ANNOTATIONS: &[&str] = &[
    "$comment",
    "title",
    "description",
    "default",
    "example",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "summary",
    "externalDocs",
    "xml",
];

impl Compiler<'_> {
    /// The reference of a schema that says nothing else.
    pub(super) fn only_reference(&self, spot: Spot) -> Option<String> {
        let reference = self.library.text_at(spot, "$ref")?;
        if self.library.draft == Draft::Current {
            let map = self.library.tree(spot)?.map(spot.node)?;
            let silent = |name: &str| name == "$ref" || name.starts_with("x-") || ANNOTATIONS.contains(&name);
            if !map.keys().all(|name| silent(name)) {
                return None;
            }
        }
        Some(reference.to_owned())
    }

    pub(super) fn build(&mut self, used: Use) -> Schema {
        match self.library.shape(used.spot) {
            Shape::Bool(value) => {
                return Schema { always: Some(*value), resource: used.resource, ..Schema::default() };
            }
            Shape::Map(_) => {}
            Shape::Null | Shape::Number(_) | Shape::Text(_) | Shape::List(_) => {
                self.error(used.spot, "schema", "a schema must be an object".to_owned(), "");
                return Schema { always: Some(false), ..Schema::default() };
            }
        }
        let mut schema = Schema { resource: used.resource, marks: self.all_marks(used), ..Schema::default() };
        if let Some(reference) = self.only_reference(used.spot) {
            // Only a resource of its own comes here; all others were followed.
            let target = match self.resolve(used.spot, &reference, used.resource) {
                Some((spot, resource, _)) => self.wanted((spot, resource), used.closed, used.direction, used.chosen),
                None => self.never(),
            };
            schema.parts = Some(Box::new(Parts { reference: Some(target), ..Parts::default() }));
            return schema;
        }
        let validates = self.validates(used.resource);
        if validates {
            schema.types = self.types(used.spot);
            schema.constants = self.constants(used.spot);
        }
        schema.number = self.number_rules(used, schema.types, validates).map(Box::new);
        schema.text = self.text_rules(used, validates).map(Box::new);
        schema.array = self.array_rules(used, validates).map(Box::new);
        schema.object = self.object_rules(used, validates).map(Box::new);
        schema.parts = self.parts(used).map(Box::new);
        schema.tracks = schema.array.as_ref().is_some_and(|rules| rules.unevaluated.is_some())
            || schema.object.as_ref().is_some_and(|rules| rules.unevaluated.is_some());
        if used.closed {
            self.close(used, &mut schema);
        }
        schema
    }

    /// Whether the vocabulary of validation counts in a resource (2020-12 core, section 8.1.2).
    fn validates(&mut self, resource: u32) -> bool {
        if self.library.draft != Draft::Current {
            return true;
        }
        if let Some(known) = self.asked.get(&resource) {
            return *known;
        }
        self.asked.insert(resource, true);
        let root = self.library.root_of(resource);
        let metaschema = root.and_then(|root| self.library.text_at(root, "$schema")).map(str::to_owned);
        let own = "https://json-schema.org/draft/2020-12/schema";
        let Some(metaschema) = metaschema.filter(|name| name.trim_end_matches('#') != own) else { return true };
        let found = self.library.resolve(&metaschema, resource, &mut *self.fetch).ok();
        let words = found.and_then(|(spot, _, _)| self.library.member(spot, "$vocabulary"));
        let word = "https://json-schema.org/draft/2020-12/vocab/validation";
        let counts = words.is_none_or(|words| self.library.member(words, word).is_some());
        self.asked.insert(resource, counts);
        counts
    }

    fn types(&mut self, spot: Spot) -> Types {
        let Some(at) = self.library.member(spot, "type") else { return Types::default() };
        let names: Vec<Option<String>> = match self.library.shape(at) {
            Shape::Text(name) => vec![Some(name.to_string())],
            Shape::List(_) => {
                let items = self.library.items(at);
                let text = |item: &Spot| match self.library.shape(*item) {
                    Shape::Text(name) => Some(name.to_string()),
                    // YAML reads the word as nothing.
                    Shape::Null => Some("null".to_owned()),
                    Shape::Bool(_) | Shape::Number(_) | Shape::List(_) | Shape::Map(_) => None,
                };
                items.iter().map(text).collect()
            }
            Shape::Null => vec![Some("null".to_owned())],
            Shape::Bool(_) | Shape::Number(_) | Shape::Map(_) => vec![None],
        };
        let mut types = Types::NONE;
        for name in names {
            // What Swagger 2 called a file is a text of bytes in OpenAPI 3.
            match name.as_deref().and_then(Types::named) {
                Some(more) => types = types.with(more),
                None => {
                    let name = crate::text::short(name.as_deref().unwrap_or("?"));
                    self.error(
                        at,
                        "type",
                        format!("`{name}` is no type"),
                        "string, number, integer, boolean, array, object",
                    );
                }
            }
        }
        let nullable = self.library.flag_at(spot, "nullable") == Some(true);
        if self.library.draft == Draft::OpenApi30 && nullable { types.with(Types::NULL) } else { types }
    }

    fn constants(&mut self, spot: Spot) -> Box<[(&'static str, Constants)]> {
        let mut all = Vec::new();
        let listed = self.library.member(spot, "enum").map(|at| (at, "enum", self.library.items(at)));
        let constant = self.library.member(spot, "const").filter(|_| self.library.draft == Draft::Current);
        let constant = constant.map(|at| (at, "const", vec![at]));
        for (at, keyword, values) in listed.into_iter().chain(constant) {
            let nodes: Vec<_> = values.iter().map(|value| value.node).collect();
            match self.library.tree(spot).and_then(|tree| Constants::of(tree, &nodes)) {
                Some(constants) => all.push((keyword, constants)),
                None => self.error(at, "size", "the values that it lists are too many, or too deep".to_owned(), ""),
            }
        }
        all.into()
    }

    /// Schemas about the same value: none of them alone says all there is to say.
    pub(super) fn part(&mut self, spot: Spot, used: Use) -> SchemaId {
        self.want(spot, used.resource, false, used.direction)
    }

    /// What is chosen stays so in `allOf`, which every value of the schema fits as well.
    fn listed(&mut self, used: Use, word: &str, chosen: Option<u32>) -> Option<Box<[SchemaId]>> {
        let at = self.library.member(used.spot, word)?;
        let spots = self.library.items(at);
        if spots.is_empty() {
            self.error(at, "schema", format!("`{word}` must list at least one schema"), "");
            return Some(Box::new([self.never()]));
        }
        let want = |spot| self.wanted((spot, used.resource), false, used.direction, chosen);
        Some(spots.into_iter().map(want).collect())
    }

    fn parts(&mut self, used: Use) -> Option<Parts> {
        let current = self.library.draft == Draft::Current;
        let mut parts = Parts::default();
        if let Some(reference) = self.library.text_at(used.spot, "$ref").map(str::to_owned) {
            let target = self.resolve(used.spot, &reference, used.resource);
            parts.reference = Some(match target {
                Some((spot, resource, _)) => self.wanted((spot, resource), false, used.direction, used.chosen),
                None => self.never(),
            });
        }
        if current && let Some(reference) = self.library.text_at(used.spot, "$dynamicRef").map(str::to_owned) {
            self.dynamic_reference(used, &reference, &mut parts);
        }
        parts.all = self.listed(used, "allOf", used.chosen).unwrap_or_default();
        parts.any = self.listed(used, "anyOf", None);
        parts.one = self.listed(used, "oneOf", None);
        parts.not = self.library.member(used.spot, "not").map(|spot| self.part(spot, used));
        if current && let Some(condition) = self.library.member(used.spot, "if") {
            let condition = self.part(condition, used);
            let mut branch = |word| self.library.member(used.spot, word).map(|spot| self.part(spot, used));
            parts.condition = Some((condition, branch("then"), branch("else")));
        }
        let dependents = self.library.member(used.spot, if current { "dependentSchemas" } else { "dependencies" });
        let dependents = dependents.map(|at| self.library.members(at)).unwrap_or_default();
        let schemas = dependents.into_iter().filter(|(_, spot)| !matches!(self.library.shape(*spot), Shape::List(_)));
        let schemas: Vec<_> = schemas.collect();
        parts.dependents = schemas.into_iter().map(|(name, spot)| (name.into(), self.part(spot, used))).collect();
        parts.discriminator = self.discriminator(used);
        let silent = parts.reference.is_none()
            && parts.dynamic.is_none()
            && parts.all.is_empty()
            && parts.any.is_none()
            && parts.one.is_none()
            && parts.not.is_none()
            && parts.condition.is_none()
            && parts.dependents.is_empty()
            && parts.discriminator.is_none();
        (!silent).then_some(parts)
    }

    fn dynamic_reference(&mut self, used: Use, reference: &str, parts: &mut Parts) {
        let Some((spot, resource, anchor)) = self.resolve(used.spot, reference, used.resource) else {
            parts.dynamic = Some((self.never(), u32::MAX));
            return;
        };
        let target = self.want(spot, resource, false, used.direction);
        // Only where the anchor that is found first is a dynamic one itself.
        let dynamic = anchor.filter(|name| self.library.dynamic.get(&(resource, name.clone())) == Some(&spot));
        let name = match dynamic {
            Some(name) => {
                let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
                *self.names.entry(name).or_insert(next)
            }
            None => u32::MAX,
        };
        parts.dynamic = Some((target, name));
    }
}
