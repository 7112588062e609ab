//! All paths of a set of rules as one automaton: a step down costs one look-up, however many paths there are.

use crate::path::{Path, Step};
use std::collections::{BTreeSet, HashMap};

// LIMIT: states. Paths with several `..` can need one for each combination of how far each has come.
const STATES_MAX: usize = 4_096;

/// A state.
pub(crate) type State = u32;

/// The state below which nothing is meant by any path.
pub(crate) const DEAD: State = 0;

/// The whole document.
pub(crate) const START: State = 1;

#[derive(Debug)]
pub(crate) struct Automaton {
    states: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// Sorted by name.
    members: Vec<(Box<[u8]>, State)>,
    any_member: State,
    /// Sorted by place.
    items: Vec<(u32, State)>,
    any_item: State,
    /// Rules that mean this place.
    accept: u64,
    /// Rules that mean this place or one below it.
    reach: u64,
}

/// How far which path has come.
type Place = (usize, usize);

struct Builder<'p> {
    paths: &'p [(u32, &'p Path)],
    known: HashMap<Vec<Place>, State>,
    nodes: Vec<Node>,
    open: Vec<(State, Vec<Place>)>,
}

// === impl Automaton ===

impl Automaton {
    /// Each path with the number of its rule, below 64. `None` if the automaton would be too large.
    pub(crate) fn build(paths: &[(u32, &Path)]) -> Option<Self> {
        let mut builder = Builder { paths, known: HashMap::new(), nodes: Vec::new(), open: Vec::new() };
        builder.state(Vec::new())?;
        let start = (0..paths.len()).map(|index| (index, 0)).collect();
        let start = builder.state(start)?;
        // Without any path the document itself is dead.
        if start == DEAD {
            builder.nodes.push(Node::default());
        }
        while let Some((state, places)) = builder.open.pop() {
            builder.expand(state, &places)?;
        }
        Some(Self { states: builder.nodes })
    }

    pub(crate) fn member(&self, state: State, name: &[u8]) -> State {
        let Some(node) = self.node(state) else { return DEAD };
        match node.members.binary_search_by(|(known, _)| (**known).cmp(name)) {
            Ok(index) => node.members.get(index).map_or(DEAD, |(_, next)| *next),
            Err(_) => node.any_member,
        }
    }

    pub(crate) fn item(&self, state: State, place: u32) -> State {
        let Some(node) = self.node(state) else { return DEAD };
        match node.items.binary_search_by_key(&place, |(known, _)| *known) {
            Ok(index) => node.items.get(index).map_or(DEAD, |(_, next)| *next),
            Err(_) => node.any_item,
        }
    }

    /// Rules that mean this place.
    pub(crate) fn accept(&self, state: State) -> u64 {
        self.node(state).map_or(0, |node| node.accept)
    }

    /// Rules that mean this place or one below it.
    pub(crate) fn reach(&self, state: State) -> u64 {
        self.node(state).map_or(0, |node| node.reach)
    }

    fn node(&self, state: State) -> Option<&Node> {
        self.states.get(usize::try_from(state).ok()?)
    }
}

// === impl Builder ===

impl Builder<'_> {
    fn step(&self, place: Place) -> Option<&Step> {
        self.paths.get(place.0)?.1.steps.get(place.1)
    }

    /// The state in which paths have come so far.
    fn state(&mut self, places: Vec<Place>) -> Option<State> {
        let mut closed: BTreeSet<Place> = BTreeSet::new();
        for place in places {
            closed.insert(place);
            if self.step(place) == Some(&Step::Descend) {
                closed.insert((place.0, place.1 + 1));
            }
        }
        let places: Vec<Place> = closed.into_iter().collect();
        if let Some(state) = self.known.get(&places) {
            return Some(*state);
        }
        if self.nodes.len() == STATES_MAX {
            return None;
        }
        let mut node = Node::default();
        for place in &places {
            let rule = self.paths.get(place.0).map_or(0, |(rule, _)| 1_u64.checked_shl(*rule).unwrap_or(0));
            node.reach |= rule;
            node.accept |= if self.step(*place).is_none() { rule } else { 0 };
        }
        let state = State::try_from(self.nodes.len()).ok()?;
        self.nodes.push(node);
        self.known.insert(places.clone(), state);
        self.open.push((state, places));
        Some(state)
    }

    fn expand(&mut self, state: State, places: &[Place]) -> Option<()> {
        let (mut names, mut indices) = (BTreeSet::new(), BTreeSet::new());
        for place in places {
            match self.step(*place) {
                Some(Step::Member(name)) => drop(names.insert(name.clone())),
                Some(Step::Item(index)) => drop(indices.insert(*index)),
                Some(Step::Any | Step::Descend) | None => {}
            }
        }
        let mut node = Node { any_member: self.next(places, None, None)?, ..Node::default() };
        node.any_item = node.any_member;
        for name in names {
            node.members.push((name.as_bytes().into(), self.next(places, Some(&name), None)?));
        }
        for index in indices {
            node.items.push((index, self.next(places, None, Some(index))?));
        }
        let known = self.nodes.get_mut(usize::try_from(state).ok()?)?;
        *known = Node { accept: known.accept, reach: known.reach, ..node };
        Some(())
    }

    /// The state after a step down to a member or an item.
    fn next(&mut self, places: &[Place], name: Option<&str>, index: Option<u32>) -> Option<State> {
        let mut after = Vec::new();
        for place in places {
            match self.step(*place) {
                Some(Step::Member(wanted)) if name == Some(wanted) => after.push((place.0, place.1 + 1)),
                Some(Step::Item(wanted)) if index == Some(*wanted) => after.push((place.0, place.1 + 1)),
                Some(Step::Any) => after.push((place.0, place.1 + 1)),
                Some(Step::Descend) => after.push(*place),
                Some(Step::Member(_) | Step::Item(_)) | None => {}
            }
        }
        self.state(after)
    }
}

#[cfg(test)]
mod tests {
    use super::{Automaton, START};
    use crate::path::Path;

    /// The rules that mean a place; names, or numbers for items.
    fn accept(paths: &[&str], place: &str) -> u64 {
        let paths: Vec<Path> = paths.iter().map(|path| Path::parse(path).unwrap()).collect();
        let numbered: Vec<(u32, &Path)> = (0..).zip(&paths).collect();
        let automaton = Automaton::build(&numbered).unwrap();
        let steps = place.split('/').filter(|step| !step.is_empty());
        automaton.accept(steps.fold(START, |state, step| match step.parse() {
            Ok(index) => automaton.item(state, index),
            Err(_) => automaton.member(state, step.as_bytes()),
        }))
    }

    #[test]
    fn places_are_found() {
        let paths = ["$.a.b", "$..b", "$.*.c", "$.list[1]", "$.list[*].b", "$..a..b"];
        for (place, expected) in [
            ("", 0),
            ("a", 0),
            ("a/b", 0b10_0011),
            ("b", 0b10),
            ("x/y/b", 0b10),
            ("x/a/y/b", 0b10_0010),
            ("a/c", 0b100),
            ("list/0", 0),
            ("list/1", 0b1000),
            ("list/2/b", 0b1_0010),
            ("list/1/b", 0b1_0010),
            ("0/c", 0b100),
        ] {
            assert_eq!(accept(&paths, place), expected, "{place}");
        }
        assert_eq!(accept(&["$"], ""), 1);
        assert_eq!(accept(&[], "a/b"), 0);
    }

    #[test]
    fn too_many_states_are_refused() {
        let texts: Vec<String> = (0..13).map(|n| format!("$..a{n}..b{n}")).collect();
        let paths: Vec<Path> = texts.iter().map(|text| Path::parse(text).unwrap()).collect();
        let numbered: Vec<(u32, &Path)> = (0..).zip(&paths).collect();
        assert!(Automaton::build(&numbered).is_none());
    }
}
