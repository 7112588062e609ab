//! Random documents, rules and pieces against the model: 100,000 cases, byte for byte.

use super::coded::through;
use super::model::Model;
use super::{compile, paths, rewrite};
use crate::detect::Detector;
use crate::rewrite::Rewriter;
use crate::rules::{Action, Active, Coarser, Rule, Ruleset, Select};
use std::sync::Arc;

const CASES: u64 = 100_000;
/// Of so many cases one comes in a content coding, in each of them by turns.
const CODED: u64 = 20;

/// A small generator, so that every run has the same cases (xorshift64*).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % end
    }

    pub(super) fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }
}

const NAMES: [&str; 10] = ["a", "b", "\\u0061", "c", "a\\nb", "", "é", "email", "em\\u0061il", "x\\ud800"];
const TEXTS: [&str; 12] = [
    "",
    "plain",
    "ada@example.com",
    "x ada\\u0040example.com\\n",
    "4111 1111 1111 1111",
    "1985-03-02",
    "\\ud83d\\ude00\\\"",
    "größe €",
    "\\\\",
    "DE89 3704 0044 0532 0130 00",
    "\\/a\\tb",
    "a longer text that is nothing but a text, with \\\" in it",
];
const NUMBERS: [&str; 10] =
    ["0", "-0", "1.50", "-12.5e+3", "4111111111111111", "1E5", "37", "123456789", "0.1e-7", "99999999999999999999999"];
const BLANKS: [&str; 6] = ["", "", "", " ", "\n\t", "\r\n  "];

fn blank(dice: &mut Dice, out: &mut String) {
    out.push_str(dice.one(&BLANKS));
}

fn value(dice: &mut Dice, depth: usize, out: &mut String) {
    let kind = dice.below(if depth == 0 { 4 } else { 10 });
    match kind {
        0 => out.push_str(dice.one(&["true", "false", "null"])),
        1 => out.push_str(dice.one(&NUMBERS)),
        2 | 3 => {
            out.push('"');
            out.push_str(dice.one(&TEXTS));
            out.push('"');
        }
        4..=6 => parts(dice, depth, out, ('[', ']')),
        _ => parts(dice, depth, out, ('{', '}')),
    }
}

fn parts(dice: &mut Dice, depth: usize, out: &mut String, (open, close): (char, char)) {
    out.push(open);
    blank(dice, out);
    for index in 0..dice.below(5) {
        if index > 0 {
            out.push(',');
            blank(dice, out);
        }
        if open == '{' {
            out.push('"');
            out.push_str(dice.one(&NAMES));
            out.push('"');
            blank(dice, out);
            out.push(':');
            blank(dice, out);
        }
        value(dice, depth - 1, out);
        blank(dice, out);
    }
    out.push(close);
}

/// Sets of rules; compiled once each.
fn sets() -> Vec<(Vec<Rule>, Arc<Ruleset>)> {
    let rule = |places: &[&str], action| Rule { select: Select::Paths(paths(places)), action };
    let grant = |places: &[&str]| Rule { select: Select::Grant(paths(places)), action: Action::Remove };
    let detect = |detectors: &[Detector], action| Rule { select: Select::Detect(detectors.to_vec()), action };
    let partial = Action::Partial { first: 1, last: 2 };
    let sets = vec![
        vec![],
        vec![rule(&["$.a"], Action::Remove), rule(&["$..b"], Action::Null)],
        vec![rule(&["$..a"], Action::Remove)],
        vec![rule(&["$[0]", "$[*][1]", "$..[2]"], Action::Remove)],
        vec![rule(&["$..email", "$.*.c"], partial.clone()), rule(&["$.a..b"], Action::Hash)],
        vec![rule(&["$..a"], Action::Tokenise), rule(&["$..b"], Action::Generalise(Coarser::Range(10)))],
        vec![rule(&["$..['a\\\\nb']", "$..['a\nb']", "$..['']"], Action::Replace("\"\n".to_owned()))],
        vec![rule(&["$..*"], partial.clone()), rule(&["$.a.a"], Action::Remove)],
        vec![detect(&Detector::ALL, Action::Replace("#".to_owned())), rule(&["$..c"], Action::Null)],
        vec![detect(&[Detector::Email], Action::Null), detect(&[Detector::Card], partial.clone())],
        vec![detect(&Detector::ALL, Action::Tokenise), rule(&["$.a"], Action::Remove)],
        vec![grant(&["$.a", "$[*].b", "$..email"])],
        vec![grant(&["$.a.b", "$.c"]), grant(&["$[0]"]), rule(&["$..a"], Action::Remove)],
        vec![grant(&["$..b"]), detect(&Detector::ALL, Action::Remove), rule(&["$..b.a"], partial)],
    ];
    let compiled = |rules: Vec<Rule>| {
        let set = compile(&rules);
        (rules, set)
    };
    sets.into_iter().map(compiled).collect()
}

#[test]
fn masked_as_the_model_masks() {
    let sets = sets();
    let mut changed = 0;
    for seed in 1..=CASES {
        let mut dice = Dice::new(seed);
        let mut text = String::new();
        blank(&mut dice, &mut text);
        value(&mut dice, 5, &mut text);
        blank(&mut dice, &mut text);
        let (rules, compiled) = &sets[dice.below(sets.len())];
        let active = u64::try_from(dice.below(8)).unwrap() | if dice.below(2) == 0 { u64::MAX } else { 0 };
        let size = 1 + dice.below(text.len() + 3);
        let made = rewrite(Rewriter::new(Arc::clone(compiled), Active(active)), text.as_bytes(), size);
        // The model does not read halves of surrogate pairs.
        let readable = text.replace("\\ud800", "\\u00ff");
        let model = Model { rules, compiled, active, text: &readable }.masked().replace("\\u00ff", "\\ud800");
        let made = String::from_utf8(made.unwrap_or_else(|error| panic!("{error}: {text}"))).unwrap();
        assert_eq!(made, model, "seed {seed}, rules {rules:?}, active {active:b}, pieces of {size}: {text}");
        changed += u64::from(made != text);
        if seed % CODED == 0 {
            let rewriter = Rewriter::new(Arc::clone(compiled), Active(active));
            let coded = through(seed / CODED, rewriter, text.as_bytes(), (1 + dice.below(40), 1 + dice.below(90)));
            assert_eq!(String::from_utf8(coded).unwrap(), model, "in a coding: seed {seed}, rules {rules:?}: {text}");
        }
    }
    assert!(changed > CASES / 4, "{changed} of {CASES} had anything to mask");
}

#[test]
fn broken_as_serde_finds_it() {
    let sets = sets();
    let mut broken = 0;
    for seed in 1..=CASES / 4 {
        let mut dice = Dice::new(seed);
        let mut text = String::new();
        value(&mut dice, 4, &mut text);
        let mut bytes = text.replace("\\ud800", "").into_bytes();
        let place = dice.below(bytes.len());
        match dice.below(3) {
            0 => drop(bytes.remove(place)),
            1 => bytes[place] = b"{}[]\",:\\0-.etn \x01\xff"[dice.below(17)],
            _ => bytes.truncate(place),
        }
        let (_, compiled) = &sets[dice.below(sets.len())];
        let made = rewrite(Rewriter::new(Arc::clone(compiled), Active(u64::MAX)), &bytes, 1 + dice.below(9));
        let expected = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes);
        // Of what it ignores, serde_json does not look at UTF-8.
        let is_good = expected.is_ok() && std::str::from_utf8(&bytes).is_ok();
        assert_eq!(made.is_ok(), is_good, "{}", String::from_utf8_lossy(&bytes));
        broken += u64::from(made.is_err());
    }
    assert!(broken > CASES / 16, "{broken} were broken");
}
