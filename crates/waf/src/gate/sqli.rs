//! Whether the SQL tokenizer can find a fingerprint at all: without a quote, a parenthesis, a mark that ends or
//! comments a statement, and without any word of its keyword table, it can't.

use crate::classes::{self, Classes};
use std::collections::HashSet;

/// A value with one of these may have a fingerprint whatever its words are: they start strings, calls, variables,
/// comments, logic, a new statement, or an escape that hides a word's start. Every fingerprint in the tokenizer's
/// table has a token that only these or a word of its keyword table can give.
pub(super) const MARKS: Classes = classes::of(b"'\"`();@#&|$\\");

/// The tokenizer's words.
#[derive(Debug, Default)]
pub(crate) struct Words {
    words: HashSet<Vec<u8>, std::hash::BuildHasherDefault<super::scan::Mixer>>,
    longest: usize,
}

// === impl Words ===

impl Words {
    pub(crate) fn new() -> Self {
        let mut out = Self::default();
        for keyword in libinjectionrs::sqli::sqli_data::SQL_KEYWORDS {
            if keyword.token_type == b'F' {
                continue;
            }
            let pieces = keyword.word.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            for word in pieces.filter(|w| w.bytes().any(|b| b.is_ascii_alphabetic())) {
                out.longest = out.longest.max(word.len());
                out.words.insert(word.to_ascii_uppercase().into_bytes());
            }
        }
        out
    }

    /// Whether a value with these classes may have a fingerprint.
    pub(crate) fn possible(&self, value: &[u8], mask: Classes) -> bool {
        if mask & MARKS != 0 || contains_comment(value) {
            return true;
        }
        let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        for word in value.split(|b| !is_word(b)) {
            if word.len() > 64 {
                // Longer than any word, but a number may stand before one.
                if word.first().is_some_and(u8::is_ascii_digit) {
                    return true;
                }
                continue;
            }
            // `1union` is a number and a word to the tokenizer, and a number ends in more ways than one.
            let starts = if word.first().is_some_and(u8::is_ascii_digit) { word.len() } else { 1 };
            for start in 0..starts {
                if self.contains(crate::bytes::sub(word, start, word.len())) {
                    return true;
                }
            }
        }
        false
    }

    fn contains(&self, word: &[u8]) -> bool {
        let mut upper = [0u8; 64];
        if word.len() < 2 || word.len() > self.longest || word.iter().all(u8::is_ascii_digit) {
            return false;
        }
        let Some(place) = upper.get_mut(..word.len()) else { return true };
        place.copy_from_slice(word);
        place.make_ascii_uppercase();
        self.words.contains(&*place)
    }
}

fn contains_comment(value: &[u8]) -> bool {
    value.windows(2).any(|pair| matches!(pair, b"--" | b"/*"))
}
