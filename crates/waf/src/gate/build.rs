//! Computes the gates of a rule set.

use super::analysis::facts;
use super::literals::Collector;
use super::views::grows;
use super::{ALL_LISTS, Bits, Gate, Interest, sqli, together};
use crate::classes::{self, Classes};
use crate::operator::Operator;
use crate::rule::{Link, Rule};
use crate::seclang::Selector;
use crate::store::{Half, LISTS};
use crate::transform::Transform;
use std::collections::HashMap;

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
    let mut triggers: HashMap<Classes, Bits> = HashMap::new();
    let mut all = Bits::NONE;
    let order = phases.iter().flatten().filter_map(|at| rules.get(crate::bytes::index(*at)).map(|r| (*at, r)));
    for (at, rule) in order {
        let number = count;
        let Some(link) = rule.links.first().filter(|link| can_gate(link) && number < Bits::CAPACITY) else { continue };
        let Some(facts) = link.operator.as_ref().and_then(facts) else { continue };
        if (facts.clauses.is_empty() && facts.sets.is_empty() && !is_tokenizer(link) && facts.min_len < 4)
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
        note_triggers(&mut gate.unbounded, &mut triggers, number, &link.transforms);
        match link.operator {
            Some(Operator::Sqli) => gate.sqli.insert(number),
            Some(Operator::Xss) => gate.xss.insert(number),
            _ => {}
        }
        together.add(short, link, &facts);
        gate.clauses.add(number, &facts.clauses);
        count += 1;
        literals.add(short, facts.sets);
        interests(&mut gate, link, number);
    }
    gate.literals = literals.build(&all);
    gate.together = together.build();
    gate.triggers = triggers.into_iter().collect();
    gate
}

fn is_tokenizer(link: &Link) -> bool {
    matches!(link.operator, Some(Operator::Sqli | Operator::Xss))
}

/// Whether the link only looks at stored values and says "matches" when they do.
fn can_gate(link: &Link) -> bool {
    !link.negated && !link.targets.is_empty() && link.targets.iter().all(|t| !t.count && !t.sources.is_empty())
}

fn note_triggers(unbounded: &mut Bits, triggers: &mut HashMap<Classes, Bits>, number: usize, chain: &[Transform]) {
    for transform in chain {
        let trigger = match transform {
            Transform::UrlDecode | Transform::UrlDecodeUni => classes::of(b"%"),
            Transform::CssDecode | Transform::EscapeSeqDecode | Transform::JsDecode => classes::of(b"\\"),
            Transform::HtmlEntityDecode => classes::of(b"&"),
            Transform::Utf8ToUnicode => classes::HIGH,
            Transform::Base64Decode
            | Transform::Base64DecodeExt
            | Transform::HexDecode
            | Transform::HexEncode
            | Transform::Length
            | Transform::Sha1 => {
                unbounded.insert(number);
                continue;
            }
            Transform::CmdLine
            | Transform::CompressWhitespace
            | Transform::Lowercase
            | Transform::NormalizePath
            | Transform::NormalizePathWin
            | Transform::RemoveCommentsChar
            | Transform::RemoveNulls
            | Transform::RemoveWhitespace
            | Transform::ReplaceComments
            | Transform::ReplaceNulls
            | Transform::Trim
            | Transform::TrimLeft
            | Transform::TrimRight
            | Transform::Uppercase => continue,
        };
        triggers.entry(trigger).or_default().insert(number);
    }
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
