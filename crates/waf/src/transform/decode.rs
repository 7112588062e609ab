//! Decoders of encodings: percent, HTML entities, base64, hexadecimal, UTF-8 as `%uHHHH`.

use super::bestfit::best_fit;
use crate::bytes::{at, hex as digit, hex_pair};

/// Percent-decoding: `+` is a space, a broken escape is left alone; `uni` also reads `%uHHHH`.
pub(super) fn url(input: &[u8], uni: bool, out: &mut Vec<u8>) {
    let mut i = 0;
    while let Some(byte) = input.get(i).copied() {
        i += 1;
        match byte {
            b'%' if uni && matches!(at(input, i), b'u' | b'U') => match unicode_escape(input, i + 1) {
                Some(decoded) => {
                    out.push(decoded);
                    i += 5;
                }
                None => out.push(b'%'),
            },
            b'%' => match hex_pair(input, i) {
                Some(decoded) => {
                    out.push(decoded);
                    i += 2;
                }
                None => out.push(b'%'),
            },
            b'+' => out.push(b' '),
            other => out.push(other),
        }
    }
}

/// Four hexadecimal digits as the byte a best-fitting server makes of them.
fn unicode_escape(input: &[u8], start: usize) -> Option<u8> {
    let high = hex_pair(input, start)?;
    let low = hex_pair(input, start + 2)?;
    Some(best_fit(u16::from_be_bytes([high, low])).unwrap_or(low))
}

/// Numeric entities and the five named ones that matter; the semicolon is optional, as browsers have it.
pub(super) fn html_entities(input: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while let Some(byte) = input.get(i).copied() {
        if byte == b'&'
            && let Some((decoded, length)) = entity(input, i)
        {
            out.push(decoded);
            i += length;
            continue;
        }
        out.push(byte);
        i += 1;
    }
}

fn entity(input: &[u8], start: usize) -> Option<(u8, usize)> {
    let (value, mut end) = if at(input, start + 1) == b'#' {
        if matches!(at(input, start + 2), b'x' | b'X') {
            number(input, start + 3, 16)?
        } else {
            number(input, start + 2, 10)?
        }
    } else {
        let end = start + 1 + input.iter().skip(start + 1).take_while(|b| b.is_ascii_alphanumeric()).count();
        let name = crate::bytes::sub(input, start + 1, end).to_ascii_lowercase();
        let value = match name.as_slice() {
            b"quot" => b'"',
            b"amp" => b'&',
            b"lt" => b'<',
            b"gt" => b'>',
            b"nbsp" => 0xa0,
            _ => return None,
        };
        (value, end)
    };
    if at(input, end) == b';' {
        end += 1;
    }
    Some((value, end - start))
}

/// A number's low byte and where it ends; what overflows stays at the largest value, whose low byte is 0xff.
fn number(input: &[u8], start: usize, radix: u32) -> Option<(u8, usize)> {
    let mut value = 0i64;
    let mut end = start;
    while let Some(next) = input.get(end).and_then(|b| char::from(*b).to_digit(radix)) {
        value = value.checked_mul(i64::from(radix)).and_then(|v| v.checked_add(i64::from(next))).unwrap_or(i64::MAX);
        end += 1;
    }
    (end > start).then(|| (value.to_le_bytes()[0], end))
}

/// Base64 up to the first byte that isn't of its alphabet, or (`skip`) past such bytes.
pub(super) fn base64(input: &[u8], skip: bool, out: &mut Vec<u8>) {
    let mut group = 0u32;
    let mut bits = 0u32;
    for byte in input {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ if skip && *byte != b'=' => continue,
            _ => break,
        };
        group = (group << 6 | u32::from(value)) & 0x00ff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((group >> bits).to_le_bytes()[0]);
        }
    }
}

/// Pairs of hexadecimal digits; stops at the first pair that isn't one.
pub(super) fn hex(input: &[u8], out: &mut Vec<u8>) {
    for pair in input.chunks_exact(2) {
        let Some(byte) = hex_pair(pair, 0) else { return };
        out.push(byte);
    }
}

pub(super) fn hex_encode(input: &[u8], out: &mut Vec<u8>) {
    for byte in input {
        for half in [byte >> 4, byte & 15] {
            out.push(if half < 10 { b'0' + half } else { b'a' + half - 10 });
        }
    }
}

/// Sequences of UTF-8 as `%uHHHH`. Overlong ones too: they are what an attack would use. Anything else stays.
pub(super) fn utf8_to_unicode(input: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while let Some(byte) = input.get(i).copied() {
        let (length, first) = match byte {
            0xc0..=0xdf => (2, u32::from(byte & 0x1f)),
            0xe0..=0xef => (3, u32::from(byte & 0x0f)),
            0xf0..=0xf7 => (4, u32::from(byte & 0x07)),
            _ => (1, 0),
        };
        let code = (1..length).try_fold(first, |code, k| match input.get(i + k) {
            Some(next) if next & 0xc0 == 0x80 => Some(code << 6 | u32::from(next & 0x3f)),
            _ => None,
        });
        match code {
            Some(code) if length > 1 => {
                out.extend_from_slice(format!("%u{code:04x}").as_bytes());
                i += length;
            }
            _ => {
                out.push(byte);
                i += 1;
            }
        }
    }
}

/// Whether the byte is a hexadecimal digit.
pub(super) fn is_hex(byte: u8) -> bool {
    digit(byte).is_some()
}
