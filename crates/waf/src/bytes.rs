//! Small total functions over byte slices: the crate never indexes, so these are its slices.

/// The bytes of `range`, or nothing where it lies outside.
pub(crate) fn sub(bytes: &[u8], start: usize, end: usize) -> &[u8] {
    bytes.get(start..end.min(bytes.len())).unwrap_or_default()
}

/// The byte at `at`, or NUL past the end. Only for look-ahead where NUL can't be mistaken for what is looked for.
pub(crate) fn at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// The value of a hexadecimal digit.
pub(crate) fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Two hexadecimal digits at `at` as one byte.
pub(crate) fn hex_pair(bytes: &[u8], at: usize) -> Option<u8> {
    let high = bytes.get(at).copied().and_then(hex)?;
    let low = bytes.get(at + 1).copied().and_then(hex)?;
    Some(high << 4 | low)
}

/// `%HH` as its byte; a plus sign stays one, as in a path or a cookie.
pub(crate) fn percent_decode(path: &[u8], out: &mut Vec<u8>) {
    let mut rest = path;
    while let Some(at) = memchr::memchr(b'%', rest) {
        out.extend_from_slice(sub(rest, 0, at));
        let decoded = hex_pair(rest, at + 1);
        out.push(decoded.unwrap_or(b'%'));
        rest = sub(rest, at + if decoded.is_some() { 3 } else { 1 }, rest.len());
    }
    out.extend_from_slice(rest);
}

/// White space as C's `isspace` sees it: what the reference engine tests.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// `bytes` without white space at both ends.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|b| !is_space(*b)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|b| !is_space(*b)).map_or(start, |e| e + 1);
    sub(bytes, start, end)
}

/// The integer that `bytes` starts with, as C's `atoi` reads it: leading white space, sign, digits; 0 if none.
pub(crate) fn integer(bytes: &[u8]) -> i64 {
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first()
        && is_space(*first)
    {
        rest = tail;
    }
    let negative = rest.first() == Some(&b'-');
    if matches!(rest.first(), Some(b'-' | b'+')) {
        rest = rest.get(1..).unwrap_or_default();
    }
    let mut value = 0i64;
    for byte in rest.iter().take_while(|b| b.is_ascii_digit()) {
        value = value.saturating_mul(10).saturating_add(i64::from(byte - b'0'));
    }
    if negative { -value } else { value }
}

/// A decimal number appended to `out`.
pub(crate) fn push_decimal(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0u8; 20];
    let mut rest = value.unsigned_abs();
    let mut from = digits.len();
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        from -= 1;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(sub(&digits, from, digits.len()));
}

/// A length as `u32`; what is longer is beyond every limit of this crate and saturates.
pub(crate) fn len32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A `u32` as an index.
pub(crate) fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
