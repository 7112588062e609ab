//! What a server says about itself when it fails: stack traces, statements of databases, paths, hosts, pages made for
//! developers. Found by what all such texts have in common, not by guessing who made them.

mod signs;
#[cfg(test)]
mod tests;

use crate::detect::{Detectors, redact};
use aho_corasick::AhoCorasick;
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
    LazyLock::new(|| AhoCorasick::new(SIGNS.iter().map(|sign| sign.text)).ok());

/// What a text gives away, if anything: what stands first.
///
/// # Errors
/// Nothing can be said.
pub fn leak(text: &[u8]) -> Result<Option<Leak>, Undecided> {
    let automaton = AUTOMATON.as_ref().ok_or(Undecided)?;
    let text = unescaped(text);
    let found = automaton.find_overlapping_iter(&*text).find_map(|found| {
        let sign: &Sign = SIGNS.get(found.pattern().as_usize())?;
        let (before, behind) = (text.get(..found.start())?, text.get(found.end()..)?);
        (sign.holds)(before, behind).then_some(sign.leak)
    });
    Ok(found)
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
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let undone = match (byte, bytes.peek()) {
            (b'\\', Some(next @ (b'/' | b'\\' | b'"'))) => Some(*next),
            (b'\\', Some(b'n' | b'r')) => Some(b'\n'),
            (b'\\', Some(b't')) => Some(b'\t'),
            _ => None,
        };
        if undone.is_some() {
            bytes.next();
        }
        plain.push(undone.unwrap_or(byte));
    }
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

/// Whether a field of an answer exists to tell developers what happened, or which program answered.
#[must_use]
pub fn is_telling(name: &[u8]) -> bool {
    const NAMES: [&str; 23] = [
        "x-aspnet-version",
        "x-aspnetmvc-version",
        "x-backend-server",
        "x-debug-token",
        "x-debug-token-link",
        "x-drupal-cache",
        "x-drupal-dynamic-cache",
        "x-exception",
        "x-exception-message",
        "x-error-detail",
        "x-generator",
        "x-host",
        "x-hostname",
        "x-owa-version",
        "x-php-version",
        "x-powered-by",
        "x-powered-by-plesk",
        "x-runtime",
        "x-server",
        "x-server-name",
        "x-sourcefiles",
        "x-upstream",
        "x-version",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}
