//! The byte rules of the canonical target: which bytes stay, which are escaped, which are refused.

use super::TargetError;

const STAYS_IN_PATH: u8 = 1;
const STAYS_IN_QUERY: u8 = 2;
const UNRESERVED: u8 = 4;
const PLAIN: u8 = 8;

/// What each byte may do. `PLAIN` bytes make a path canonical as it is, given that no `//` or `/.` occurs.
const CLASS: [u8; 256] = classes();

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time over all 256 bytes")]
#[expect(clippy::cast_possible_truncation, reason = "evaluated at compile time over all 256 bytes")]
const fn classes() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let sub_delim = matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=');
        let pchar = unreserved || sub_delim || matches!(byte, b':' | b'@');
        let mut class = 0;
        if pchar || byte == b'/' {
            class |= STAYS_IN_PATH;
        }
        if pchar || matches!(byte, b'/' | b'?') {
            class |= STAYS_IN_QUERY;
        }
        if unreserved {
            class |= UNRESERVED;
        }
        if (pchar && byte != b';') || byte == b'/' {
            class |= PLAIN;
        }
        table[index] = class;
        index += 1;
    }
    table
}

fn has(byte: u8, class: u8) -> bool {
    CLASS.get(usize::from(byte)).is_some_and(|have| have & class != 0)
}

/// Whether the path is canonical as it stands, the usual case: one look at each byte and no copy by parts.
pub(super) fn is_plain_path(path: &[u8]) -> bool {
    let mut previous = 0u8;
    for byte in path {
        if !has(*byte, PLAIN) || (previous == b'/' && matches!(byte, b'/' | b'.')) {
            return false;
        }
        previous = *byte;
    }
    path.first() == Some(&b'/')
}

/// Appends the canonical path; says whether a segment holds a `;`.
pub(super) fn path(raw: &[u8], out: &mut Vec<u8>) -> Result<bool, TargetError> {
    if raw.first() != Some(&b'/') {
        return Err(TargetError::NotAbsolute);
    }
    let base = out.len();
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            path_byte(byte, out, &mut decoded)?;
            continue;
        }
        let (value, tail) = escape(rest).ok_or(TargetError::BrokenEscape)?;
        rest = tail;
        path_escape(value, out, &mut decoded)?;
    }
    if std::str::from_utf8(&decoded).is_err() {
        return Err(TargetError::NotUtf8);
    }
    resolve(out, base)?;
    Ok(out.get(base..).is_some_and(|path| path.contains(&b';') || path.windows(3).any(|part| part == b"%3B")))
}

fn path_byte(byte: u8, out: &mut Vec<u8>, decoded: &mut Vec<u8>) -> Result<(), TargetError> {
    match byte {
        0..=0x20 | 0x7f => return Err(TargetError::Control),
        b'#' => return Err(TargetError::Fragment),
        b'\\' => return Err(TargetError::Backslash),
        byte if has(byte, STAYS_IN_PATH) => out.push(byte),
        byte => push_escape(byte, out),
    }
    decoded.push(byte);
    Ok(())
}

fn path_escape(value: u8, out: &mut Vec<u8>, decoded: &mut Vec<u8>) -> Result<(), TargetError> {
    match value {
        0..=0x1f | 0x7f => return Err(TargetError::Control),
        b'/' => return Err(TargetError::EncodedSlash),
        b'\\' => return Err(TargetError::Backslash),
        value if has(value, UNRESERVED) => out.push(value),
        value => push_escape(value, out),
    }
    decoded.push(value);
    Ok(())
}

/// Appends the canonical query. A `%` that starts no escape is meant literally and becomes `%25`, so that the
/// upstream cannot read it in another way.
pub(super) fn query(raw: &[u8], out: &mut Vec<u8>) -> Result<(), TargetError> {
    let mut rest = raw;
    loop {
        // The usual query has nothing else; a run of it is one copy.
        let stays = rest.iter().position(|byte| !has(*byte, STAYS_IN_QUERY)).unwrap_or(rest.len());
        let (run, other) = rest.split_at_checked(stays).unwrap_or_default();
        out.extend_from_slice(run);
        let Some((&byte, tail)) = other.split_first() else { return Ok(()) };
        rest = tail;
        match byte {
            0..=0x20 | 0x7f => return Err(TargetError::Control),
            b'#' => return Err(TargetError::Fragment),
            b'%' => match escape(rest) {
                Some((value, tail)) => {
                    rest = tail;
                    query_escape(value, out);
                }
                None => push_escape(b'%', out),
            },
            byte => push_escape(byte, out),
        }
    }
}

fn query_escape(value: u8, out: &mut Vec<u8>) {
    if has(value, UNRESERVED) { out.push(value) } else { push_escape(value, out) }
}

fn escape(after_percent: &[u8]) -> Option<(u8, &[u8])> {
    let ([high, low], rest) = after_percent.split_first_chunk::<2>()?;
    Some((hex(*high)? << 4 | hex(*low)?, rest))
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn push_escape(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
    out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 0xf)]);
}

/// `..;x` is a dot segment to servers that cut parameters first, and a name to all others.
fn is_dots_with_parameters(segment: &[u8]) -> bool {
    let after = segment.strip_prefix(b"..").or_else(|| segment.strip_prefix(b"."));
    after.is_some_and(|rest| rest.starts_with(b";") || rest.starts_with(b"%3B"))
}

/// Resolves dot segments and merges slashes, in place, from `base` on.
fn resolve(out: &mut Vec<u8>, base: usize) -> Result<(), TargetError> {
    let escaped = out.split_off(base);
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut open = true;
    for segment in escaped.split(|byte| *byte == b'/').skip(1) {
        open = true;
        match segment {
            b"" | b"." => {}
            b".." => {
                segments.pop().ok_or(TargetError::AboveRoot)?;
            }
            name => {
                if is_dots_with_parameters(name) {
                    return Err(TargetError::DotParameters);
                }
                segments.push(name);
                open = false;
            }
        }
    }
    for segment in &segments {
        out.push(b'/');
        out.extend_from_slice(segment);
    }
    if open {
        out.push(b'/');
    }
    Ok(())
}
