//! Whether the SQL tokenizer can find a fingerprint at all: without a quote, a parenthesis, a mark that ends or
//! comments a statement, and without any word of its keyword table, it can't.

use crate::classes::{self, Classes};
use std::collections::HashSet;

/// A value with one of these may have a fingerprint whatever its words are.
pub(super) const MARKS: Classes = classes::of(b"'\"`();@#&|\\{}[]!<>,*$") | classes::CONTROL | classes::HIGH;

/// The tokenizer's words.
#[derive(Debug, Default)]
pub(super) struct Words {
    words: HashSet<Vec<u8>>,
    longest: usize,
}

// === impl Words ===

impl Words {
    pub(super) fn new() -> Self {
        let mut out = Self::default();
        for keyword in libinjectionrs::sqli::sqli_data::SQL_KEYWORDS {
            for word in keyword.word.split(' ') {
                out.longest = out.longest.max(word.len());
                out.words.insert(word.to_ascii_uppercase().into_bytes());
            }
        }
        out
    }

    /// Whether a value with these classes may have a fingerprint.
    pub(super) fn possible(&self, value: &[u8], mask: Classes) -> bool {
        if mask & MARKS != 0 || contains_comment(value) {
            return true;
        }
        let mut upper = [0u8; 64];
        let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        for word in value.split(|b| !is_word(b)) {
            // `1union` is two words to the tokenizer.
            let digits = word.iter().take_while(|b| b.is_ascii_digit()).count();
            for word in [word, crate::bytes::sub(word, digits, word.len())] {
                if word.is_empty() || word.len() > self.longest {
                    continue;
                }
                let Some(place) = upper.get_mut(..word.len()) else { return true };
                place.copy_from_slice(word);
                place.make_ascii_uppercase();
                if !place.iter().all(u8::is_ascii_digit) && self.words.contains(&*place) {
                    return true;
                }
            }
        }
        false
    }
}

fn contains_comment(value: &[u8]) -> bool {
    value.windows(2).any(|pair| matches!(pair, b"--" | b"/*"))
}
