//! The same by other means: `serde_json` takes the whole document apart, paths are followed step by step, and what has to change
//! is cut out of the text.

use crate::act;
use crate::automaton::START;
use crate::path::{Path, Step};
use crate::rules::{Action, Active, Rule, Ruleset, Select, bits};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::ops::Range;

/// Parts of the text with what stands for them.
type Edits = Vec<(Range<usize>, Vec<u8>)>;

pub(super) struct Model<'m> {
    pub(super) rules: &'m [Rule],
    pub(super) compiled: &'m Ruleset,
    pub(super) active: u64,
    pub(super) text: &'m str,
}

/// What is known on the way down.
#[derive(Clone)]
struct Above {
    place: Vec<Result<String, usize>>,
    allowed: bool,
    leaf: Option<usize>,
}

struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = Vec<(Option<String>, &'de RawValue)>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list or an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
            parts.push((Some(name), value));
        }
        Ok(parts)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while let Some(value) = list.next_element::<&'de RawValue>()? {
            parts.push((None, value));
        }
        Ok(parts)
    }
}

impl Model<'_> {
    /// The document as it has to leave.
    pub(super) fn masked(&self) -> String {
        let root: &RawValue = serde_json::from_str(self.text).unwrap();
        let granting = self.rules.iter().any(|rule| matches!(rule.select, Select::Grant(_)));
        let above = Above { place: Vec::new(), allowed: !granting, leaf: None };
        let mut edits = Edits::new();
        if !self.value(root, &above, &mut edits) {
            edits = vec![(self.range(root), b"null".to_vec())];
        }
        let (mut made, mut at) = (Vec::new(), 0);
        for (range, text) in edits {
            made.extend_from_slice(&self.text.as_bytes()[at..range.start]);
            made.extend_from_slice(&text);
            at = range.end;
        }
        made.extend_from_slice(&self.text.as_bytes()[at..]);
        String::from_utf8(made).unwrap()
    }

    fn range(&self, value: &RawValue) -> Range<usize> {
        let start = value.get().as_ptr() as usize - self.text.as_ptr() as usize;
        start..start + value.get().len()
    }

    /// Whether the value stays, changed as `edits` say.
    fn value(&self, value: &RawValue, above: &Above, edits: &mut Edits) -> bool {
        let raw = value.get();
        let meant = |select: fn(&Select) -> Option<&Vec<Path>>| {
            let counts = |(number, rule): &(usize, &Rule)| {
                self.active >> number & 1 == 1
                    && select(&rule.select)
                        .is_some_and(|paths| paths.iter().any(|path| fits(&path.steps, &above.place)))
            };
            self.rules.iter().enumerate().filter(counts).map(|(number, _)| number).collect::<Vec<_>>()
        };
        let (masking, granting) = (meant(as_paths), meant(as_grants));
        let allowed = above.allowed || !granting.is_empty();
        let is_scalar = !raw.starts_with(['{', '[']);
        let leads = self.leads(&above.place);
        if !allowed && (is_scalar || !leads) {
            return false;
        }
        let rule = masking.into_iter().chain(above.leaf).reduce(|best, next| {
            let strictness = |rule: usize| self.rules[rule].action.strictness();
            if strictness(next) > strictness(best) { next } else { best }
        });
        let action = rule.map(|rule| &self.rules[rule].action);
        match action {
            Some(Action::Remove) => return false,
            Some(Action::Null) => edits.push((self.range(value), b"null".to_vec())),
            Some(Action::Replace(text)) => edits.push((self.range(value), serde_json::to_vec(text).unwrap())),
            Some(action) if is_scalar => {
                let mut made = Vec::new();
                act::scalar(self.compiled, action, raw.as_bytes(), &mut made);
                edits.push((self.range(value), made));
            }
            None if is_scalar => {
                let mut made = Vec::new();
                let is_literal = matches!(raw, "true" | "false" | "null");
                if !is_literal && act::searched(self.compiled, Active(self.active), raw.as_bytes(), &mut made, |_| {}) {
                    edits.push((self.range(value), made));
                }
            }
            Some(_) | None => self.parts(value, &Above { allowed, leaf: rule, ..above.clone() }, edits),
        }
        true
    }

    fn parts(&self, value: &RawValue, above: &Above, edits: &mut Edits) {
        let mut deserializer = serde_json::Deserializer::from_str(value.get());
        let parts = deserializer.deserialize_any(Parts).unwrap();
        let base = self.range(value).start;
        let (mut last, mut kept) = (base + 1, false);
        for (index, (name, part)) in parts.into_iter().enumerate() {
            // The parts point into the same text.
            let range = self.range(part);
            let mut below = above.clone();
            below.place.push(name.ok_or(index));
            let mut own = Edits::new();
            if self.value(part, &below, &mut own) {
                if !kept && index > 0 {
                    let comma = self.text[last..range.start].find(',').unwrap() + last;
                    edits.push((comma..comma + 1, Vec::new()));
                }
                edits.append(&mut own);
                kept = true;
            } else {
                edits.push((last..range.end, Vec::new()));
            }
            last = range.end;
        }
    }

    /// Whether a granted place can be below this one.
    fn leads(&self, place: &[Result<String, usize>]) -> bool {
        let automaton = &self.compiled.automaton;
        let state = place.iter().fold(START, |state, step| match step {
            Ok(name) => automaton.member(state, name.as_bytes()),
            Err(index) => automaton.item(state, u32::try_from(*index).unwrap()),
        });
        bits(automaton.reach(state) & self.active & self.compiled.grants).next().is_some()
    }
}

fn as_paths(select: &Select) -> Option<&Vec<Path>> {
    if let Select::Paths(paths) = select { Some(paths) } else { None }
}

fn as_grants(select: &Select) -> Option<&Vec<Path>> {
    if let Select::Grant(paths) = select { Some(paths) } else { None }
}

/// Whether a path means a place, followed step by step.
fn fits(steps: &[Step], place: &[Result<String, usize>]) -> bool {
    match (steps.split_first(), place.split_first()) {
        (None, None) => true,
        (Some((Step::Descend, rest)), _) => {
            fits(rest, place) || place.split_first().is_some_and(|(_, below)| fits(steps, below))
        }
        (Some((step, rest)), Some((at, below))) => {
            let is_one = match (step, at) {
                (Step::Any, _) => true,
                (Step::Member(name), Ok(at)) => name == at,
                (Step::Item(index), Err(at)) => usize::try_from(*index).unwrap() == *at,
                (Step::Member(_) | Step::Item(_) | Step::Descend, _) => false,
            };
            is_one && fits(rest, below)
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}
