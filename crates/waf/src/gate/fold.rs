//! Folds what is the same for every request: rules that only look at constants are decided when the set loads.
//! A rule that can't match is left out; a skip that always happens leaves out what it skips; variables that are
//! set before anything depends on the request become the state that every request starts with.

use crate::bytes::{index, integer};
use crate::operator::Operator;
use crate::rule::{CompiledTarget, Control, Link, Outcome, Rule, TxChange, TxName, contains};
use crate::ruleset::TxNames;
use crate::seclang::Selector;
use crate::store::Span;
use crate::template::{Part, Template};
use crate::tx::TxValue;
use crate::variable::Var;

/// What is known of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    Unset,
    Text(Vec<u8>),
    Number(i64),
    /// It depends on the request.
    Dynamic,
}

/// What is left.
#[derive(Debug, Default)]
pub(super) struct Folded {
    pub(super) phases: [Vec<u32>; 5],
    pub(super) initial: Vec<TxValue>,
    pub(super) prelude: Vec<u8>,
}

struct Folder<'r> {
    rules: &'r [Rule],
    names: &'r TxNames,
    known: Vec<Known>,
    /// Variables that a kept rule has read so far.
    read: Vec<bool>,
    /// The removals that kept rules before may have made.
    removals: Vec<&'r [u64]>,
    initial: Vec<Known>,
    /// A kept rule may end the inspection, after which nothing more is set.
    may_stop: bool,
}

pub(super) fn fold(rules: &[Rule], phases: &[Vec<u32>; 5], names: &TxNames) -> Folded {
    let mut folder = Folder {
        rules,
        names,
        known: vec![Known::Unset; names.len()],
        read: vec![false; names.len()],
        removals: Vec::new(),
        initial: vec![Known::Unset; names.len()],
        may_stop: false,
    };
    // Captures belong to the request.
    for known in folder.known.iter_mut().take(10) {
        *known = Known::Dynamic;
    }
    let mut out = Folded::default();
    for (list, kept) in phases.iter().zip(&mut out.phases) {
        folder.phase(list, kept);
    }
    for known in folder.initial {
        out.initial.push(match known {
            Known::Unset | Known::Dynamic => TxValue::Unset,
            Known::Number(n) => TxValue::Number(n),
            Known::Text(text) => {
                let start = crate::bytes::len32(out.prelude.len());
                out.prelude.extend_from_slice(&text);
                TxValue::Text(Span { start, end: crate::bytes::len32(out.prelude.len()) })
            }
        });
    }
    out
}

// === impl Folder ===

impl<'r> Folder<'r> {
    fn phase(&mut self, list: &[u32], kept: &mut Vec<u32>) {
        // A skip by count counts rules, so none may be left out.
        if list.iter().any(|at| self.rules.get(index(*at)).is_some_and(|r| r.skip > 0)) {
            for rule in list.iter().filter_map(|at| self.rules.get(index(*at))) {
                self.keep(rule);
            }
            kept.extend_from_slice(list);
            return;
        }
        let mut skip_to = 0;
        // Up to here a kept rule may skip, so what is done on the way may not be done.
        let mut doubtful_to = 0;
        for at in list {
            if *at < skip_to {
                continue;
            }
            let Some(rule) = self.rules.get(index(*at)) else { continue };
            let decided = self.decide(rule);
            if decided == Some(false) {
                continue;
            }
            let certain = *at >= doubtful_to && decided == Some(true);
            if certain && self.is_quiet(rule) && self.apply_skip(rule, *at, list) {
                if let Some(to) = rule.skip_to {
                    skip_to = to;
                    continue;
                }
                if self.apply_changes(rule, *at) {
                    continue;
                }
            }
            kept.push(*at);
            self.keep(rule);
            if let Some(to) = rule.skip_to {
                doubtful_to = doubtful_to.max(to);
            }
        }
    }

    /// Whether the rule does nothing but set variables or skip.
    fn is_quiet(&self, rule: &Rule) -> bool {
        !rule.log
            && rule.outcome == Outcome::Pass
            && rule.skip == 0
            && rule.info.severity.is_none()
            && rule.links.iter().all(|l| l.controls.is_empty() && !l.capture)
            && (rule.skip_to.is_none() || rule.links.iter().all(|l| l.changes.is_empty()))
    }

    /// Whether a skip may be folded: if a request can remove the skipping rule, it removes what is skipped with it.
    fn apply_skip(&self, rule: &Rule, at: u32, list: &[u32]) -> bool {
        let removed = |set: &[u64], at: u32| contains(set, index(at));
        let Some(to) = rule.skip_to else { return !self.removals.iter().any(|set| removed(set, at)) };
        self.removals
            .iter()
            .filter(|set| removed(set, at))
            .all(|set| list.iter().filter(|r| **r > at && **r < to).all(|r| removed(set, *r)))
    }

    /// Sets the variables for good, if nothing before could have read them and their values are known.
    fn apply_changes(&mut self, rule: &Rule, at: u32) -> bool {
        if self.may_stop || self.removals.iter().any(|set| contains(set, index(at))) {
            return false;
        }
        let mut after = self.known.clone();
        for (name, change) in rule.links.iter().flat_map(|l| &l.changes) {
            let TxName::Slot(slot) = name else { return false };
            if self.read.get(index(*slot)).copied().unwrap_or(true) {
                return false;
            }
            let before = after.get(index(*slot)).cloned().unwrap_or(Known::Dynamic);
            let Some(value) = changed(&after, &before, change) else { return false };
            if let Some(place) = after.get_mut(index(*slot)) {
                *place = value;
            }
        }
        for (slot, value) in after.iter().enumerate() {
            if self.known.get(slot) != Some(value)
                && let Some(place) = self.initial.get_mut(slot)
            {
                *place = value.clone();
            }
        }
        self.known = after;
        true
    }

    /// A rule that stays: what it reads and writes depends on the request from here on.
    fn keep(&mut self, rule: &'r Rule) {
        self.may_stop |= rule.outcome != Outcome::Pass;
        for template in rule.msg.iter().chain(&rule.log_data) {
            self.note_template(template);
        }
        for link in &rule.links {
            for target in link.targets.iter().filter(|t| t.var == Var::Tx) {
                self.note_target(target);
            }
            if let Some(template) = link.operator.as_ref().and_then(Operator::template) {
                self.note_template(template);
            }
            for (name, change) in &link.changes {
                match change {
                    TxChange::Set(t) | TxChange::Add(t) | TxChange::Subtract(t) => self.note_template(t),
                    TxChange::Unset => {}
                }
                match name {
                    TxName::Slot(slot) => self.taint(|at, _| at == index(*slot)),
                    TxName::Dynamic(template) => {
                        self.note_template(template);
                        let prefix: Vec<u8> = match template.parts.first() {
                            Some(Part::Text(text)) => text.to_ascii_lowercase(),
                            _ => Vec::new(),
                        };
                        self.taint(|_, name| name.to_ascii_lowercase().starts_with(&prefix));
                    }
                }
            }
            for control in &link.controls {
                match control {
                    Control::Remove(set) => self.removals.push(set),
                    Control::Engine(_) => self.may_stop = true,
                    Control::Processor(_)
                    | Control::ForceBody(_)
                    | Control::RequestBodyAccess(_)
                    | Control::ResponseBodyAccess(_)
                    | Control::Audit
                    | Control::RemoveTarget { .. } => {}
                }
            }
        }
    }

    fn taint(&mut self, which: impl Fn(usize, &[u8]) -> bool) {
        for (at, slot) in (0u32..).take(self.known.len()).enumerate() {
            if which(at, self.names.name(slot)) {
                if let Some(known) = self.known.get_mut(at) {
                    *known = Known::Dynamic;
                }
                // What is written here may not be moved to the start any more.
                if let Some(read) = self.read.get_mut(at) {
                    *read = true;
                }
            }
        }
    }

    fn note_target(&mut self, target: &CompiledTarget) {
        for (at, slot) in (0u32..).take(self.read.len()).enumerate() {
            if (target.slot == Some(slot) || (target.slot.is_none() && target.selector.selects(self.names.name(slot))))
                && let Some(read) = self.read.get_mut(at)
            {
                *read = true;
            }
        }
    }

    fn note_template(&mut self, template: &Template) {
        for part in &template.parts {
            if let Part::Slot(slot) = part
                && let Some(read) = self.read.get_mut(index(*slot))
            {
                *read = true;
            }
        }
    }

    /// Whether the rule matches every request, or none; unknown if that depends.
    fn decide(&self, rule: &Rule) -> Option<bool> {
        let mut all = Some(true);
        for (at, link) in rule.links.iter().enumerate() {
            match self.decide_link(link) {
                // What the links before it do, they do; only the first link's failure leaves nothing done.
                Some(false) if at == 0 => return Some(false),
                Some(true) => {}
                Some(false) | None => all = None,
            }
        }
        all
    }

    fn decide_link(&self, link: &Link) -> Option<bool> {
        let Some(operator) = &link.operator else { return Some(true) };
        let argument = match operator {
            Operator::Number(_, template) | Operator::Text(_, template) => expand(&self.known, template)?,
            Operator::Always => Vec::new(),
            Operator::Rx(_)
            | Operator::Phrases(_)
            | Operator::Ip(_)
            | Operator::Sqli
            | Operator::Xss
            | Operator::ByteRange(_)
            | Operator::UrlEncoding
            | Operator::Utf8
            | Operator::Never => return None,
        };
        if !link.transforms.is_empty() || link.multi_match || !link.exclusions.is_empty() {
            return None;
        }
        let mut matched = false;
        for target in &link.targets {
            let (Var::Tx, Some(slot), Selector::Name(_)) = (target.var, target.slot, &target.selector) else {
                return None;
            };
            let value = match self.known.get(index(slot))? {
                Known::Dynamic => return None,
                Known::Unset if target.count => b"0".to_vec(),
                Known::Text(_) | Known::Number(_) if target.count => b"1".to_vec(),
                Known::Unset => continue,
                Known::Text(text) => text.clone(),
                Known::Number(n) => n.to_string().into_bytes(),
            };
            matched |= operator.test(&value, &argument, false).is_some() != link.negated;
        }
        Some(matched)
    }
}

fn changed(known: &[Known], before: &Known, change: &TxChange) -> Option<Known> {
    let number = |known: &Known| match known {
        Known::Unset => Some(0),
        Known::Number(n) => Some(*n),
        Known::Text(text) => Some(integer(text)),
        Known::Dynamic => None,
    };
    let amount = |template: &Template| expand(known, template).map(|text| integer(&text));
    Some(match change {
        TxChange::Unset => Known::Unset,
        TxChange::Set(template) => Known::Text(expand(known, template)?),
        TxChange::Add(template) => Known::Number(number(before)?.saturating_add(amount(template)?)),
        TxChange::Subtract(template) => Known::Number(number(before)?.saturating_sub(amount(template)?)),
    })
}

fn expand(known: &[Known], template: &Template) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for part in &template.parts {
        match part {
            Part::Text(text) => out.extend_from_slice(text),
            Part::Var(..) => return None,
            Part::Slot(slot) => match known.get(index(*slot))? {
                Known::Unset => {}
                Known::Text(text) => out.extend_from_slice(text),
                Known::Number(n) => crate::bytes::push_decimal(&mut out, *n),
                Known::Dynamic => return None,
            },
        }
    }
    Some(out)
}
