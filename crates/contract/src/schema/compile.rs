//! Documents to rules. Each schema is compiled once for each way it is used, from a queue, so that no chain of references makes
//! anything go deep. What cannot be compiled becomes a schema that nothing fits, and an error.

mod build;
mod closed;
mod discriminator;
mod keywords;
mod marks;
mod object;

use super::library::{Fetch, Library, Spot};
use super::rules::{Schema, SchemaId};
use super::{Direction, Schemas};
use crate::tree::Severity;
use discriminator::Families;
use marks::{MarkSet, Marks};
use std::collections::HashMap;

/// LIMIT: schemas of one contract, counting each way in which they are used.
const SCHEMAS_MAX: usize = 400_000;
/// LIMIT: references that lead to nothing but another reference.
const HOPS_MAX: usize = 64;

/// How schemas are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Members that no schema speaks of are allowed unless one forbids them.
    pub(crate) open_objects: bool,
    /// Formats are checked.
    pub(crate) formats: bool,
    /// The words that OpenAPI adds count: `discriminator`, `readOnly`, `writeOnly`.
    pub(crate) openapi: bool,
}

/// Something about a schema, with its place.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) spot: Spot,
    pub(crate) severity: Severity,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

/// One use of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Use {
    spot: Spot,
    resource: u32,
    /// It says all there is to say about a value, so that what it does not declare is refused.
    closed: bool,
    direction: Direction,
    /// The set of marks of the references that led to it.
    marks: MarkSet,
    /// The number of the member by whose value it was chosen already.
    chosen: Option<u32>,
}

pub(crate) struct Compiler<'c> {
    pub(crate) library: &'c mut Library,
    pub(crate) findings: Vec<Finding>,
    fetch: Fetch<'c>,
    settings: Settings,
    schemas: Vec<Schema>,
    uses: Vec<Use>,
    known: HashMap<Use, SchemaId>,
    /// How many of `uses` are compiled.
    done: usize,
    /// Names that `$dynamicRef` asks for.
    names: HashMap<String, u32>,
    dynamic: HashMap<(u32, u32), SchemaId>,
    /// Schemas `false` and `true`.
    always: [SchemaId; 2],
    /// Whether a resource was asked for its vocabulary.
    asked: HashMap<u32, bool>,
    marks: Marks,
    families: Families,
}

// === impl Compiler ===

impl<'c> Compiler<'c> {
    pub(crate) fn new(library: &'c mut Library, fetch: Fetch<'c>, settings: Settings) -> Self {
        let always = |value| Schema { always: Some(value), ..Schema::default() };
        let nowhere = Spot { file: usize::MAX, node: crate::tree::NodeId(0) };
        let marks = MarkSet::default();
        let unused =
            Use { spot: nowhere, resource: 0, closed: false, direction: Direction::Request, marks, chosen: None };
        Self {
            library,
            findings: Vec::new(),
            fetch,
            settings,
            schemas: vec![always(false), always(true)],
            uses: vec![unused, unused],
            known: HashMap::new(),
            done: 2,
            names: HashMap::new(),
            dynamic: HashMap::new(),
            always: [SchemaId(0), SchemaId(1)],
            asked: HashMap::new(),
            marks: Marks::default(),
            families: Families::default(),
        }
    }

    /// The schema that stands at a place, as all there is to say about a value. All files that it needs are open then.
    pub(crate) fn whole(&mut self, spot: Spot, resource: u32, direction: Direction) -> SchemaId {
        self.library.look_at(spot, resource);
        let id = self.want(spot, resource, !self.settings.open_objects, direction);
        self.run();
        id
    }

    /// Where a reference leads; what leads nowhere is an error.
    pub(crate) fn resolve(&mut self, at: Spot, reference: &str, resource: u32) -> Option<(Spot, u32, Option<String>)> {
        match self.library.resolve(reference, resource, &mut *self.fetch) {
            Ok(found) => Some(found),
            Err(message) => {
                let message = format!("the reference `{}` leads nowhere: {message}", crate::text::short(reference));
                self.error(at, "reference", message, "");
                None
            }
        }
    }

    fn never(&self) -> SchemaId {
        let [never, _] = self.always;
        never
    }

    fn want(&mut self, spot: Spot, within: u32, closed: bool, direction: Direction) -> SchemaId {
        self.wanted((spot, within), closed, direction, None)
    }

    /// The same of a schema that the value of a member has chosen.
    fn wanted(
        &mut self,
        (spot, within): (Spot, u32),
        closed: bool,
        direction: Direction,
        chosen: Option<u32>,
    ) -> SchemaId {
        let Some((spot, resource, marks)) = self.follow(spot, within) else { return self.never() };
        // Where nothing chooses, here or in a part, that makes no difference.
        let parts = ["discriminator", "allOf", "$ref"];
        let chosen = chosen.filter(|_| parts.into_iter().any(|word| self.library.member(spot, word).is_some()));
        let used = Use { spot, resource, closed, direction, marks, chosen };
        if let Some(id) = self.known.get(&used) {
            return *id;
        }
        if self.schemas.len() >= SCHEMAS_MAX {
            self.error(spot, "size", format!("the contract has more than {SCHEMAS_MAX} schemas"), "");
            return self.never();
        }
        let id = SchemaId(u32::try_from(self.schemas.len()).unwrap_or(u32::MAX));
        self.schemas.push(Schema::default());
        self.uses.push(used);
        self.known.insert(used, id);
        id
    }

    /// A schema that only refers to another one is that other one, with the marks of both.
    fn follow(&mut self, spot: Spot, within: u32) -> Option<(Spot, u32, MarkSet)> {
        let (mut spot, mut resource) = (spot, self.library.resource_at(spot, within));
        let mut marks = Vec::new();
        for _ in 0..HOPS_MAX {
            let reference = self.only_reference(spot).filter(|_| !self.library.is_root(spot));
            let Some(reference) = reference else { return Some((spot, resource, self.marks.set(marks))) };
            marks.extend(self.marked(spot));
            (spot, resource, _) = self.resolve(spot, &reference, resource)?;
        }
        self.error(spot, "circle", "its references go in a circle".to_owned(), "");
        None
    }

    /// Compiles all that was asked for and all that this needs.
    pub(crate) fn finish(mut self) -> (Schemas, Vec<Finding>) {
        loop {
            self.run();
            let wanted: Vec<(u32, u32, Spot)> = self.dynamic_wanted();
            if wanted.is_empty() {
                break;
            }
            for (resource, name, spot) in wanted {
                let id = self.want(spot, resource, false, Direction::Request);
                self.dynamic.insert((resource, name), id);
            }
        }
        self.circles();
        let marks = self.marks.placed(self.library);
        (Schemas { all: self.schemas, dynamic: self.dynamic, marks }, self.findings)
    }

    fn dynamic_wanted(&self) -> Vec<(u32, u32, Spot)> {
        let of = |((resource, name), spot): (&(u32, String), &Spot)| {
            let name = *self.names.get(name)?;
            (!self.dynamic.contains_key(&(*resource, name))).then_some((*resource, name, *spot))
        };
        self.library.dynamic.iter().filter_map(of).collect()
    }

    fn run(&mut self) {
        while let Some(used) = self.uses.get(self.done).copied() {
            let schema = self.build(used);
            if let Some(place) = self.schemas.get_mut(self.done) {
                *place = schema;
            }
            self.done += 1;
        }
    }

    fn error(&mut self, spot: Spot, code: &'static str, message: String, help: &'static str) {
        self.findings.push(Finding { spot, severity: Severity::Error, code, message, help });
    }

    fn note(&mut self, spot: Spot, code: &'static str, message: String, help: &'static str) {
        self.findings.push(Finding { spot, severity: Severity::Note, code, message, help });
    }

    /// A schema that asks itself about the same value would never answer; it would be refused each time, so it is an error.
    fn circles(&mut self) {
        let mut state = vec![Visit::New; self.schemas.len()];
        for start in 0..self.schemas.len() {
            let mut path = vec![(start, self.parts_of(start))];
            if state.get(start) != Some(&Visit::New) {
                continue;
            }
            set(&mut state, start, Visit::Open);
            while let Some((at, waiting)) = path.last_mut() {
                let Some(next) = waiting.pop() else {
                    set(&mut state, *at, Visit::Done);
                    path.pop();
                    continue;
                };
                match state.get(next) {
                    Some(Visit::New) => {
                        set(&mut state, next, Visit::Open);
                        path.push((next, self.parts_of(next)));
                    }
                    Some(Visit::Open) => {
                        if let Some(used) = self.uses.get(next).copied() {
                            let message = "the schema refers to itself about the same value".to_owned();
                            self.error(used.spot, "circle", message, "put a property or an item between them");
                        }
                    }
                    Some(Visit::Done) | None => {}
                }
            }
        }
    }

    fn parts_of(&self, index: usize) -> Vec<usize> {
        let Some(parts) = self.schemas.get(index).and_then(|schema| schema.parts.as_ref()) else { return Vec::new() };
        let mut all: Vec<SchemaId> = parts.reference.into_iter().chain(parts.all.iter().copied()).collect();
        all.extend(parts.any.iter().chain(&parts.one).flat_map(|ways| ways.iter().copied()));
        all.extend(parts.not);
        if let Some((condition, then, otherwise)) = parts.condition {
            all.extend([Some(condition), then, otherwise].into_iter().flatten());
        }
        all.extend(parts.dependents.iter().map(|(_, id)| *id));
        all.extend(parts.discriminator.iter().flat_map(|by| by.table.iter().map(|(_, id)| *id)));
        all.into_iter().filter_map(|id| usize::try_from(id.0).ok()).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    Open,
    Done,
}

fn set(state: &mut [Visit], index: usize, visit: Visit) {
    if let Some(place) = state.get_mut(index) {
        *place = visit;
    }
}
