//! How the automaton is made: each state is a set of places, of paths that have come so far and of shapes of the outline.

use super::{Node, Said, State};
use crate::path::Step;
use portcullis_types::outline::Shape;
use std::collections::{BTreeSet, HashMap};

// LIMIT: states. Paths with several `..` can need one for each combination of how far each has come.
const STATES_MAX: usize = 4_096;
// LIMIT: states that follow an outline.
const OUTLINED_MAX: usize = 65_536;

/// Where a document can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Place {
    /// So many steps of a path are done.
    Path(usize, usize),
    /// At a shape of the outline; whether it is declared here, or may only be marked.
    Shape(u32, bool),
}

/// A step down.
#[derive(Clone, Copy)]
enum Down<'d> {
    Member(&'d str),
    /// Of a name that nothing knows.
    OtherMember,
    Item(u32),
    /// Behind all that are known by their place.
    OtherItem,
}

pub(super) struct Builder<'p> {
    said: Said<'p>,
    known: HashMap<Vec<Place>, State>,
    pub(super) nodes: Vec<Node>,
    open: Vec<(State, Vec<Place>)>,
    /// Of each shape, the rules whose marks stand there or below.
    marked: Vec<u64>,
}

// === impl Builder ===

impl<'p> Builder<'p> {
    pub(super) fn new(said: Said<'p>) -> Self {
        let mut builder = Self { said, known: HashMap::new(), nodes: Vec::new(), open: Vec::new(), marked: Vec::new() };
        builder.marked = builder.all_marked();
        builder
    }

    /// The rules whose marks stand at a shape or below it, until nothing more is found.
    fn all_marked(&self) -> Vec<u64> {
        let shapes = &self.said.outline.shapes;
        let mut marked: Vec<u64> = shapes.iter().map(|shape| self.marks(shape)).collect();
        let at = |marked: &[u64], number: u32| {
            usize::try_from(number).ok().and_then(|at| marked.get(at)).copied().unwrap_or(0)
        };
        loop {
            let mut moved = false;
            for (index, shape) in shapes.iter().enumerate().rev() {
                let own = marked.get(index).copied().unwrap_or(0);
                let all = below(shape).fold(own, |all, number| all | at(&marked, number));
                if let Some(place) = marked.get_mut(index).filter(|_| all != own) {
                    *place = all;
                    moved = true;
                }
            }
            if !moved {
                return marked;
            }
        }
    }

    fn marks(&self, shape: &Shape) -> u64 {
        let meanings = shape.marks.iter().filter_map(|mark| self.said.outline.marks.get(usize::try_from(*mark).ok()?));
        let rules = meanings.flat_map(|mark| self.said.marks.iter().filter(|(_, meaning)| **meaning == mark.meaning));
        rules.fold(0, |all, (rule, _)| all | bit(*rule))
    }

    pub(super) fn of_paths(&self) -> Vec<Place> {
        (0..self.said.paths.len()).map(|index| Place::Path(index, 0)).collect()
    }

    /// The beginning of a document of which nothing is declared.
    pub(super) fn undeclared(&self, paths: &[Place]) -> Vec<Place> {
        let roots = self.said.outline.roots.iter().map(|(_, shape)| Place::Shape(*shape, false));
        paths.iter().copied().chain(roots).collect()
    }

    /// The beginning of a document of this shape.
    pub(super) fn declared(&self, paths: &[Place], shape: u32) -> Vec<Place> {
        paths.iter().copied().chain([Place::Shape(shape, true)]).collect()
    }

    fn step(&self, path: usize, done: usize) -> Option<&'p Step> {
        self.said.paths.get(path)?.1.steps.get(done)
    }

    /// Whether anything can still come of a place.
    fn counts(&self, place: Place) -> bool {
        match place {
            Place::Path(..) => true,
            Place::Shape(number, declared) => (declared && self.said.declared != 0) || self.marked_at(number) != 0,
        }
    }

    fn marked_at(&self, shape: u32) -> u64 {
        usize::try_from(shape).ok().and_then(|at| self.marked.get(at)).copied().unwrap_or(0)
    }

    /// All places that these come to without a step down.
    fn closed(&self, places: Vec<Place>) -> Vec<Place> {
        let mut closed: BTreeSet<Place> = BTreeSet::new();
        let mut waiting = places;
        while let Some(place) = waiting.pop() {
            if !self.counts(place) || !closed.insert(place) {
                continue;
            }
            match place {
                Place::Path(path, done) if self.step(path, done) == Some(&Step::Descend) => {
                    waiting.push(Place::Path(path, done + 1));
                }
                Place::Path(..) => {}
                Place::Shape(number, declared) => {
                    let parts = self.said.outline.shape(number).map_or(&[][..], |shape| &shape.parts);
                    waiting.extend(parts.iter().map(|part| Place::Shape(*part, declared)));
                }
            }
        }
        // What is declared by one way needs no other way.
        let declared = |place: &Place| match place {
            Place::Shape(number, false) => closed.contains(&Place::Shape(*number, true)),
            Place::Shape(_, true) | Place::Path(..) => false,
        };
        closed.iter().copied().filter(|place| !declared(place)).collect()
    }

    /// The state in which places are these.
    pub(super) fn state(&mut self, places: Vec<Place>) -> Option<State> {
        let places = self.closed(places);
        if let Some(state) = self.known.get(&places) {
            return Some(*state);
        }
        let most = if self.said.outline.shapes.is_empty() { STATES_MAX } else { OUTLINED_MAX };
        if self.nodes.len() == most {
            return None;
        }
        let mut node = Node::default();
        places.iter().for_each(|place| self.enter(*place, &mut node));
        let state = State::try_from(self.nodes.len()).ok()?;
        self.nodes.push(node);
        self.known.insert(places.clone(), state);
        self.open.push((state, places));
        Some(state)
    }

    /// What a place says about a value.
    fn enter(&self, place: Place, node: &mut Node) {
        match place {
            Place::Path(path, done) => {
                let rule = self.said.paths.get(path).map_or(0, |(rule, _)| bit(*rule));
                node.reach |= rule;
                node.accept |= if self.step(path, done).is_none() { rule } else { 0 };
            }
            Place::Shape(number, declared) => {
                let Some(shape) = self.said.outline.shape(number) else { return };
                let grants = if declared { self.said.declared } else { 0 };
                node.reach |= self.marked_at(number) | grants;
                node.accept |= self.marks(shape) | if shape.anything { grants } else { 0 };
                node.scalars |= if shape.scalar { grants } else { 0 };
                node.declared |= grants;
            }
        }
    }

    pub(super) fn expand_all(&mut self) -> Option<()> {
        while let Some((state, places)) = self.open.pop() {
            self.expand(state, &places)?;
        }
        Some(())
    }

    fn expand(&mut self, state: State, places: &[Place]) -> Option<()> {
        let (mut names, mut indices) = (BTreeSet::new(), BTreeSet::new());
        for place in places {
            match place {
                Place::Path(path, done) => match self.step(*path, *done) {
                    Some(Step::Member(name)) => drop(names.insert(name.as_str())),
                    Some(Step::Item(index)) => drop(indices.insert(*index)),
                    Some(Step::Any | Step::Descend) | None => {}
                },
                Place::Shape(number, _) => {
                    let Some(shape) = self.said.outline.shape(*number) else { continue };
                    names.extend(shape.members.iter().map(|member| &*member.name));
                    indices.extend((0..).zip(&shape.prefix).map(|(index, _)| index));
                }
            }
        }
        let (any_member, any_item) = (self.next(places, Down::OtherMember)?, self.next(places, Down::OtherItem)?);
        let mut node = Node { any_member, any_item, ..Node::default() };
        for name in names {
            node.members.push((name.as_bytes().into(), self.next(places, Down::Member(name))?));
        }
        for index in indices {
            node.items.push((index, self.next(places, Down::Item(index))?));
        }
        let known = self.nodes.get_mut(usize::try_from(state).ok()?)?;
        let Node { accept, reach, scalars, declared, .. } = *known;
        *known = Node { accept, reach, scalars, declared, ..node };
        Some(())
    }

    /// The state after a step down to a member or an item.
    fn next(&mut self, places: &[Place], down: Down<'_>) -> Option<State> {
        let mut after = Vec::new();
        for place in places {
            match *place {
                Place::Path(path, done) => match (self.step(path, done), down) {
                    (Some(Step::Member(wanted)), Down::Member(name)) if name == wanted => {
                        after.push(Place::Path(path, done + 1));
                    }
                    (Some(Step::Item(wanted)), Down::Item(index)) if index == *wanted => {
                        after.push(Place::Path(path, done + 1));
                    }
                    (Some(Step::Any), _) => after.push(Place::Path(path, done + 1)),
                    (Some(Step::Descend), _) => after.push(*place),
                    (Some(Step::Member(_) | Step::Item(_)) | None, _) => {}
                },
                Place::Shape(number, declared) => self.down(number, declared, down, &mut after),
            }
        }
        self.state(after)
    }

    /// Where a step down from a shape leads.
    fn down(&self, number: u32, declared: bool, down: Down<'_>, after: &mut Vec<Place>) {
        let Some(shape) = self.said.outline.shape(number) else { return };
        let other = shape.others.map(|other| Place::Shape(other, declared));
        match down {
            Down::Member(name) => match shape.members.iter().find(|member| *member.name == *name) {
                Some(member) => after.push(Place::Shape(member.shape, declared && member.declared)),
                None => after.extend(other),
            },
            Down::OtherMember => after.extend(other),
            Down::Item(index) => {
                let own = usize::try_from(index).ok().and_then(|index| shape.prefix.get(index).copied());
                after.extend(own.or(shape.items).map(|item| Place::Shape(item, declared)));
            }
            Down::OtherItem => after.extend(shape.items.map(|item| Place::Shape(item, declared))),
        }
        if matches!(down, Down::Member(_) | Down::OtherMember) {
            // Nobody can say which names fit, so that what they are marked with counts for all.
            after.extend(shape.patterned.iter().map(|part| Place::Shape(*part, false)));
        }
    }
}

/// The shapes that a shape names.
fn below(shape: &Shape) -> impl Iterator<Item = u32> + '_ {
    let members = shape.members.iter().map(|member| member.shape);
    let more = shape.others.iter().chain(&shape.patterned).chain(&shape.prefix).chain(&shape.items);
    members.chain(more.chain(&shape.parts).copied())
}

fn bit(rule: u32) -> u64 {
    1_u64.checked_shl(rule).unwrap_or(0)
}
