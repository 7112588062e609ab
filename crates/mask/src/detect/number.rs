//! Numbers of cards and accounts.

use super::checks::{luhn, mod_97};
use std::ops::Range;

/// The fewest digits of anything that is found by its digits: a national insurance number has six.
pub(super) const DIGITS_MIN: usize = 6;

/// A run of digits, with single signs between them.
pub(super) struct Run {
    pub(super) range: Range<usize>,
    pub(super) digits: Vec<u8>,
}

// LIMIT: digits of one run that are looked at together; nothing that is found has more.
const RUN_DIGITS_MAX: usize = 40;

/// Every run of at least so many digits between which at most one of the signs stands at a time, and which no letter touches.
pub(super) fn runs(text: &str, digits_min: usize, is_sign: fn(u8) -> bool, take: &mut dyn FnMut(&Run)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(start) = bytes.iter().skip(at).position(u8::is_ascii_digit).map(|found| found + at) {
        let (mut digits, mut end, mut next) = (Vec::new(), start, start);
        while let Some(byte) = bytes.get(next) {
            match byte {
                b'0'..=b'9' => {
                    if digits.len() < RUN_DIGITS_MAX {
                        digits.push(byte - b'0');
                    }
                    end = next + 1;
                }
                sign if is_sign(*sign) && end == next => {}
                _ => break,
            }
            next += 1;
        }
        let touches = |index: Option<usize>| {
            index.and_then(|index| bytes.get(index)).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        };
        if digits.len() >= digits_min && !touches(start.checked_sub(1)) && !touches(Some(end)) {
            take(&Run { range: start..end, digits });
        }
        at = next.max(end).max(start + 1);
    }
}

/// Payment cards.
pub(super) fn cards(text: &str, found: &mut dyn FnMut(Range<usize>)) {
    runs(text, 13, |byte| matches!(byte, b' ' | b'-'), &mut |run| {
        let is_one = (13..=19).contains(&run.digits.len()) && is_issued(&run.digits) && luhn(&run.digits);
        if is_one {
            found(run.range.clone());
        } else if run.digits.len() > 19 {
            // Something stands right before or behind it; a window that fits is one.
            window(text, run, found);
        }
    });
}

/// A card among more digits, where signs set it apart.
fn window(text: &str, run: &Run, found: &mut dyn FnMut(Range<usize>)) {
    let part = text.get(run.range.clone()).unwrap_or_default();
    let mut at = run.range.start;
    let groups: Vec<Range<usize>> = part
        .split([' ', '-'])
        .map(|group| {
            let range = at..at + group.len();
            at = range.end + 1;
            range
        })
        .collect();
    for first in 0..groups.len() {
        for last in first..groups.len() {
            let (Some(from), Some(to)) = (groups.get(first), groups.get(last)) else { continue };
            let range = from.start..to.end;
            let digits: Vec<u8> = text
                .get(range.clone())
                .unwrap_or_default()
                .bytes()
                .filter(u8::is_ascii_digit)
                .map(|byte| byte - b'0')
                .collect();
            if digits.len() > 19 {
                break;
            }
            if digits.len() >= 13 && is_issued(&digits) && luhn(&digits) {
                found(range);
            }
        }
    }
}

/// Whether card numbers begin so: with the digit of a payment network, and not all alike.
fn is_issued(digits: &[u8]) -> bool {
    let first = digits.first().copied().unwrap_or_default();
    (2..=6).contains(&first) && digits.iter().any(|digit| *digit != first)
}

// LIMIT: characters of an account number (ISO 13616).
const IBAN: std::ops::RangeInclusive<usize> = 15..=34;

/// Account numbers: country, check digits, up to 30 letters and digits, in one piece or in groups of four.
pub(super) fn ibans(text: &str, found: &mut dyn FnMut(Range<usize>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + 15 <= bytes.len() {
        let begins = bytes.get(at..at + 4).is_some_and(|begin| {
            matches!(begin, [a, b, c, d] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit())
        });
        let is_word = at == 0 || bytes.get(at - 1).is_none_or(|before| !before.is_ascii_alphanumeric());
        match (begins && is_word).then(|| iban(bytes, at)).flatten() {
            Some(end) => {
                found(at..end);
                at = end;
            }
            None => at += 1,
        }
    }
}

/// Where the account number ends that begins here.
fn iban(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut letters, mut ends) = (Vec::new(), Vec::new());
    for (index, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            _ if byte.is_ascii_alphanumeric() => {
                if letters.len() == *IBAN.end() {
                    break;
                }
                letters.push(byte.to_ascii_uppercase());
                let is_last = bytes.get(index + 1).is_none_or(|next| !next.is_ascii_alphanumeric());
                if is_last && IBAN.contains(&letters.len()) {
                    ends.push((letters.len(), index + 1));
                }
            }
            // Groups of four; a word that follows the number is none of it.
            b' ' if letters.len().is_multiple_of(4) => {}
            _ => break,
        }
    }
    ends.into_iter().rev().find_map(|(length, end)| {
        let (head, rest) = letters.get(..length)?.split_at_checked(4)?;
        (mod_97(rest.iter().chain(head).copied()) == 1).then_some(end)
    })
}
