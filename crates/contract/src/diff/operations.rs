//! Operations, parameters, bodies, answers and who may call, side by side.

use super::{Differ, Place, Side};
use crate::document::METHODS;
use crate::schema::Direction;
use std::collections::{BTreeMap, BTreeSet};

/// One operation of a document.
struct Found {
    /// Method and path, as people read them.
    name: String,
    at: Place,
    /// What all operations of its path share.
    shared: Vec<(crate::schema::Spot, u32)>,
    template: String,
    /// What counts for operations that say nothing about who may call.
    security: Option<Place>,
}

/// Ways to be let in: each is a set of schemes with their scopes.
type Ways = Vec<BTreeMap<String, BTreeSet<String>>>;

/// Templates that differ in names only are the same (OpenAPI 3.1, section 4.8.8.2).
fn shape(path: &str) -> String {
    let segment = |segment: &str| {
        let (start, end) = (segment.find('{'), segment.rfind('}'));
        match (start, end) {
            (Some(start), Some(end)) if start < end => {
                format!("{}{{}}{}", segment.get(..start).unwrap_or(""), segment.get(end + 1..).unwrap_or(""))
            }
            _ => segment.to_owned(),
        }
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// Names of a template, in order.
fn names(template: &str) -> Vec<&str> {
    template.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
}

impl Differ<'_> {
    pub(super) fn documents(&mut self, old: Place, new: Place) {
        let (before, mut after) = (self.operations(Side::Old, old), self.operations(Side::New, new));
        for (key, one) in before {
            match after.remove(&key) {
                None => self.say("D001", Side::Old, one.at, format!("{} is gone", one.name)),
                Some(other) => self.operation(&one, &other),
            }
        }
        for other in after.into_values() {
            self.say("D101", Side::New, other.at, format!("{} is new", other.name));
        }
    }

    fn operations(&mut self, side: Side, root: Place) -> BTreeMap<(String, &'static str), Found> {
        let mut all = BTreeMap::new();
        let security = self.member(side, root, "security");
        let paths = self.member(side, root, "paths");
        for (path, item) in self.members(side, paths) {
            if path.starts_with("x-") {
                continue;
            }
            let Some(item) = self.target(side, item) else { continue };
            let shared = self.walker(side).parameters(item.spot, item.resource, &[]);
            for method in METHODS {
                let Some(at) = self.member(side, item, method) else { continue };
                let name = format!("{} {}", method.to_ascii_uppercase(), crate::text::short(&path));
                let found = Found { name, at, shared: shared.clone(), template: path.clone(), security };
                all.insert((shape(&path), *method), found);
            }
        }
        all
    }

    fn operation(&mut self, old: &Found, new: &Found) {
        let ids = (self.text(Side::Old, old.at, "operationId"), self.text(Side::New, new.at, "operationId"));
        if let (Some(one), other) = &ids
            && Some(one) != other.as_ref()
        {
            let other = other.as_ref().map_or("nothing".to_owned(), |id| format!("`{}`", crate::text::short(id)));
            let message = format!("the id of {} was `{}` and is {other}", new.name, crate::text::short(one));
            self.say("D091", Side::New, new.at, message);
        }
        if self.flag(Side::New, new.at, "deprecated") && !self.flag(Side::Old, old.at, "deprecated") {
            self.say("D116", Side::New, new.at, format!("{} is deprecated now", new.name));
        }
        self.callers(old, new);
        self.parameters(old, new);
        self.bodies(old, new);
        self.answers(old, new);
    }

    fn callers(&mut self, old: &Found, new: &Found) {
        let (before, after) = (self.ways(Side::Old, old), self.ways(Side::New, new));
        let opens = |way: &BTreeMap<String, BTreeSet<String>>, with: &BTreeMap<String, BTreeSet<String>>| {
            way.iter().all(|(scheme, scopes)| with.get(scheme).is_some_and(|have| scopes.is_subset(have)))
        };
        let all_enter =
            |doors: &Ways, callers: &Ways| callers.iter().all(|with| doors.iter().any(|way| opens(way, with)));
        if !all_enter(&after, &before) {
            let message = format!("not all who could call {} can call it now", new.name);
            self.say("D015", Side::New, new.at, message);
        } else if !all_enter(&before, &after) {
            self.say("D115", Side::New, new.at, format!("more callers can call {} now", new.name));
        }
    }

    fn ways(&self, side: Side, found: &Found) -> Ways {
        let own = self.member(side, found.at, "security").or(found.security);
        let listed = own.map(|at| self.library(side).items(at.spot)).unwrap_or_default();
        let way = |spot| {
            let schemes = self.library(side).members(spot).into_iter();
            let scopes = |spot| {
                let items = self.library(side).items(spot).into_iter();
                items.filter_map(|item| Some(self.library(side).tree(item)?.text(item.node)?.to_owned())).collect()
            };
            schemes.map(|(name, spot)| (name, scopes(spot))).collect()
        };
        let ways: Ways = listed.into_iter().map(way).collect();
        // Where nothing is asked for, anybody may call.
        if ways.is_empty() { vec![BTreeMap::new()] } else { ways }
    }

    /// Parameters by where they stand and what they are called; those of the path by their place in it.
    fn declared(&mut self, side: Side, found: &Found) -> BTreeMap<(String, String), Place> {
        let all = self.walker(side).parameters(found.at.spot, found.at.resource, &found.shared);
        let order = names(&found.template);
        let mut declared = BTreeMap::new();
        for (spot, resource) in all {
            let place = Place { spot, resource };
            let (Some(name), Some(location)) = (self.text(side, place, "name"), self.text(side, place, "in")) else {
                continue;
            };
            let name = match location.as_str() {
                "path" => order.iter().position(|have| *have == name).map_or(name, |at| at.to_string()),
                "header" => name.to_ascii_lowercase(),
                _ => name,
            };
            declared.insert((location, name), place);
        }
        declared
    }

    fn parameters(&mut self, old: &Found, new: &Found) {
        let (before, mut after) = (self.declared(Side::Old, old), self.declared(Side::New, new));
        for (key, place) in before {
            let Some(other) = after.remove(&key) else {
                let message =
                    format!("{} takes no {} parameter `{}` any more", new.name, key.0, crate::text::short(&key.1));
                self.say("D002", Side::Old, place, message);
                continue;
            };
            self.parameter(place, other);
        }
        for ((location, name), place) in after {
            let needed = location == "path" || self.flag(Side::New, place, "required");
            let message = format!("the {location} parameter `{}` is new", crate::text::short(&name));
            self.say(if needed { "D003" } else { "D102" }, Side::New, place, message);
        }
    }

    fn parameter(&mut self, old: Place, new: Place) {
        let required = |differ: &Self, side, place| {
            differ.flag(side, place, "required") || differ.text(side, place, "in").as_deref() == Some("path")
        };
        match (required(self, Side::Old, old), required(self, Side::New, new)) {
            (false, true) => self.say("D004", Side::New, new, "the parameter is required now".to_owned()),
            (true, false) => self.say("D103", Side::New, new, "the parameter is no longer required".to_owned()),
            (true, true) | (false, false) => {}
        }
        let written = |differ: &Self, side, place| {
            let explode = differ
                .library(side)
                .member(place, "explode")
                .and_then(|_| differ.library(side).flag_at(place, "explode"));
            (differ.library(side).text_at(place, "style").map(str::to_owned), explode)
        };
        if written(self, Side::Old, old.spot) != written(self, Side::New, new.spot) {
            self.say("D005", Side::New, new, "the parameter is written in another way".to_owned());
        }
        let schemas = (self.schema_of(Side::Old, old), self.schema_of(Side::New, new));
        if let (Some(old), Some(new)) = schemas {
            self.schemas(old, new, Direction::Request);
        }
    }

    /// The schema of a parameter, of a field or of a body's media type.
    fn schema_of(&self, side: Side, place: Place) -> Option<Place> {
        let content = self.member(side, place, "content");
        let first = self.members(side, content).into_iter().next().map(|(_, at)| at);
        self.member(side, first.unwrap_or(place), "schema")
    }

    fn bodies(&mut self, old: &Found, new: &Found) {
        let one = self.member(Side::Old, old.at, "requestBody").and_then(|at| self.target(Side::Old, at));
        let other = self.member(Side::New, new.at, "requestBody").and_then(|at| self.target(Side::New, at));
        let required = |differ: &Self, side, at| differ.flag(side, at, "required");
        match (one, other) {
            (None, None) => {}
            (Some(one), None) => self.say("D008", Side::Old, one, format!("{} takes no body any more", new.name)),
            (None, Some(other)) => {
                let number = if required(self, Side::New, other) { "D007" } else { "D105" };
                self.say(number, Side::New, other, format!("{} takes a body now", new.name));
            }
            (Some(one), Some(other)) => {
                match (required(self, Side::Old, one), required(self, Side::New, other)) {
                    (false, true) => self.say("D007", Side::New, other, "the body is required now".to_owned()),
                    (true, false) => self.say("D105", Side::New, other, "the body is no longer required".to_owned()),
                    (true, true) | (false, false) => {}
                }
                self.contents(one, other, Direction::Request);
            }
        }
    }

    /// Media types side by side.
    fn contents(&mut self, old: Place, new: Place, direction: Direction) {
        let (gone, fresh) = match direction {
            Direction::Request => ("D006", "D104"),
            Direction::Answer => ("D021", "D111"),
        };
        let content = (self.member(Side::Old, old, "content"), self.member(Side::New, new, "content"));
        let lower = |all: Vec<(String, Place)>| -> BTreeMap<String, Place> {
            all.into_iter().map(|(name, at)| (name.to_ascii_lowercase(), at)).collect()
        };
        let (before, mut after) =
            (lower(self.members(Side::Old, content.0)), lower(self.members(Side::New, content.1)));
        for (name, at) in before {
            let Some(other) = after.remove(&name) else {
                self.say(gone, Side::Old, at, format!("`{}` is gone", crate::text::short(&name)));
                continue;
            };
            match (self.member(Side::Old, at, "schema"), self.member(Side::New, other, "schema")) {
                (Some(old), Some(new)) => self.schemas(old, new, direction),
                (None, Some(new)) => self.changed(direction, false, "limit", new, "a schema says what it may be now"),
                (Some(_), None) => {
                    self.changed(direction, true, "limit", other, "no schema says what it may be any more")
                }
                (None, None) => {}
            }
        }
        for (name, at) in after {
            self.say(fresh, Side::New, at, format!("`{}` is new", crate::text::short(&name)));
        }
    }

    fn answers(&mut self, old: &Found, new: &Found) {
        let listed = (self.member(Side::Old, old.at, "responses"), self.member(Side::New, new.at, "responses"));
        let own = |all: Vec<(String, Place)>| -> BTreeMap<String, Place> {
            all.into_iter().filter(|(status, _)| !status.starts_with("x-")).collect()
        };
        let before = own(self.members(Side::Old, listed.0));
        let after = own(self.members(Side::New, listed.1));
        let class = |status: &str| status.get(..1).map(|digit| format!("{digit}XX")).unwrap_or_default();
        for (status, at) in &before {
            let other = after.get(status).or_else(|| after.get(&class(status))).or_else(|| after.get("default"));
            let Some(other) = other else {
                let number = if status.starts_with(['2', '3']) { "D020" } else { "D110" };
                let message = format!("{} does not answer {} any more", new.name, crate::text::short(status));
                self.say(number, Side::Old, *at, message);
                continue;
            };
            let (Some(one), Some(other)) = (self.target(Side::Old, *at), self.target(Side::New, *other)) else {
                continue;
            };
            self.contents(one, other, Direction::Answer);
            self.answer_fields(one, other);
        }
        for (status, at) in after.iter().filter(|(status, _)| !before.contains_key(*status)) {
            self.say("D110", Side::New, *at, format!("{} answers {} as well", new.name, crate::text::short(status)));
        }
    }

    fn answer_fields(&mut self, old: Place, new: Place) {
        let listed = (self.member(Side::Old, old, "headers"), self.member(Side::New, new, "headers"));
        let lower = |all: Vec<(String, Place)>| -> BTreeMap<String, Place> {
            all.into_iter().map(|(name, at)| (name.to_ascii_lowercase(), at)).collect()
        };
        let (before, mut after) = (lower(self.members(Side::Old, listed.0)), lower(self.members(Side::New, listed.1)));
        for (name, at) in before {
            let Some(other) = after.remove(&name) else {
                self.say("D027", Side::Old, at, format!("the field `{}` is gone", crate::text::short(&name)));
                continue;
            };
            let (Some(one), Some(other)) = (self.target(Side::Old, at), self.target(Side::New, other)) else {
                continue;
            };
            if self.flag(Side::Old, one, "required") && !self.flag(Side::New, other, "required") {
                let message = format!("the field `{}` is not always there now", crate::text::short(&name));
                self.say("D023", Side::New, other, message);
            }
            if let (Some(old), Some(new)) = (self.schema_of(Side::Old, one), self.schema_of(Side::New, other)) {
                self.schemas(old, new, Direction::Answer);
            }
        }
        for (name, at) in after {
            self.say("D112", Side::New, at, format!("the field `{}` is new", crate::text::short(&name)));
        }
    }
}
