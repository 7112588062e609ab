//! A list or an object that has begun, and what is decided about a value.

use crate::automaton::State;

/// A list or an object.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) object: bool,
    /// What paths say about it.
    pub(super) state: State,
    /// Whether anything within it may have to be left out or changed by its place.
    pub(super) live: bool,
    /// Whether all within it may leave.
    pub(super) allowed: bool,
    /// A rule that takes each value within it.
    pub(super) leaf: Option<usize>,
    /// Whether a value of it has left.
    pub(super) kept: bool,
    /// Items that have begun.
    pub(super) items: u32,
}

/// What happens to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It leaves, or what is within it is decided one by one.
    Pass,
    /// It is looked at.
    Look(Option<usize>),
    /// By this rule something else stands there, or nothing.
    Swap(usize),
    /// Nothing grants it.
    Withhold,
}
