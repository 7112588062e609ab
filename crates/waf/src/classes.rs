//! Sixty-four byte classes in one word: every letter of either case, digits as one, every mark of punctuation,
//! space, other white space, control bytes, bytes above 0x7f, and whether a capital occurs.
//! One OR per byte gives the set of a value; the same word decides which decoders and which rules can matter.

/// A set of byte classes.
pub(crate) type Classes = u64;

const DIGIT_BIT: u32 = 26;
const FIRST_MARK_BIT: u32 = 27;
const SPACE_BIT: u32 = 59;
const UPPER_BIT: u32 = 60;
const BLANK_BIT: u32 = 61;
const CONTROL_BIT: u32 = 62;
const HIGH_BIT: u32 = 63;

pub(crate) const DIGIT: Classes = 1 << DIGIT_BIT;
pub(crate) const SPACE: Classes = 1 << SPACE_BIT;
/// Set beside its letter by a capital.
pub(crate) const UPPER: Classes = 1 << UPPER_BIT;
/// White space other than a space.
pub(crate) const BLANK: Classes = 1 << BLANK_BIT;
pub(crate) const CONTROL: Classes = 1 << CONTROL_BIT;
pub(crate) const HIGH: Classes = 1 << HIGH_BIT;

const MARKS: &[u8; 32] = b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

const TABLE: [Classes; 256] = table();

#[allow(clippy::indexing_slicing, reason = "evaluated when compiling, where a bad index fails the build")]
const fn table() -> [Classes; 256] {
    let mut table = [CONTROL; 256];
    let mut at = 0;
    while at < 26 {
        table[b'a' as usize + at] = 1 << at;
        table[b'A' as usize + at] = 1 << at | UPPER;
        at += 1;
    }
    at = 0;
    while at < 10 {
        table[b'0' as usize + at] = DIGIT;
        at += 1;
    }
    at = 0;
    while at < 32 {
        table[MARKS[at] as usize] = 1 << (FIRST_MARK_BIT as usize + at);
        at += 1;
    }
    table[b' ' as usize] = SPACE;
    at = 9;
    while at <= 13 {
        table[at] = BLANK;
        at += 1;
    }
    at = 128;
    while at < 256 {
        table[at] = HIGH;
        at += 1;
    }
    table
}

/// The class of one byte; two bits for a capital.
pub(crate) const fn class(byte: u8) -> Classes {
    #[allow(clippy::indexing_slicing, reason = "256 entries, indexed by a byte")]
    TABLE[byte as usize]
}

/// The class of one byte with case ignored.
pub(crate) const fn folded(byte: u8) -> Classes {
    class(byte) & !UPPER
}

/// The classes of constant bytes, case ignored.
pub(crate) const fn of(bytes: &[u8]) -> Classes {
    let mut set = 0;
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        set |= folded(*first);
        rest = tail;
    }
    set
}

/// The classes that occur in a value.
pub(crate) fn mask(bytes: &[u8]) -> Classes {
    let mut chunks = bytes.chunks_exact(4);
    let mut sets = [0u64; 4];
    for chunk in &mut chunks {
        for (set, byte) in sets.iter_mut().zip(chunk) {
            *set |= class(*byte);
        }
    }
    let rest = chunks.remainder().iter().fold(0, |set, byte| set | class(*byte));
    sets.iter().fold(rest, |all, set| all | set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_class_and_sixty_four_are_used() {
        let all = (0..=255u8).fold(0, |set, byte| set | class(byte));
        assert_eq!(all, u64::MAX);
        for byte in 0..=255u8 {
            assert_eq!(folded(byte).count_ones(), 1, "{byte}");
        }
        assert_eq!(mask(b"aA1 "), class(b'a') | UPPER | DIGIT | SPACE);
    }
}
