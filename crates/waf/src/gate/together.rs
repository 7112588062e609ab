//! Expressions without telling literals, tried on a view together in one pass instead of one by one. Their automata are
//! built whole when rules load: nothing is built for a request, so that no text makes the pass slow, and all workers
//! share them.

use super::Bits;
use super::analysis::{Facts, is_weak};
use crate::classes::{self, Classes};
use crate::operator::Operator;
use crate::pattern::syntax;
use crate::rule::Link;
use crate::transform::Transform;
use regex_automata::dfa::Automaton;
use regex_automata::dfa::dense::{self, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::{Input, MatchKind, PatternSet};
use std::collections::HashSet;

/// LIMIT: the table of one automaton; expressions that need more are tried in smaller groups, or alone.
const TABLE_BYTES: usize = 1 << 20;
/// LIMIT: what building one may take.
const BUILD_BYTES: usize = 8 << 20;

/// Expressions of the same kind.
#[derive(Debug, Default)]
pub(super) struct Together {
    groups: Vec<Group>,
    pub(super) all: Bits,
}

#[derive(Debug)]
struct Group {
    dfa: DFA<Vec<u32>>,
    /// The rule of each expression.
    rules: Vec<u16>,
    all: Bits,
}

/// Which view the expression is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// The view as it is.
    Kept,
    /// The view in lower case.
    Lower,
}

/// The rules that are tried together, while rules are read.
#[derive(Debug, Default)]
pub(super) struct Collector {
    kept: Vec<(u16, String)>,
    lower: Vec<(u16, String)>,
}

// === impl Collector ===

impl Collector {
    /// Takes a rule in if its expression says little and its view is known exactly.
    pub(super) fn add(&mut self, rule: u16, link: &Link, facts: &Facts) {
        let Some(Operator::Rx(pattern)) = &link.operator else { return };
        if link.multi_match || pattern.caseless || !is_weak(facts) {
            return;
        }
        match case_of(&link.transforms) {
            Some(Case::Kept) => self.kept.push((rule, pattern.source.clone())),
            Some(Case::Lower) => self.lower.push((rule, pattern.source.clone())),
            None => {}
        }
    }

    pub(super) fn build(self) -> [Together; 2] {
        [Together::new(&self.kept), Together::new(&self.lower)]
    }
}

/// Where letters end up; none if a later decoder may bring in capitals again.
fn case_of(chain: &[Transform]) -> Option<Case> {
    let folds = |t: &Transform| matches!(t, Transform::Lowercase | Transform::CmdLine);
    if chain.contains(&Transform::Uppercase) {
        return None;
    }
    let Some(last) = chain.iter().rposition(folds) else { return Some(Case::Kept) };
    chain.iter().skip(last + 1).all(|t| super::views::keeps_case(*t)).then_some(Case::Lower)
}

// === impl Together ===

impl Together {
    fn new(list: &[(u16, String)]) -> Self {
        let mut out = Self::default();
        out.split(list);
        for group in &out.groups {
            out.all.or(&group.all);
        }
        out
    }

    /// Puts expressions into as few automata as there is room for; one that needs too much alone is left out.
    fn split(&mut self, list: &[(u16, String)]) {
        if list.is_empty() {
            return;
        }
        if let Some(group) = Group::new(list) {
            self.groups.push(group);
        } else if list.len() > 1 {
            let (left, right) = list.split_at(list.len() / 2);
            self.split(left);
            self.split(right);
        }
    }

    /// The rules among `rules` that match the view, and those that aren't tried here.
    pub(super) fn filter(&self, rules: Bits, view: &[u8], found: &mut Option<PatternSet>) -> Bits {
        let mut left = rules.without(&self.all);
        for group in &self.groups {
            let asked = rules.and(&group.all);
            if !asked.is_empty() {
                left.or(&group.matching(view, found).map_or(asked, |matching| asked.and(&matching)));
            }
        }
        left
    }

    /// The rules among `rules` whose expression some view of these classes can match, and those that aren't tried here.
    pub(super) fn possible(&self, rules: Bits, allowed: Classes, is_lower: bool) -> Bits {
        let mut left = rules.without(&self.all);
        let bytes: Vec<u8> = (0..=255u8)
            .filter(|byte| classes::class(*byte) & !allowed == 0 && !(is_lower && byte.is_ascii_uppercase()))
            .collect();
        for group in &self.groups {
            let asked = rules.and(&group.all);
            if !asked.is_empty() {
                left.or(&group.reachable(&bytes).map_or(asked, |matching| asked.and(&matching)));
            }
        }
        left
    }

    pub(super) fn bytes(&self) -> usize {
        self.groups.iter().map(|g| g.dfa.memory_usage()).sum()
    }
}

// === impl Group ===

impl Group {
    fn new(list: &[(u16, String)]) -> Option<Self> {
        let sources: Vec<&str> = list.iter().map(|(_, source)| source.as_str()).collect();
        let config = dense::Config::new()
            .match_kind(MatchKind::All)
            .start_kind(regex_automata::dfa::StartKind::Unanchored)
            .dfa_size_limit(Some(TABLE_BYTES))
            .determinize_size_limit(Some(BUILD_BYTES));
        let dfa = DFA::builder()
            .syntax(syntax(false))
            .thompson(thompson::Config::new().utf8(false))
            .configure(config)
            .build_many(&sources)
            .ok()?;
        let mut all = Bits::NONE;
        for (rule, _) in list {
            all.insert(usize::from(*rule));
        }
        Some(Self { dfa, rules: list.iter().map(|(rule, _)| *rule).collect(), all })
    }

    /// The rules whose expression matches some text of these bytes; none if that can't be said.
    fn reachable(&self, bytes: &[u8]) -> Option<Bits> {
        let start = self.dfa.start_state_forward(&Input::new(b"")).ok()?;
        let (mut seen, mut waiting) = (HashSet::from([start]), vec![start]);
        let mut out = Bits::NONE;
        let mut note = |state: StateID| {
            if self.dfa.is_match_state(state) {
                for at in 0..self.dfa.match_len(state) {
                    if let Some(rule) = self.rules.get(self.dfa.match_pattern(state, at).as_usize()) {
                        out.insert(usize::from(*rule));
                    }
                }
            }
        };
        while let Some(state) = waiting.pop() {
            // A match is told one byte late, or by the end.
            note(state);
            note(self.dfa.next_eoi_state(state));
            for byte in bytes {
                let next = self.dfa.next_state(state, *byte);
                if self.dfa.is_quit_state(next) {
                    return None;
                }
                if seen.insert(next) {
                    waiting.push(next);
                }
            }
        }
        Some(out)
    }

    /// The rules whose expression matches; none if that can't be said.
    fn matching(&self, view: &[u8], found: &mut Option<PatternSet>) -> Option<Bits> {
        let found = match found {
            Some(found) if found.capacity() >= self.rules.len() => found,
            _ => found.insert(PatternSet::new(Bits::CAPACITY)),
        };
        found.clear();
        self.dfa.try_which_overlapping_matches(&Input::new(view), found).ok()?;
        let mut out = Bits::NONE;
        for pattern in found.iter() {
            if let Some(rule) = self.rules.get(pattern.as_usize()) {
                out.insert(usize::from(*rule));
            }
        }
        Some(out)
    }
}
