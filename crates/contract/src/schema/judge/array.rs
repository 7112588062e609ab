//! What a schema says about the items of an array.

use super::{Exhausted, Judge, Judged, Scope};
use crate::json::{Item, Kind, digest};
use crate::schema::marks::Marks;
use crate::schema::rules::ArrayRules;

/// LIMIT: items that are compared with each other; more of them are put in order first.
const COMPARED_MAX: usize = 8;

impl Judge<'_> {
    pub(super) fn array(
        &mut self,
        rules: &ArrayRules,
        item: Item<'_>,
        scope: &Scope<'_>,
        mut marks: Option<&mut Marks>,
    ) -> Judged {
        let count = item.len();
        let mut fits = true;
        if count < rules.least {
            fits = self.fail(item, "minItems", || format!("it must have at least {} items", rules.least));
        }
        if let Some(most) = rules.most.filter(|most| count > *most) {
            fits = self.fail(item, "maxItems", || format!("it must have at most {most} items"));
        }
        for (position, inner) in item.items().enumerate() {
            self.spend(1)?;
            let known = match (rules.prefix.get(position), rules.rest) {
                (Some(id), _) => {
                    fits &= self.schema(*id, inner, scope, None)?;
                    true
                }
                (None, Some(id)) => {
                    fits &= self.beyond(id, rules.rest_keyword, inner, scope)?;
                    true
                }
                (None, None) => false,
            };
            if known && let Some(marks) = &mut marks {
                marks.set(position);
            }
            if !fits && self.is_done() {
                return Ok(false);
            }
        }
        fits &= self.contains(rules, item, scope, marks)?;
        if rules.unique && (fits || !self.is_done()) && !self.are_unique(item)? {
            fits = self.fail(item, "uniqueItems", || "no two of its items may be the same".to_owned());
        }
        Ok(fits)
    }

    fn contains(
        &mut self,
        rules: &ArrayRules,
        item: Item<'_>,
        scope: &Scope<'_>,
        mut marks: Option<&mut Marks>,
    ) -> Judged {
        let Some((id, least, most)) = rules.contains else { return Ok(true) };
        let mut count = 0_usize;
        for (position, inner) in item.items().enumerate() {
            if !self.quietly(id, inner, scope, None)? {
                continue;
            }
            count += 1;
            match &mut marks {
                Some(marks) => marks.set(position),
                None if most.is_none() && count >= least => return Ok(true),
                None => {}
            }
        }
        if count < least {
            let keyword = if least == 1 { "contains" } else { "minContains" };
            return Ok(self.fail(item, keyword, || format!("at least {least} of its items must fit")));
        }
        match most {
            Some(most) if count > most => {
                Ok(self.fail(item, "maxContains", || format!("at most {most} of its items may fit")))
            }
            Some(_) | None => Ok(true),
        }
    }

    fn are_unique(&mut self, item: Item<'_>) -> Judged {
        let steps = &mut self.steps;
        if item.len() <= COMPARED_MAX {
            for (position, one) in item.items().enumerate() {
                for other in item.items().take(position) {
                    if one.same(other, steps).ok_or(Exhausted)? {
                        return Ok(false);
                    }
                }
            }
            return Ok(true);
        }
        let simple = |kind: Kind| !matches!(kind, Kind::Array | Kind::Object);
        let mut order = Vec::with_capacity(item.len());
        for inner in item.items() {
            let values = if simple(inner.kind()) { 1 } else { digest::size(inner) };
            *steps = steps.checked_sub(values).ok_or(Exhausted)?;
            order.push((digest::of(inner), inner));
        }
        order.sort_unstable_by_key(|(digest, _)| *digest);
        // Equal values have equal digests and stand together; unequal ones with equal digests are compared, which is counted.
        for group in order.chunk_by(|(one, _), (other, _)| one == other) {
            for (position, (_, one)) in group.iter().enumerate() {
                for (_, other) in group.iter().take(position) {
                    if one.same(*other, steps).ok_or(Exhausted)? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }
}
