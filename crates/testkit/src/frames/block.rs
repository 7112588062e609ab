//! Header blocks (RFC 7541): literals without Huffman and without a table going out, the status coming in.

/// A header block under construction: whatever names and values, in whatever order.
#[derive(Clone, Debug, Default)]
pub struct Block(Vec<u8>);

// === impl Block ===

impl Block {
    /// The pseudo-header fields of a request, in order.
    #[must_use]
    pub fn request(method: &str, path: &str) -> Self {
        Self::default().with(":method", method).with(":scheme", "http").with(":authority", "a.test").with(":path", path)
    }

    /// Adds a field: a literal without indexing, name and value as they are (section 6.2.2).
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.0.push(0);
        self.text(name.as_bytes());
        self.text(value.as_ref());
        self
    }

    /// Adds a field that the other side shall remember (section 6.2.1).
    #[must_use]
    pub fn remembered(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.0.push(0x40);
        self.text(name.as_bytes());
        self.text(value.as_ref());
        self
    }

    /// Adds a reference into a table: one octet here, a whole field over there (section 6.1).
    #[must_use]
    pub fn indexed(mut self, index: usize) -> Self {
        self.number(index, 7, 0x80);
        self
    }

    /// Adds raw octets, well-formed or not.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The block.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn text(&mut self, text: &[u8]) {
        self.number(text.len(), 7, 0);
        self.0.extend_from_slice(text);
    }

    /// An integer with a prefix of so many bits (section 5.1).
    fn number(&mut self, mut value: usize, bits: u32, first: u8) {
        let full = (1usize << bits) - 1;
        if value < full {
            self.0.push(first | u8::try_from(value).unwrap());
            return;
        }
        self.0.push(first | u8::try_from(full).unwrap());
        value -= full;
        while value >= 128 {
            self.0.push(u8::try_from(value % 128).unwrap() | 128);
            value /= 128;
        }
        self.0.push(u8::try_from(value).unwrap());
    }
}

/// The status of an answer's block, which stands first (RFC 9113 section 8.3). Enough for encoders that were told to keep
/// no table; `None` for everything else.
#[must_use]
pub fn status(mut block: &[u8]) -> Option<u16> {
    // Updates of the table's size come before all fields (RFC 7541 section 4.2).
    while block.first()? & 0xe0 == 0x20 {
        (_, block) = read_number(block, 5)?;
    }
    let first = *block.first()?;
    if first & 0x80 != 0 {
        // The static table from 8 to 14 (appendix A).
        let known = [200, 204, 206, 304, 400, 404, 500];
        return known.get(usize::from(first & 0x7f).checked_sub(8)?).copied();
    }
    let bits = if first & 0x40 != 0 { 6 } else { 4 };
    let (name, rest) = read_number(block, bits)?;
    if !(8..=14).contains(&name) {
        return None;
    }
    let huffman = rest.first()? & 0x80 != 0;
    let (length, rest) = read_number(rest, 7)?;
    let value = rest.get(..length)?;
    let text = if huffman { digits(value)? } else { String::from_utf8(value.to_vec()).ok()? };
    text.parse().ok()
}

fn read_number(bytes: &[u8], bits: u32) -> Option<(usize, &[u8])> {
    let full = (1usize << bits) - 1;
    let (first, mut rest) = bytes.split_first()?;
    let mut value = usize::from(*first) & full;
    if value < full {
        return Some((value, rest));
    }
    for shift in [0, 7, 14, 21] {
        let (next, tail) = rest.split_first()?;
        rest = tail;
        value += (usize::from(*next) & 127) << shift;
        if next & 128 == 0 {
            return Some((value, rest));
        }
    }
    None
}

/// Huffman for digits (RFC 7541 appendix B): five bits for 0 to 2, six for 3 to 9, ones to fill up.
fn digits(bytes: &[u8]) -> Option<String> {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |shift| byte >> shift & 1)).collect();
    let value = |from: usize, count: usize| -> Option<u8> {
        bits.get(from..from + count).map(|bits| bits.iter().fold(0, |sum, bit| sum * 2 + bit))
    };
    let (mut at, mut text) = (0, String::new());
    while bits.len() - at >= 5 {
        match (value(at, 5)?, value(at, 6)) {
            (short @ 0..=2, _) => {
                text.push(char::from(b'0' + short));
                at += 5;
            }
            (_, Some(long @ 0x19..=0x1f)) => {
                text.push(char::from(b'3' + long - 0x19));
                at += 6;
            }
            _ => break,
        }
    }
    bits.get(at..)?.iter().all(|bit| *bit == 1).then_some(text)
}
