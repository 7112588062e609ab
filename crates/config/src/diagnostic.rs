//! What a mistake is: a code, a place, a sentence and a way out. Always collected, never only the first.

mod render;
mod suggest;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;

pub use render::Failure;
pub(crate) use suggest::{closest, one_of};

use crate::sources::Span;

/// LIMIT: mistakes that are reported in one run.
pub(crate) const MAX_DIAGNOSTICS: usize = 100;
/// LIMIT: characters of user input that a message repeats.
const MAX_QUOTED_CHARS: usize = 60;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable name of the kind of mistake, such as `unknown-setting`.
    pub code: &'static str,
    /// Where in the configuration: `apis.orders.routes[3].path`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    pub(crate) span: Span,
    pub(crate) label: Option<String>,
    pub(crate) also: Vec<(Span, String)>,
}

/// Collects mistakes: each once, and not without end.
#[derive(Default)]
pub(crate) struct Report {
    found: Vec<Diagnostic>,
    seen: HashSet<(&'static str, Span, String)>,
    dropped: usize,
}

impl Diagnostic {
    pub(crate) fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { code, path: String::new(), message: message.into(), help: None, span, label: None, also: Vec::new() }
    }

    pub(crate) fn path(mut self, path: String) -> Self {
        self.path = path;
        self
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.also.push((span, label.into()));
        self
    }
}

impl Report {
    /// Keeps a mistake unless it was reported before. An alias is one text used in several places: one report.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if !self.seen.insert((diagnostic.code, diagnostic.span, diagnostic.message.clone())) {
            return;
        }
        if self.is_full() {
            self.dropped += 1;
        } else {
            self.found.push(diagnostic);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.found.len() >= MAX_DIAGNOSTICS
    }

    /// In the order of the files and lines, which is how people repair them.
    pub(crate) fn into_sorted(mut self) -> (Vec<Diagnostic>, usize) {
        self.found.sort_by_key(|diagnostic| diagnostic.span);
        (self.found, self.dropped)
    }
}

/// User input in a message: in backticks, on one line, without control characters, not too long.
pub(crate) fn quote(text: &str) -> String {
    let text = &without_credentials(text);
    let mut shown = String::from("`");
    for (count, character) in text.chars().enumerate() {
        if count == MAX_QUOTED_CHARS {
            shown.push('…');
            break;
        }
        if character.is_control() || is_direction_mark(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown.push('`');
    shown
}

/// An address with a password in it is a mistake that must not be repeated.
fn without_credentials(text: &str) -> Cow<'_, str> {
    match text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, rest)) => Cow::Owned(format!("{scheme}://…@{rest}")),
        None => Cow::Borrowed(text),
    }
}

/// Characters that make a terminal show text in another order than it stands.
fn is_direction_mark(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
