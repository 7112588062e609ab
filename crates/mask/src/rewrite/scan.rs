//! How many bytes need no decision: eight at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Bytes of a text before a quote, a backslash or a control character.
pub(super) fn plain(bytes: &[u8]) -> usize {
    let mut chunks = bytes.chunks_exact(8);
    let mut at = 0;
    for chunk in chunks.by_ref() {
        let word = chunk.try_into().map_or(0, u64::from_le_bytes);
        let stops = has_zero(word ^ (ONES * 0x22)) | has_zero(word ^ (ONES * 0x5c)) | below_blank(word);
        if stops != 0 {
            // The lowest mark is exact; only marks above it can be wrong.
            return at + usize::try_from(stops.trailing_zeros() / 8).unwrap_or_default();
        }
        at += 8;
    }
    let rest = chunks.remainder();
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

const fn has_zero(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// Marks bytes below 0x20.
const fn below_blank(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20) & !word & HIGHS
}

/// Blanks between values.
pub(super) fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn every_byte_in_every_place() {
        for length in 0..20 {
            for place in 0..length {
                for byte in 0..=255_u8 {
                    let mut bytes = vec![b'a'; length];
                    bytes[place] = byte;
                    let stops = matches!(byte, b'"' | b'\\' | 0..0x20);
                    assert_eq!(plain(&bytes), if stops { place } else { length }, "{byte} at {place} of {length}");
                    // What stands behind it does not matter.
                    bytes.extend_from_slice(&[0xff, 0x80, b'"', 0x1f, b'\\', 0, 0x21, 0x5d]);
                    assert_eq!(plain(&bytes), if stops { place } else { length + 2 });
                }
            }
        }
    }
}
