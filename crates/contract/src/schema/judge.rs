//! Whether a value fits. Goes down by calling itself, to a bounded depth and within a bounded number of steps, so that no schema
//! and no value together cost more than a request may.

mod array;
mod object;

use super::marks::Marks;
use super::rules::{Discriminator, NumberRules, Parts, Schema, SchemaId, TextRules, Types};
use super::{Effort, Schemas, Verdict, Violation};
use crate::json::{Decimal, Item, Kind};
use std::cmp::Ordering;

/// More work than allowed.
pub(super) struct Exhausted;

pub(super) type Judged = Result<bool, Exhausted>;

/// The resources that were entered on the way, the innermost first.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    resource: u32,
    outer: Option<&'s Scope<'s>>,
}

pub(super) struct Judge<'s> {
    schemas: &'s Schemas,
    steps: u64,
    depth: usize,
    /// What is found, unless only the outcome counts.
    found: Vec<Violation>,
    found_max: usize,
    /// How many of those who ask only want the outcome.
    quiet: usize,
}

/// First only the outcome is asked for; the reasons are worth a second look when there is something to say.
pub(super) fn judge(schemas: &Schemas, id: SchemaId, item: Item<'_>, values: usize, effort: &Effort) -> Verdict {
    let values = u64::try_from(values).unwrap_or(u64::MAX);
    let steps = values.saturating_mul(effort.steps_per_value).max(effort.steps_least);
    let mut judge = Judge { schemas, steps, depth: effort.depth, found: Vec::new(), found_max: 0, quiet: 1 };
    let scope = Scope { resource: schemas.schema(id).map_or(0, |schema| schema.resource), outer: None };
    match judge.schema(id, item, &scope, None) {
        Ok(true) => return Verdict::Valid,
        Ok(false) => {}
        Err(Exhausted) => return Verdict::Exhausted,
    }
    (judge.steps, judge.depth, judge.quiet, judge.found_max) = (steps, effort.depth, 0, effort.violations.max(1));
    // What was found before the work ran out is enough to say that it does not fit.
    match judge.schema(id, item, &scope, None) {
        Ok(_) | Err(Exhausted) if !judge.found.is_empty() => Verdict::Invalid(judge.found),
        Ok(_) | Err(Exhausted) => Verdict::Exhausted,
    }
}

// === impl Judge ===

impl Judge<'_> {
    /// Takes steps off what is left.
    fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.steps = self.steps.checked_sub(steps).ok_or(Exhausted)?;
        Ok(())
    }

    /// Whether there is no point in going on.
    fn is_done(&self) -> bool {
        self.quiet > 0 || self.found.len() >= self.found_max
    }

    /// Notes a violation. Always false, so that it can be returned.
    fn fail(&mut self, item: Item<'_>, keyword: &'static str, detail: impl FnOnce() -> String) -> bool {
        self.fail_below(item, None, keyword, detail)
    }

    /// The same for a member that is not there.
    fn fail_below(
        &mut self,
        item: Item<'_>,
        name: Option<&str>,
        keyword: &'static str,
        detail: impl FnOnce() -> String,
    ) -> bool {
        if !self.is_done() {
            let mut pointer = item.pointer();
            if let Some(name) = name {
                crate::json::append_name(&mut pointer, name);
            }
            let found = Violation { pointer, keyword, detail: detail() };
            // A child that a discriminator has chosen holds its parent, which was asked before.
            if !self.found.contains(&found) {
                self.found.push(found);
            }
        }
        false
    }

    pub(super) fn schema(
        &mut self,
        id: SchemaId,
        item: Item<'_>,
        scope: &Scope<'_>,
        marks: Option<&mut Marks>,
    ) -> Judged {
        self.spend(1)?;
        let schemas = self.schemas;
        let Some(schema) = schemas.schema(id) else { return Err(Exhausted) };
        if let Some(always) = schema.always {
            return Ok(always || self.fail(item, "false", || "nothing is allowed here".to_owned()));
        }
        self.depth = self.depth.checked_sub(1).ok_or(Exhausted)?;
        let inner = Scope { resource: schema.resource, outer: Some(scope) };
        let scope = if schema.resource == scope.resource { scope } else { &inner };
        let fits = if schema.tracks {
            let mut own = Marks::default();
            let fits = self.rules(schema, item, scope, Some(&mut own))?;
            let fits = if fits || !(self.is_done() || own.blurred) {
                self.unevaluated(schema, item, scope, &mut own)? && fits
            } else {
                fits
            };
            if let Some(marks) = marks {
                marks.merge(&own);
            }
            fits
        } else {
            self.rules(schema, item, scope, marks)?
        };
        self.depth += 1;
        Ok(fits)
    }

    /// A schema of which only the outcome counts.
    fn quietly(&mut self, id: SchemaId, item: Item<'_>, scope: &Scope<'_>, marks: Option<&mut Marks>) -> Judged {
        self.quiet += 1;
        let fits = self.schema(id, item, scope, marks);
        self.quiet -= 1;
        fits
    }

    fn rules(&mut self, schema: &Schema, item: Item<'_>, scope: &Scope<'_>, mut marks: Option<&mut Marks>) -> Judged {
        let kind = item.kind();
        if !has_type(schema, item, kind) {
            let types = schema.types;
            return Ok(self.fail(item, "type", || format!("it must be {}", types.words())));
        }
        let mut fits = true;
        for (keyword, constants) in &schema.constants {
            if !constants.hold(item, &mut self.steps).ok_or(Exhausted)? {
                fits = self.fail(item, keyword, || "it must be one of the values that the contract lists".to_owned());
                if self.is_done() {
                    return Ok(false);
                }
            }
        }
        fits &= match kind {
            Kind::Null | Kind::Bool(_) => true,
            Kind::Number => schema.number.as_ref().is_none_or(|rules| self.number(rules, item)),
            Kind::Text => match &schema.text {
                Some(rules) => self.text(rules, item)?,
                None => true,
            },
            Kind::Array => match &schema.array {
                Some(rules) => self.array(rules, item, scope, marks.as_deref_mut())?,
                None => true,
            },
            Kind::Object => match &schema.object {
                Some(rules) => self.object(rules, item, scope, marks.as_deref_mut())?,
                None => true,
            },
        };
        if !fits && self.is_done() {
            return Ok(false);
        }
        match &schema.parts {
            Some(parts) => Ok(self.parts(parts, item, scope, marks)? && fits),
            None => Ok(fits),
        }
    }

    fn number(&mut self, rules: &NumberRules, item: Item<'_>) -> bool {
        let text = item.text();
        let mut fits = true;
        let limits = [
            (&rules.least, "minimum", "at least", Ordering::Less, false),
            (&rules.most, "maximum", "at most", Ordering::Greater, false),
            (&rules.above, "exclusiveMinimum", "more than", Ordering::Less, true),
            (&rules.below, "exclusiveMaximum", "less than", Ordering::Greater, true),
        ];
        for (bound, keyword, words, wrong, exclusive) in limits {
            let Some(bound) = bound else { continue };
            let order = bound.order(text);
            if order == wrong || (exclusive && order == Ordering::Equal) {
                fits = self.fail(item, keyword, || format!("it must be {words} {}", bound.text));
            }
        }
        if let Some((digits, power, written)) = &rules.multiple_of
            && !Decimal::of(text).is_multiple(*digits, *power)
        {
            fits = self.fail(item, "multipleOf", || format!("it must be a multiple of {written}"));
        }
        if let Some(format) = rules.format
            && !format.fits_number(text)
        {
            fits = self.fail(item, "format", || format!("it must be of the format `{}`", format.name()));
        }
        fits
    }

    fn text(&mut self, rules: &TextRules, item: Item<'_>) -> Judged {
        let text = item.text();
        self.spend(text.len() / 64)?;
        let mut fits = true;
        // A character has one to four bytes, so that most lengths need no counting.
        if rules.least > text.len() / 4 || rules.most.is_some_and(|most| text.len() > most) {
            let count = text.chars().count();
            if count < rules.least {
                fits = self.fail(item, "minLength", || format!("it must have at least {} characters", rules.least));
            }
            if let Some(most) = rules.most.filter(|most| count > *most) {
                fits = self.fail(item, "maxLength", || format!("it must have at most {most} characters"));
            }
        }
        if let Some(pattern) = &rules.pattern {
            self.spend(text.len() / 8)?;
            if !pattern.fits(text) {
                fits = self.fail(item, "pattern", || format!("it must match the pattern {}", pattern.shown()));
            }
        }
        if let Some(format) = rules.format
            && !format.fits_text(text)
        {
            fits = self.fail(item, "format", || format!("it must be of the format `{}`", format.name()));
        }
        Ok(fits)
    }

    /// One of several schemas about the same value: what it has looked at counts only if it fits.
    fn part(&mut self, id: SchemaId, item: Item<'_>, scope: &Scope<'_>, marks: &mut Option<&mut Marks>) -> Judged {
        let Some(marks) = marks else { return self.schema(id, item, scope, None) };
        let mut own = Marks::default();
        let fits = self.schema(id, item, scope, Some(&mut own))?;
        // Of what has to fit and does not, it is still known which members it is about: their own faults are enough.
        if fits || self.quiet == 0 {
            marks.merge(&own);
        }
        Ok(fits)
    }

    fn part_quietly(
        &mut self,
        id: SchemaId,
        item: Item<'_>,
        scope: &Scope<'_>,
        marks: &mut Option<&mut Marks>,
    ) -> Judged {
        self.quiet += 1;
        let fits = self.part(id, item, scope, marks);
        self.quiet -= 1;
        fits
    }

    fn parts(&mut self, parts: &Parts, item: Item<'_>, scope: &Scope<'_>, mut marks: Option<&mut Marks>) -> Judged {
        let mut fits = true;
        let dynamic = parts.dynamic.map(|(fallback, name)| self.dynamic(fallback, name, scope));
        for id in parts.reference.iter().chain(&dynamic).chain(&parts.all) {
            fits &= self.part(*id, item, scope, &mut marks)?;
            if !fits && self.is_done() {
                return Ok(false);
            }
        }
        fits &= self.choice(parts, item, scope, &mut marks)?;
        if let Some(id) = parts.not
            && self.quietly(id, item, scope, None)?
        {
            fits = self.fail(item, "not", || "it must not fit what the contract excludes".to_owned());
        }
        if let Some((condition, then, otherwise)) = parts.condition {
            let next = if self.part_quietly(condition, item, scope, &mut marks)? { then } else { otherwise };
            if let Some(id) = next {
                fits &= self.part(id, item, scope, &mut marks)?;
            }
        }
        for (name, id) in &parts.dependents {
            self.spend(item.len())?;
            if item.member(name).is_some() {
                fits &= self.part(*id, item, scope, &mut marks)?;
            }
        }
        Ok(fits)
    }

    /// `anyOf`, `oneOf` and the discriminator that makes them quick.
    fn choice(&mut self, parts: &Parts, item: Item<'_>, scope: &Scope<'_>, marks: &mut Option<&mut Marks>) -> Judged {
        if let Some(by) = &parts.discriminator
            && item.kind() == Kind::Object
        {
            return self.discriminated(by, item, scope, marks);
        }
        let mut fits = true;
        if let Some(any) = &parts.any {
            let mut some = false;
            for id in any {
                some |= self.part_quietly(*id, item, scope, marks)?;
                // What was looked at has to be known of all of them.
                if some && marks.is_none() {
                    break;
                }
            }
            fits &= some || self.none_fits(item, "anyOf", any, scope, marks)?;
        }
        if let Some(one) = &parts.one {
            let mut count = 0_usize;
            for id in one {
                count += usize::from(self.part_quietly(*id, item, scope, marks)?);
                if count > 1 {
                    break;
                }
            }
            fits &= match count {
                0 => self.none_fits(item, "oneOf", one, scope, marks)?,
                1 => true,
                _ => self.fail(item, "oneOf", || "it must fit exactly one of several schemas".to_owned()),
            };
        }
        Ok(fits)
    }

    fn discriminated(
        &mut self,
        by: &Discriminator,
        item: Item<'_>,
        scope: &Scope<'_>,
        marks: &mut Option<&mut Marks>,
    ) -> Judged {
        self.spend(item.len())?;
        let name = item.member(&by.property).filter(|value| value.kind() == Kind::Text);
        if let Some(id) = name.and_then(|name| by.choose(name.text())) {
            return self.part(id, item, scope, marks);
        }
        if let Some(marks) = marks {
            marks.blurred = true;
        }
        Ok(match name {
            Some(name) => self.fail(name, "discriminator", || "it names no schema of the contract".to_owned()),
            None => self.fail_below(item, Some(&by.property), "discriminator", || {
                "a text that says which schema is meant must be here".to_owned()
            }),
        })
    }

    /// With a single way that its type allows, what is wrong there says more than that nothing fits.
    fn none_fits(
        &mut self,
        item: Item<'_>,
        keyword: &'static str,
        ways: &[SchemaId],
        scope: &Scope<'_>,
        marks: &mut Option<&mut Marks>,
    ) -> Judged {
        if self.is_done() {
            return Ok(false);
        }
        if let Some(marks) = marks {
            marks.blurred = true;
        }
        let schemas = self.schemas;
        let mut likely = ways.iter().filter(|id| {
            schemas.schema(**id).is_some_and(|schema| schema.always.is_none() && has_type(schema, item, item.kind()))
        });
        if let (Some(only), None) = (likely.next(), likely.next()) {
            return self.schema(*only, item, scope, None);
        }
        Ok(self.fail(item, keyword, || format!("it must fit one of {} schemas", ways.len())))
    }

    /// The outermost resource that has an anchor of that name (2020-12 core, section 8.2.3.2).
    fn dynamic(&self, fallback: SchemaId, name: u32, scope: &Scope<'_>) -> SchemaId {
        let (mut chosen, mut at) = (fallback, Some(scope));
        while let Some(scope) = at {
            if let Some(id) = self.schemas.dynamic.get(&(scope.resource, name)) {
                chosen = *id;
            }
            at = scope.outer;
        }
        chosen
    }
}

fn has_type(schema: &Schema, item: Item<'_>, kind: Kind) -> bool {
    if !schema.types.allow(kind) {
        return false;
    }
    if kind != Kind::Number || schema.types.has(Types::NUMBER) {
        return true;
    }
    let text = item.text();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let strict = schema.number.as_ref().is_some_and(|rules| rules.strict_integer);
    plain || (!strict && Decimal::of(text).is_whole())
}
