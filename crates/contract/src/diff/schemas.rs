//! Schemas side by side. What narrows a request breaks callers, and so does what widens an answer; the other way round it is
//! compatible.

use super::view::{Others, TYPES, View};
use super::{Differ, Place, Side};
use crate::json::Decimal;
use crate::schema::Direction;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// LIMIT: pairs of schemas that are compared.
const PAIRS_MAX: usize = 200_000;

impl Differ<'_> {
    /// Compares two schemas and all that is in them; each pair once, however often it is met.
    pub(super) fn schemas(&mut self, old: Place, new: Place, direction: Direction) {
        let mut waiting = vec![(old, new)];
        while let Some((old, new)) = waiting.pop() {
            if self.compared.len() >= PAIRS_MAX {
                self.say("D090", Side::New, new, "there is more to compare than is looked at".to_owned());
                return;
            }
            if !self.compared.insert((old, new, direction)) {
                continue;
            }
            let views = (self.view(Side::Old, old, direction), self.view(Side::New, new, direction));
            self.pair(&views.0, &views.1, new, direction, &mut waiting);
        }
    }

    fn pair(&mut self, old: &View, new: &View, at: Place, direction: Direction, waiting: &mut Vec<(Place, Place)>) {
        if old.cut || new.cut {
            self.say("D090", Side::New, at, "it has more parts than are looked at".to_owned());
        }
        self.types(old, new, at, direction);
        self.values(old, new, at, direction);
        self.limits(old, new, at, direction);
        self.exact(old, new, at, direction);
        self.object(old, new, at, direction, waiting);
        match (old.items, new.items) {
            (Some(old), Some(new)) => waiting.push((old, new)),
            (None, Some(new)) => self.changed(direction, false, "limit", new, "what its items are is said now"),
            (Some(_), None) => self.changed(direction, true, "limit", at, "what its items are is not said any more"),
            (None, None) => {}
        }
        self.choices(old, new, at, direction, waiting);
        let words: BTreeSet<&str> = old.opaque.keys().chain(new.opaque.keys()).copied().collect();
        for word in words.into_iter().filter(|word| old.opaque.get(word) != new.opaque.get(word)) {
            self.say("D090", Side::New, at, format!("`{word}` is another"));
        }
    }

    /// A change that takes in more, or less, than before; `what` is `type`, `value` or `limit`.
    pub(super) fn changed(&mut self, direction: Direction, wider: bool, what: &str, at: Place, message: &str) {
        let number = match (direction, wider, what) {
            (Direction::Request, true, _) => "D108",
            (Direction::Request, false, "type") => "D012",
            (Direction::Request, false, "value") => "D013",
            (Direction::Request, false, _) => "D014",
            (Direction::Answer, false, _) => "D114",
            (Direction::Answer, true, "type") => "D024",
            (Direction::Answer, true, "value") => "D025",
            (Direction::Answer, true, _) => "D026",
        };
        self.say(number, Side::New, at, message.to_owned());
    }

    fn types(&mut self, old: &View, new: &View, at: Place, direction: Direction) {
        let all = |view: &View| view.types.clone().unwrap_or_else(|| TYPES.iter().copied().collect());
        let (before, after) = (all(old), all(new));
        let words = |types: Vec<&&str>| types.into_iter().copied().collect::<Vec<_>>().join(", ");
        let (gone, fresh) = (words(before.difference(&after).collect()), words(after.difference(&before).collect()));
        if !gone.is_empty() {
            self.changed(direction, false, "type", at, &format!("it may not be {gone} any more"));
        }
        if !fresh.is_empty() {
            self.changed(direction, true, "type", at, &format!("it may be {fresh} now"));
        }
    }

    fn values(&mut self, old: &View, new: &View, at: Place, direction: Direction) {
        let (before, after) = match (&old.values, &new.values) {
            (None, None) => return,
            (None, Some(_)) => return self.changed(direction, false, "value", at, "its values are listed now"),
            (Some(_), None) => return self.changed(direction, true, "value", at, "its values are not listed any more"),
            (Some(before), Some(after)) => (before, after),
        };
        let list = |values: &BTreeSet<String>, but: &BTreeSet<String>| {
            values.difference(but).map(|value| crate::text::short(value)).collect::<Vec<_>>().join(", ")
        };
        let (gone, fresh) = (list(before, after), list(after, before));
        if !gone.is_empty() {
            self.changed(direction, false, "value", at, &format!("it may not be {gone} any more"));
        }
        if !fresh.is_empty() {
            self.changed(direction, true, "value", at, &format!("it may be {fresh} now"));
        }
    }

    fn limits(&mut self, old: &View, new: &View, at: Place, direction: Direction) {
        let words: BTreeSet<&str> = old.limits.keys().chain(new.limits.keys()).copied().collect();
        for word in words {
            let (message, wider) = match (old.limits.get(word), new.limits.get(word)) {
                (None, Some((limit, _))) => (format!("`{word}` is {limit}, and was not there"), false),
                (Some((limit, _)), None) => (format!("`{word}` was {limit}, and is gone"), true),
                (Some((before, is_least)), Some((after, _))) => {
                    let order = Decimal::of(after).cmp(&Decimal::of(before));
                    let wider = match order {
                        Ordering::Equal => continue,
                        Ordering::Less => *is_least,
                        Ordering::Greater => !is_least,
                    };
                    (format!("`{word}` was {before} and is {after}"), wider)
                }
                (None, None) => continue,
            };
            self.changed(direction, wider, "limit", at, &message);
        }
    }

    /// Words that are kept as they stand: of another one nobody knows whether it takes in more.
    fn exact(&mut self, old: &View, new: &View, at: Place, direction: Direction) {
        let words: BTreeSet<&str> = old.exact.keys().chain(new.exact.keys()).copied().collect();
        for word in words {
            let shown = |text: &String| crate::text::short(text.trim());
            match (old.exact.get(word), new.exact.get(word)) {
                (Some(before), Some(after)) if before != after => {
                    // It may take in less and more at once.
                    let wider = direction == Direction::Answer;
                    let message = format!("`{word}` was {} and is {}", shown(before), shown(after));
                    self.changed(direction, wider, "limit", at, &message);
                }
                (None, Some(after)) => {
                    self.changed(
                        direction,
                        false,
                        "limit",
                        at,
                        &format!("`{word}` is {}, and was not there", shown(after)),
                    );
                }
                (Some(before), None) => {
                    self.changed(direction, true, "limit", at, &format!("`{word}` was {}, and is gone", shown(before)));
                }
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
    }

    fn object(&mut self, old: &View, new: &View, at: Place, direction: Direction, waiting: &mut Vec<(Place, Place)>) {
        let is_request = direction == Direction::Request;
        for (name, place) in &old.members {
            let shown = crate::text::short(name);
            match new.members.get(name) {
                Some(other) => waiting.push((*place, *other)),
                None => match (is_request, new.others) {
                    // It still may come, as any other member.
                    (true, Others::Any) => {}
                    (true, Others::Like(other)) => waiting.push((*place, other)),
                    (true, Others::Refused | Others::Unsaid) => {
                        self.say("D011", Side::Old, *place, format!("`{shown}` is not taken any more"));
                    }
                    (false, _) => self.say("D022", Side::Old, *place, format!("`{shown}` is gone")),
                },
            }
        }
        for (name, place) in new.members.iter().filter(|(name, _)| !old.members.contains_key(*name)) {
            let shown = crate::text::short(name);
            let needed = new.required.contains(name);
            let number = match (is_request, needed) {
                (true, true) => "D009",
                (true, false) => "D106",
                (false, _) => "D112",
            };
            self.say(number, Side::New, *place, format!("`{shown}` is new"));
        }
        for (name, place) in new.members.iter().filter(|(name, _)| old.members.contains_key(*name)) {
            let shown = crate::text::short(name);
            match (old.required.contains(name), new.required.contains(name), is_request) {
                (false, true, true) => self.say("D010", Side::New, *place, format!("`{shown}` is required now")),
                (true, false, true) => self.say("D107", Side::New, *place, format!("`{shown}` is no longer required")),
                (true, false, false) => {
                    self.say("D023", Side::New, *place, format!("`{shown}` is not always there now"))
                }
                (false, true, false) => self.say("D113", Side::New, *place, format!("`{shown}` is always there now")),
                (true, true, _) | (false, false, _) => {}
            }
        }
        self.others(old, new, at, direction, waiting);
    }

    fn others(&mut self, old: &View, new: &View, at: Place, direction: Direction, waiting: &mut Vec<(Place, Place)>) {
        let is_closed = |view: &View| {
            let speaks = !view.members.is_empty() || view.types.as_ref().is_some_and(|types| types.contains("object"));
            match view.others {
                Others::Refused => true,
                Others::Unsaid => speaks,
                Others::Any | Others::Like(_) => false,
            }
        };
        match (is_closed(old), is_closed(new), old.others, new.others) {
            (false, false, Others::Like(one), Others::Like(other)) => waiting.push((one, other)),
            (false, true, ..) => {
                self.changed(direction, false, "limit", at, "members of other names may not be there any more");
            }
            (true, false, ..) => self.changed(direction, true, "limit", at, "members of other names may be there now"),
            (false, false, Others::Like(_), _) => {
                self.changed(direction, true, "limit", at, "members of other names may be anything now");
            }
            (false, false, _, Others::Like(_)) => {
                self.changed(direction, false, "limit", at, "members of other names may not be anything any more");
            }
            (true, true, ..) | (false, false, ..) => {}
        }
    }

    /// Alternatives in their order; one more takes in more, one less takes in less.
    fn choices(&mut self, old: &View, new: &View, at: Place, direction: Direction, waiting: &mut Vec<(Place, Place)>) {
        for word in ["anyOf", "oneOf"] {
            let nothing = Vec::new();
            let (before, after) = (old.ways.get(word).unwrap_or(&nothing), new.ways.get(word).unwrap_or(&nothing));
            match (before.len(), after.len()) {
                (0, 0) => {}
                (0, _) => self.changed(direction, false, "limit", at, &format!("`{word}` is new")),
                (_, 0) => self.changed(direction, true, "limit", at, &format!("`{word}` is gone")),
                _ => self.alternatives(before, after, (word, at, direction), waiting),
            }
        }
    }

    fn alternatives(
        &mut self,
        before: &[Place],
        after: &[Place],
        (word, at, direction): (&str, Place, Direction),
        waiting: &mut Vec<(Place, Place)>,
    ) {
        let names = |differ: &Self, side, all: &[Place]| -> Vec<Option<String>> {
            all.iter().map(|place| differ.text(side, *place, "$ref")).collect()
        };
        let (old_names, new_names) = (names(self, Side::Old, before), names(self, Side::New, after));
        let is_named = old_names.iter().chain(&new_names).all(Option::is_some);
        if !is_named && before.len() != after.len() {
            let wider = after.len() > before.len();
            let message = format!("`{word}` had {} alternatives and has {}", before.len(), after.len());
            return self.changed(direction, wider, "limit", at, &message);
        }
        if !is_named {
            waiting.extend(before.iter().copied().zip(after.iter().copied()));
            return;
        }
        for (name, place) in old_names.iter().zip(before) {
            match new_names.iter().position(|other| other == name).and_then(|index| after.get(index)) {
                Some(other) => waiting.push((*place, *other)),
                None => {
                    let message =
                        format!("`{}` is no alternative any more", crate::text::short(name.as_deref().unwrap_or("")));
                    self.changed(direction, false, "limit", at, &message);
                }
            }
        }
        for (name, place) in new_names.iter().zip(after).filter(|(name, _)| !old_names.contains(name)) {
            let message = format!("`{}` is an alternative now", crate::text::short(name.as_deref().unwrap_or("")));
            self.changed(direction, true, "limit", *place, &message);
        }
    }
}
