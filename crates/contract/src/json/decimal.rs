//! What a written number is worth, digit by digit: no float comes between a body and its limits.

use std::cmp::Ordering;

/// A number as sign, digits and the power of ten that the last digit counts in.
///
/// INVARIANT: neither the first nor the last digit is a zero; zero has no digit, no sign and no power.
#[derive(Clone, Copy, Debug)]
pub struct Decimal<'t> {
    negative: bool,
    whole: &'t [u8],
    fraction: &'t [u8],
    power: i64,
}

// === impl Decimal ===

impl<'t> Decimal<'t> {
    /// What a number that follows JSON's grammar is worth; anything else is zero.
    #[must_use]
    pub fn of(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let (negative, bytes) = bytes.strip_prefix(b"-").map_or((false, bytes), |rest| (true, rest));
        let mark = bytes.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(bytes.len());
        let (mantissa, exponent) = bytes.split_at_checked(mark).unwrap_or((bytes, b""));
        let point = mantissa.iter().position(|byte| *byte == b'.').unwrap_or(mantissa.len());
        let (whole, fraction) = mantissa.split_at_checked(point).unwrap_or((mantissa, b""));
        let fraction = fraction.strip_prefix(b".").unwrap_or(fraction);
        let mut power = exponent_of(exponent).saturating_sub(count(fraction));
        let (mut whole, mut fraction) = (without_zeros_before(whole), fraction);
        if whole.is_empty() {
            fraction = without_zeros_before(fraction);
        }
        let kept = without_zeros_behind(fraction);
        power = power.saturating_add(count(fraction) - count(kept));
        fraction = kept;
        if fraction.is_empty() {
            let kept = without_zeros_behind(whole);
            power = power.saturating_add(count(whole) - count(kept));
            whole = kept;
        }
        if whole.is_empty() && fraction.is_empty() {
            return Self { negative: false, whole, fraction, power: 0 };
        }
        Self { negative, whole, fraction, power }
    }

    fn digits(&self) -> impl Iterator<Item = u8> + 't {
        self.whole.iter().chain(self.fraction).copied()
    }

    fn length(&self) -> i64 {
        count(self.whole).saturating_add(count(self.fraction))
    }

    fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    /// Whether nothing is behind the point.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.power >= 0
    }

    /// Whether it is a multiple of `divisor` times ten to the power of `power`, where `divisor` does not end in a zero.
    #[must_use]
    pub fn is_multiple(&self, divisor: u64, power: i64) -> bool {
        if self.is_zero() {
            return true;
        }
        // The last digit is no zero, so that nothing that ends in one divides the number.
        let Ok(shift) = u64::try_from(self.power.saturating_sub(power)) else { return false };
        match divisor {
            0 => return false,
            1 => return true,
            _ => {}
        }
        // Most divisors are small, and wide division is slow.
        if let (Ok(small), true) = (u32::try_from(divisor), shift == 0) {
            let digit = |byte: u8| u64::from(byte.saturating_sub(b'0'));
            return self.digits().fold(0, |rest, byte| (rest * 10 + digit(byte)) % u64::from(small)) == 0;
        }
        let modulus = u128::from(divisor);
        let digit = |byte: u8| u128::from(byte.saturating_sub(b'0'));
        let rest = self.digits().fold(0_u128, |rest, byte| (rest * 10 + digit(byte)) % modulus);
        (rest * power_of_ten(shift, modulus)).is_multiple_of(modulus)
    }

    /// Its digits as one number, and the power of ten that counts in; nothing where they are too many.
    pub(crate) fn parts(&self) -> Option<(bool, u64, i64)> {
        let mantissa = self
            .digits()
            .try_fold(0_u64, |value, byte| value.checked_mul(10)?.checked_add(u64::from(byte.saturating_sub(b'0'))))?;
        Some((self.negative, mantissa, self.power))
    }

    /// The same number whenever two are worth the same.
    pub(crate) fn digest(&self) -> u64 {
        let start = if self.negative { 7 } else { 3 };
        let power = u64::from_ne_bytes(self.power.to_ne_bytes());
        self.digits().fold(mix(start, power), |hash, byte| mix(hash, u64::from(byte)))
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        let size = |number: &Self| number.length().saturating_add(number.power);
        // Without trailing zeros, what is longer with the same beginning is larger.
        size(self).cmp(&size(other)).then_with(|| self.digits().cmp(other.digits()))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal<'_> {}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => Ordering::Equal,
            (true, false) => {
                if other.negative {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, true) => {
                if self.negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, false) => match (self.negative, other.negative) {
                (false, true) => Ordering::Greater,
                (true, false) => Ordering::Less,
                (false, false) => self.magnitude(other),
                (true, true) => other.magnitude(self),
            },
        }
    }
}

/// One step of a digest that only has to spread; whoever compares digests compares the values behind equal ones.
pub(crate) fn mix(hash: u64, more: u64) -> u64 {
    (hash.rotate_left(5) ^ more).wrapping_mul(0x517c_c1b7_2722_0a95)
}

fn count(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

fn without_zeros_before(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    digits.get(zeros..).unwrap_or(b"")
}

fn without_zeros_behind(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|byte| **byte == b'0').count();
    digits.get(..digits.len().saturating_sub(zeros)).unwrap_or(b"")
}

/// With its letter; a huge one is as large as one can be.
fn exponent_of(text: &[u8]) -> i64 {
    let Some((_, rest)) = text.split_first() else { return 0 };
    let (negative, digits) = match rest.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        Some(_) | None => (false, rest),
    };
    let add = |value: i64, byte: &u8| value.saturating_mul(10).saturating_add(i64::from(byte.saturating_sub(b'0')));
    let value = digits.iter().fold(0, add).min(i64::from(i32::MAX));
    if negative { -value } else { value }
}

fn power_of_ten(mut exponent: u64, modulus: u128) -> u128 {
    let (mut result, mut base) = (1 % modulus, 10 % modulus);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        exponent >>= 1;
    }
    result
}
