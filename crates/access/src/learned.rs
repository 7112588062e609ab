//! Which ids a caller may ask for because he has been shown them, say in a list that he was allowed to read.
//!
//! INVARIANT: no id is his before he was shown it. Whatever is forgotten, for want of room or time, is refused.

use serde_json::Value;
use std::collections::{HashMap, VecDeque};

const STEPS_MAX: usize = 16;

/// Where in an answer ids stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A name, or all of a list.
    steps: Vec<Option<Box<str>>>,
}

/// How much is remembered, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Callers at once.
    pub callers: usize,
    /// Ids of one caller.
    pub ids: usize,
    /// Bytes of an id; a longer one is never remembered.
    pub id_bytes: usize,
    /// Seconds for which an id that was shown may be asked for.
    pub seconds: u64,
}

/// What is done about an id that a caller was not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learning {
    /// It is refused.
    Enforce,
    /// It is counted.
    Observe,
    /// Nothing, and nothing is remembered.
    Off,
}

/// What is known about an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// He was shown it, or nobody asks.
    Known,
    /// He was not, and that is only counted: so many times by now.
    Guess(u64),
    /// He was not, and is refused: so many times by now.
    Refused(u64),
}

/// Who was shown what.
#[derive(Debug)]
pub struct Learned {
    mode: Learning,
    limits: Limits,
    callers: HashMap<Box<str>, Shown>,
    /// Callers by when they were seen first; the oldest makes room.
    order: VecDeque<Box<str>>,
}

#[derive(Debug, Default)]
struct Shown {
    /// Until when each may be asked for.
    until: HashMap<Box<str>, u64>,
    order: VecDeque<(Box<str>, u64)>,
    guesses: u64,
}

// === impl Learned ===

impl Learned {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(mode: Learning, limits: Limits) -> Self {
        Self { mode, limits, callers: HashMap::new(), order: VecDeque::new() }
    }

    /// A caller was shown an id, in an answer to a request that he was allowed to make. `kind` keeps ids of orders and of
    /// users apart. `now` is in seconds and never goes back.
    pub fn show(&mut self, caller: &str, kind: &str, id: &str, now: u64) {
        if self.mode == Learning::Off || id.len() > self.limits.id_bytes || self.limits.ids == 0 {
            return;
        }
        let (limits, until) = (self.limits, now.saturating_add(self.limits.seconds));
        if let Some(shown) = self.caller(caller) {
            shown.put(key(kind, id), until, limits.ids, now);
        }
    }

    /// Whether a caller may ask for an id; one that he was not shown is counted.
    pub fn ask(&mut self, caller: &str, kind: &str, id: &str, now: u64) -> Answer {
        if self.mode == Learning::Off {
            return Answer::Known;
        }
        let known = self.callers.get(caller).and_then(|shown| shown.until.get(&key(kind, id)));
        if known.is_some_and(|until| now < *until) {
            return Answer::Known;
        }
        let guesses = self.caller(caller).map_or(1, |shown| {
            shown.guesses = shown.guesses.saturating_add(1);
            shown.guesses
        });
        if self.mode == Learning::Observe { Answer::Guess(guesses) } else { Answer::Refused(guesses) }
    }

    /// How many ids a caller has guessed.
    #[must_use]
    pub fn guesses(&self, caller: &str) -> u64 {
        self.callers.get(caller).map_or(0, |shown| shown.guesses)
    }

    /// Callers and ids that are remembered.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.callers.len(), self.callers.values().map(|shown| shown.until.len()).sum())
    }

    fn caller(&mut self, caller: &str) -> Option<&mut Shown> {
        if !self.callers.contains_key(caller) {
            // LIMIT: the oldest caller makes room, and has to be shown again what he may see.
            while self.callers.len() >= self.limits.callers {
                let oldest = self.order.pop_front()?;
                self.callers.remove(&oldest);
            }
            self.callers.insert(caller.into(), Shown::default());
            self.order.push_back(caller.into());
        }
        self.callers.get_mut(caller)
    }
}

// === impl Shown ===

impl Shown {
    fn put(&mut self, key: Box<str>, until: u64, ids_max: usize, now: u64) {
        if self.until.insert(key.clone(), until) == Some(until) {
            return;
        }
        self.order.push_back((key, until));
        // LIMIT: what is over goes first, then what was shown longest ago.
        while let Some((oldest, end)) = self.order.front() {
            // What was shown again since stands further back once more.
            let is_last = self.until.get(oldest) == Some(end);
            if is_last && *end > now && self.until.len() <= ids_max {
                break;
            }
            if let Some((gone, _)) = self.order.pop_front().filter(|_| is_last) {
                self.until.remove(&gone);
            }
        }
        // LIMIT: what stands in the order more than once is taken out before it is as much as the rest.
        if self.order.len() > ids_max.saturating_mul(2) {
            let until = &self.until;
            self.order.retain(|(key, end)| until.get(key) == Some(end));
        }
    }
}

// === impl Place ===

impl Place {
    /// Reads `$.items[*].id`: names behind dots, and `[*]` for all of a list.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("[*]") {
                steps.push(None);
                rest = after;
                continue;
            }
            let after = rest.strip_prefix('.')?;
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, behind) = after.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
            steps.push(Some(name.into()));
            rest = behind;
        }
        // LIMIT: steps into a value.
        (!steps.is_empty() && steps.len() <= STEPS_MAX).then_some(Self { steps })
    }

    /// Every text and whole number that stands there.
    pub fn each(&self, value: &Value, take: &mut impl FnMut(&str)) {
        each(&self.steps, value, take);
    }
}

fn each(steps: &[Option<Box<str>>], value: &Value, take: &mut impl FnMut(&str)) {
    match (steps, value) {
        ([], Value::String(text)) => take(text),
        ([], Value::Number(number)) => take(&number.to_string()),
        ([None, rest @ ..], Value::Array(items)) => items.iter().for_each(|item| each(rest, item, take)),
        ([Some(name), rest @ ..], Value::Object(object)) => {
            object.get(&**name).into_iter().for_each(|member| each(rest, member, take));
        }
        _ => {}
    }
}

/// A kind cannot hold a line feed, so that no two pairs are one key.
fn key(kind: &str, id: &str) -> Box<str> {
    format!("{}\n{id}", kind.replace('\n', " ")).into()
}

#[cfg(test)]
mod tests {
    use super::{Answer, Learned, Learning, Limits, Place};
    use proptest::prelude::*;
    use std::collections::HashMap;

    const LIMITS: Limits = Limits { callers: 3, ids: 4, id_bytes: 8, seconds: 10 };

    #[test]
    fn three_modes() {
        let ask = |mode| {
            let mut learned = Learned::new(mode, LIMITS);
            learned.show("ada", "order", "7", 0);
            let answers = [
                learned.ask("ada", "order", "7", 9),
                learned.ask("ada", "order", "8", 9),
                learned.ask("eve", "order", "7", 9),
            ];
            (answers, learned.guesses("ada"), learned.ask("ada", "user", "7", 9), learned.ask("ada", "order", "7", 10))
        };
        let (refused, guess) = (Answer::Refused, Answer::Guess);
        assert_eq!(ask(Learning::Enforce), ([Answer::Known, refused(1), refused(1)], 1, refused(2), refused(3)));
        assert_eq!(ask(Learning::Observe), ([Answer::Known, guess(1), guess(1)], 1, guess(2), guess(3)));
        assert_eq!(ask(Learning::Off), ([Answer::Known; 3], 0, Answer::Known, Answer::Known));
    }

    #[test]
    fn ids_that_are_shown_again_and_again_cost_no_room() {
        let mut learned = Learned::new(Learning::Enforce, LIMITS);
        for now in 0..1_000 {
            learned.show("ada", "order", &(now % 3).to_string(), now);
            assert!(learned.callers.values().all(|shown| shown.order.len() <= 2 * LIMITS.ids));
        }
        assert_eq!(
            [learned.ask("ada", "order", "0", 999), learned.ask("ada", "order", "3", 999)],
            [Answer::Known, Answer::Refused(1)]
        );
    }

    #[test]
    fn places_in_answers() {
        let answer = serde_json::json!({ "items": [{ "id": "a", "n": 7 }, { "id": 8.5 }, { "id": null }, "x"], "one": { "id": "b" } });
        let all = |text: &str| {
            let mut found = Vec::new();
            Place::parse(text).unwrap().each(&answer, &mut |id| found.push(id.to_owned()));
            found
        };
        for (text, expected) in [
            ("$.items[*].id", &["a", "8.5"][..]),
            ("$.items[*].n", &["7"]),
            ("$.items[*]", &["x"]),
            ("$.one.id", &["b"]),
            ("$.one[*].id", &[]),
            ("$.items.id", &[]),
            ("$[*].id", &[]),
        ] {
            assert_eq!(all(text), expected, "{text}");
        }
        for wrong in ["", "$", "items", "$items", "$.", "$.a.", "$.a[0]", "$.a[*", "$..a"] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        /// Against a model that never forgets: what is allowed was shown, to this caller, not too long ago.
        #[test]
        fn nothing_is_allowed_that_was_not_shown(
            steps in proptest::collection::vec((any::<bool>(), 0..5_usize, 0..2_usize, 0..7_u32, 0..4_u64), 0..300)
        ) {
            let mut learned = Learned::new(Learning::Enforce, LIMITS);
            let mut model: HashMap<(usize, usize, u32), u64> = HashMap::new();
            let mut now = 0;
            for (shows, caller, kind, id, pause) in steps {
                now += pause;
                let (name, of, text) = (format!("c{caller}"), ["order", "user"][kind], id.to_string());
                if shows {
                    learned.show(&name, of, &text, now);
                    model.insert((caller, kind, id), now);
                } else if learned.ask(&name, of, &text, now) == Answer::Known {
                    let shown = model.get(&(caller, kind, id));
                    prop_assert!(shown.is_some_and(|at| now < at + LIMITS.seconds), "{} was not shown {} {}", name, of, text);
                }
                let (callers, ids) = learned.size();
                prop_assert!(callers <= LIMITS.callers && ids <= LIMITS.callers * LIMITS.ids);
            }
        }
    }
}
