//! Expressions without telling literals, tried on a view together in one pass instead of one by one.

use super::Bits;
use super::analysis::{Facts, is_weak};
use crate::operator::Operator;
use crate::pattern::syntax;
use crate::rule::Link;
use crate::transform::Transform;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::{Input, MatchKind, PatternSet};

/// LIMIT: lazily built states of one worker; beyond it they are thrown away, and after a few times the pass gives up.
const CACHE_BYTES: usize = 8 << 20;

/// Expressions of the same kind.
#[derive(Debug, Default)]
pub(super) struct Together {
    dfa: Option<DFA>,
    /// The rule of each expression.
    rules: Vec<u16>,
    pub(super) all: Bits,
}

/// What a worker keeps for one of them.
#[derive(Debug)]
pub(super) struct Memory {
    cache: Cache,
    found: PatternSet,
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
        [Together::new(self.kept), Together::new(self.lower)]
    }
}

/// Where letters end up; none if a later decoder may bring in capitals again.
fn case_of(chain: &[Transform]) -> Option<Case> {
    let folds = |t: &Transform| matches!(t, Transform::Lowercase | Transform::CmdLine);
    if chain.contains(&Transform::Uppercase) {
        return None;
    }
    let Some(last) = chain.iter().rposition(folds) else { return Some(Case::Kept) };
    let harmless = |t: &Transform| super::views::introduces(*t, u64::MAX) != u64::MAX;
    chain.iter().skip(last + 1).all(harmless).then_some(Case::Lower)
}

// === impl Together ===

impl Together {
    fn new(list: Vec<(u16, String)>) -> Self {
        if list.is_empty() {
            return Self::default();
        }
        let sources: Vec<&str> = list.iter().map(|(_, source)| source.as_str()).collect();
        let config = DFA::config()
            .match_kind(MatchKind::All)
            .cache_capacity(CACHE_BYTES)
            .minimum_cache_clear_count(Some(3))
            .minimum_bytes_per_state(Some(64));
        let dfa = DFA::builder()
            .syntax(syntax(false))
            .thompson(thompson::Config::new().utf8(false))
            .configure(config)
            .build_many(&sources)
            .ok();
        let mut all = Bits::NONE;
        if dfa.is_some() {
            for (rule, _) in &list {
                all.insert(usize::from(*rule));
            }
        }
        Self { dfa, rules: list.into_iter().map(|(rule, _)| rule).collect(), all }
    }

    pub(super) fn memory(&self) -> Option<Memory> {
        let dfa = self.dfa.as_ref()?;
        Some(Memory { cache: dfa.create_cache(), found: PatternSet::new(dfa.pattern_len()) })
    }

    /// The rules among `rules` that match the view, and those that aren't tried here.
    pub(super) fn filter(&self, rules: Bits, view: &[u8], memory: &mut Memory) -> Bits {
        let Some(dfa) = &self.dfa else { return rules };
        memory.found.clear();
        let searched = dfa.try_which_overlapping_matches(&mut memory.cache, &Input::new(view), &mut memory.found);
        if searched.is_err() {
            return rules;
        }
        let mut left = rules.without(&self.all);
        for pattern in memory.found.iter() {
            if let Some(rule) = self.rules.get(pattern.as_usize()).map(|r| usize::from(*r))
                && rules.contains(rule)
            {
                left.insert(rule);
            }
        }
        left
    }
}
