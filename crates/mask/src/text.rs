//! Texts of JSON (RFC 8259 section 7): what is written between quotes, and what it means.

use std::borrow::Cow;

/// What the bytes between two quotes mean. Half a surrogate pair means a character that no name has.
pub(crate) fn decode(raw: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\\', raw).is_none() {
        return String::from_utf8_lossy(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, behind) = rest.split_at(at);
        text.push_str(&String::from_utf8_lossy(before));
        let (character, length) = escape(behind);
        text.push(character);
        rest = behind.get(length..).unwrap_or_default();
    }
    text.push_str(&String::from_utf8_lossy(rest));
    Cow::Owned(text)
}

/// What an escape means and how long it is.
fn escape(bytes: &[u8]) -> (char, usize) {
    let plain = match bytes.get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return unicode(bytes),
        Some(other) => char::from(*other),
        None => char::REPLACEMENT_CHARACTER,
    };
    (plain, 2)
}

/// What `\u` and four digits mean, or two of them that are a pair of surrogates, and how long that is.
pub(crate) fn unicode(bytes: &[u8]) -> (char, usize) {
    let first = unit(bytes.get(2..6));
    if let 0xd800..0xdc00 = first
        && bytes.get(6..8) == Some(b"\\u")
        && let second @ 0xdc00..0xe000 = unit(bytes.get(8..12))
    {
        let both = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
}

/// Four hexadecimal digits.
fn unit(digits: Option<&[u8]>) -> u32 {
    let digit = |unit: u32, byte: &u8| unit * 16 + char::from(*byte).to_digit(16).unwrap_or(0);
    digits.unwrap_or_default().iter().fold(0, digit)
}

/// Writes a text with its quotes.
pub(crate) fn encode(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            0..0x20 => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                let digit = |half: u8| HEX.get(usize::from(half)).copied().unwrap_or(b'0');
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            }
            plain => out.push(plain),
        }
    }
    out.push(b'"');
}

/// Whether bytes that come in pieces are UTF-8.
#[derive(Debug, Default)]
pub(crate) struct Utf8 {
    /// The beginning of a character whose rest has not come.
    begun: [u8; 4],
    have: usize,
}

impl Utf8 {
    /// Whether all so far can be UTF-8.
    pub(crate) fn check(&mut self, mut piece: &[u8]) -> bool {
        while self.have > 0 {
            let Some((byte, rest)) = piece.split_first() else { return true };
            piece = rest;
            let Some(slot) = self.begun.get_mut(self.have) else { return false };
            *slot = *byte;
            self.have += 1;
            match std::str::from_utf8(self.begun.get(..self.have).unwrap_or_default()) {
                Ok(_) => self.have = 0,
                Err(error) if error.error_len().is_some() => return false,
                Err(_) => {}
            }
        }
        let Err(error) = std::str::from_utf8(piece) else { return true };
        let rest = piece.get(error.valid_up_to()..).unwrap_or_default();
        let slot = self.begun.get_mut(..rest.len());
        match (error.error_len(), slot) {
            (None, Some(slot)) => {
                slot.copy_from_slice(rest);
                self.have = rest.len();
                true
            }
            _ => false,
        }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.have == 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Utf8, decode, encode};

    #[test]
    fn escapes_mean_what_serde_takes_them_for() {
        for raw in [
            "",
            "plain",
            "größe",
            r#"a\"b\\c\/d"#,
            r"\b\f\n\r\t",
            r"em\u0061il",
            r"\u00e9\u00E9",
            r"\ud83d\ude00!",
            r"x\u0000y",
        ] {
            let whole = format!("\"{raw}\"");
            let expected: String = serde_json::from_str(&whole).unwrap();
            assert_eq!(decode(raw.as_bytes()), expected, "{raw}");
            let mut out = Vec::new();
            encode(&expected, &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), expected, "{raw}");
        }
        for raw in [r"\ud800", r"\udc00x", r"\ud800\ud800", r"\ud800A"] {
            assert!(decode(raw.as_bytes()).contains(char::REPLACEMENT_CHARACTER), "{raw}");
        }
    }

    #[test]
    fn pieces_of_characters_are_put_together() {
        let good = "aé€😀z".as_bytes();
        let bad: [&[u8]; 4] = [b"a\xffb", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98a"];
        for size in 1..6 {
            let check = |bytes: &[u8]| {
                let mut utf8 = Utf8::default();
                bytes.chunks(size).all(|piece| utf8.check(piece)) && utf8.is_whole()
            };
            assert!(check(good), "in pieces of {size}");
            assert!(!check(&good[..2]), "in pieces of {size}");
            for bytes in bad {
                assert!(!check(bytes), "{bytes:?} in pieces of {size}");
            }
        }
    }
}
