//! Which rules a value's byte classes allow: each rule needs one class of each of its clauses. The most telling clause
//! is looked up for all rules at once, the others rule by rule for those that are left.

use super::Bits;
use super::views;
use crate::classes::Classes;
use crate::transform::Transform;

/// How many clauses of a rule are looked at: the most telling ones.
const LEVELS: usize = 4;
/// A set of classes in pieces of four bits: how many pieces, and how many values each has.
const PIECES: usize = 16;

/// The clauses of all rules.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    rules: Vec<Rule>,
    /// For each value of each piece of a set of classes, the rules whose first loose clause it meets; `width` words each.
    first: Vec<u64>,
    /// The rules that have no clause.
    none: Bits,
    /// Words that are in use.
    width: usize,
}

/// The clauses of a rule, `Classes::MAX` where it has no more.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// What the view that the rule looks at has to have.
    exact: [Classes; LEVELS],
    /// What a value has to have for any view made from it by the rule's own transformations to have that.
    loose: [Classes; LEVELS],
}

// === impl Clauses ===

impl Clauses {
    /// Takes in the rule with the next number.
    pub(super) fn add(&mut self, rule: usize, clauses: &[Classes], chain: &[Transform]) {
        let mut added = Rule { exact: [Classes::MAX; LEVELS], loose: [Classes::MAX; LEVELS] };
        let loose = |clause: Classes| {
            chain.iter().rev().try_fold(clause, |wanted, step| views::sources(*step, wanted)).unwrap_or(Classes::MAX)
        };
        for (at, clause) in clauses.iter().take(LEVELS).enumerate() {
            if let (Some(exact), Some(place)) = (added.exact.get_mut(at), added.loose.get_mut(at)) {
                (*exact, *place) = (*clause, loose(*clause));
            }
        }
        added.loose.sort_by_key(|c| super::analysis::commonness(*c));
        if added.loose.first() == Some(&Classes::MAX) {
            self.none.insert(rule);
        }
        self.rules.push(added);
    }

    /// Builds the table once all rules are in.
    pub(super) fn build(&mut self) {
        self.width = match self.rules.len() {
            0..=64 => 1,
            65..=192 => 3,
            _ => Bits::WORDS,
        };
        self.first = vec![0; PIECES * 16 * self.width];
        for (number, rule) in self.rules.iter().enumerate().filter(|(n, _)| !self.none.contains(*n)) {
            let clause = rule.loose.first().copied().unwrap_or(Classes::MAX);
            for piece in 0..PIECES {
                for value in (1..16).filter(|value| clause >> (piece * 4) & value != 0) {
                    let value = usize::try_from(value).unwrap_or(0);
                    let row = self.first.chunks_exact_mut(self.width).nth(piece * 16 + value).unwrap_or_default();
                    crate::rule::insert(row, number);
                }
            }
        }
    }

    /// The rules among `rules` that may match a value with these classes, or any view made from it.
    pub(super) fn loose(&self, mask: Classes, rules: &Bits) -> Bits {
        let met = match self.width {
            1 => self.first::<1>(mask),
            3 => self.first::<3>(mask),
            _ => self.first::<{ Bits::WORDS }>(mask),
        };
        let left = met.and(rules);
        if left.is_empty() { left } else { self.still_loose(mask, left) }
    }

    fn first<const WIDTH: usize>(&self, mask: Classes) -> Bits {
        let mut out = self.none;
        let mut rest = mask;
        for piece in self.first.chunks_exact(16 * WIDTH) {
            let value = usize::try_from(rest & 15).unwrap_or(0);
            if let Some(row) = piece.get(value * WIDTH..(value + 1) * WIDTH) {
                out.or_words(row);
            }
            rest >>= 4;
        }
        out
    }

    /// The same for a view, where few rules are left.
    pub(super) fn still_loose(&self, mask: Classes, rules: Bits) -> Bits {
        self.retain(rules, |rule| rule.loose.iter().all(|c| mask & c != 0 || *c == Classes::MAX))
    }

    /// The rules among `rules` that may match a view with exactly these classes.
    pub(super) fn exact(&self, mask: Classes, rules: Bits) -> Bits {
        self.retain(rules, |rule| rule.exact.iter().all(|c| mask & c != 0 || *c == Classes::MAX))
    }

    fn retain(&self, mut rules: Bits, meets: impl Fn(&Rule) -> bool) -> Bits {
        rules.retain(|number| self.rules.get(number).is_none_or(&meets));
        rules
    }
}
