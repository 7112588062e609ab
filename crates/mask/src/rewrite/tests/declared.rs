//! Random outlines and documents: what leaves is what a plain walk along the outline lets leave.

use super::property::Dice;
use super::rewrite;
use crate::path::Path;
use crate::rewrite::Rewriter;
use crate::rules::{Action, Active, Rule, Ruleset, Select};
use portcullis_types::Outline;
use portcullis_types::outline::{Mark, Meaning, Member, Shape};
use std::collections::BTreeSet;
use std::sync::Arc;

const CASES: u64 = 40_000;
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// A document as it was made, so that printing it needs nothing of ours.
#[derive(Clone, Debug)]
enum Document {
    Scalar(&'static str),
    List(Vec<Document>),
    Object(Vec<(&'static str, Document)>),
}

impl Document {
    fn random(dice: &mut Dice, depth: usize) -> Self {
        let parts = |dice: &mut Dice| dice.below(4);
        match dice.below(if depth == 0 { 2 } else { 6 }) {
            0 | 1 => Self::Scalar(dice.one(&["null", "true", "1", "\"x\""])),
            2 => Self::List((0..parts(dice)).map(|_| Self::random(dice, depth - 1)).collect()),
            _ => Self::Object((0..parts(dice)).map(|_| (dice.one(&NAMES), Self::random(dice, depth - 1))).collect()),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Scalar(text) => (*text).to_owned(),
            Self::List(items) => format!("[{}]", items.iter().map(Self::text).collect::<Vec<_>>().join(",")),
            Self::Object(members) => {
                let members = members.iter().map(|(name, value)| format!("\"{name}\":{}", value.text()));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }
}

fn class(name: &str) -> Meaning {
    Meaning::Class(name.into())
}

fn outline(dice: &mut Dice) -> Outline {
    let count = 2 + dice.below(6);
    let number = |dice: &mut Dice| u32::try_from(dice.below(count)).unwrap();
    let some = |dice: &mut Dice| (dice.below(4) == 0).then(|| number(dice));
    let shape = |dice: &mut Dice| {
        let mut names = NAMES.to_vec();
        names.truncate(dice.below(4));
        let member = |name: &&str, dice: &mut Dice| Member {
            name: (*name).into(),
            shape: number(dice),
            declared: dice.below(5) > 0,
        };
        Shape {
            members: names.iter().map(|name| member(name, dice)).collect(),
            others: some(dice),
            patterned: some(dice).filter(|_| dice.below(3) == 0).into_iter().collect(),
            prefix: some(dice).into_iter().collect(),
            items: some(dice),
            parts: some(dice).into_iter().collect(),
            scalar: dice.below(3) == 0,
            anything: dice.below(8) == 0,
            marks: (0..2).filter(|_| dice.below(6) == 0).collect(),
        }
    };
    let mark = |name| Mark { meaning: class(name), file: "f".into(), line: 1 };
    let shapes = (0..count).map(|_| shape(dice)).collect();
    Outline { shapes, roots: vec![(3, 0), (5, 1)], marks: vec![mark("pii"), mark("secret")] }
}

struct Model<'m> {
    outline: &'m Outline,
    /// Whether only what is declared leaves.
    closed: bool,
    /// The classes that are left out, and made nothing.
    removes: Option<&'static str>,
    nulls: Option<&'static str>,
}

type Places = BTreeSet<(u32, bool)>;
type Steps = Vec<(u32, bool)>;

impl Model<'_> {
    fn closure(&self, places: Places) -> Places {
        let mut all = Places::new();
        let mut waiting: Vec<_> = places.into_iter().collect();
        while let Some((shape, declared)) = waiting.pop() {
            if all.insert((shape, declared)) {
                waiting.extend(self.outline.shape(shape).unwrap().parts.iter().map(|part| (*part, declared)));
            }
        }
        all
    }

    fn is(&self, places: &Places, class: Option<&str>) -> bool {
        let marks = |shape: u32| self.outline.shape(shape).unwrap().marks.iter();
        let of = |mark: &u32| self.outline.marks[usize::try_from(*mark).unwrap()].meaning.class();
        class.is_some() && places.iter().any(|(shape, _)| marks(*shape).any(|mark| of(mark) == class))
    }

    /// What leaves of a value, if anything does.
    fn leaves(&self, value: &Document, places: Places, allowed: bool) -> Option<Document> {
        let places = self.closure(places);
        let declared = || places.iter().filter(|(_, declared)| *declared).map(|(shape, _)| self.outline.shape(*shape));
        let any = |fits: fn(&Shape) -> bool| declared().any(|shape| fits(shape.unwrap()));
        let allowed = allowed || any(|shape| shape.anything);
        let fits = match value {
            Document::Scalar("null") => any(|_| true),
            Document::Scalar(_) => any(|shape| shape.scalar),
            Document::List(_) | Document::Object(_) => any(|_| true),
        };
        if !(allowed || fits) || self.is(&places, self.removes) {
            return None;
        }
        if self.is(&places, self.nulls) {
            return Some(Document::Scalar("null"));
        }
        let down = |step: &dyn Fn(&Shape, bool) -> Steps| {
            places.iter().flat_map(|(shape, declared)| step(self.outline.shape(*shape).unwrap(), *declared)).collect()
        };
        Some(match value {
            Document::Scalar(text) => Document::Scalar(text),
            Document::List(items) => {
                let item = |(index, item): (usize, &Document)| {
                    let below = down(&|shape, declared| {
                        let next = shape.prefix.get(index).copied().or(shape.items);
                        next.map(|next| (next, declared)).into_iter().collect()
                    });
                    self.leaves(item, below, allowed)
                };
                Document::List(items.iter().enumerate().filter_map(item).collect())
            }
            Document::Object(members) => {
                let member = |(name, value): &(&'static str, Document)| {
                    let below = down(&|shape, declared| {
                        let own = shape.members.iter().find(|member| *member.name == **name);
                        let next = own.map(|own| (own.shape, declared && own.declared));
                        let next = next.or(shape.others.map(|other| (other, declared)));
                        next.into_iter().chain(shape.patterned.iter().map(|part| (*part, false))).collect()
                    });
                    Some((*name, self.leaves(value, below, allowed)?))
                };
                Document::Object(members.iter().filter_map(member).collect())
            }
        })
    }
}

#[test]
fn what_is_declared_leaves_and_what_is_marked_is_masked() {
    let (mut kept, mut cut, mut emptied) = (0, 0, 0);
    for seed in 1..=CASES {
        let mut dice = Dice::new(seed);
        let outline = outline(&mut dice);
        let document = Document::random(&mut dice, 4);
        let rules = [
            Rule { select: Select::Marked(vec![class("pii")]), action: Action::Remove },
            Rule { select: Select::Marked(vec![class("secret")]), action: Action::Null },
            Rule { select: Select::Declared, action: Action::Remove },
        ];
        let closed = dice.below(3) > 0;
        let rules = if closed { &rules[..] } else { &rules[..2] };
        let active = u64::try_from(dice.below(4)).unwrap() | u64::from(closed) << 2;
        let compiled = Arc::new(Ruleset::along(rules, &outline, None).unwrap());
        let model = Model {
            outline: &outline,
            closed,
            removes: (active & 1 != 0).then_some("pii"),
            nulls: (active & 2 != 0).then_some("secret"),
        };
        // Of a document that nobody declares, marks count wherever they may be.
        let (schema, places): (_, Places) = match dice.below(4) {
            0 => (None, [(0, false), (1, false)].into()),
            1 => (Some(5), [(1, true)].into()),
            _ => (Some(3), [(0, true)].into()),
        };
        let expected = model.leaves(&document, places, !model.closed).unwrap_or(Document::Scalar("null")).text();
        let text = document.text();
        let rewriter = Rewriter::from(Arc::clone(&compiled), Active(active), compiled.start(schema));
        let made = rewrite(rewriter, text.as_bytes(), 1 + dice.below(text.len() + 2)).unwrap();
        let made = String::from_utf8(made).unwrap();
        assert_eq!(made, expected, "seed {seed}, active {active:b}, schema {schema:?}: {text}\n{outline:#?}");
        kept += u64::from(made == text);
        cut += u64::from(made != text && made != "null");
        emptied += u64::from(made != text && made == "null");
    }
    assert!(kept > CASES / 20 && cut > CASES / 20 && emptied > CASES / 20, "{kept} {cut} {emptied}");
}

#[test]
fn places_and_declarations_count_together() {
    let member = |name: &str, shape| Member { name: name.into(), shape, declared: true };
    let outline = Outline {
        shapes: vec![
            Shape { members: vec![member("id", 1), member("self", 0)], ..Shape::default() },
            Shape { scalar: true, ..Shape::default() },
        ],
        roots: vec![(0, 0)],
        marks: Vec::new(),
    };
    let paths = |text: &str| vec![Path::parse(text).unwrap()];
    let rules = [
        Rule { select: Select::Declared, action: Action::Remove },
        Rule { select: Select::Grant(paths("$.extra")), action: Action::Remove },
        Rule { select: Select::Paths(paths("$.self..id")), action: Action::Null },
    ];
    let compiled = Arc::new(Ruleset::along(&rules, &outline, None).unwrap());
    let input = br#"{"id":1,"x":2,"extra":{"y":[3]},"self":{"id":4,"extra":5,"self":{"id":{"z":6},"self":null}}}"#;
    let expected = r#"{"id":1,"extra":{"y":[3]},"self":{"id":null,"self":{"id":null,"self":null}}}"#;
    for size in 1..input.len() {
        let rewriter = Rewriter::from(Arc::clone(&compiled), Active(7), compiled.start(Some(0)));
        assert_eq!(String::from_utf8(rewrite(rewriter, input, size).unwrap()).unwrap(), expected);
    }
}
