//! The pairs of a query or a form, read as loosely as any server reads them.

use std::borrow::Cow;

/// Calls for each value that some server could find under this name (`*` is every name), until told to stop.
pub(crate) fn values(text: &[u8], name: &str, each: &mut dyn FnMut(&[u8]) -> bool) {
    for pair in text.split(|byte| *byte == b'&') {
        if look(pair, name, each) {
            return;
        }
        // Some servers separate pairs by `;` as well.
        if memchr::memchr(b';', pair).is_some() && pair.split(|byte| *byte == b';').any(|one| look(one, name, each)) {
            return;
        }
    }
}

fn look(pair: &[u8], name: &str, each: &mut dyn FnMut(&[u8]) -> bool) -> bool {
    if pair.is_empty() {
        return false;
    }
    let at = memchr::memchr(b'=', pair).unwrap_or(pair.len());
    let (key, value) = (pair.get(..at).unwrap_or_default(), pair.get(at + 1..).unwrap_or_default());
    (name == "*" || is_named(&unescaped(key, true), name)) && forms(&unescaped(value, true), each)
}

/// Some servers read `id[]`, `ID` and `id` with blanks around it as `id`.
fn is_named(key: &[u8], name: &str) -> bool {
    let plain = key.split(|byte| *byte == b'[').next().unwrap_or_default();
    plain.trim_ascii().eq_ignore_ascii_case(name.as_bytes()) || key.eq_ignore_ascii_case(name.as_bytes())
}

/// Shows a value as it is, and as it would be if somebody undid its escapes once more.
pub(crate) fn forms(value: &[u8], each: &mut dyn FnMut(&[u8]) -> bool) -> bool {
    if each(value) {
        return true;
    }
    match unescaped(value, false) {
        Cow::Borrowed(_) => false,
        Cow::Owned(again) => each(&again),
    }
}

/// Bytes with their escapes undone once; what is no escape stays. Borrowed where there are none.
pub(crate) fn unescaped(text: &[u8], plus_is_blank: bool) -> Cow<'_, [u8]> {
    let is_special = |byte: &u8| *byte == b'%' || plus_is_blank && *byte == b'+';
    if !text.iter().any(is_special) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind) {
            (b'+', _) if plus_is_blank => out.push(b' '),
            (b'%', [high, low, after @ ..]) => match digit(*high).zip(digit(*low)) {
                Some((high, low)) => {
                    out.push(high << 4 | low);
                    rest = after;
                }
                None => out.push(b'%'),
            },
            (other, _) => out.push(*other),
        }
    }
    Cow::Owned(out)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
