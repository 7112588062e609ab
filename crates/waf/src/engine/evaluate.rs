//! One rule: its links in order, each on all its values; what a match captures, sets and switches.

use super::{Machine, Value};
use crate::operator::{Found, Operator};
use crate::rule::{CompiledTarget, Control, Link, Rule, TxChange, TxName, contains};
use crate::ruleset::Program;
use crate::seclang::{Exclusion, Selector};
use crate::store::List;
use crate::template::Part;
use crate::tx::{TxKey, TxValue};
use std::sync::Arc;

// === impl Machine ===

impl Machine {
    /// Whether the whole rule matches; everything its links do has then been done.
    pub(super) fn rule(&mut self, program: &Program, rule: &Rule, at: u32, gate: Option<u16>) -> bool {
        self.steps.clear();
        self.matched = None;
        self.previous_vars.clear();
        let chained = rule.links.len() > 1;
        for (number, link) in rule.links.iter().enumerate() {
            self.matched_vars.clear();
            // Only the first link is gated: the others run when it has matched.
            let gate = gate.filter(|_| number == 0);
            if !self.link(program, rule, link, at, gate) {
                return false;
            }
            std::mem::swap(&mut self.previous_vars, &mut self.matched_vars);
        }
        if let Some(severity) = rule.info.severity {
            self.highest_severity = self.highest_severity.min(severity);
        }
        let single_recorded = !chained && rule.links.first().is_some_and(|l| l.operator.is_some());
        if rule.log && !single_recorded {
            self.record(program, rule);
        }
        true
    }

    fn link(&mut self, program: &Program, rule: &Rule, link: &Link, at: u32, gate: Option<u16>) -> bool {
        let Some(operator) = &link.operator else {
            self.act(program, rule, link);
            return true;
        };
        let chained = rule.links.len() > 1;
        let removals = std::mem::take(&mut self.exclusions);
        let exclusions: Vec<&Exclusion> = link
            .exclusions
            .iter()
            .chain(
                removals
                    .iter()
                    .filter(|(rules, _)| contains(rules, crate::bytes::index(at)))
                    .map(|(_, exclusion)| Arc::as_ref(exclusion)),
            )
            .collect();
        let mut values = std::mem::take(&mut self.values);
        let mut matched = false;
        for target in &link.targets {
            if exclusions.is_empty() && self.fails_at_once(link, operator, target) {
                self.evaluations += 1;
                continue;
            }
            values.clear();
            self.collect(&program.names, target, &exclusions, gate, &mut values);
            for value in &values {
                if self.value(program, rule, link, operator, *value) {
                    matched = true;
                    if rule.log && !chained {
                        self.record(program, rule);
                    }
                } else if let Some(number) = gate {
                    self.scanner.refute(value.mark, number);
                }
            }
        }
        drop(exclusions);
        self.values = values;
        // What a match excluded while this link ran comes after what was excluded before.
        let added = std::mem::replace(&mut self.exclusions, removals);
        self.exclusions.extend(added);
        matched
    }

    /// Whether a number that the target counts or names fails the comparison: the usual end of rules about limits and
    /// scores, for which no value need be made. False also where that can't be said.
    fn fails_at_once(&self, link: &Link, operator: &Operator, target: &CompiledTarget) -> bool {
        let Operator::Number(comparison, template) = operator else { return false };
        if !link.transforms.is_empty() || link.multi_match {
            return false;
        }
        let argument = match template.parts.as_slice() {
            [Part::Slot(slot)] => self.number(TxKey::Slot(*slot)),
            [Part::Text(text)] => crate::bytes::integer(text),
            _ => return false,
        };
        let value = match target.slot.map(|slot| self.tx.get(TxKey::Slot(slot))) {
            Some(TxValue::Unset) if target.count => 0,
            // What isn't there isn't compared, whichever way round.
            Some(TxValue::Unset) => return true,
            Some(TxValue::Number(_) | TxValue::Text(_)) if target.count => 1,
            Some(TxValue::Number(n)) => n,
            Some(TxValue::Text(span)) => crate::bytes::integer(self.store.bytes(span)),
            None if target.count && !target.sources.is_empty() => self.count(target),
            None => return false,
        };
        comparison.holds(value, argument) == link.negated
    }

    fn count(&self, target: &CompiledTarget) -> i64 {
        let lists = target.sources.iter().map(|(list, _)| self.store.list(*list));
        let count = match &target.selector {
            Selector::All => lists.map(<[_]>::len).sum(),
            Selector::Name(_) | Selector::Matching(_) => {
                lists.flatten().filter(|e| target.selector.selects(self.store.bytes(e.name))).count()
            }
        };
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    /// Runs the transformations and the operator on one value.
    fn value(&mut self, program: &Program, rule: &Rule, link: &Link, operator: &Operator, value: Value) -> bool {
        if !link.multi_match {
            if link.transforms.is_empty() {
                return self.test(program, rule, link, operator, value, false, link.transforms.len());
            }
            self.view.clear();
            self.view.extend_from_slice(self.store.bytes(value.span));
            for transform in &link.transforms {
                transform.apply(&self.view, &mut self.spare);
                std::mem::swap(&mut self.view, &mut self.spare);
            }
            return self.test(program, rule, link, operator, value, true, link.transforms.len());
        }
        let mut matched = self.test(program, rule, link, operator, value, false, 0);
        let mut view = self.store.bytes(value.span).to_vec();
        let mut next = Vec::new();
        for (done, transform) in (1..).zip(&link.transforms) {
            transform.apply(&view, &mut next);
            if next == view {
                continue;
            }
            std::mem::swap(&mut view, &mut next);
            self.view.clear();
            self.view.extend_from_slice(&view);
            matched |= self.test(program, rule, link, operator, value, true, done);
        }
        matched
    }

    #[allow(clippy::too_many_arguments, reason = "one call per value; a struct would be built for nothing else")]
    fn test(
        &mut self,
        program: &Program,
        rule: &Rule,
        link: &Link,
        operator: &Operator,
        value: Value,
        transformed: bool,
        transforms: usize,
    ) -> bool {
        self.evaluations += 1;
        let mut argument = std::mem::take(&mut self.argument);
        if let Some(template) = operator.template() {
            argument.clear();
            self.expand(&program.names, template, rule, &mut argument);
        }
        let bytes = if transformed { self.view.as_slice() } else { self.store.bytes(value.span) };
        let each = operator.cost() + transforms;
        self.work = self.work.saturating_add(bytes.len().saturating_mul(each));
        let found = operator.test(bytes, &argument, link.capture && !link.negated);
        self.argument = argument;
        if found.is_some() == link.negated {
            return false;
        }
        let span = if transformed {
            let view = std::mem::take(&mut self.view);
            let span = self.store.intern(&view);
            self.view = view;
            span
        } else {
            value.span
        };
        let matched = Value { span, ..value };
        self.matched = Some(matched);
        // LIMIT: matches kept for `MATCHED_VARS`.
        if self.matched_vars.len() < 1000 {
            self.matched_vars.push(matched);
        }
        if link.capture
            && let Some(found) = found
        {
            self.capture(found, span);
        }
        self.explain(program, link, matched, transforms);
        self.act(program, rule, link);
        true
    }

    fn capture(&mut self, found: Found, span: crate::store::Span) {
        match found {
            Found::Plain => {}
            Found::Text(text) => {
                let span = self.store.intern(&text);
                self.tx.set(TxKey::Slot(0), TxValue::Text(span));
                for slot in 1..10 {
                    self.tx.set(TxKey::Slot(slot), TxValue::Unset);
                }
            }
            Found::Groups(groups) => {
                for slot in 0..10 {
                    let group = groups.get(crate::bytes::index(slot)).copied().flatten();
                    let value = match group {
                        None => TxValue::Unset,
                        Some((start, end)) => TxValue::Text(crate::store::Span {
                            start: span.start.saturating_add(crate::bytes::len32(start)),
                            end: span.start.saturating_add(crate::bytes::len32(end)),
                        }),
                    };
                    self.tx.set(TxKey::Slot(slot), value);
                }
            }
        }
    }

    /// What a link does each time it matches.
    fn act(&mut self, program: &Program, rule: &Rule, link: &Link) {
        for (name, change) in &link.changes {
            self.change(program, rule, name, change);
        }
        for control in &link.controls {
            self.control(control);
        }
    }

    fn change(&mut self, program: &Program, rule: &Rule, name: &TxName, change: &TxChange) {
        let key = match name {
            TxName::Slot(slot) => Some(TxKey::Slot(*slot)),
            TxName::Dynamic(template) => {
                let mut text = Vec::new();
                self.expand(&program.names, template, rule, &mut text);
                self.tx_key(&program.names, &text)
            }
        };
        let Some(key) = key else { return };
        let value = match change {
            TxChange::Unset => TxValue::Unset,
            TxChange::Set(template) => {
                let mut text = Vec::new();
                self.expand(&program.names, template, rule, &mut text);
                TxValue::Text(self.store.intern(&text))
            }
            TxChange::Add(template) => {
                TxValue::Number(self.number(key).saturating_add(self.amount(program, rule, template)))
            }
            TxChange::Subtract(template) => {
                TxValue::Number(self.number(key).saturating_sub(self.amount(program, rule, template)))
            }
        };
        self.tx.set(key, value);
    }

    /// A variable as a number, 0 if it isn't set.
    pub(crate) fn number(&self, key: TxKey) -> i64 {
        match self.tx.get(key) {
            TxValue::Unset => 0,
            TxValue::Number(n) => n,
            TxValue::Text(span) => crate::bytes::integer(self.store.bytes(span)),
        }
    }

    fn amount(&mut self, program: &Program, rule: &Rule, template: &crate::template::Template) -> i64 {
        if let [Part::Slot(slot)] = template.parts.as_slice() {
            return self.number(TxKey::Slot(*slot));
        }
        let mut text = Vec::new();
        self.expand(&program.names, template, rule, &mut text);
        crate::bytes::integer(&text)
    }

    fn control(&mut self, control: &Control) {
        match control {
            Control::Engine(mode) => self.engine = *mode,
            Control::Processor(processor) => {
                self.processor = Some(*processor);
                self.store.set_bytes(List::Processor, processor.name().as_bytes());
            }
            Control::ForceBody(on) => self.force_body = *on,
            Control::RequestBodyAccess(on) => self.request_body_access = *on,
            Control::ResponseBodyAccess(on) => self.response_body_access = *on,
            Control::Audit => {}
            Control::Remove(rules) => {
                if self.removed.len() < rules.len() {
                    self.removed.resize(rules.len(), 0);
                }
                for (word, more) in self.removed.iter_mut().zip(rules.iter()) {
                    *word |= more;
                }
            }
            Control::RemoveTarget { rules, exclusion } => {
                // LIMIT: removals of one request.
                if self.exclusions.len() < 1000 {
                    self.exclusions.push((Arc::clone(rules), Arc::clone(exclusion)));
                }
            }
        }
    }
}

/// Lower-case bytes into a buffer that is emptied first.
pub(super) fn lower_into(bytes: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend(bytes.iter().map(u8::to_ascii_lowercase));
}
