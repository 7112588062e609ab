//! What a server says about itself when it fails: stack traces, statements of databases, paths, hosts, pages made for
//! developers. Found by what all such texts have in common, not by guessing who made them.

mod charset;
mod fields;
mod hosts;
mod signs;
#[cfg(test)]
mod tests;

pub use charset::is_readable;
pub use fields::{is_telling, names_inner_host};

use crate::detect::{Detectors, redact};
use crate::text::unicode;
use aho_corasick::AhoCorasick;
use hosts::HOSTS;
use signs::{SIGNS, Sign};
use std::borrow::Cow;
use std::sync::LazyLock;

// LIMIT: bytes of a body that go to the log.
const SHOWN_BYTES_MAX: usize = 4 * 1024;

/// What a text gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leak {
    /// Where in which program something failed.
    StackTrace,
    /// What a database says, or what it was asked.
    Database,
    /// A place in a file system.
    FilePath,
    /// A host or an address that only servers should know.
    InternalHost,
    /// A page made for developers, or the name and version of a program.
    DebugPage,
}

// === impl Leak ===

impl Leak {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::StackTrace, Self::Database, Self::FilePath, Self::InternalHost, Self::DebugPage];

    /// Its name in records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StackTrace => "stack_trace",
            Self::Database => "database",
            Self::FilePath => "file_path",
            Self::InternalHost => "internal_host",
            Self::DebugPage => "debug_page",
        }
    }
}

static AUTOMATON: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(SIGNS.iter().chain(HOSTS).map(|sign| sign.text)).ok());

/// What a text gives away, if anything: what stands first.
///
/// # Errors
/// Nothing can be said.
pub fn leak(text: &[u8]) -> Result<Option<Leak>, Undecided> {
    let automaton = AUTOMATON.as_ref().ok_or(Undecided)?;
    let once = unescaped(text);
    let found = first_of(automaton, &[SIGNS, HOSTS], &once);
    if found.is_none() && memchr::memchr(b'\\', &once).is_some() {
        // A document within a text of a document.
        return Ok(first_of(automaton, &[SIGNS, HOSTS], &unescaped(&once)));
    }
    Ok(found)
}

/// What the first of these signs that holds gives away.
fn first_of(automaton: &AhoCorasick, signs: &[&[Sign]], text: &[u8]) -> Option<Leak> {
    automaton.find_overlapping_iter(text).find_map(|found| {
        let mut index = found.pattern().as_usize();
        let sign = signs.iter().find_map(|signs| {
            let sign = signs.get(index);
            index = index.saturating_sub(signs.len());
            sign
        })?;
        let (before, behind) = (text.get(..found.start())?, text.get(found.end()..)?);
        (sign.holds)(before, behind).then_some(sign.leak)
    })
}

/// Nothing can be said about a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecided;

/// Escapes of JSON that would hide a sign, undone.
fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(at);
        plain.extend_from_slice(before);
        let (byte, length) = match escape.get(1) {
            Some(same @ (b'/' | b'\\' | b'"')) => (*same, 2),
            Some(b'n' | b'r') => (b'\n', 2),
            Some(b't') => (b'\t', 2),
            Some(b'u') if escape.get(2..6).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) => {
                let (character, length) = unicode(escape);
                plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = escape.get(length..).unwrap_or_default();
                continue;
            }
            _ => (b'\\', 1),
        };
        plain.push(byte);
        rest = escape.get(length..).unwrap_or_default();
    }
    plain.extend_from_slice(rest);
    Cow::Owned(plain)
}

/// A text as it may stand in a log: its beginning, without what looks like a secret.
#[must_use]
pub fn shown(text: &[u8]) -> String {
    let part = text.get(..SHOWN_BYTES_MAX).unwrap_or(text);
    let text = String::from_utf8_lossy(part);
    // A secret that the end cuts in two would not be found: the last word goes.
    let whole = match (part.len() == SHOWN_BYTES_MAX, text.rfind([' ', '\n', '"', ','])) {
        (true, Some(end)) => text.get(..end).unwrap_or_default(),
        _ => &text,
    };
    redact(&without_secrets(whole), Detectors::all())
}

/// Names whose values nobody may read.
const NAMES: [&str; 9] =
    ["password", "passwd", "pwd", "secret", "token", "api_key", "apikey", "authorization", "cookie"];

/// Values behind such names, and what stands before the `@` of an address.
fn without_secrets(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut hidden: Vec<(usize, usize)> = Vec::new();
    for name in NAMES {
        for (at, _) in lower.match_indices(name) {
            let start = at + name.len();
            let rest = lower.get(start..).unwrap_or_default();
            let signs = rest.bytes().take_while(|byte| b"\"'=: >\\".contains(byte)).count();
            let has_sign = rest.get(..signs).is_some_and(|signs| signs.contains(['=', ':']));
            let value = rest.get(signs..).unwrap_or_default();
            let ends = if matches!(name, "authorization" | "cookie") { "\"'\n\r" } else { " \"'\n\r\t,;&<" };
            let length = value.find(|character| ends.contains(character)).unwrap_or(value.len());
            if has_sign && length > 0 {
                hidden.push((start + signs, start + signs + length));
            }
        }
    }
    for (at, _) in lower.match_indices("://") {
        let start = at + 3;
        let rest = lower.get(start..).unwrap_or_default();
        let authority = rest.get(..rest.find(['/', ' ', '"', '\n', '?']).unwrap_or(rest.len())).unwrap_or_default();
        if let Some(length) = authority.rfind('@') {
            hidden.push((start, start + length));
        }
    }
    hidden.sort_unstable();
    let (mut made, mut at) = (String::with_capacity(text.len()), 0);
    for (start, end) in hidden {
        if start >= at {
            made.push_str(text.get(at..start).unwrap_or_default());
            made.push_str("[redacted]");
            at = end;
        } else {
            at = at.max(end);
        }
    }
    made.push_str(text.get(at..).unwrap_or_default());
    made
}
