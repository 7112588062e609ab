//! Members that no schema speaks of: where they stand and what they are, never what they hold.
//!
//! INVARIANT: what stands in a place is named only by names that the contract declares, `*` for items and `{}` for members of maps,
//! whose names are data. Only the last name is the message's own.

use super::rules::{ObjectRules, Parts, Schema, SchemaId};
use super::{Effort, Schemas};
use crate::json::{Item, Kind, append_name};
use std::collections::HashSet;

/// LIMIT: members that one message is told about.
const FOUND_MAX: usize = 64;
/// LIMIT: characters of a member's own name; a longer one is data.
const NAME_CHARS_MAX: usize = 64;

/// A member that no schema speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stranger {
    /// Where it stands: `/orders/*/note`.
    pub place: String,
    /// Its type as JSON Schema calls it.
    pub kind: &'static str,
}

/// What a name comes to in all schemas about an object.
enum Named {
    Declared(Vec<SchemaId>),
    /// A member of a map, whose name is data.
    Mapped(Vec<SchemaId>),
    Unknown,
}

struct Walk<'s> {
    schemas: &'s Schemas,
    steps: u64,
    found: Vec<Stranger>,
}

// === impl Schemas ===

impl Schemas {
    /// Members of a value that no schema speaks of, each place once; what there was work for.
    pub(crate) fn strangers(&self, id: SchemaId, item: Item<'_>, values: usize, effort: &Effort) -> Vec<Stranger> {
        let values = u64::try_from(values).unwrap_or(u64::MAX);
        let steps = values.saturating_mul(effort.steps_per_value).max(effort.steps_least);
        let mut walk = Walk { schemas: self, steps, found: Vec::new() };
        // What was found before the work ran out is worth knowing as well.
        let _exhausted = walk.value(&[id], item, &mut String::new());
        walk.found.sort_unstable();
        walk.found.dedup();
        walk.found
    }
}

// === impl Walk ===

impl<'s> Walk<'s> {
    fn spend(&mut self) -> Option<()> {
        self.steps = self.steps.checked_sub(1)?;
        (self.found.len() < FOUND_MAX).then_some(())
    }

    /// As deep as the value is, which its reader has bounded; `None` where the work has run out.
    fn value(&mut self, ids: &[SchemaId], item: Item<'_>, place: &mut String) -> Option<()> {
        self.spend()?;
        let about = self.about(ids)?;
        let length = place.len();
        match item.kind() {
            Kind::Array => {
                let rules = about.iter().filter_map(|schema| schema.array.as_deref());
                let inner: Vec<SchemaId> =
                    rules.flat_map(|rules| rules.prefix.iter().chain(&rules.rest)).copied().collect();
                place.push_str("/*");
                for one in item.items().filter(|_| !inner.is_empty()) {
                    self.value(&inner, one, place)?;
                }
            }
            Kind::Object => {
                let rules: Vec<&ObjectRules> = about.iter().filter_map(|schema| schema.object.as_deref()).collect();
                for (name, value) in item.members() {
                    self.member(&rules, (name.text(), value), place)?;
                    place.truncate(length);
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Number | Kind::Text => {}
        }
        place.truncate(length);
        Some(())
    }

    fn member(&mut self, rules: &[&ObjectRules], (name, value): (&str, Item<'_>), place: &mut String) -> Option<()> {
        self.spend()?;
        match self.named(rules, name) {
            Named::Declared(ids) => {
                append_name(place, name);
                self.value(&ids, value, place)
            }
            Named::Mapped(ids) => {
                place.push_str("/{}");
                self.value(&ids, value, place)
            }
            Named::Unknown => {
                match is_a_name(name) {
                    true => append_name(place, name),
                    false => place.push_str("/{}"),
                }
                self.found.push(Stranger { place: place.clone(), kind: value.kind().name() });
                Some(())
            }
        }
    }

    fn named(&self, rules: &[&ObjectRules], name: &str) -> Named {
        let (mut declared, mut mapped) = (Vec::new(), Vec::new());
        let (mut is_declared, mut is_map, mut speaks) = (false, false, false);
        for rules in rules {
            speaks |= rules.properties.iter().any(|property| property.schema.is_some() || property.refused.is_some());
            let slot = rules.names.find(name, usize::MAX);
            if let Some(property) = slot.and_then(|slot| rules.properties.get(slot)) {
                is_declared |= property.schema.is_some() || property.refused.is_some();
                declared.extend(property.schema);
            }
            for (pattern, id) in &rules.patterns {
                if pattern.fits(name) {
                    is_map = true;
                    mapped.push(*id);
                }
            }
            for id in rules.additional.iter().chain(&rules.unevaluated) {
                match self.schemas.schema(*id).and_then(|schema| schema.always) {
                    Some(false) => speaks = true,
                    Some(true) => is_map = true,
                    None => {
                        is_map = true;
                        mapped.push(*id);
                    }
                }
            }
        }
        match (is_declared, is_map || !speaks) {
            (true, _) => Named::Declared(declared),
            (false, true) => Named::Mapped(mapped),
            (false, false) => Named::Unknown,
        }
    }

    /// All schemas about the same value, whichever of several it is meant to fit.
    fn about(&mut self, ids: &[SchemaId]) -> Option<Vec<&'s Schema>> {
        let (mut seen, mut all, mut waiting) = (HashSet::new(), Vec::new(), ids.to_vec());
        while let Some(id) = waiting.pop() {
            self.spend()?;
            if !seen.insert(id) {
                continue;
            }
            let Some(schema) = self.schemas.schema(id) else { continue };
            waiting.extend(schema.parts.iter().flat_map(|parts| parts.about_the_same()));
            all.push(schema);
        }
        Some(all)
    }
}

/// Whether a name looks like one that a program has, and not like data.
fn is_a_name(name: &str) -> bool {
    let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '$' | ':');
    let begins = name.chars().next().is_some_and(|letter| letter.is_alphabetic() || matches!(letter, '_' | '$'));
    begins && name.chars().all(is_plain) && name.chars().nth(NAME_CHARS_MAX).is_none()
}

// === impl Parts ===

impl Parts {
    /// Schemas that say something about the members of the same value.
    fn about_the_same(&self) -> Vec<SchemaId> {
        let condition = self.condition.iter().flat_map(|(of, then, otherwise)| [Some(*of), *then, *otherwise]);
        let several = [&self.any, &self.one].into_iter().flatten().flat_map(|all| all.iter().copied());
        let discriminated = self.discriminator.iter().flat_map(|by| by.table.iter().map(|(_, id)| *id));
        let own = self.reference.iter().chain(self.dynamic.iter().map(|(id, _)| id)).chain(&self.all).copied();
        let dependents = self.dependents.iter().map(|(_, id)| *id);
        own.chain(several).chain(discriminated).chain(condition.flatten()).chain(dependents).collect()
    }
}
