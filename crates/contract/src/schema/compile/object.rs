//! What a schema says about objects.

use super::super::library::{Draft, Spot};
use super::super::rules::{ObjectRules, Property};
use super::{Compiler, HOPS_MAX, Use};
use crate::schema::Direction;
use crate::tree::Shape;

impl Compiler<'_> {
    pub(super) fn object_rules(&mut self, used: Use, validates: bool) -> Option<ObjectRules> {
        let spot = used.spot;
        let current = self.library.draft == Draft::Current;
        let mut rules = ObjectRules::default();
        self.properties(used, &mut rules);
        if validates {
            rules.least = self.count(spot, "minProperties").unwrap_or(0);
            rules.most = self.count(spot, "maxProperties");
            self.required(used, &mut rules);
            self.dependent(spot, &mut rules);
        }
        let patterns = self.library.member(spot, "patternProperties").map(|at| self.library.members(at));
        let mut all = Vec::new();
        for (source, at) in patterns.unwrap_or_default() {
            let id = self.inner(at, used);
            // Without its expression a rule would say nothing: the error that was noted keeps the contract from loading.
            all.extend(self.pattern(at, &source).map(|pattern| (pattern, id)));
        }
        rules.patterns = all.into();
        rules.additional = self.library.member(spot, "additionalProperties").map(|at| self.inner(at, used));
        if current {
            rules.property_names = self.library.member(spot, "propertyNames").map(|at| self.part(at, used));
            rules.unevaluated = self.library.member(spot, "unevaluatedProperties").map(|at| self.inner(at, used));
        }
        let silent = rules.least == 0
            && rules.most.is_none()
            && rules.names.len() == 0
            && rules.patterns.is_empty()
            && rules.additional.is_none()
            && rules.property_names.is_none()
            && rules.unevaluated.is_none();
        (!silent).then_some(rules)
    }

    fn properties(&mut self, used: Use, rules: &mut ObjectRules) {
        let Some(at) = self.library.member(used.spot, "properties") else { return };
        for (name, spot) in self.library.members(at) {
            rules.names.add(&name);
            let refused = match used.direction {
                _ if !self.settings.openapi => None,
                Direction::Request => self.says(spot, used.resource, "readOnly").then_some("readOnly"),
                Direction::Answer => self.says(spot, used.resource, "writeOnly").then_some("writeOnly"),
            };
            let schema = Some(self.inner(spot, used));
            rules.properties.push(Property { schema, refused });
        }
    }

    /// Whether a schema, or the one that it refers to, has a flag.
    fn says(&mut self, spot: Spot, resource: u32, word: &str) -> bool {
        let (mut spot, mut resource) = (spot, resource);
        for _ in 0..HOPS_MAX {
            if self.library.flag_at(spot, word) == Some(true) {
                return true;
            }
            let Some(reference) = self.library.text_at(spot, "$ref").map(str::to_owned) else { return false };
            // What leads nowhere is reported where it is compiled.
            match self.library.resolve(&reference, resource, &mut *self.fetch) {
                Ok((next, of, _)) => (spot, resource) = (next, of),
                Err(_) => return false,
            }
        }
        false
    }

    /// What is not for this direction need not be there (OpenAPI 3.0.4, section 4.7.24.2).
    fn required(&mut self, used: Use, rules: &mut ObjectRules) {
        let Some(at) = self.library.member(used.spot, "required") else { return };
        if !matches!(self.library.shape(at), Shape::List(_)) {
            let message = "`required` must be a list of names".to_owned();
            self.error(at, "keyword", message, "it stands beside `properties`, not within one of them");
            return;
        }
        let mut required = Vec::new();
        for item in self.library.items(at) {
            let name = self.library.tree(item).and_then(|tree| tree.text(item.node)).map(str::to_owned);
            let Some(name) = name else {
                self.error(item, "keyword", "`required` must be a list of names".to_owned(), "");
                continue;
            };
            let slot = rules.names.add(&name);
            let refused = match rules.properties.get(slot) {
                Some(property) => property.refused.is_some(),
                None => self.part_refuses(used, &name),
            };
            if !refused {
                required.push(slot);
            }
        }
        required.sort_unstable();
        required.dedup();
        rules.required = required.into();
    }

    /// Whether a schema that is put together with this one declares a member that is not for this direction: what is
    /// required here may be declared there.
    fn part_refuses(&mut self, used: Use, name: &str) -> bool {
        let word = match used.direction {
            _ if !self.settings.openapi => return false,
            Direction::Request => "readOnly",
            Direction::Answer => "writeOnly",
        };
        let mut waiting = vec![(used.spot, used.resource)];
        // What is not looked at stays required.
        for _ in 0..HOPS_MAX {
            let Some((spot, within)) = waiting.pop() else { return false };
            let resource = self.library.resource_at(spot, within);
            let declared = self.library.member(spot, "properties").and_then(|at| self.library.member(at, name));
            if declared.is_some_and(|at| self.says(at, resource, word)) {
                return true;
            }
            let parts = self.library.member(spot, "allOf").map(|at| self.library.items(at)).unwrap_or_default();
            waiting.extend(parts.into_iter().map(|part| (part, resource)));
            if let Some(reference) = self.library.text_at(spot, "$ref").map(str::to_owned) {
                let found = self.library.resolve(&reference, resource, &mut *self.fetch).ok();
                waiting.extend(found.map(|(spot, of, _)| (spot, of)));
            }
        }
        false
    }

    fn dependent(&mut self, spot: Spot, rules: &mut ObjectRules) {
        let word = if self.library.draft == Draft::Current { "dependentRequired" } else { "dependencies" };
        let members = self.library.member(spot, word).map(|at| self.library.members(at)).unwrap_or_default();
        let mut all = Vec::new();
        for (name, at) in members {
            if !matches!(self.library.shape(at), Shape::List(_)) {
                continue;
            }
            let with = rules.names.add(&name);
            let items = self.library.items(at);
            let texts = items.iter().filter_map(|item| self.library.tree(*item)?.text(item.node));
            all.push((with, texts.map(|text| rules.names.add(text)).collect()));
        }
        rules.dependent = all.into();
    }
}
