//! What documents say about who may see a value: `x-sensitivity: pii` and `x-visible-to: [support]` on a schema, or beside a
//! reference to one. They say nothing about what fits.

use super::super::library::{Library, Spot};
use super::{Compiler, Use};
use crate::tree::Shape;
use portcullis_types::outline::{Mark, Meaning};
use std::collections::HashMap;

/// LIMIT: characters of a class or a role.
const WORD_CHARS_MAX: usize = 64;
/// LIMIT: classes or roles of one mark.
const WORDS_MAX: usize = 100;
/// The class of what everybody may see.
const PUBLIC: &str = "public";

/// A set of marks, by number; the first is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct MarkSet(u32);

/// All marks of a contract, each once.
#[derive(Debug, Default)]
pub(super) struct Marks {
    all: Vec<(Spot, Meaning)>,
    known: HashMap<(Spot, Meaning), u32>,
    sets: Vec<Vec<u32>>,
    known_sets: HashMap<Vec<u32>, MarkSet>,
}

// === impl Marks ===

impl Marks {
    fn number(&mut self, spot: Spot, meaning: Meaning) -> u32 {
        let all = &mut self.all;
        *self.known.entry((spot, meaning.clone())).or_insert_with(|| {
            all.push((spot, meaning));
            u32::try_from(all.len()).unwrap_or(u32::MAX).saturating_sub(1)
        })
    }

    pub(super) fn set(&mut self, mut marks: Vec<u32>) -> MarkSet {
        if marks.is_empty() {
            return MarkSet::default();
        }
        marks.sort_unstable();
        marks.dedup();
        let sets = &mut self.sets;
        *self.known_sets.entry(marks.clone()).or_insert_with(|| {
            sets.push(marks);
            MarkSet(u32::try_from(sets.len()).unwrap_or(u32::MAX))
        })
    }

    fn of(&self, set: MarkSet) -> &[u32] {
        let index = usize::try_from(set.0).ok().and_then(|number| number.checked_sub(1));
        index.and_then(|index| self.sets.get(index)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn placed(self, library: &Library) -> Vec<Mark> {
        let placed = |(spot, meaning): (Spot, Meaning)| {
            let file = library.files.get(spot.file).map_or("", |file| file.uri.as_str()).into();
            Mark { meaning, file, line: library.line(spot) }
        };
        self.all.into_iter().map(placed).collect()
    }
}

// === impl Compiler ===

impl Compiler<'_> {
    /// The marks of a schema and of the references that led to it.
    pub(super) fn all_marks(&mut self, used: Use) -> Box<[u32]> {
        let mut all = self.marked(used.spot);
        all.extend_from_slice(self.marks.of(used.marks));
        all.sort_unstable();
        all.dedup();
        all.into()
    }

    /// The marks that stand at a place.
    pub(crate) fn marked(&mut self, spot: Spot) -> Vec<u32> {
        let mut all = Vec::new();
        if !self.settings.openapi {
            return all;
        }
        if let Some(at) = self.library.member(spot, "x-sensitivity") {
            let classes = self.words(at, "x-sensitivity", "write a class, such as `pii`, or a list of classes");
            for class in classes.into_iter().filter(|class| **class != *PUBLIC) {
                all.push(self.marks.number(at, Meaning::Class(class)));
            }
        }
        if let Some(at) = self.library.member(spot, "x-visible-to") {
            let mut roles = self.words(at, "x-visible-to", "write a role, or a list of roles");
            roles.sort_unstable();
            roles.dedup();
            all.push(self.marks.number(at, Meaning::Roles(roles.into())));
        }
        all
    }

    /// One word or several. What cannot be read is an error: a mark that says nothing would let the value leave.
    fn words(&mut self, at: Spot, keyword: &'static str, help: &'static str) -> Vec<Box<str>> {
        let spots = match self.library.shape(at) {
            Shape::List(_) => self.library.items(at),
            Shape::Null | Shape::Bool(_) | Shape::Number(_) | Shape::Text(_) | Shape::Map(_) => vec![at],
        };
        let word = |spot: &Spot| match self.library.shape(*spot) {
            Shape::Text(text) if is_word(text) => Some(text.clone()),
            Shape::Text(_) | Shape::Null | Shape::Bool(_) | Shape::Number(_) | Shape::List(_) | Shape::Map(_) => None,
        };
        let words: Option<Vec<Box<str>>> = spots.iter().map(word).collect();
        match words.filter(|words| !words.is_empty() && words.len() <= WORDS_MAX) {
            Some(words) => words,
            None => {
                let message =
                    format!("`{keyword}` must be words of 1 to {WORD_CHARS_MAX} letters, digits, `_`, `-` or `.`");
                self.error(at, keyword, message, help);
                Vec::new()
            }
        }
    }
}

/// Classes become names of rules and labels of metrics, so they are plain.
fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    !text.is_empty() && text.len() <= WORD_CHARS_MAX && text.bytes().all(is_plain)
}
