//! Addresses of mail and telephone numbers.

use super::groups::{Window, windows};
use std::ops::Range;

// LIMIT: bytes of the parts of an address (RFC 5321 section 4.5.3.1).
const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 255;
// LIMIT: digits of a telephone number with its country (E.164).
const E164_DIGITS_MAX: usize = 15;

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
    let is_sign = |byte: u8| matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')');
    international(text, is_sign, found);
    windows(text, 10..=10, |byte| matches!(byte, b' ' | b'-' | b'.'), is_american, found);
    bracketed(text, found);
}

/// Three, three and four digits, also behind the `1` that is dialled before them.
fn is_american(window: &Window<'_>) -> bool {
    window.is_grouped(&[3, 3, 4])
        && match window.group_before() {
            Some("1") => true,
            Some(_) => window.is_apart(),
            None => window.is_apart() && window.before().is_none_or(|before| !b"+-./".contains(&before)),
        }
}

/// The longest beginning that has 8 to 15 digits and ends at a sign: a second number may follow.
fn international(text: &str, is_sign: fn(u8) -> bool, found: &mut dyn FnMut(Range<usize>)) {
    let bytes = text.as_bytes();
    for plus in memchr::memchr_iter(b'+', bytes) {
        let (mut digits, mut signs, mut end) = (0, 0, None);
        for (index, byte) in bytes.iter().enumerate().skip(plus + 1) {
            match byte {
                b'0'..=b'9' if digits < E164_DIGITS_MAX => (digits, signs) = (digits + 1, 0),
                // `+49 (30) 1`: two signs may meet.
                sign if is_sign(*sign) && signs < 2 => signs += 1,
                _ => break,
            }
            let ends = bytes.get(index + 1).is_none_or(|next| !next.is_ascii_digit());
            if byte.is_ascii_digit() && ends && digits >= 8 {
                end = Some(index + 1);
            }
        }
        let begins = bytes.get(plus + 1).is_some_and(|byte| (b'1'..=b'9').contains(byte) || *byte == b'(');
        if let (true, Some(end)) = (begins, end) {
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
