//! What a contract does not declare is refused: a schema that says all there is to say about an object, and nothing about other
//! members, allows none. Of schemas that are put together (`allOf` and its like), only the whole can say so.

use super::super::library::Spot;
use super::super::rules::{ObjectRules, Schema};
use super::{Compiler, Use};
use crate::tree::Shape;
use std::collections::HashSet;

/// LIMIT: schemas that are looked through for members; a whole that is made of more is closed.
const LOOKED_AT_MAX: usize = 500;

impl Compiler<'_> {
    pub(super) fn close(&self, used: Use, schema: &mut Schema) {
        let says =
            schema.object.as_ref().is_some_and(|rules| rules.additional.is_some() || rules.unevaluated.is_some());
        if says || !self.speaks_of_members(used.spot, used.resource) {
            return;
        }
        let rules = schema.object.get_or_insert_with(|| Box::new(ObjectRules::default()));
        if schema.parts.is_none() {
            rules.additional = Some(self.never());
            return;
        }
        rules.unevaluated = Some(self.never());
        rules.closed = true;
        schema.tracks = true;
    }

    /// Whether a schema or one of its parts is about objects. `{}` says nothing about anything and stays open.
    fn speaks_of_members(&self, spot: Spot, resource: u32) -> bool {
        let mut seen = HashSet::new();
        let mut waiting = vec![(spot, resource)];
        while let Some((spot, within)) = waiting.pop() {
            if !seen.insert(spot) {
                continue;
            }
            if seen.len() > LOOKED_AT_MAX || self.is_about_objects(spot) {
                return true;
            }
            let resource = self.library.resource_at(spot, within);
            for word in ["$ref", "$dynamicRef"] {
                let reference = self.library.text_at(spot, word);
                // All documents that it may lead to were opened when its parts were compiled.
                if let Some(found) = reference.and_then(|reference| self.library.resolve_known(reference, resource)) {
                    waiting.push(found);
                }
            }
            for word in ["allOf", "anyOf", "oneOf"] {
                let items = self.library.member(spot, word).map(|at| self.library.items(at)).unwrap_or_default();
                waiting.extend(items.into_iter().map(|item| (item, resource)));
            }
            for word in ["then", "else"] {
                waiting.extend(self.library.member(spot, word).map(|at| (at, resource)));
            }
            let dependents = self.library.member(spot, "dependentSchemas").map(|at| self.library.members(at));
            waiting.extend(dependents.unwrap_or_default().into_iter().map(|(_, at)| (at, resource)));
        }
        false
    }

    fn is_about_objects(&self, spot: Spot) -> bool {
        let is_object = |spot: Spot| match self.library.shape(spot) {
            Shape::Text(name) => name.as_ref() == "object",
            Shape::Null | Shape::Bool(_) | Shape::Number(_) | Shape::List(_) | Shape::Map(_) => false,
        };
        let typed = self
            .library
            .member(spot, "type")
            .is_some_and(|at| is_object(at) || self.library.items(at).into_iter().any(is_object));
        let has = |word: &&str| self.library.member(spot, word).is_some();
        let chooses = has(&"discriminator") && !["oneOf", "anyOf"].iter().any(has);
        typed || chooses || ["properties", "patternProperties"].iter().any(has)
    }
}
