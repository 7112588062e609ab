//! All paths of a set of rules, and what a contract declares, as one automaton: a step down costs one look-up, however many
//! there are.

mod build;

use crate::path::Path;
use build::Builder;
use portcullis_types::Outline;
use portcullis_types::outline::Meaning;

/// A state.
pub(crate) type State = u32;

/// The state below which nothing is meant by any path.
pub(crate) const DEAD: State = 0;

/// The whole document.
pub(crate) const START: State = 1;

#[derive(Debug)]
pub(crate) struct Automaton {
    states: Vec<Node>,
    /// By the number of a schema.
    starts: Vec<(u32, State)>,
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
    /// Rules that let a text, a number, true or false leave that stands here.
    scalars: u64,
    /// Rules by which anything may stand here at all.
    declared: u64,
}

/// What rules are about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'s> {
    /// Each path with the number of its rule, below 64.
    pub(crate) paths: &'s [(u32, &'s Path)],
    /// What documents may hold.
    pub(crate) outline: &'s Outline,
    /// Marks with the numbers of their rules.
    pub(crate) marks: &'s [(u32, &'s Meaning)],
    /// Rules by which all that is declared may leave.
    pub(crate) declared: u64,
}

// === impl Automaton ===

impl Automaton {
    /// `None` if the automaton would be too large.
    pub(crate) fn build(said: Said<'_>) -> Option<Self> {
        let mut builder = Builder::new(said);
        let dead = builder.state(Vec::new())?;
        let paths = builder.of_paths();
        // The start is the second state. Where nothing is meant by anything, the document itself is dead.
        if builder.state(builder.undeclared(&paths))? == dead {
            builder.nodes.push(Node::default());
        }
        let mut starts = Vec::new();
        for (schema, shape) in &said.outline.roots {
            starts.push((*schema, builder.state(builder.declared(&paths, *shape))?));
        }
        builder.expand_all()?;
        Some(Self { states: builder.nodes, starts })
    }

    /// Where a document begins whose schema is known by this number. Of one that nobody declares, marks count wherever they are
    /// declared for another one, and nothing of it is declared.
    pub(crate) fn start(&self, schema: Option<u32>) -> State {
        let at = schema.and_then(|schema| self.starts.binary_search_by_key(&schema, |(known, _)| *known).ok());
        at.and_then(|at| self.starts.get(at)).map_or(START, |(_, start)| *start)
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

    /// Rules that let a text, a number, true or false leave that stands here.
    pub(crate) fn scalars(&self, state: State) -> u64 {
        self.node(state).map_or(0, |node| node.scalars)
    }

    /// Rules by which anything may stand here at all.
    pub(crate) fn declared(&self, state: State) -> u64 {
        self.node(state).map_or(0, |node| node.declared)
    }

    fn node(&self, state: State) -> Option<&Node> {
        self.states.get(usize::try_from(state).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::{Automaton, START, Said};
    use crate::path::Path;
    use portcullis_types::Outline;

    fn build(paths: &[(u32, &Path)]) -> Option<Automaton> {
        Automaton::build(Said { paths, outline: &Outline::default(), marks: &[], declared: 0 })
    }

    /// The rules that mean a place; names, or numbers for items.
    fn accept(paths: &[&str], place: &str) -> u64 {
        let paths: Vec<Path> = paths.iter().map(|path| Path::parse(path).unwrap()).collect();
        let numbered: Vec<(u32, &Path)> = (0..).zip(&paths).collect();
        let automaton = build(&numbered).unwrap();
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
        assert!(build(&numbered).is_none());
    }
}
