//! Check digits.

/// Whether the last digit is the one that Luhn's rule asks for (ISO/IEC 7812-1 annex B).
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits.iter().rev().enumerate().fold(0, |sum, (place, digit)| {
        let digit = u32::from(*digit) * if place % 2 == 1 { 2 } else { 1 };
        sum + digit / 10 + digit % 10
    });
    sum.is_multiple_of(10)
}

/// What is left of letters and digits as one number, of which each letter is two digits (ISO 7064, MOD 97-10).
pub(super) fn mod_97(characters: impl Iterator<Item = u8>) -> u32 {
    characters.fold(0, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.to_ascii_uppercase().wrapping_sub(b'A')) + 10) % 97,
    })
}

/// A sum of digits, each times its weight.
pub(super) fn weighted(digits: &[u8], weights: impl Iterator<Item = u32>) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
}

/// Whether the digits hold Verhoeff's check digit: a walk through the dihedral group of order 10.
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    const PERMUTED: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let permuted = |digit: u8, times: usize| {
        (0..times % 8).fold(digit, |digit, _| PERMUTED.get(usize::from(digit)).copied().unwrap_or(0))
    };
    // Numbers from 0 to 4 turn, those from 5 on mirror.
    let product = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - b) % 5,
        (false, false) => (5 + a - b) % 5,
    };
    digits.iter().rev().enumerate().fold(0, |sum, (place, digit)| product(sum, permuted(*digit, place))) == 0
}

#[cfg(test)]
mod tests {
    use super::{luhn, mod_97, verhoeff};

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|byte| byte - b'0').collect()
    }

    #[test]
    fn every_single_wrong_digit_is_noticed() {
        for (number, check) in
            [("4111111111111111", luhn as fn(&[u8]) -> bool), ("2363", verhoeff), ("499118665246", verhoeff)]
        {
            let good = digits(number);
            assert!(check(&good), "{number}");
            for place in 0..good.len() {
                for wrong in (0..10).filter(|digit| *digit != good[place]) {
                    let mut bad = good.clone();
                    bad[place] = wrong;
                    assert!(!check(&bad), "{bad:?}");
                }
            }
        }
        assert_eq!(mod_97("3214282912345698765432161182".bytes()), 1);
        assert_eq!(mod_97("WEST12345698765432GB82".bytes()), 1);
    }
}
