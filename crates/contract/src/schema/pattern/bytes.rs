//! Of which bytes a text is that an expression holds from its beginning to its end.

use super::{NESTING_MAX, Pattern, Translator};
use crate::schema::bytes::ByteSet;
use regex_automata::util::syntax;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

// === impl Pattern ===

impl Pattern {
    /// The bytes of texts that fit; `None` where they may be any, since the expression fits in the middle of a text as well.
    pub(crate) fn bytes(&self) -> Option<ByteSet> {
        let translated =
            Translator { rest: self.source.chars().peekable(), written: String::new() }.translate().ok()?;
        let hir = syntax::parse_with(&translated, &syntax::Config::new().nest_limit(NESTING_MAX)).ok()?;
        let properties = hir.properties();
        let holds =
            properties.look_set_prefix().contains(Look::Start) && properties.look_set_suffix().contains(Look::End);
        let mut set = ByteSet::default();
        holds.then(|| add(&hir, &mut set))?;
        Some(set)
    }
}

/// What stands in any part of it. Nesting is bounded where it is read.
fn add(hir: &Hir, set: &mut ByteSet) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => *set = set.with(ByteSet::of(&literal.0)),
        HirKind::Class(Class::Bytes(class)) => {
            class.iter().for_each(|range| (range.start()..=range.end()).for_each(|byte| set.insert(byte)));
        }
        HirKind::Class(Class::Unicode(class)) => {
            for range in class.iter() {
                let ascii = u32::from(range.start())..=u32::from(range.end()).min(0x7f);
                ascii.filter_map(|scalar| u8::try_from(scalar).ok()).for_each(|byte| set.insert(byte));
                if !range.end().is_ascii() {
                    (0x80..=0xff).for_each(|byte| set.insert(byte));
                }
            }
        }
        HirKind::Repetition(repetition) => add(&repetition.sub, set),
        HirKind::Capture(capture) => add(&capture.sub, set),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().for_each(|part| add(part, set)),
    }
}
