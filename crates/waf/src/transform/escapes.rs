//! Decoders of backslash escapes: JavaScript, CSS, ANSI C.

use super::decode::is_hex;
use crate::bytes::{at, hex_pair};

/// What a full-width form stands for: `\uff1c` is `<`.
fn full_width(high_is_ff: bool, low: u8) -> u8 {
    if high_is_ff && low > 0 && low < 0x5f { low + 0x20 } else { low }
}

fn control(escaped: u8) -> Option<u8> {
    match escaped {
        b'a' => Some(0x07),
        b'b' => Some(0x08),
        b'f' => Some(0x0c),
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'v' => Some(0x0b),
        _ => None,
    }
}

/// Up to three octal digits at `start`: the low byte, and how many digits; `one_byte` takes two where three overflow.
fn octal(input: &[u8], start: usize, one_byte: bool) -> Option<(u8, usize)> {
    let mut digits = input.iter().skip(start).take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
    if one_byte && digits == 3 && at(input, start) > b'3' {
        digits = 2;
    }
    let value = input.iter().skip(start).take(digits).fold(0u32, |v, b| v << 3 | u32::from(b - b'0'));
    (digits > 0).then(|| (value.to_le_bytes()[0], digits))
}

/// JavaScript: `\uHHHH`, `\xHH`, octal, the usual letters; any other escaped byte is itself.
pub(super) fn js(input: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while let Some(byte) = input.get(i).copied() {
        if byte != b'\\' {
            out.push(byte);
            i += 1;
            continue;
        }
        let next = at(input, i + 1);
        let (decoded, length) = match next {
            b'u' if hex_pair(input, i + 2).is_some() && hex_pair(input, i + 4).is_some() => {
                let high_is_ff = hex_pair(input, i + 2) == Some(0xff);
                (full_width(high_is_ff, hex_pair(input, i + 4).unwrap_or(0)), 6)
            }
            b'x' if hex_pair(input, i + 2).is_some() => (hex_pair(input, i + 2).unwrap_or(0), 4),
            b'0'..=b'7' => octal(input, i + 1, true).map_or((next, 2), |(value, digits)| (value, digits + 1)),
            _ if i + 1 >= input.len() => (b'\\', 1),
            _ => (control(next).unwrap_or(next), 2),
        };
        out.push(decoded);
        i += length;
    }
}

/// CSS: one to six hexadecimal digits with one optional blank after them, a continued line, or the byte itself.
pub(super) fn css(input: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while let Some(byte) = input.get(i).copied() {
        i += 1;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let digits = input.iter().skip(i).take(6).take_while(|b| is_hex(**b)).count();
        if digits == 0 {
            match input.get(i) {
                Some(b'\n') => i += 1,
                Some(next) => {
                    out.push(*next);
                    i += 1;
                }
                // Nothing follows: a continuation into nothing.
                None => {}
            }
            continue;
        }
        out.push(css_code(crate::bytes::sub(input, i, i + digits)));
        i += digits;
        if input.get(i).is_some_and(|b| crate::bytes::is_space(*b)) {
            i += 1;
        }
    }
}

/// The low byte of a code; a full-width form only where nothing but zeros stand before it.
fn css_code(digits: &[u8]) -> u8 {
    let Some(pair) = digits.len().checked_sub(2) else {
        return digits.first().copied().and_then(crate::bytes::hex).unwrap_or(0);
    };
    let low = hex_pair(digits, pair).unwrap_or(0);
    let Some(high) = digits.len().checked_sub(4) else { return low };
    let zeros = digits.iter().take(high).all(|b| *b == b'0');
    full_width(zeros && hex_pair(digits, high) == Some(0xff), low)
}

/// ANSI C: the usual letters, `\xHH`, octal; an escape that isn't one loses its backslash.
pub(super) fn ansi_c(input: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while let Some(byte) = input.get(i).copied() {
        if byte != b'\\' || i + 1 >= input.len() {
            out.push(byte);
            i += 1;
            continue;
        }
        let next = at(input, i + 1);
        let (decoded, length) = match next {
            b'x' | b'X' => hex_pair(input, i + 2).map_or((next, 2), |value| (value, 4)),
            b'0'..=b'7' => octal(input, i + 1, false).map_or((next, 2), |(value, digits)| (value, digits + 1)),
            _ => (control(next).unwrap_or(next), 2),
        };
        out.push(decoded);
        i += length;
    }
}
