//! Which part of a cluster a key belongs to: CRC-16 (XMODEM) of the key, or of its first tag in braces, modulo 16,384, as the
//! cluster specification of Redis says.

/// Parts of a cluster.
pub(crate) const SLOTS: usize = 16_384;

/// The part of a key.
pub(crate) fn slot(key: &[u8]) -> usize {
    let tagged = memchr::memchr(b'{', key).and_then(|open| {
        let rest = key.get(open.saturating_add(1)..)?;
        let close = memchr::memchr(b'}', rest).filter(|close| *close > 0)?;
        rest.get(..close)
    });
    usize::from(crc16(tagged.unwrap_or(key))) % SLOTS
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ (u16::from(*byte) << 8),
            |crc: u16, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{crc16, slot};

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3, "the check value of the specification");
        assert_eq!(slot(b"{user1000}.following"), slot(b"{user1000}.followers"));
        assert_eq!(slot(b"foo{}{bar}"), usize::from(crc16(b"foo{}{bar}")) % 16_384, "an empty tag is none");
        assert_eq!(slot(b"foo{bar}{zap}"), slot(b"bar"));
    }
}
