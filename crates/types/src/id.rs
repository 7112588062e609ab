//! Request ids: 128 bits, sortable by time, written as a UUID of version 7 (RFC 9562 section 5.7).
//!
//! They name a request in records; they are no secret and nothing is decided by them, so a fast
//! generator per worker is enough.

// LIMIT: characters of an id that a trusted proxy made.
const FOREIGN_MAX: usize = 64;

/// A request id: the 36 characters of ours, or what a trusted proxy made.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId {
    text: [u8; FOREIGN_MAX],
    length: u8,
}

/// Makes request ids and trace ids. One a worker; seeded from the operating system by its owner.
#[derive(Debug)]
pub struct Ids {
    state: [u64; 2],
}

// === impl Ids ===

impl Ids {
    /// Starts a sequence; distinct seeds give distinct sequences.
    #[must_use]
    pub fn new(seed: [u64; 2]) -> Self {
        // The generator's only forbidden state is all zeros.
        let state = if seed == [0, 0] { [0x9e37_79b9_7f4a_7c15, 1] } else { seed };
        Self { state }
    }

    /// The next 64 bits (xoroshiro128+, Blackman and Vigna 2018).
    pub fn bits(&mut self) -> u64 {
        let [a, mut b] = self.state;
        let out = a.wrapping_add(b);
        b ^= a;
        self.state = [a.rotate_left(24) ^ b ^ (b << 16), b.rotate_left(37)];
        out
    }

    /// A new id; `wall_ms` is the time of day in milliseconds since 1970.
    pub fn request_id(&mut self, wall_ms: u64) -> RequestId {
        let (a, b) = (self.bits(), self.bits());
        let high = (wall_ms << 16) | 0x7000 | (a & 0x0fff);
        let low = (b & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        let mut digits = [0u8; 32];
        hex_into(high, &mut digits, 0);
        hex_into(low, &mut digits, 16);
        let mut text = [b'-'; 36];
        for (from, to, len) in [(0, 0, 8), (8, 9, 4), (12, 14, 4), (16, 19, 4), (20, 24, 12)] {
            if let (Some(target), Some(source)) = (text.get_mut(to..to + len), digits.get(from..from + len)) {
                target.copy_from_slice(source);
            }
        }
        RequestId::of(&text)
    }

    /// Thirty-two lower-case hexadecimal digits, never all zeros, of which the last 56 bits are random (W3C Trace
    /// Context level 2, section 3.2.2.3).
    pub fn trace_id(&mut self) -> [u8; 32] {
        let mut digits = [0u8; 32];
        hex_into(self.bits() | 1, &mut digits, 0);
        hex_into(self.bits(), &mut digits, 16);
        digits
    }

    /// Sixteen random lower-case hexadecimal digits, never all zeros.
    pub fn hex(&mut self) -> [u8; 16] {
        let mut digits = [0u8; 16];
        hex_into(self.bits() | 1, &mut digits, 0);
        digits
    }
}

fn hex_into(value: u64, out: &mut [u8], at: usize) {
    let [a, b, c, d, e, f, g, h] = value.to_be_bytes();
    let halves = [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])];
    for (half, slot) in halves.into_iter().zip(out.chunks_exact_mut(8).skip(at / 8)) {
        slot.copy_from_slice(&hex_of(half));
    }
}

/// The eight digits of 32 bits, all at once: each nibble is moved into a byte of its own, and what is above nine is
/// moved up to the letters.
fn hex_of(value: u32) -> [u8; 8] {
    let wide = u64::from(value);
    let wide = (wide | wide << 16) & 0x0000_ffff_0000_ffff;
    let wide = (wide | wide << 8) & 0x00ff_00ff_00ff_00ff;
    let wide = (wide | wide << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = (wide + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    // No byte can carry into the next: the greatest is 0x0f + 0x30 + 0x27.
    (wide + 0x3030_3030_3030_3030 + letters * 0x27).to_be_bytes()
}

// === impl RequestId ===

impl RequestId {
    /// An id of somebody who is believed. It can stand in a header, a record and a page without being escaped: letters,
    /// digits, `-`, `_`, `.`, `:`, `=`, `+` and `/`.
    #[must_use]
    pub fn foreign(text: &[u8]) -> Option<Self> {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:=+/".contains(byte);
        ((1..=FOREIGN_MAX).contains(&text.len()) && text.iter().all(plain)).then(|| Self::of(text))
    }

    fn of(from: &[u8]) -> Self {
        let mut text = [b'0'; FOREIGN_MAX];
        let length = from.len().min(FOREIGN_MAX);
        if let (Some(slot), Some(from)) = (text.get_mut(..length), from.get(..length)) {
            slot.copy_from_slice(from);
        }
        Self { text, length: u8::try_from(length).unwrap_or(0) }
    }

    /// The id's characters, ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.text.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or("")
    }
}

impl std::fmt::Debug for RequestId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self { text: [b'0'; FOREIGN_MAX], length: 36 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ids, RequestId};

    #[test]
    fn ids_of_others_are_plain_and_short() {
        for good in ["a", "0af7651916cd43dd8448eb211c80319c", "Root=1-67891233-abcdef012345678912345678"] {
            assert_eq!(RequestId::foreign(good.as_bytes()).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a\"b", "a\\b", "a<b", "\u{e9}", &"a".repeat(65)] {
            assert!(RequestId::foreign(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn digits_are_those_that_the_standard_library_writes() {
        for value in [0, 1, 9, 10, 15, 16, 0x9abc_def0, 0xffff_ffff, 0x0a0b_0c0d, 0x1234_5678] {
            assert_eq!(super::hex_of(value).as_slice(), format!("{value:08x}").as_bytes());
        }
    }

    #[test]
    fn an_id_is_a_uuid_of_version_7_and_sorts_by_time() {
        let mut ids = Ids::new([1, 2]);
        let first = ids.request_id(1_700_000_000_000);
        let second = ids.request_id(1_700_000_000_001);
        let text = first.as_str();
        assert_eq!(text.len(), 36);
        assert_eq!(text.as_bytes()[14], b'7');
        assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        assert!(first.as_str() < second.as_str());
        assert_eq!(&text[..13].replace('-', ""), "018bcfe56800");
    }
}
