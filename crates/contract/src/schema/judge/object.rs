//! What a schema says about the members of an object.

use super::{Judge, Judged, Scope};
use crate::json::{Item, Kind};
use crate::schema::marks::{Bits, Marks};
use crate::schema::rules::{ObjectRules, Schema, SchemaId};

impl Judge<'_> {
    pub(super) fn object(
        &mut self,
        rules: &ObjectRules,
        item: Item<'_>,
        scope: &Scope<'_>,
        mut marks: Option<&mut Marks>,
    ) -> Judged {
        let mut fits = self.size(rules, item);
        let mut seen = Bits::default();
        let mut guess = 0;
        for (position, (name, value)) in item.members().enumerate() {
            self.spend(1)?;
            let slot = rules.names.find(name.text(), guess);
            let property = slot.and_then(|slot| rules.properties.get(slot)).copied().unwrap_or_default();
            if let Some(slot) = slot {
                guess = slot.saturating_add(1);
                seen.set(slot);
            }
            let mut known = property.schema.is_some();
            if let Some(keyword) = property.refused {
                fits = self.fail(value, keyword, || "it must not be sent".to_owned());
            } else if let Some(id) = property.schema {
                fits &= self.schema(id, value, scope, None)?;
            }
            for (pattern, id) in &rules.patterns {
                self.spend(name.text().len() / 8 + 1)?;
                if pattern.fits(name.text()) {
                    known = true;
                    fits &= self.schema(*id, value, scope, None)?;
                }
            }
            if !known && let Some(id) = rules.additional {
                known = true;
                fits &= self.undeclared(id, "additionalProperties", value, scope)?;
            }
            if let Some(id) = rules.property_names
                && !self.quietly(id, name, scope, None)?
            {
                fits = self.fail(name, "propertyNames", || "its name is not one that the contract allows".to_owned());
            }
            if known && let Some(marks) = &mut marks {
                marks.set(position);
            }
            if !fits && self.is_done() {
                return Ok(false);
            }
        }
        Ok(self.presence(rules, item, &seen) && fits)
    }

    fn size(&mut self, rules: &ObjectRules, item: Item<'_>) -> bool {
        let mut fits = true;
        if item.len() < rules.least {
            fits = self.fail(item, "minProperties", || format!("it must have at least {} members", rules.least));
        }
        if let Some(most) = rules.most.filter(|most| item.len() > *most) {
            fits = self.fail(item, "maxProperties", || format!("it must have at most {most} members"));
        }
        fits
    }

    fn presence(&mut self, rules: &ObjectRules, item: Item<'_>, seen: &Bits) -> bool {
        let mut fits = true;
        for name in rules.missing(seen) {
            fits = self.fail_below(item, Some(name), "required", || "it must be there".to_owned());
            if self.is_done() {
                return false;
            }
        }
        for (with, needed) in &rules.dependent {
            for index in needed.iter().filter(|index| seen.has(*with) && !seen.has(**index)) {
                let (name, with) = (rules.names.name(*index), rules.names.name(*with));
                fits = self.fail_below(item, Some(name), "dependentRequired", || {
                    format!("it must be there, because `{with}` is")
                });
            }
        }
        fits
    }

    /// A member or item that a schema for all others speaks of; one that allows none has its own words.
    fn undeclared(&mut self, id: SchemaId, keyword: &'static str, value: Item<'_>, scope: &Scope<'_>) -> Judged {
        if self.schemas.schema(id).is_some_and(|schema| schema.always == Some(false)) {
            self.spend(1)?;
            return Ok(self.fail(value, keyword, || "the contract does not declare it".to_owned()));
        }
        self.schema(id, value, scope, None)
    }

    /// What nothing has looked at.
    pub(super) fn unevaluated(
        &mut self,
        schema: &Schema,
        item: Item<'_>,
        scope: &Scope<'_>,
        marks: &mut Marks,
    ) -> Judged {
        let (id, keyword) = match (item.kind(), &schema.object, &schema.array) {
            (Kind::Object, Some(rules), _) if rules.closed => (rules.unevaluated, "additionalProperties"),
            (Kind::Object, Some(rules), _) => (rules.unevaluated, "unevaluatedProperties"),
            (Kind::Array, _, Some(rules)) => (rules.unevaluated, "unevaluatedItems"),
            _ => (None, ""),
        };
        let Some(id) = id else { return Ok(true) };
        let mut fits = true;
        let values = item.members().map(|(_, value)| value).chain(item.items());
        for (position, value) in values.enumerate() {
            self.spend(1)?;
            if marks.has(position) {
                continue;
            }
            fits &= self.undeclared(id, keyword, value, scope)?;
            if !fits && self.is_done() {
                return Ok(false);
            }
        }
        marks.all = true;
        Ok(fits)
    }

    pub(super) fn beyond(&mut self, id: SchemaId, keyword: &'static str, value: Item<'_>, scope: &Scope<'_>) -> Judged {
        self.undeclared(id, keyword, value, scope)
    }
}
