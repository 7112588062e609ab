//! Digits and letters only: a double click selects the whole key, and no shell or URL changes it.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes a number given as big-endian bytes with exactly `width` digits; what does not fit is cut off at the top.
pub(super) fn encode(bytes: &[u8], width: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = vec![b'0'; width];
    for slot in digits.iter_mut().rev() {
        let mut rest = 0u32;
        for byte in &mut number {
            let value = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(0);
            rest = value % 62;
        }
        *slot = DIGITS.get(rest as usize).copied().unwrap_or(b'0');
    }
    digits.into_iter().map(char::from).collect()
}

/// The number that the digits write, if 64 bits hold it.
pub(super) fn decode(digits: &str) -> Option<u64> {
    digits.bytes().try_fold(0u64, |sum, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            0..=47 | 58..=64 | 91..=96 | 123.. => return None,
        };
        sum.checked_mul(62)?.checked_add(u64::from(digit))
    })
}

pub(super) fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}
