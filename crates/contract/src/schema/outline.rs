//! What a schema declares, as a graph for those who follow a value while it passes. It is taken from the compiled schemas, so
//! that what is declared here is what judging knows.
//!
//! Of schemas put together, what any of them declares is declared. `{}` declares anything; an object without properties and
//! a list without items declare nothing that is in them.

use super::Schemas;
use super::rules::{ObjectRules, Parts, Schema, SchemaId, Types};
use portcullis_types::outline::{Mark, Member, Outline, Shape};
use std::collections::HashMap;

/// LIMIT: shapes of one outline.
const SHAPES_MAX: usize = 65_536;

struct Sketch<'s> {
    schemas: &'s Schemas,
    known: HashMap<SchemaId, u32>,
    waiting: Vec<SchemaId>,
    marks: HashMap<u32, u32>,
    outline: Outline,
}

// === impl Schemas ===

impl Schemas {
    /// Whether any schema is marked.
    pub(crate) fn has_marks(&self) -> bool {
        !self.marks.is_empty()
    }

    /// What a schema itself is marked with, and what these marks say.
    pub(crate) fn marks_of<'s>(&'s self, id: SchemaId, more: &'s [u32]) -> impl Iterator<Item = &'s Mark> {
        let own = self.schema(id).map_or(&[][..], |schema| &schema.marks);
        own.iter().chain(more).filter_map(|mark| self.marks.get(usize::try_from(*mark).ok()?))
    }

    /// All that these schemas declare; `None` where that is more than can be followed.
    pub(crate) fn outline(&self, roots: &[SchemaId]) -> Option<Outline> {
        let outline = Outline::default();
        let mut sketch =
            Sketch { schemas: self, known: HashMap::new(), waiting: Vec::new(), marks: HashMap::new(), outline };
        for root in roots {
            let shape = sketch.want(*root);
            sketch.outline.roots.push((root.0, shape));
        }
        while let Some(id) = sketch.waiting.pop() {
            if sketch.known.len() > SHAPES_MAX {
                return None;
            }
            let shape = sketch.shape(id);
            let at = sketch.known.get(&id).and_then(|number| usize::try_from(*number).ok());
            if let Some(place) = at.and_then(|at| sketch.outline.shapes.get_mut(at)) {
                *place = shape;
            }
        }
        sketch.outline.roots.sort_unstable();
        sketch.outline.roots.dedup();
        Some(sketch.outline)
    }
}

// === impl Sketch ===

impl Sketch<'_> {
    /// The number of a schema's shape, which is made later.
    fn want(&mut self, id: SchemaId) -> u32 {
        if let Some(number) = self.known.get(&id) {
            return *number;
        }
        let number = u32::try_from(self.outline.shapes.len()).unwrap_or(u32::MAX);
        self.outline.shapes.push(Shape::default());
        self.known.insert(id, number);
        self.waiting.push(id);
        number
    }

    /// Whether a schema is `false`: what nothing fits is not declared by being forbidden.
    fn is_never(&self, id: SchemaId) -> bool {
        self.schemas.schema(id).is_none_or(|schema| schema.always == Some(false))
    }

    fn all(&mut self, ids: impl IntoIterator<Item = SchemaId>) -> Vec<u32> {
        ids.into_iter().map(|id| self.want(id)).collect()
    }

    fn shape(&mut self, id: SchemaId) -> Shape {
        let schemas = self.schemas;
        let Some(schema) = schemas.schema(id) else { return Shape::default() };
        let mut shape = Shape { marks: self.marks(&schema.marks), ..Shape::default() };
        if let Some(always) = schema.always {
            shape.anything = always;
            return shape;
        }
        let is_silent = schema.number.is_none()
            && schema.text.is_none()
            && schema.array.is_none()
            && schema.object.is_none()
            && schema.parts.is_none()
            && schema.constants.is_empty();
        let untyped = schema.types == Types::default();
        shape.anything = untyped && is_silent;
        shape.scalar = is_scalar(schema, untyped);
        if let Some(rules) = schema.array.as_deref() {
            shape.prefix = self.all(rules.prefix.iter().copied());
            let items = rules.rest.or(rules.unevaluated).filter(|id| !self.is_never(*id));
            shape.items = items.map(|id| self.want(id));
        }
        if let Some(rules) = schema.object.as_deref() {
            self.object(rules, &mut shape);
        }
        if let Some(parts) = schema.parts.as_deref() {
            shape.parts = self.parts(parts);
        }
        shape
    }

    fn object(&mut self, rules: &ObjectRules, shape: &mut Shape) {
        // Names without a property are required or asked about, and not declared by that.
        let properties = rules.names.all().zip(&rules.properties);
        for (name, property) in properties {
            if let Some(schema) = property.schema {
                let declared = property.refused.is_none() && !self.is_never(schema);
                shape.members.push(Member { name: name.into(), shape: self.want(schema), declared });
            }
        }
        shape.patterned = self.all(rules.patterns.iter().map(|(_, id)| *id));
        let others = rules.additional.or(rules.unevaluated).filter(|id| !self.is_never(*id));
        shape.others = others.map(|id| self.want(id));
    }

    /// Schemas about the same value. What must not fit declares nothing, and neither does a condition.
    fn parts(&mut self, parts: &Parts) -> Vec<u32> {
        let mut ids: Vec<SchemaId> = parts.reference.into_iter().chain(parts.all.iter().copied()).collect();
        ids.extend(parts.any.iter().chain(&parts.one).flat_map(|ways| ways.iter().copied()));
        if let Some((_, then, otherwise)) = parts.condition {
            ids.extend(then.into_iter().chain(otherwise));
        }
        ids.extend(parts.dependents.iter().map(|(_, id)| *id));
        ids.extend(parts.discriminator.iter().flat_map(|one| one.table.iter().map(|(_, id)| *id)));
        if let Some((target, name)) = parts.dynamic {
            ids.push(target);
            let mut others: Vec<_> = self.schemas.dynamic.iter().filter(|((_, own), _)| *own == name).collect();
            others.sort_unstable_by_key(|(key, _)| **key);
            ids.extend(others.into_iter().map(|(_, id)| *id));
        }
        ids.retain(|id| !self.is_never(*id));
        let mut numbers = self.all(ids);
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    fn marks(&mut self, marks: &[u32]) -> Vec<u32> {
        let (known, outline) = (&mut self.marks, &mut self.outline);
        let mut numbers = Vec::new();
        for mark in marks {
            let Some(said) = usize::try_from(*mark).ok().and_then(|at| self.schemas.marks.get(at)) else { continue };
            numbers.push(*known.entry(*mark).or_insert_with(|| {
                outline.marks.push(said.clone());
                u32::try_from(outline.marks.len()).unwrap_or(u32::MAX).saturating_sub(1)
            }));
        }
        numbers
    }
}

/// Whether it speaks of texts, numbers, true and false.
fn is_scalar(schema: &Schema, untyped: bool) -> bool {
    if untyped {
        return schema.number.is_some() || schema.text.is_some() || !schema.constants.is_empty();
    }
    [Types::BOOL, Types::INTEGER, Types::TEXT].into_iter().any(|one| schema.types.has(one))
}
