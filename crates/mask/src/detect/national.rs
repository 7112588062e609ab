//! Numbers of persons, where they can be told from other numbers: by check digits, or by the way they are written.

use super::checks::{verhoeff, weighted};
use super::groups::{Window, windows};
use std::ops::Range;

pub(super) fn ids(text: &str, found: &mut dyn FnMut(Range<usize>)) {
    windows(text, 9..=15, |byte| matches!(byte, b' ' | b'-' | b'.'), is_numeric, found);
    words(text, found);
}

/// Numbers that are digits alone.
fn is_numeric(window: &Window<'_>) -> bool {
    let digits = window.digits;
    let dashes = || window.signs().filter(|sign| *sign == b'-').count();
    match digits.len() {
        // Without a check digit, so that a part of a longer number is none.
        9 => window.is_grouped(&[3, 2, 4]) && dashes() == 2 && window.is_apart() && is_ssn(digits),
        11 if window.is_grouped(&[3, 3, 3, 2]) => dashes() > 0 && is_cpf(digits),
        11 => window.is_grouped(&[11]) && !window.is_of_fraction() && is_pesel(digits),
        12 => window.is_grouped(&[4, 4, 4]) && digits.first().is_some_and(|first| *first >= 2) && verhoeff(digits),
        15 => !window.is_of_fraction() && is_nir(digits),
        _ => false,
    }
}

/// Social Security numbers: areas 000, 666 and from 900 on were never given, nor group 00 and serial 0000.
fn is_ssn(digits: &[u8]) -> bool {
    let number =
        |range: Range<usize>| digits.get(range).unwrap_or_default().iter().fold(0_u32, |n, d| n * 10 + u32::from(*d));
    let area = number(0..3);
    area != 0 && area != 666 && area < 900 && number(3..5) != 0 && number(5..9) != 0
}

/// Brazil's CPF: two check digits, modulo 11.
fn is_cpf(digits: &[u8]) -> bool {
    let check = |count: u32| match weighted(digits, (2..=count).rev()) * 10 % 11 {
        10 => 0,
        digit => digit,
    };
    let is_digit = |place: usize, wanted: u32| digits.get(place).is_some_and(|digit| u32::from(*digit) == wanted);
    is_digit(9, check(10)) && is_digit(10, check(11)) && digits.iter().any(|digit| Some(digit) != digits.first())
}

/// Poland's PESEL: a date and a check digit.
fn is_pesel(digits: &[u8]) -> bool {
    let two = |place: usize| {
        let digit = |at: usize| digits.get(at).copied().map_or(0, u32::from);
        digit(place) * 10 + digit(place + 1)
    };
    let (month, day) = (two(2) % 20, two(4));
    (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1].into_iter()).is_multiple_of(10)
}

/// France's NIR: sex, year and month of birth, place, and a key of two digits.
fn is_nir(digits: &[u8]) -> bool {
    let number = digits.iter().fold(0_u64, |number, digit| number * 10 + u64::from(*digit));
    let month = number / 10_u64.pow(10) % 100;
    matches!(digits.first(), Some(1 | 2)) && (1..=12).contains(&month) && 97 - number / 100 % 97 == number % 100
}

/// Numbers with letters in them.
fn words(text: &str, found: &mut dyn FnMut(Range<usize>)) {
    let mut start = None;
    for (index, byte) in text.bytes().chain([b' ']).enumerate() {
        match (byte.is_ascii_alphanumeric(), start) {
            (true, None) => start = Some(index),
            (false, Some(from)) => {
                let word = text.get(from..index).unwrap_or_default().as_bytes();
                if is_dni(word) || is_codice_fiscale(word) || is_nino(word) {
                    found(from..index);
                }
                start = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    spaced_ninos(text, found);
}

/// Spain's DNI and NIE: the letter is what is left modulo 23.
fn is_dni(word: &[u8]) -> bool {
    let [first, middle @ .., letter] = word else { return false };
    let first = match first {
        b'X' | b'x' => 0,
        b'Y' | b'y' => 1,
        b'Z' | b'z' => 2,
        b'0'..=b'9' => u32::from(first - b'0'),
        _ => return false,
    };
    if word.len() != 9 || !middle.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number = middle.iter().fold(first, |number, digit| number * 10 + u32::from(digit - b'0'));
    let wanted = usize::try_from(number % 23).ok().and_then(|rest| b"TRWAGMYFPDXBNJZSQVHLCKE".get(rest));
    wanted == Some(&letter.to_ascii_uppercase())
}

/// Italy's codice fiscale: its form, and the last letter.
fn is_codice_fiscale(word: &[u8]) -> bool {
    const FORM: &[u8; 16] = b"AAAAAA99A99A999A";
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'A' => byte.is_ascii_alphabetic(),
        _ => byte.is_ascii_digit(),
    };
    if word.len() != FORM.len() || !word.iter().zip(FORM).all(fits) {
        return false;
    }
    /// What letters and digits count in odd places.
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let value =
        |byte: u8| usize::from(if byte.is_ascii_digit() { byte - b'0' } else { byte.to_ascii_uppercase() - b'A' });
    let sum: u32 = word.iter().take(15).enumerate().fold(0, |sum, (place, byte)| {
        let value = value(*byte);
        sum + if place % 2 == 0 { ODD.get(value).copied().unwrap_or(0) } else { u32::try_from(value).unwrap_or(0) }
    });
    word.last().is_some_and(|last| u32::from(last.to_ascii_uppercase()) == u32::from(b'A') + sum % 26)
}

/// National insurance numbers: `QQ123456C`, without the letters that are never given.
fn is_nino(word: &[u8]) -> bool {
    let [first, second, digits @ .., last] = word else { return false };
    let prefix = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
    digits.len() == 6
        && digits.iter().all(u8::is_ascii_digit)
        && (b'A'..=b'D').contains(&last.to_ascii_uppercase())
        && prefix.iter().all(|letter| letter.is_ascii_uppercase() && !b"DFIQUV".contains(letter))
        && !prefix.ends_with(b"O")
        && ![b"BG", b"GB", b"NK", b"KN", b"TN", b"NT", b"ZZ"].contains(&&prefix)
}

/// The same with blanks: `QQ 12 34 56 C`.
fn spaced_ninos(text: &str, found: &mut dyn FnMut(Range<usize>)) {
    const LENGTH: usize = 13;
    let bytes = text.as_bytes();
    for (start, window) in bytes.windows(LENGTH).enumerate() {
        let blanks = [2, 5, 8, 11].iter().all(|place| window.get(*place) == Some(&b' '));
        let edge = |index: Option<usize>| {
            index.and_then(|index| bytes.get(index)).is_none_or(|byte| !byte.is_ascii_alphanumeric())
        };
        if blanks && edge(start.checked_sub(1)) && edge(Some(start + LENGTH)) {
            let joined: Vec<u8> = window.iter().copied().filter(|byte| *byte != b' ').collect();
            if is_nino(&joined) {
                found(start..start + LENGTH);
            }
        }
    }
}
