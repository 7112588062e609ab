//! Computes the gates of a rule set.

use super::analysis::facts;
use super::literals::Collector;
use super::views::{self, grows};
use super::{ALL_LISTS, Bits, Gate, Interest, sqli, together};
use crate::classes::Classes;
use crate::operator::Operator;
use crate::rule::{Link, Rule};
use crate::seclang::Selector;
use crate::store::{Half, LISTS};
use crate::variable::Var;

/// How many lengths are told apart.
const LENGTHS: usize = 64;

pub(super) fn build(rules: &[Rule], phases: &[Vec<u32>; 5]) -> Gate {
    let mut gate = Gate { words: sqli::Words::new(), ..Gate::default() };
    gate.numbers = vec![None; rules.len()];
    gate.interests = vec![<[Interest; 2]>::default(); LISTS];
    gate.by_length = vec![Bits::NONE; LENGTHS];
    let mut literals = Collector::default();
    let mut together = together::Collector::default();
    let mut count = 0;
    let mut all = Bits::NONE;
    let order = phases.iter().flatten().filter_map(|at| rules.get(crate::bytes::index(*at)).map(|r| (*at, r)));
    for (at, rule) in order {
        let number = count;
        let Some(first) = rule.links.first().filter(|link| can_gate(link) && number < Bits::CAPACITY) else { continue };
        let joined = joined(rule);
        let link = joined.as_ref().unwrap_or(first);
        let Some(facts) = link.operator.as_ref().and_then(facts) else { continue };
        if (facts.clauses.is_empty() && facts.sets.is_empty() && !is_sql(link) && facts.min_len < 4)
            || !gate.views.add(number, &link.transforms, link.multi_match)
        {
            continue;
        }
        let Ok(short) = u16::try_from(number) else { continue };
        if let Some(slot) = gate.numbers.get_mut(crate::bytes::index(at)) {
            *slot = Some(short);
        }
        all.insert(number);
        let shortest = if link.transforms.iter().any(|t| grows(*t)) { 0 } else { facts.min_len };
        for bits in gate.by_length.iter_mut().skip(shortest.min(LENGTHS - 1)) {
            bits.insert(number);
        }
        if matches!(link.operator, Some(Operator::Sqli)) {
            gate.sqli.insert(number);
            // From the last to the first: what a step takes out may come out of an escape of the steps before it.
            let chain = &link.transforms;
            let escapes = chain.iter().rev().try_fold(0, |all, t| Some(views::sources(*t, all)? | views::joins(*t)));
            gate.sqli_escapes |= escapes.unwrap_or(Classes::MAX);
        }
        together.add(short, link, &facts);
        gate.clauses.add(number, &facts.clauses, &link.transforms);
        count += 1;
        literals.add(short, facts.sets);
        interests(&mut gate, link, number);
    }
    gate.literals = literals.build(&all);
    gate.together = together.build();
    gate.clauses.build();
    gate
}

/// The first two conditions of a chain as one: if the second only looks at what the first matched, and the first does
/// nothing on its own, a value that fails the second needn't be shown to the first. Only for the tokenizer of SQL,
/// which costs more than any expression.
fn joined(rule: &Rule) -> Option<Link> {
    let [first, second, ..] = rule.links.as_slice() else { return None };
    let idle = first.changes.is_empty() && first.controls.is_empty() && !first.capture && !first.multi_match;
    let same =
        second.targets.iter().all(|t| t.var == Var::MatchedVars && !t.count && matches!(t.selector, Selector::All))
            && !second.targets.is_empty()
            && !second.negated
            && !second.multi_match;
    if !idle || !same || !is_sql(first) {
        return None;
    }
    let transforms = first.transforms.iter().chain(&second.transforms).copied().collect();
    Some(Link { transforms, targets: first.targets.clone(), ..second.clone() })
}

fn is_sql(link: &Link) -> bool {
    matches!(link.operator, Some(Operator::Sqli))
}

/// Whether the link only looks at stored values and says "matches" when they do.
fn can_gate(link: &Link) -> bool {
    !link.negated && !link.targets.is_empty() && link.targets.iter().all(|t| !t.count && !t.sources.is_empty())
}

fn interests(gate: &mut Gate, link: &Link, number: usize) {
    for target in &link.targets {
        for (list, half) in target.sources {
            let Some([names, values]) = gate.interests.get_mut(list.at()) else { continue };
            let interest = if *half == Half::Name { names } else { values };
            match &target.selector {
                // An expression may select any member; the interpreter knows which.
                Selector::All | Selector::Matching(_) => {
                    interest.all.insert(number);
                    for (_, bits) in &mut interest.named {
                        bits.insert(number);
                    }
                }
                Selector::Name(name) => match interest.named.iter_mut().find(|(known, _)| known == name) {
                    Some((_, bits)) => bits.insert(number),
                    None => {
                        let mut bits = interest.all;
                        bits.insert(number);
                        interest.named.push((name.clone(), bits));
                    }
                },
            }
        }
    }
    debug_assert_eq!(ALL_LISTS.len(), LISTS);
}
