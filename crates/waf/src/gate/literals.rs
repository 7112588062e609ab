//! All literals of all rules, found in one pass over a view, letters of either case.

use super::Bits;
use super::analysis::{AnyOf, SETS};
use crate::classes::Classes;
use aho_corasick::Anchored;
use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use std::collections::HashMap;

/// The literals and whose they are.
#[derive(Debug, Default)]
pub(super) struct Literals {
    automaton: Option<DFA>,
    /// For each literal: the any-of set and the rule it belongs to.
    owners: Vec<Vec<(usize, u16)>>,
    /// The classes of each literal, case ignored.
    classes: Vec<Classes>,
    /// The rules that have no such set.
    absent: [Bits; SETS],
}

/// Collects literals while rules are read.
#[derive(Debug, Default)]
pub(super) struct Collector {
    index: HashMap<Vec<u8>, usize>,
    list: Vec<Vec<u8>>,
    owners: Vec<Vec<(usize, u16)>>,
    present: [Bits; SETS],
}

// === impl Collector ===

impl Collector {
    pub(super) fn add(&mut self, rule: u16, sets: Vec<AnyOf>) {
        for (set, (literals, present)) in sets.into_iter().zip(&mut self.present).enumerate() {
            present.insert(usize::from(rule));
            for literal in literals {
                let at = *self.index.entry(literal.clone()).or_insert_with(|| {
                    self.list.push(literal);
                    self.owners.push(Vec::new());
                    self.list.len() - 1
                });
                if let Some(owners) = self.owners.get_mut(at) {
                    owners.push((set, rule));
                }
            }
        }
    }

    pub(super) fn build(self, rules: &Bits) -> Literals {
        let automaton = if self.list.is_empty() {
            None
        } else {
            DFA::builder()
                .ascii_case_insensitive(true)
                .start_kind(aho_corasick::StartKind::Unanchored)
                .build(&self.list)
                .ok()
        };
        // Without an automaton nothing is ever ruled out by a literal.
        let present = if automaton.is_some() { self.present } else { [Bits::NONE; SETS] };
        let classes = self.list.iter().map(|literal| crate::classes::of(literal)).collect();
        Literals { automaton, owners: self.owners, classes, absent: present.map(|p| rules.without(&p)) }
    }
}

// === impl Literals ===

impl Literals {
    /// The rules among `rules` that have no literals at all to look for.
    pub(super) fn unconditional(&self, rules: Bits) -> Bits {
        self.absent.iter().fold(rules, |rules, absent| rules.and(absent))
    }

    /// The rules among `rules` of whose every any-of set a literal occurs in `view`.
    pub(super) fn filter(&self, rules: Bits, view: &[u8]) -> Bits {
        let Some(automaton) = &self.automaton else { return rules };
        let mut hits = self.absent;
        let Ok(mut state) = automaton.start_state(Anchored::No) else { return rules };
        for byte in view {
            state = automaton.next_state(Anchored::No, state, *byte);
            if automaton.is_special(state) && automaton.is_match(state) {
                for at in 0..automaton.match_len(state) {
                    let literal = automaton.match_pattern(state, at).as_usize();
                    for (set, rule) in self.owners.get(literal).map(Vec::as_slice).unwrap_or_default() {
                        if let Some(hit) = hits.get_mut(*set) {
                            hit.insert(usize::from(*rule));
                        }
                    }
                }
            }
        }
        hits.iter().fold(rules, |rules, hit| rules.and(hit))
    }

    /// The rules among `rules` of whose every any-of set a literal can occur in a view of these classes.
    pub(super) fn possible(&self, rules: Bits, allowed: Classes) -> Bits {
        let mut hits = self.absent;
        let literals = self.classes.iter().zip(&self.owners).filter(|(classes, _)| **classes & !allowed == 0);
        for (set, rule) in literals.flat_map(|(_, owners)| owners) {
            if let Some(hit) = hits.get_mut(*set) {
                hit.insert(usize::from(*rule));
            }
        }
        hits.iter().fold(rules, |rules, hit| rules.and(hit))
    }

    pub(super) fn bytes(&self) -> usize {
        self.automaton.as_ref().map_or(0, Automaton::memory_usage)
    }
}
