//! Whether the SQL tokenizer can find a fingerprint at all: without a quote, a parenthesis, a mark that ends or
//! comments a statement, and without any word of its keyword table, it can't.

use crate::classes::{self, Classes};
use crate::rule::contains;
use std::collections::HashSet;

/// A value with one of these may have a fingerprint whatever its words are: they start strings, calls, variables,
/// comments, logic, a new statement, or an escape that hides a word's start. Every fingerprint in the tokenizer's
/// table has a token that only these or a word of its keyword table can give.
pub(super) const MARKS: Classes = classes::of(b"'\"`();@#&|$\\");

/// The bytes of a word.
const WORD: Classes = classes::of(b"abcdefghijklmnopqrstuvwxyz0_");
/// How many hashes are told apart.
const HASHES: usize = 1 << 13;

/// A word's hash with one byte more, letters of either case.
fn hashed(hash: usize, byte: u8) -> usize {
    (hash.rotate_left(5) ^ usize::from(byte | 0x20)).wrapping_add(hash >> 9)
}

/// The tokenizer's words.
#[derive(Debug, Default)]
pub(crate) struct Words {
    words: HashSet<Vec<u8>, std::hash::BuildHasherDefault<super::scan::Mixer>>,
    longest: usize,
    /// A bit for each hash that a word of the table has: most words of a text aren't in it.
    hashes: Vec<u64>,
}

// === impl Words ===

impl Words {
    pub(crate) fn new() -> Self {
        let mut out = Self { hashes: vec![0; HASHES / 64], ..Self::default() };
        for keyword in libinjectionrs::sqli::sqli_data::SQL_KEYWORDS {
            if keyword.token_type == b'F' {
                continue;
            }
            let pieces = keyword.word.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            for word in pieces.filter(|w| w.bytes().any(|b| b.is_ascii_alphabetic())) {
                out.longest = out.longest.max(word.len());
                crate::rule::insert(&mut out.hashes, word.bytes().fold(0, hashed) % HASHES);
                out.words.insert(word.to_ascii_uppercase().into_bytes());
            }
        }
        out
    }

    /// Whether a value with these classes may have a fingerprint.
    pub(crate) fn possible(&self, value: &[u8], mask: Classes) -> bool {
        if mask & MARKS != 0 || contains_comment(value, mask) {
            return true;
        }
        let mut start = 0;
        let mut hash = 0;
        for (at, byte) in value.iter().enumerate() {
            if classes::class(*byte) & WORD != 0 {
                hash = hashed(hash, *byte);
                continue;
            }
            if self.word(crate::bytes::sub(value, start, at), hash) {
                return true;
            }
            (start, hash) = (at + 1, 0);
        }
        self.word(crate::bytes::sub(value, start, value.len()), hash)
    }

    /// Whether any value with no other classes than these may have a fingerprint.
    pub(super) fn possible_of(&self, allowed: Classes) -> bool {
        // A number of more than 64 digits may have a word in it, as far as `word` looks.
        allowed & (MARKS | classes::of(b"-*") | classes::DIGIT) != 0
            || self.words.iter().any(|word| classes::of(word) & !allowed == 0)
    }

    /// Whether a piece between other bytes is, or ends in, a word of the table.
    fn word(&self, word: &[u8], hash: usize) -> bool {
        if !word.first().is_some_and(u8::is_ascii_digit) {
            return contains(&self.hashes, hash % HASHES) && self.contains(word);
        }
        // Longer than any word, but a number may stand before one.
        if word.len() > 64 {
            return true;
        }
        // `1union` is a number and a word to the tokenizer, and a number ends in more ways than one.
        !word.iter().all(u8::is_ascii_digit)
            && (0..word.len()).any(|start| self.contains(crate::bytes::sub(word, start, word.len())))
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

fn contains_comment(value: &[u8], mask: Classes) -> bool {
    mask & classes::of(b"-*") != 0 && value.windows(2).any(|pair| matches!(pair, b"--" | b"/*"))
}
