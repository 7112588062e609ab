//! Which values a target means, and what a macro reads.

use super::{Machine, Name, Value};
use crate::engine::evaluate::lower_into;
use crate::rule::CompiledTarget;
use crate::ruleset::TxNames;
use crate::seclang::{Exclusion, SEVERITIES, Selector};
use crate::store::{Half, List, Span, sources};
use crate::template::{Part, Template};
use crate::tx::{TxKey, TxValue, hash};
use crate::variable::{RuleField, Var};

/// Whether an exclusion of members of one variable counts for another: what is excluded isn't looked into either.
fn excludes(excluded: Var, looked_at: Var) -> bool {
    excluded == looked_at
        || matches!((excluded, looked_at), (Var::Args, Var::Derived) | (Var::ArgsNames, Var::DerivedNames))
}

// === impl Machine ===

impl Machine {
    /// Adds the values that `target` means to `out`.
    #[allow(clippy::wildcard_enum_match_arm, reason = "all other variables are in the store")]
    pub(super) fn collect(
        &mut self,
        names: &TxNames,
        target: &CompiledTarget,
        exclusions: &[&Exclusion],
        gate: Option<u16>,
        out: &mut Vec<Value>,
    ) {
        let start = out.len();
        match target.var {
            Var::Tx => self.collect_tx(names, target, out),
            Var::MatchedVars | Var::MatchedVarsNames => {
                for value in &self.previous_vars {
                    out.push(Value { var: target.var, ..*value });
                }
                if target.var == Var::MatchedVarsNames {
                    self.name_values(names, out, start);
                }
            }
            Var::MultipartFlag(_) | Var::MultipartStrictError | Var::MultipartUnmatchedBoundary => {
                let set = self.multipart_flag(target.var);
                let span = self.store.intern(if set { b"1" } else { b"0" });
                out.push(Value { var: target.var, name: Name::None, span, mark: 0 });
            }
            Var::MatchedVar | Var::MatchedVarName | Var::Duration | Var::HighestSeverity | Var::Rule(_) => {
                let mut text = Vec::new();
                self.read(names, target.var, None, None, &mut text);
                let span = self.store.intern(&text);
                out.push(Value { var: target.var, name: Name::None, span, mark: 0 });
            }
            _ => self.collect_stored(target, gate, out),
        }
        if !exclusions.is_empty() {
            let mut kept = start;
            for at in start..out.len() {
                let Some(value) = out.get(at).copied() else { break };
                if exclusions
                    .iter()
                    .any(|e| excludes(e.var, target.var) && self.selects(names, &e.selector, value.name))
                {
                    continue;
                }
                if let Some(slot) = out.get_mut(kept) {
                    *slot = value;
                }
                kept += 1;
            }
            out.truncate(kept);
        }
        if target.count {
            let count = out.len() - start;
            out.truncate(start);
            let span = self.store.intern(count.to_string().as_bytes());
            out.push(Value { var: target.var, name: Name::None, span, mark: 0 });
        }
    }

    fn collect_stored(&self, target: &CompiledTarget, gate: Option<u16>, out: &mut Vec<Value>) {
        let named = target.var.is_collection();
        for (list, half) in target.sources {
            for entry in self.store.list(*list) {
                if gate.is_some_and(|number| !self.scanner.value_may_match(entry.mark(*half), number)) {
                    continue;
                }
                let selected = match &target.selector {
                    Selector::All => true,
                    Selector::Name(_) | Selector::Matching(_) => target.selector.selects(self.store.bytes(entry.name)),
                };
                if selected {
                    let span = if *half == Half::Name { entry.name } else { entry.value };
                    out.push(Value {
                        var: target.var,
                        name: if named { Name::Span(entry.name) } else { Name::None },
                        span,
                        mark: entry.mark(*half),
                    });
                }
            }
        }
    }

    fn collect_tx(&mut self, names: &TxNames, target: &CompiledTarget, out: &mut Vec<Value>) {
        if let Some(slot) = target.slot {
            if let Some(span) = self.tx_span(TxKey::Slot(slot)) {
                out.push(Value { var: Var::Tx, name: Name::Slot(slot), span, mark: 0 });
            }
            return;
        }
        let slots: Vec<u32> = self
            .tx
            .slots()
            .filter(|(slot, _)| target.selector.selects(names.name(*slot)))
            .map(|(slot, _)| slot)
            .collect();
        for slot in slots {
            if let Some(span) = self.tx_span(TxKey::Slot(slot)) {
                out.push(Value { var: Var::Tx, name: Name::Slot(slot), span, mark: 0 });
            }
        }
        let made_up: Vec<(Span, TxValue)> =
            self.tx.dynamic().filter(|(name, _)| target.selector.selects(self.store.bytes(*name))).collect();
        for (name, value) in made_up {
            let span = match value {
                TxValue::Unset => continue,
                TxValue::Text(span) => span,
                TxValue::Number(n) => self.store.write(|out| crate::bytes::push_decimal(out, n)),
            };
            out.push(Value { var: Var::Tx, name: Name::Span(name), span, mark: 0 });
        }
    }

    fn tx_span(&mut self, key: TxKey) -> Option<Span> {
        match self.tx.get(key) {
            TxValue::Unset => None,
            TxValue::Text(span) => Some(span),
            TxValue::Number(n) => Some(self.store.write(|out| crate::bytes::push_decimal(out, n))),
        }
    }

    /// Replaces each value by its own name.
    fn name_values(&mut self, names: &TxNames, out: &mut [Value], start: usize) {
        for value in out.iter_mut().skip(start) {
            let mut text = Vec::new();
            self.display(names, *value, &mut text);
            value.span = self.store.intern(&text);
        }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "asked for three variables only; the third sums up the flags")]
    fn multipart_flag(&self, var: Var) -> bool {
        let flags = self.store.list(List::MultipartFlags);
        let set = |at: usize| flags.get(at).is_some_and(|e| self.store.bytes(e.value) == b"1");
        let last = flags.len().saturating_sub(1);
        match var {
            Var::MultipartFlag(flag) => set(usize::from(flag)),
            Var::MultipartUnmatchedBoundary => !flags.is_empty() && set(last),
            _ => (0..last).any(set) || (!flags.is_empty() && self.store.scalar(List::BodyError) == b"1"),
        }
    }

    fn selects(&self, names: &TxNames, selector: &Selector, name: Name) -> bool {
        match name {
            Name::None => matches!(selector, Selector::All),
            Name::Span(span) => selector.selects(self.store.bytes(span)),
            Name::Slot(slot) => selector.selects(names.name(slot)),
        }
    }

    /// A value's name as logs show it: `ARGS:q`.
    pub(super) fn display(&self, names: &TxNames, value: Value, out: &mut Vec<u8>) {
        out.extend_from_slice(value.var.name().as_bytes());
        match value.name {
            Name::None => {}
            Name::Span(span) => {
                out.push(b':');
                out.extend_from_slice(self.store.bytes(span));
            }
            Name::Slot(slot) => {
                out.push(b':');
                out.extend_from_slice(names.name(slot));
            }
        }
    }

    /// Appends what a variable reads: what `%{…}` expands to.
    #[allow(clippy::wildcard_enum_match_arm, reason = "all other variables are in the store")]
    pub(super) fn read(
        &self,
        names: &TxNames,
        var: Var,
        member: Option<&[u8]>,
        rule: Option<&crate::rule::Rule>,
        out: &mut Vec<u8>,
    ) {
        match var {
            Var::MatchedVar => {
                if let Some(value) = self.matched {
                    out.extend_from_slice(self.store.bytes(value.span));
                }
            }
            Var::MatchedVarName => {
                if let Some(value) = self.matched {
                    self.display(names, value, out);
                }
            }
            Var::HighestSeverity => crate::bytes::push_decimal(out, i64::from(self.highest_severity)),
            Var::Duration => out.push(b'0'),
            Var::MultipartFlag(_) | Var::MultipartStrictError | Var::MultipartUnmatchedBoundary => {
                out.push(if self.multipart_flag(var) { b'1' } else { b'0' });
            }
            Var::Rule(field) => {
                let Some(rule) = rule else { return };
                match field {
                    RuleField::Id => out.extend_from_slice(rule.info.id.to_string().as_bytes()),
                    RuleField::Severity => {
                        let severity = rule.info.severity.and_then(|s| SEVERITIES.get(usize::from(s)));
                        out.extend_from_slice(severity.copied().unwrap_or_default().as_bytes());
                    }
                    // The message may name the rule's message; once is enough.
                    RuleField::Msg => {
                        out.extend_from_slice(rule.msg.as_ref().and_then(Template::literal).unwrap_or_default());
                    }
                }
            }
            _ => {
                for (list, half) in sources(var) {
                    let entry = match member {
                        Some(name) => self.store.find(*list, name),
                        None => self.store.list(*list).first(),
                    };
                    if let Some(entry) = entry {
                        let span = if *half == Half::Name { entry.name } else { entry.value };
                        out.extend_from_slice(self.store.bytes(span));
                        return;
                    }
                }
            }
        }
    }

    /// Expands a template. LIMIT: 64 KiB.
    pub(super) fn expand(&self, names: &TxNames, template: &Template, rule: &crate::rule::Rule, out: &mut Vec<u8>) {
        for part in &template.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text),
                Part::Slot(slot) => match self.tx.get(TxKey::Slot(*slot)) {
                    TxValue::Unset => {}
                    TxValue::Number(n) => crate::bytes::push_decimal(out, n),
                    TxValue::Text(span) => out.extend_from_slice(self.store.bytes(span)),
                },
                Part::Var(var, member) => self.read(names, *var, member.as_deref(), Some(rule), out),
            }
        }
        out.truncate(64 << 10);
    }

    /// The variable that a name means: a numbered one, or one made up for it.
    pub(super) fn tx_key(&mut self, names: &TxNames, name: &[u8]) -> Option<TxKey> {
        let mut lower = std::mem::take(&mut self.spare);
        lower_into(name, &mut lower);
        let slot = names.find(&lower);
        self.spare = lower;
        if let Some(slot) = slot {
            return Some(TxKey::Slot(slot));
        }
        let hash = hash(name);
        if let Some(key) = self.tx.find(hash, |span| self.store.bytes(span).eq_ignore_ascii_case(name)) {
            return Some(key);
        }
        let span = self.store.intern(name);
        self.tx.add(hash, span)
    }
}
