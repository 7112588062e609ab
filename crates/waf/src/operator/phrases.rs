//! Many phrases at once, letters of either case.

use aho_corasick::AhoCorasick;

/// A set of phrases.
#[derive(Debug)]
pub(crate) struct Phrases {
    automaton: AhoCorasick,
    /// The phrases in lower case: what the gates are computed from.
    pub(crate) list: Vec<Box<[u8]>>,
}

// === impl Phrases ===

impl Phrases {
    pub(crate) fn new(phrases: Vec<String>) -> Result<Self, String> {
        if phrases.is_empty() {
            return Err("no phrase".into());
        }
        let list: Vec<Box<[u8]>> = phrases.iter().map(|p| p.to_ascii_lowercase().into_bytes().into()).collect();
        let automaton =
            AhoCorasick::builder().ascii_case_insensitive(true).build(&list).map_err(|e| format!("phrases: {e}"))?;
        Ok(Self { automaton, list })
    }

    /// Phrases between blanks.
    pub(crate) fn inline(text: &str) -> Result<Self, String> {
        if text.contains('|') {
            return Err("`|` in phrases means hexadecimal elsewhere and isn't supported".into());
        }
        Self::new(text.split_whitespace().map(str::to_owned).collect())
    }

    /// The first phrase to be complete.
    pub(crate) fn find(&self, value: &[u8]) -> Option<(usize, usize)> {
        self.automaton.find(value).map(|m| (m.start(), m.end()))
    }
}

/// The phrases of a data file: one a line, blank lines and comments left out.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}
