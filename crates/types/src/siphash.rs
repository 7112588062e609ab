//! SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012), over words fed one at a time.
//!
//! Keyed, so that nobody outside can choose keys that meet in one slot of a table.

use std::fmt;

/// A hash under way.
#[derive(Clone, Copy)]
pub struct SipHash {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
    /// Bytes that do not fill a word yet, lowest first.
    tail: u64,
    /// How many bytes came in; only the lowest byte counts in the end.
    length: u64,
}

// === impl SipHash ===

impl SipHash {
    /// Begins under a key of 128 bits that nobody outside knows.
    #[must_use]
    pub const fn new(k0: u64, k1: u64) -> Self {
        Self {
            v0: k0 ^ 0x736f_6d65_7073_6575,
            // The 0xee tells the 128-bit output from the 64-bit one.
            v1: k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            v2: k0 ^ 0x6c79_6765_6e65_7261,
            v3: k1 ^ 0x7465_6462_7974_6573,
            tail: 0,
            length: 0,
        }
    }

    /// Takes more bytes: the same hash, however they are cut.
    #[inline]
    pub fn write(&mut self, mut bytes: &[u8]) {
        if self.length & 7 == 0 {
            while let Some((word, rest)) = bytes.split_first_chunk::<8>() {
                self.length = self.length.wrapping_add(8);
                self.block(u64::from_le_bytes(*word));
                bytes = rest;
            }
        }
        for byte in bytes {
            self.tail |= u64::from(*byte) << (8 * (self.length & 7));
            self.length = self.length.wrapping_add(1);
            if self.length & 7 == 0 {
                let word = std::mem::take(&mut self.tail);
                self.block(word);
            }
        }
    }

    /// The 128 bits.
    #[inline]
    #[must_use]
    pub fn finish(mut self) -> u128 {
        let last = (self.length << 56) | self.tail;
        self.block(last);
        self.v2 ^= 0xee;
        for _ in 0..4 {
            self.round();
        }
        let low = self.v0 ^ self.v1 ^ self.v2 ^ self.v3;
        self.v1 ^= 0xdd;
        for _ in 0..4 {
            self.round();
        }
        let high = self.v0 ^ self.v1 ^ self.v2 ^ self.v3;
        (u128::from(high) << 64) | u128::from(low)
    }

    /// One word of the shorter hash: one round.
    #[inline]
    fn word(&mut self, word: u64) {
        self.v3 ^= word;
        self.round();
        self.v0 ^= word;
    }

    #[inline]
    fn block(&mut self, word: u64) {
        self.v3 ^= word;
        self.round();
        self.round();
        self.v0 ^= word;
    }

    #[inline]
    fn round(&mut self) {
        self.v0 = self.v0.wrapping_add(self.v1);
        self.v1 = self.v1.rotate_left(13) ^ self.v0;
        self.v0 = self.v0.rotate_left(32);
        self.v2 = self.v2.wrapping_add(self.v3);
        self.v3 = self.v3.rotate_left(16) ^ self.v2;
        self.v0 = self.v0.wrapping_add(self.v3);
        self.v3 = self.v3.rotate_left(21) ^ self.v0;
        self.v2 = self.v2.wrapping_add(self.v1);
        self.v1 = self.v1.rotate_left(17) ^ self.v2;
        self.v2 = self.v2.rotate_left(32);
    }
}

/// SipHash-1-3 with 64 bits of output, over a number and two texts of which each fills whole words: for tables that every request
/// looks into, where a hash that is made for tags would cost more than what it is for.
#[must_use]
pub fn short([k0, k1]: [u64; 2], number: u8, texts: [&[u8]; 2]) -> u64 {
    let [first, second] = texts;
    let start = SipHash::new(k0, k1);
    let mut hash = SipHash { v1: start.v1 ^ 0xee, ..start };
    // With the lengths before them, no two pairs of texts are the same words.
    hash.word(u64::from(number) << 56 | first.len() as u64);
    hash.word(second.len() as u64);
    let mut words = 2;
    for text in texts {
        let (chunks, rest) = text.as_chunks::<8>();
        chunks.iter().for_each(|chunk| hash.word(u64::from_le_bytes(*chunk)));
        words += chunks.len() as u64;
        if !rest.is_empty() {
            hash.word(rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
            words += 1;
        }
    }
    hash.word((words * 8) << 56);
    hash.v2 ^= 0xff;
    for _ in 0..3 {
        hash.round();
    }
    hash.v0 ^ hash.v1 ^ hash.v2 ^ hash.v3
}

impl fmt::Debug for SipHash {
    /// Its state is as good as the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SipHash")
    }
}

#[cfg(test)]
mod tests {
    use super::short;
    use std::hash::{DefaultHasher, Hasher as _};

    #[test]
    fn the_short_hash_is_that_of_the_standard_library_over_the_same_words() {
        let words = |words: &[u64]| {
            let mut hasher = DefaultHasher::new();
            words.iter().for_each(|word| hasher.write_u64(*word));
            hasher.finish()
        };
        let eight = u64::from_le_bytes(*b"abcdefgh");
        for (number, texts, expected) in [
            (0, [b"".as_slice(), b""], words(&[0, 0])),
            (1, [b"abcdefgh", b""], words(&[1 << 56 | 8, 0, eight])),
            (2, [b"ab", b"abcdefghc"], words(&[2 << 56 | 2, 9, 0x6261, eight, 0x63])),
        ] {
            assert_eq!(short([0, 0], number, texts), expected, "{number}");
        }
    }

    #[test]
    fn no_two_pairs_of_texts_and_no_two_keys_mean_the_same() {
        let all: [(u8, [&[u8]; 2]); 6] = [
            (1, [b"ab", b"c"]),
            (1, [b"a", b"bc"]),
            (1, [b"abc", b""]),
            (1, [b"", b"abc"]),
            (1, [b"abc\0", b""]),
            (2, [b"abc", b""]),
        ];
        let hashes = [[1, 2], [2, 1]].map(|key| all.map(|(number, texts)| short(key, number, texts)));
        let mut seen = hashes.as_flattened().to_vec();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 12);
    }
}
