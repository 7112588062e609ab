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

pub(super) fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}
