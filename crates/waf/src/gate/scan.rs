//! Looks at each value once per view and says which rules are left to confirm.

use super::views::{self, NodeSet, Signature, Step, Views};
use super::{ALL_LISTS, Bits, Gate, Interest};
use crate::classes::{self, Classes};
use crate::store::{Entry, Half, List, Store};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// LIMIT: steps of the view tree that are remembered.
const STEPS: usize = 8192;

/// What a byte of a view costs that is looked at for the first time: it is made, classed, and two automata read it.
const VIEW_COST: usize = 4;

/// What a worker keeps between requests.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    /// Which rule set the steps are of.
    owner: u64,
    steps: HashMap<(NodeSet, Signature), std::sync::Arc<Step>, BuildHasherDefault<Mixer>>,
    buffers: Vec<Vec<u8>>,
    /// The expressions found in a pass over a view.
    found: Option<regex_automata::PatternSet>,
    lower: Vec<u8>,
    /// For each scanned value that has any: its rules.
    left: Vec<Bits>,
    /// What is known of values beforehand.
    pub(crate) spared: Option<std::sync::Arc<crate::spared::Spared>>,
    /// For each of them where its verdict is remembered, if it is.
    remembered: Vec<Option<usize>>,
    memory: super::memory::Memory,
    /// All of them together.
    union: Bits,
    /// What that was in work.
    pub(crate) work: usize,
    /// How much it may be.
    most: usize,
}

/// Multiplies and folds: enough for keys that are bit sets.
#[derive(Debug, Default)]
pub(crate) struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (place, byte) in word.iter_mut().zip(chunk) {
                *place = *byte;
            }
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u128(&mut self, value: u128) {
        for half in [value, value >> 64] {
            self.write_u64(u64::try_from(half & u128::from(u64::MAX)).unwrap_or(0));
        }
    }
}

// === impl Scanner ===

impl Scanner {
    /// Forgets the request before.
    pub(crate) fn reset(&mut self, owner: u64) {
        if self.owner != owner {
            self.owner = owner;
            self.steps.clear();
            self.memory.clear();
        }
        self.left.clear();
        self.spared = None;
        self.remembered.clear();
        self.union = Bits::NONE;
        self.work = 0;
    }

    /// Takes over what another scanner found out about the request. What it remembers isn't this one's to correct.
    pub(crate) fn take_marks(&mut self, other: &mut Scanner) {
        self.left = std::mem::take(&mut other.left);
        self.remembered.clear();
        self.remembered.resize(self.left.len(), None);
        self.union = std::mem::replace(&mut other.union, Bits::NONE);
        self.work = std::mem::take(&mut other.work);
        other.remembered.clear();
    }

    /// Whether any value may match the rule of gate `number`.
    pub(crate) fn may_match(&self, number: u16) -> bool {
        self.union.contains(usize::from(number))
    }

    /// Whether the value with this mark may match the rule of gate `number`.
    pub(crate) fn value_may_match(&self, mark: u32, number: u16) -> bool {
        match mark {
            Store::UNSCANNED => true,
            0 => false,
            at => self.left.get(crate::bytes::index(at) - 1).is_none_or(|bits| bits.contains(usize::from(number))),
        }
    }

    /// Notes that the value with this mark was tried and doesn't match the rule of gate `number`.
    pub(crate) fn refute(&mut self, mark: u32, number: u16) {
        let Some(at) = crate::bytes::index(mark).checked_sub(1) else { return };
        if let Some(Some(slot)) = self.remembered.get(at) {
            self.memory.refute(*slot, usize::from(number));
        }
    }

    /// Scans the values that haven't been scanned yet.
    ///
    /// Ends early once it was more than `most` work: the request is refused then, or looked at no further.
    pub(crate) fn scan(&mut self, gate: &Gate, store: &mut Store, most: usize) {
        self.most = most;
        for list in ALL_LISTS {
            let from = store.unscanned(list);
            if from == store.list(list).len() {
                continue;
            }
            for half in [Half::Name, Half::Value] {
                let Some(interest) = gate.interest(list, half).filter(|interest| !interest.is_empty()) else {
                    continue;
                };
                for at in from..store.list(list).len() {
                    let Some(entry) = store.list(list).get(at).copied() else { break };
                    if self.work > most {
                        return;
                    }
                    let mark = self.entry(gate, interest, store, (list, half), entry);
                    store.mark(list, half, at, mark);
                }
            }
            store.scanned(list);
        }
    }

    /// The mark of one half of an entry.
    fn entry(&mut self, gate: &Gate, interest: &Interest, store: &Store, at: (List, Half), entry: Entry) -> u32 {
        let name = store.bytes(entry.name);
        let value = if at.1 == Half::Name { name } else { store.bytes(entry.value) };
        let longest = gate.by_length.len().saturating_sub(1);
        let Some(by_length) = gate.by_length.get(value.len().min(longest)) else { return Store::UNSCANNED };
        let rules = interest.of(name).and(by_length);
        if rules.is_empty() {
            return 0;
        }
        let mask = classes::mask(value);
        let mut rules = gate.clauses.loose(mask, &rules);
        // Asked only about what is left: most values need no promise to be passed over.
        let known = self.spared.as_ref().filter(|_| at.1 == Half::Value && !rules.is_empty());
        if let Some(possible) = known.and_then(|spared| spared.rules(at.0, name, mask)) {
            rules = rules.and(possible);
        }
        if rules.is_empty() {
            return 0;
        }
        let (left, remembered) = self.remembered(at, if at.1 == Half::Name { &[] } else { name }, value, |this| {
            this.value(gate, value, mask, rules)
        });
        if left.is_empty() {
            return 0;
        }
        self.union.or(&left);
        self.left.push(left);
        self.remembered.push(remembered);
        crate::bytes::len32(self.left.len())
    }

    /// What `look` finds out, or what it found out the last time.
    fn remembered(
        &mut self,
        (list, half): (List, Half),
        name: &[u8],
        value: &[u8],
        look: impl FnOnce(&mut Self) -> Bits,
    ) -> (Bits, Option<usize>) {
        if !super::memory::worth(list, half) {
            return (look(self), None);
        }
        match self.memory.find(list, half, name, value) {
            super::memory::Found::Known(slot, left) => (left, Some(slot)),
            super::memory::Found::Place(slot) => {
                let left = look(self);
                self.memory.keep(slot, list, half, name, value, left);
                (left, Some(slot))
            }
            super::memory::Found::Nothing => (look(self), None),
        }
    }

    /// The rules among `rules` that a value may match.
    fn value(&mut self, gate: &Gate, value: &[u8], mask: Classes, rules: Bits) -> Bits {
        let alive = gate.sql(rules, value, mask, gate.sqli_escapes);
        self.view(gate, value, mask, Views::ROOT, alive, 0)
    }

    /// One view: the rules among `rules` that look at it, then the views made from it.
    fn view(&mut self, gate: &Gate, view: &[u8], mask: Classes, nodes: NodeSet, rules: Bits, depth: usize) -> Bits {
        if rules.is_empty() {
            return rules;
        }
        self.work = self.work.saturating_add(view.len().saturating_mul(VIEW_COST));
        // What isn't looked at any more may match: this is remembered like any other verdict.
        if self.work > self.most {
            return rules;
        }
        let step = self.step(gate, nodes, views::changes(mask));
        let here = gate.clauses.exact(mask, rules.and(&step.rules));
        let mut left = gate.here(here, view, mask);
        left = self.together(gate, left, view, mask);
        for (transform, nodes, below) in &step.next {
            let wanted = rules.and(below).without(&left);
            if wanted.is_empty() {
                continue;
            }
            if depth >= self.buffers.len() {
                self.buffers.resize_with(depth + 1, Vec::new);
            }
            let mut buffer = self.buffers.get_mut(depth).map(std::mem::take).unwrap_or_default();
            transform.apply(view, &mut buffer);
            let made = classes::mask(&buffer);
            let wanted = gate.clauses.still_loose(made, wanted);
            left.or(&self.view(gate, &buffer, made, *nodes, wanted, depth + 1));
            if let Some(place) = self.buffers.get_mut(depth) {
                *place = buffer;
            }
        }
        left
    }

    /// Tries the expressions that say little together.
    fn together(&mut self, gate: &Gate, mut left: Bits, view: &[u8], mask: Classes) -> Bits {
        for (at, together) in gate.together.iter().enumerate() {
            if left.and(&together.all).is_empty() {
                continue;
            }
            left = if at == 1 && mask & classes::UPPER != 0 {
                self.lower.clear();
                self.lower.extend(view.iter().map(u8::to_ascii_lowercase));
                together.filter(left, &self.lower, &mut self.found)
            } else {
                together.filter(left, view, &mut self.found)
            };
        }
        left
    }

    fn step(&mut self, gate: &Gate, nodes: NodeSet, signature: Signature) -> std::sync::Arc<Step> {
        if let Some(step) = self.steps.get(&(nodes, signature)) {
            return std::sync::Arc::clone(step);
        }
        let step = std::sync::Arc::new(gate.views.step(nodes, signature));
        if self.steps.len() < STEPS {
            self.steps.insert((nodes, signature), std::sync::Arc::clone(&step));
        }
        step
    }
}

// === impl Gate ===

impl Gate {
    /// `rules` without those about SQL, if the value has none of these escapes and nothing of SQL either.
    fn sql(&self, rules: Bits, view: &[u8], mask: Classes, escapes: Classes) -> Bits {
        // A decoded plus sign is a space, which separates words as well.
        let possible = mask & escapes != 0 || rules.and(&self.sqli).is_empty() || self.words.possible(view, mask);
        if possible { rules } else { rules.without(&self.sqli) }
    }

    /// The rules that may match exactly this view.
    fn here(&self, rules: Bits, view: &[u8], mask: Classes) -> Bits {
        if rules.is_empty() {
            return rules;
        }
        let rules = self.sql(rules, view, mask, 0);
        if rules.is_empty() || self.literals.unconditional(rules) == rules {
            return rules;
        }
        self.literals.filter(rules, view)
    }
}

#[cfg(test)]
mod tests;
