//! Ownership that is learned from answers: a requirement beside the rules, and what each operation shows and asks for.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use portcullis_access::learned::{Learning, Limits, Place};
use portcullis_access::{Effect, Expression, Mode, Operand, Rule};

use super::{Named, Operation, Section, Stated};
use crate::check::Check;
use crate::diagnostic::{Diagnostic, closest, quote};
use crate::file::{Learned, LearnedMode, defaults};
use crate::plan::{LearnedPlan, LearnedRoute, RulePlan};
use crate::scalar::Text;
use crate::sources::Span;
use crate::tree::At;

/// LIMIT: kinds of objects of one level.
const MAX_KINDS: usize = 64;
/// LIMIT: callers and ids of one that are remembered, and bytes of an answer that is looked into.
const CALLERS: (u64, u64) = (1, 1_000_000);
const IDS: (u64, u64) = (1, 100_000);
const ANSWER_BYTES: (u64, u64) = (1_024, 8 * 1024 * 1024);
/// LIMIT: bytes of an id.
const ID_BYTES: usize = 256;
/// LIMIT: seconds for which an id is remembered: a week.
const KEEP_SECONDS: (u64, u64) = (1, 7 * 86_400);

/// What a level learns.
pub(super) struct Learns {
    plan: Arc<LearnedPlan>,
    shown: Vec<Shows>,
    asked: Vec<Asks>,
    path: String,
}

struct Shows {
    kind: Arc<str>,
    operation: Named,
    place: Place,
}

struct Asks {
    kind: Arc<str>,
    operation: Named,
    operand: Operand,
}

impl Check<'_> {
    /// Reads what a level learns, and the requirement that comes of it.
    pub(super) fn learned(&mut self, written: Option<&Learned>, at: &At<'_>) -> Option<(Learns, Option<Stated>)> {
        let written = written?;
        let at = at.key("learned");
        let objects = at.key("objects");
        if written.objects.is_empty() || written.objects.len() > MAX_KINDS {
            let message = format!("there are none, or more than {MAX_KINDS}");
            let help = "write `{ order: { shown: { listOrders: \"$.items[*].id\" }, asked: { getOrder: path.id } } }`";
            self.reject(&objects, Diagnostic::new("empty-list", objects.name_span(), message).help(help));
        }
        let (mut shown, mut asked) = (Vec::new(), Vec::new());
        for (kind, object) in &written.objects {
            let at = objects.key(kind);
            let kind: Arc<str> = Arc::from(kind.as_str());
            for (key, list) in [("shown", &object.shown), ("asked", &object.asked)] {
                self.list(&at.key(key), list.len());
            }
            let (shows, asks) = (at.key("shown"), at.key("asked"));
            for (name, text) in &object.shown {
                let place = self.id_place(&shows.key(name), text);
                let of = |place| Shows { kind: Arc::clone(&kind), operation: named(name, &shows.key(name)), place };
                shown.extend(place.map(of));
            }
            for (name, text) in &object.asked {
                let operand = self.id_operand(&asks.key(name), text);
                let of = |operand| Asks { kind: Arc::clone(&kind), operation: named(name, &asks.key(name)), operand };
                asked.extend(operand.map(of));
            }
        }
        let mode = match written.mode {
            None | Some(LearnedMode::Enforce) => Learning::Enforce,
            Some(LearnedMode::Observe) => Learning::Observe,
            Some(LearnedMode::Off) => Learning::Off,
        };
        let plan = Arc::new(LearnedPlan {
            place: at.path(),
            mode,
            limits: self.remembered(written, &at),
            answer_bytes: self.answer_bytes(written, &at),
        });
        let origin = self.origin(&at);
        let stated = (mode != Learning::Off).then(|| Stated {
            path: at.path(),
            span: at.name_span(),
            is_tainted: at.is_tainted() || asked.is_empty(),
            operations: Some(asked.iter().map(|asks: &Asks| asks.operation.again()).collect()),
            when_spans: Vec::new(),
            role_spans: Vec::new(),
            says_anybody: None,
            plan: RulePlan {
                name: Arc::from("learned"),
                rule: Rule {
                    mode: if mode == Learning::Observe { Mode::Observe } else { Mode::Enforce },
                    foreign: Some("shown before".to_owned()),
                    ..Rule::new(Effect::Require)
                },
                origin,
                statement: None,
                asks_learned: true,
                fields: Vec::new(),
            },
            applies: Cell::new(0),
            lives: Cell::new(0),
            opens: Cell::new(0),
            dead: RefCell::default(),
        });
        Some((Learns { plan, shown, asked, path: at.path() }, stated))
    }

    fn remembered(&mut self, written: &Learned, at: &At<'_>) -> Limits {
        let plain = |number: u64| number.to_string();
        let seconds = |number: u64| format!("{number}s");
        let keep = written.keep.map_or(defaults::LEARNED_KEEP.duration(), |period| period.duration()).as_secs();
        let count = |number: Option<u64>, built_in: u64| number.unwrap_or(built_in);
        let callers = count(written.callers.map(|count| count.0), defaults::LEARNED_CALLERS.0);
        let ids = count(written.ids.map(|count| count.0), defaults::LEARNED_IDS.0);
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Limits {
            callers: size(self.within(&at.key("callers"), callers, CALLERS, plain)),
            ids: size(self.within(&at.key("ids"), ids, IDS, plain)),
            id_bytes: ID_BYTES,
            seconds: self.within(&at.key("keep"), keep, KEEP_SECONDS, seconds),
        }
    }

    fn answer_bytes(&mut self, written: &Learned, at: &At<'_>) -> usize {
        let bytes = written.answer_bytes.map_or(defaults::LEARNED_ANSWER_BYTES.bytes, |size| size.bytes);
        let bytes = self.within(&at.key("answer_bytes"), bytes, ANSWER_BYTES, |bytes| bytes.to_string());
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    fn id_place(&mut self, at: &At<'_>, text: &Text) -> Option<Place> {
        let place = Place::parse(&text.0);
        if place.is_none() {
            let message = format!("{} is no place in an answer", self.shown(at, &text.0));
            let diagnostic = self.wrong(at, "bad-place", message).help("write it like `$.items[*].id`");
            self.reject(at, diagnostic);
        }
        place
    }

    fn id_operand(&mut self, at: &At<'_>, text: &Text) -> Option<Operand> {
        // The language of rules reads it; what stands on the other side does not matter.
        let operand = match Expression::parse(&format!("{} == 'id'", text.0)) {
            Ok(Expression::Equal(operand @ (Operand::Path(_) | Operand::Query(_)), _)) => Some(operand),
            Ok(_) | Err(_) => None,
        };
        if operand.is_none() {
            let message = format!("{} is no parameter", self.shown(at, &text.0));
            let diagnostic = self.wrong(at, "bad-expression", message).help("write `path.NAME` or `query.NAME`");
            self.reject(at, diagnostic);
        }
        operand
    }

    /// What an operation shows and asks for, by the nearest level that learns.
    pub(super) fn learned_of(&mut self, operation: &Operation<'_>, sections: &[&Section]) -> Option<LearnedRoute> {
        let learns = sections.iter().find_map(|section| section.learns.as_ref())?;
        let names = operation.names();
        let is_it = |named: &Named| {
            let is_it = names.contains(&named.text);
            named.is_found.set(named.is_found.get() || is_it);
            is_it
        };
        let template = format!("{}{}", operation.prefix, operation.plan.template);
        let shows = learns.shown.iter().filter(|shows| is_it(&shows.operation));
        let shows: Vec<_> = shows.map(|shows| (Arc::clone(&shows.kind), shows.place.clone())).collect();
        let mut asks = Vec::new();
        for one in learns.asked.iter().filter(|asks| is_it(&asks.operation)) {
            match one.operand.resolve(&template) {
                Ok(operand) => asks.push((Arc::clone(&one.kind), operand)),
                Err(name) => {
                    let message =
                        format!("the path of {} has no parameter {}", quote(&operation.plan.id), quote(&name));
                    let diagnostic = Diagnostic::new("no-parameter", one.operation.span, message);
                    self.report.push(diagnostic.help("correct the parameter").path(learns.path.clone()));
                }
            }
        }
        (!shows.is_empty() || !asks.is_empty()).then(|| LearnedRoute { plan: Arc::clone(&learns.plan), shows, asks })
    }

    /// Operations that are named and not there.
    pub(super) fn learned_end(&mut self, learns: &Learns, known: &[String]) {
        for named in learns.shown.iter().map(|shows| &shows.operation) {
            if !named.is_found.get() {
                let help = match closest(&named.text, known.iter().map(String::as_str)) {
                    Some(meant) => format!("did you mean {}?", quote(meant)),
                    None => "write its id, or its methods and path as `portcullis routes` shows them".to_owned(),
                };
                let message = format!("there is no operation {}", named.shown);
                let diagnostic = Diagnostic::new("unknown-operation", named.span, message).help(help);
                self.report.push(diagnostic.path(learns.path.clone()));
            }
        }
    }
}

fn named(name: &str, at: &At<'_>) -> Named {
    let span: Span = at.name_span();
    let tainted = at.is_tainted();
    Named {
        text: name.to_owned(),
        shown: quote(name),
        span,
        is_found: Cell::new(tainted),
        is_closed: Cell::new(tainted),
    }
}
