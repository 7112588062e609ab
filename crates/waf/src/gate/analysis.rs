//! What a condition requires of every value it matches: a length, byte classes, literals. Computed from the
//! expression once, when rules load. INVARIANT: every fact is necessary, with letter case ignored throughout.

use crate::classes::{self, Classes};
use crate::operator::{Operator, TextTest};
use crate::pattern::{Pattern, syntax};
use regex_syntax::hir::{Class, Hir, HirKind};

/// LIMIT: strings of one exact set while it is built.
const EXACT: usize = 256;
/// LIMIT: bytes of one string of an exact set.
const EXACT_BYTES: usize = 24;
/// LIMIT: literals of one any-of set.
const MEMBERS: usize = 4000;
/// How many any-of sets a rule keeps; all must hit.
pub(super) const SETS: usize = 3;
/// How many clauses a rule keeps.
const CLAUSES: usize = 6;

/// Any one of these strings, in lower case, occurs.
pub(super) type AnyOf = Vec<Vec<u8>>;

/// What is required.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) min_len: usize,
    /// Of each set of classes at least one occurs.
    pub(super) clauses: Vec<Classes>,
    pub(super) sets: Vec<AnyOf>,
}

/// Facts of a part of an expression.
#[derive(Debug, Clone, Default)]
struct Part {
    /// The strings it matches, if they are few.
    exact: Option<AnyOf>,
    clauses: Vec<Classes>,
    sets: Vec<AnyOf>,
}

/// The facts of a condition; none if it can't be gated.
pub(super) fn facts(operator: &Operator) -> Option<Facts> {
    let literal = |text: &[u8]| part_of_literals(vec![text.to_ascii_lowercase()]);
    let (part, min_len) = match operator {
        Operator::Rx(pattern) => expression(pattern)?,
        Operator::Phrases(phrases) => {
            let list: AnyOf = phrases.list.iter().map(|p| p.to_vec()).collect();
            let shortest = list.iter().map(Vec::len).min().unwrap_or(0);
            (part_of_literals(list), shortest)
        }
        Operator::Text(test, template) => {
            let text = template.literal()?;
            match test {
                TextTest::Within => return None,
                TextTest::Equals
                | TextTest::Contains
                | TextTest::ContainsWord
                | TextTest::BeginsWith
                | TextTest::EndsWith => (literal(text), text.len()),
            }
        }
        Operator::ByteRange(set) => {
            let outside = (0..=255u8).zip(set.iter()).filter(|(_, allowed)| !**allowed);
            let clause = outside.fold(0, |all, (byte, _)| all | classes::folded(byte));
            (Part { clauses: vec![clause], ..Part::default() }, 1)
        }
        Operator::Utf8 => (Part { clauses: vec![classes::HIGH], ..Part::default() }, 1),
        Operator::UrlEncoding => (Part { clauses: vec![classes::of(b"%")], ..Part::default() }, 1),
        Operator::Sqli => (Part::default(), 1),
        // The tokenizer of HTML only stops at a tag or an attribute's value.
        Operator::Xss => (Part { clauses: vec![classes::of(b"<=")], ..Part::default() }, 1),
        Operator::Number(..) | Operator::Ip(_) | Operator::Always | Operator::Never => return None,
    };
    Some(finish(part, min_len))
}

fn part_of_literals(list: AnyOf) -> Part {
    let mut part = Part::default();
    if let Some(clause) = any_clause(&list) {
        part.clauses.push(clause);
    }
    if let [only] = list.as_slice() {
        part.clauses.extend(only.iter().map(|b| classes::folded(*b)));
    }
    if useful(&list) {
        part.sets.push(list);
    }
    part
}

fn expression(pattern: &Pattern) -> Option<(Part, usize)> {
    let config = syntax(pattern.caseless);
    let hir = regex_automata::util::syntax::parse_with(&pattern.source, &config).ok()?;
    let min_len = hir.properties().minimum_len()?;
    let mut part = walk(&hir, 0);
    if let Some(exact) = part.exact.take() {
        if let Some(clause) = any_clause(&exact) {
            part.clauses.push(clause);
        }
        if useful(&exact) {
            part.sets.push(exact);
        }
    }
    Some((part, min_len))
}

fn finish(part: Part, min_len: usize) -> Facts {
    let Part { mut clauses, mut sets, .. } = part;
    clauses.retain(|c| *c != 0 && c.count_ones() < 60);
    clauses.sort_by_key(|c| commonness(*c));
    clauses.dedup();
    clauses.truncate(CLAUSES);
    sets.sort_by(|a, b| rarity(b).total_cmp(&rarity(a)));
    sets.dedup();
    sets.truncate(SETS);
    for set in &mut sets {
        for literal in set.iter_mut() {
            *literal = telling_window(literal).to_vec();
        }
        set.sort_unstable();
        set.dedup();
    }
    Facts { min_len, clauses, sets }
}

/// How likely ordinary values have a byte of the clause: marks are rare, letters are not.
pub(super) fn commonness(clause: Classes) -> u32 {
    (0..64)
        .filter(|bit| clause >> bit & 1 == 1)
        .map(|bit| match bit {
            0..=25 => 20,
            26 => 12,
            59 => 10,
            60 => 5,
            61..=63 => 2,
            _ => 3,
        })
        .sum()
}

/// How telling a set is: its least telling member, less for many members.
fn rarity(set: &AnyOf) -> f64 {
    let least = set
        .iter()
        .map(|s| s.iter().map(|b| if b.is_ascii_alphanumeric() || *b == b' ' { 1.0 } else { 1.8 }).sum::<f64>())
        .fold(f64::INFINITY, f64::min);
    let members = u32::try_from(set.len()).unwrap_or(u32::MAX);
    least.min(8.0) - f64::from(members).log2() * 0.25
}

/// Whether the literals say little: there are none, or short ones, or so many that one of them is common.
pub(super) fn is_weak(facts: &Facts) -> bool {
    facts.sets.iter().map(rarity).fold(f64::NEG_INFINITY, f64::max) < 2.6
}

/// LIMIT: bytes of a literal that are looked for; a piece of a literal is as necessary as the whole, and the
/// automaton's size grows with every byte.
const WINDOW: usize = 7;

/// The most telling piece of a long literal.
fn telling_window(literal: &[u8]) -> &[u8] {
    let score = |w: &[u8]| w.iter().filter(|b| !b.is_ascii_alphanumeric() && **b != b' ').count();
    let windows = literal.windows(WINDOW).rev();
    windows.max_by_key(|w| score(w)).unwrap_or(literal)
}

fn useful(set: &AnyOf) -> bool {
    // Two letters occur in nearly every text: looking for them costs more than it saves.
    let telling = |s: &Vec<u8>| s.len() >= 3 || (s.len() == 2 && s.iter().any(u8::is_ascii_punctuation));
    !set.is_empty() && set.len() <= MEMBERS && set.iter().all(telling)
}

/// One clause for "any of these strings": of each string its rarest byte.
fn any_clause(list: &AnyOf) -> Option<Classes> {
    if list.is_empty() {
        return None;
    }
    list.iter()
        .try_fold(0, |all, s| s.iter().map(|b| classes::folded(*b)).min_by_key(|c| commonness(*c)).map(|c| all | c))
}

fn walk(hir: &Hir, depth: usize) -> Part {
    // LIMIT: depth of an expression; deeper parts require nothing.
    if depth > 200 {
        return Part::default();
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Part { exact: Some(vec![Vec::new()]), ..Part::default() },
        HirKind::Literal(literal) => {
            let text = literal.0.to_ascii_lowercase();
            let clauses = text.iter().map(|b| classes::folded(*b)).collect();
            Part { exact: Some(vec![text]), clauses, sets: Vec::new() }
        }
        HirKind::Class(class) => byte_class(class),
        HirKind::Capture(capture) => walk(&capture.sub, depth + 1),
        HirKind::Repetition(repetition) => {
            let sub = walk(&repetition.sub, depth + 1);
            repeated(sub, repetition.min, repetition.max)
        }
        HirKind::Concat(parts) => concat(parts.iter().map(|p| walk(p, depth + 1)).collect()),
        HirKind::Alternation(parts) => alternation(parts.iter().map(|p| walk(p, depth + 1)).collect()),
    }
}

fn byte_class(class: &Class) -> Part {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Bytes(class) => class.iter().map(|r| (u32::from(r.start()), u32::from(r.end()))).collect(),
        // Characters beyond ASCII are sequences of high bytes.
        Class::Unicode(class) => class.iter().map(|r| (u32::from(r.start()), u32::from(r.end()))).collect(),
    };
    let wide = matches!(class, Class::Unicode(_)) && ranges.iter().any(|(_, end)| *end > 0x7f);
    let mut clause = if wide { classes::HIGH } else { 0 };
    let mut folded: Vec<u8> = Vec::new();
    for (start, end) in ranges {
        for byte in (start..=end.min(255)).filter_map(|b| u8::try_from(b).ok()) {
            clause |= classes::folded(byte);
            folded.push(byte.to_ascii_lowercase());
        }
    }
    if wide {
        return Part { exact: None, clauses: vec![clause], sets: Vec::new() };
    }
    folded.sort_unstable();
    folded.dedup();
    let exact = (folded.len() <= 10).then(|| folded.iter().map(|b| vec![*b]).collect());
    Part { exact, clauses: vec![clause], sets: Vec::new() }
}

fn repeated(sub: Part, min: u32, max: Option<u32>) -> Part {
    if min == 0 {
        // Only `x?` stays exact.
        let exact = match (max, sub.exact) {
            (Some(1), Some(mut exact)) if exact.len() < EXACT => {
                exact.push(Vec::new());
                exact.sort_unstable();
                exact.dedup();
                Some(exact)
            }
            _ => None,
        };
        return Part { exact, ..Part::default() };
    }
    let Part { exact, clauses, mut sets } = sub;
    let Some(once) = exact else { return Part { exact: None, clauses, sets } };
    let mut all = once.clone();
    let mut complete = max == Some(min);
    for _ in 1..min.min(16) {
        match product(&all, &once) {
            Some(next) => all = next,
            None => {
                complete = false;
                break;
            }
        }
    }
    if complete && min <= 16 {
        return Part { exact: Some(all), clauses, sets };
    }
    if useful(&all) {
        sets.push(all);
    }
    Part { exact: None, clauses, sets }
}

fn product(left: &AnyOf, right: &AnyOf) -> Option<AnyOf> {
    if left.len().saturating_mul(right.len()) > EXACT {
        return None;
    }
    let mut out = Vec::with_capacity(left.len() * right.len());
    for a in left {
        for b in right {
            if a.len() + b.len() > EXACT_BYTES {
                return None;
            }
            out.push([a.as_slice(), b.as_slice()].concat());
        }
    }
    out.sort_unstable();
    out.dedup();
    Some(out)
}

fn concat(parts: Vec<Part>) -> Part {
    let mut out = Part::default();
    let mut run: AnyOf = vec![Vec::new()];
    let mut whole = true;
    let flush = |run: AnyOf, out: &mut Part| {
        if useful(&run) {
            out.sets.push(run);
        }
    };
    for part in parts {
        out.clauses.extend(part.clauses);
        out.sets.extend(part.sets);
        match part.exact {
            Some(exact) => match product(&run, &exact) {
                Some(next) => run = next,
                None => {
                    whole = false;
                    flush(std::mem::replace(&mut run, exact), &mut out);
                }
            },
            None => {
                whole = false;
                flush(std::mem::replace(&mut run, vec![Vec::new()]), &mut out);
            }
        }
    }
    if whole {
        out.exact = Some(run);
    } else {
        flush(run, &mut out);
    }
    out
}

fn alternation(parts: Vec<Part>) -> Part {
    let mut out = Part::default();
    let exact: Option<usize> = parts.iter().map(|p| p.exact.as_ref().map(Vec::len)).sum();
    if exact.is_some_and(|n| n <= MEMBERS) {
        let mut all: AnyOf = parts.iter().filter_map(|p| p.exact.clone()).flatten().collect();
        all.sort_unstable();
        all.dedup();
        out.clauses.extend(any_clause(&all));
        out.exact = Some(all);
        return out;
    }
    // Each branch gives its most telling set and its rarest clause; together they are necessary.
    let mut set: Option<AnyOf> = Some(Vec::new());
    let mut clause: Option<Classes> = Some(0);
    for part in parts {
        let mut own = part.sets;
        let mut clauses = part.clauses;
        if let Some(exact) = part.exact {
            clauses.extend(any_clause(&exact));
            own.push(exact);
        }
        let best = own.into_iter().filter(useful).max_by(|a, b| rarity(a).total_cmp(&rarity(b)));
        set = match (set, best) {
            (Some(mut all), Some(best)) if all.len() + best.len() <= MEMBERS => {
                all.extend(best);
                Some(all)
            }
            _ => None,
        };
        let rarest = clauses.into_iter().filter(|c| *c != 0).min_by_key(|c| commonness(*c));
        clause = clause.zip(rarest).map(|(all, rarest)| all | rarest);
    }
    if let Some(mut set) = set {
        set.sort_unstable();
        set.dedup();
        out.sets.push(set);
    }
    out.clauses.extend(clause);
    out
}

#[cfg(test)]
mod tests;
