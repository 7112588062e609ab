//! Addresses of mail and telephone numbers.

use super::number::runs;
use std::ops::Range;

// LIMIT: bytes of the parts of an address (RFC 5321 section 4.5.3.1).
const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 255;

pub(super) fn emails(text: &str, found: &mut dyn FnMut(Range<usize>)) {
    let bytes = text.as_bytes();
    for at in memchr::memchr_iter(b'@', bytes) {
        let (before, behind) = (bytes.get(..at).unwrap_or_default(), bytes.get(at + 1..).unwrap_or_default());
        let local = before.iter().rev().take(LOCAL_MAX).take_while(|byte| is_local(**byte)).count();
        let mut domain = behind.iter().take(DOMAIN_MAX).take_while(|byte| is_domain(**byte)).count();
        // A full stop at the end belongs to the sentence.
        while behind.get(..domain).and_then(|domain| domain.last()).is_some_and(|last| matches!(last, b'.' | b'-')) {
            domain -= 1;
        }
        let name = behind.get(..domain).unwrap_or_default();
        let top = name.iter().rev().take_while(|byte| **byte != b'.').count();
        if local > 0 && top >= 2 && top < domain && !name.starts_with(b".") {
            found(at - local..at + 1 + domain);
        }
    }
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte)
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || matches!(byte, b'.' | b'-')
}

/// With `+` and 8 to 15 digits (E.164), or three, three and four digits with signs between them.
pub(super) fn phones(text: &str, found: &mut dyn FnMut(Range<usize>)) {
    let bytes = text.as_bytes();
    let is_sign = |byte: u8| matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')');
    international(text, is_sign, found);
    runs(text, 10, |byte| matches!(byte, b' ' | b'-' | b'.'), &mut |run| {
        let part = text.get(run.range.clone()).unwrap_or_default();
        let groups: Vec<usize> = part.split([' ', '-', '.']).map(str::len).collect();
        if groups == [3, 3, 4] && is_free(bytes, run.range.start) {
            found(run.range.clone());
        }
    });
    bracketed(text, found);
}

fn is_free(bytes: &[u8], start: usize) -> bool {
    start.checked_sub(1).and_then(|index| bytes.get(index)).is_none_or(|before| !b"+-./".contains(before))
}

fn international(text: &str, is_sign: fn(u8) -> bool, found: &mut dyn FnMut(Range<usize>)) {
    let bytes = text.as_bytes();
    for plus in memchr::memchr_iter(b'+', bytes) {
        let (mut digits, mut end, mut signs) = (0, plus + 1, 0);
        for (index, byte) in bytes.iter().enumerate().skip(plus + 1) {
            match byte {
                b'0'..=b'9' => {
                    (digits, end, signs) = (digits + 1, index + 1, 0);
                }
                // `+49 (30) 1`: two signs may meet.
                sign if is_sign(*sign) && signs < 2 => signs += 1,
                _ => break,
            }
        }
        let begins = bytes.get(plus + 1).is_some_and(|byte| (b'1'..=b'9').contains(byte) || *byte == b'(');
        if begins && (8..=15).contains(&digits) {
            found(plus..end);
        }
    }
}

/// `(212) 555-0123`
fn bracketed(text: &str, found: &mut dyn FnMut(Range<usize>)) {
    let bytes = text.as_bytes();
    for open in memchr::memchr_iter(b'(', bytes) {
        let rest = bytes.get(open..).unwrap_or_default();
        let is_form = |form: &[u8]| {
            let has = |(byte, wanted): (&u8, &u8)| match wanted {
                b'9' => byte.is_ascii_digit(),
                b'-' => matches!(byte, b'-' | b' ' | b'.'),
                other => byte == other,
            };
            let ends = rest.get(form.len()).is_none_or(|byte| !byte.is_ascii_digit());
            rest.len() >= form.len() && ends && rest.iter().zip(form).all(has)
        };
        for form in [&b"(999) 999-9999"[..], b"(999)999-9999"] {
            if is_form(form) {
                found(open..open + form.len());
            }
        }
    }
}
