//! Numbers of cards and accounts.

use super::checks::{luhn, mod_97};
use super::groups::{Window, windows};
use std::ops::Range;

/// The fewest digits of anything that is found by its digits: a national insurance number has six.
pub(super) const DIGITS_MIN: usize = 6;

/// Payment cards.
pub(super) fn cards(text: &str, found: &mut dyn FnMut(Range<usize>)) {
    let is_sign = |byte: u8| matches!(byte, b' ' | b'-');
    let is_card =
        |window: &Window<'_>| is_issued(window.digits) && luhn(window.digits) && (window.is_whole() || is_set(window));
    windows(text, 13..=19, is_sign, is_card, found);
}

/// Whether digits are set as those of cards are: in groups of one length but for the last one, in long ones, or in those of
/// the numbers with 13 digits. A tenth of all windows has the check digit by chance.
fn is_set(window: &Window<'_>) -> bool {
    let (length, last) =
        (window.lengths().next().unwrap_or_default(), window.lengths().next_back().unwrap_or_default());
    let are_all = |fits: &dyn Fn(usize) -> bool| window.lengths().rev().skip(1).all(fits);
    are_all(&|own| own >= 4) || (last <= length && are_all(&|own| own == length)) || window.is_grouped(&[4, 3, 3, 3])
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
