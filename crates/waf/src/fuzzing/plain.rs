//! Transformations once more, as plainly as they can be said: by expressions and whole vectors. What the fast ones do must
//! be the same for any bytes. SHA-1 is held against the standard's vectors instead.

use crate::transform::{Transform, best_fit};
use regex_automata::meta::Regex;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

/// Every match of an expression replaced by what `with` makes of it.
fn replace(expression: &'static str, input: &[u8], with: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    static KNOWN: LazyLock<Mutex<HashMap<&'static str, Regex>>> = LazyLock::new(Mutex::default);
    let regex = KNOWN.lock().ok().and_then(|mut known| match known.get(expression) {
        Some(regex) => Some(regex.clone()),
        None => {
            let syntax =
                regex_automata::util::syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true);
            let config = Regex::config().utf8_empty(false);
            let regex = Regex::builder().syntax(syntax).configure(config).build(expression).ok()?;
            known.insert(expression, regex.clone());
            Some(regex)
        }
    });
    let mut out = Vec::new();
    let mut from = 0;
    for found in regex.iter().flat_map(|regex| regex.find_iter(input)) {
        out.extend_from_slice(crate::bytes::sub(input, from, found.start()));
        out.extend(with(crate::bytes::sub(input, found.start(), found.end())));
        from = found.end();
    }
    out.extend_from_slice(crate::bytes::sub(input, from, input.len()));
    out
}

fn number(digits: &[u8], radix: u32) -> u128 {
    std::str::from_utf8(digits).ok().and_then(|text| u128::from_str_radix(text, radix).ok()).unwrap_or(u128::MAX)
}

fn low_byte(value: u128) -> u8 {
    value.to_le_bytes()[0]
}

/// A full-width form as the letter that it shows.
fn narrow(code: u128) -> u8 {
    match code {
        0xff01..=0xff5e => low_byte(code) + 0x20,
        other => low_byte(other),
    }
}

fn letter(escaped: u8) -> u8 {
    let known = b"abfnrtv".iter().zip(b"\x07\x08\x0c\n\r\t\x0b").find(|(name, _)| **name == escaped);
    known.map_or(escaped, |(_, byte)| *byte)
}

fn url(input: &[u8], uni: bool) -> Vec<u8> {
    let expression = if uni { "%[uU][0-9a-fA-F]{4}|%[0-9a-fA-F]{2}|\\+" } else { "%[0-9a-fA-F]{2}|\\+" };
    replace(expression, input, |found| match found {
        b"+" => b" ".to_vec(),
        [b'%', b'u' | b'U', digits @ ..] => {
            let code = number(digits, 16);
            vec![u16::try_from(code).ok().and_then(best_fit).unwrap_or(low_byte(code))]
        }
        [_, digits @ ..] => vec![low_byte(number(digits, 16))],
        [] => Vec::new(),
    })
}

fn html(input: &[u8]) -> Vec<u8> {
    replace("&(?:#[xX][0-9a-fA-F]+|#[0-9]+|[0-9a-zA-Z]+);?", input, |found| {
        let name = found.strip_suffix(b";").unwrap_or(found);
        // What no number of 64 bits holds is the largest.
        let wide = |digits: &[u8], radix| {
            if number(digits, radix) > 0x7fff_ffff_ffff_ffff { 0xff } else { low_byte(number(digits, radix)) }
        };
        vec![match name.to_ascii_lowercase().as_slice() {
            [b'&', b'#', b'x', digits @ ..] => wide(digits, 16),
            [b'&', b'#', digits @ ..] => wide(digits, 10),
            b"&quot" => b'"',
            b"&amp" => b'&',
            b"&lt" => b'<',
            b"&gt" => b'>',
            b"&nbsp" => 0xa0,
            _ => return found.to_vec(),
        }]
    })
}

fn js(input: &[u8]) -> Vec<u8> {
    let expression = "\\\\u[0-9a-fA-F]{4}|\\\\x[0-9a-fA-F]{2}|\\\\(?:[0-3][0-7]{0,2}|[4-7][0-7]?)|\\\\.";
    replace(expression, input, |found| {
        vec![match found {
            [_, b'u', digits @ ..] if !digits.is_empty() => {
                let code = number(digits, 16);
                if code >> 8 == 0xff { narrow(code) } else { low_byte(code) }
            }
            [_, b'x', digits @ ..] if !digits.is_empty() => low_byte(number(digits, 16)),
            [_, digits @ ..] if digits.iter().all(|b| matches!(b, b'0'..=b'7')) => low_byte(number(digits, 8)),
            [_, escaped] => letter(*escaped),
            _ => return found.to_vec(),
        }]
    })
}

fn ansi_c(input: &[u8]) -> Vec<u8> {
    replace("\\\\[xX][0-9a-fA-F]{2}|\\\\[0-7]{1,3}|\\\\.", input, |found| {
        vec![match found {
            [_, b'x' | b'X', digits @ ..] if !digits.is_empty() => low_byte(number(digits, 16)),
            [_, digits @ ..] if digits.iter().all(|b| matches!(b, b'0'..=b'7')) => low_byte(number(digits, 8)),
            [_, escaped] => letter(*escaped),
            _ => return found.to_vec(),
        }]
    })
}

fn css(input: &[u8]) -> Vec<u8> {
    replace("\\\\[0-9a-fA-F]{1,6}[ \\t\\r\\n\\x0b\\x0c]?|\\\\.|\\\\", input, |found| {
        let escaped = found.get(1..).unwrap_or_default();
        let digits: Vec<u8> = escaped.iter().copied().filter(u8::is_ascii_hexdigit).collect();
        match escaped {
            [] | b"\n" => Vec::new(),
            [first, ..] if first.is_ascii_hexdigit() => vec![narrow(number(&digits, 16))],
            other => other.to_vec(),
        }
    })
}

fn utf8(input: &[u8]) -> Vec<u8> {
    let expression = "[\\xc0-\\xdf][\\x80-\\xbf]|[\\xe0-\\xef][\\x80-\\xbf]{2}|[\\xf0-\\xf7][\\x80-\\xbf]{3}";
    replace(expression, input, |found| {
        let bits: String = found
            .iter()
            .enumerate()
            .map(|(at, byte)| {
                let bits = format!("{byte:08b}");
                bits.chars().skip(if at == 0 { found.len() + 1 } else { 2 }).collect::<String>()
            })
            .collect();
        format!("%u{:04x}", number(bits.as_bytes(), 2)).into_bytes()
    })
}

fn base64(input: &[u8], skip: bool) -> Vec<u8> {
    let alphabet: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(*b"+/").collect();
    let known = |byte: &u8| alphabet.iter().position(|b| b == byte);
    let digits: Vec<usize> = if skip {
        input.iter().take_while(|b| **b != b'=').filter_map(known).collect()
    } else {
        input.iter().map_while(known).collect()
    };
    let bits: String = digits.iter().map(|digit| format!("{digit:06b}")).collect();
    bits.as_bytes().chunks_exact(8).map(|byte| low_byte(number(byte, 2))).collect()
}

fn path(input: &[u8], windows: bool) -> Vec<u8> {
    let input: Vec<u8> = input.iter().map(|b| if windows && *b == b'\\' { b'/' } else { *b }).collect();
    let absolute = input.starts_with(b"/");
    let mut kept: Vec<&[u8]> = Vec::new();
    for segment in input.split(|b| *b == b'/').filter(|segment| !matches!(*segment, b"" | b".")) {
        match (segment, kept.last()) {
            (b"..", Some(last)) if *last != b".." => drop(kept.pop()),
            (b"..", _) if absolute => {}
            _ => kept.push(segment),
        }
    }
    let start: &[u8] = if absolute { b"/" } else { b"" };
    let end: &[u8] = if input.len() > 1 && input.ends_with(b"/") && !kept.is_empty() { b"/" } else { b"" };
    [start, &kept.join(&b'/'), end].concat()
}

fn command_line(input: &[u8]) -> Vec<u8> {
    let unquoted = replace("[\"'\\\\^]", input, |_| Vec::new());
    let spaced = replace("[ ,;\\t\\r\\n]+", &unquoted, |_| b" ".to_vec());
    replace(" [/(]", &spaced, |found| found.get(1..).unwrap_or_default().to_vec()).to_ascii_lowercase()
}

/// What a transformation makes of a value; none for SHA-1.
pub(super) fn transformed(transform: Transform, input: &[u8]) -> Option<Vec<u8>> {
    let nothing = |_: &[u8]| Vec::new();
    Some(match transform {
        Transform::Base64Decode => base64(input, false),
        Transform::Base64DecodeExt => base64(input, true),
        Transform::CmdLine => command_line(input),
        Transform::CompressWhitespace => replace("[ \\t\\r\\n\\x0b\\x0c\\xa0]+", input, |_| b" ".to_vec()),
        Transform::CssDecode => css(input),
        Transform::EscapeSeqDecode => ansi_c(input),
        Transform::HexDecode => {
            let pairs = input.chunks_exact(2).take_while(|pair| pair.iter().all(u8::is_ascii_hexdigit));
            pairs.map(|pair| low_byte(number(pair, 16))).collect()
        }
        Transform::HexEncode => input.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect(),
        Transform::HtmlEntityDecode => html(input),
        Transform::JsDecode => js(input),
        Transform::Length => input.len().to_string().into_bytes(),
        Transform::Lowercase => input.to_ascii_lowercase(),
        Transform::NormalizePath => path(input, false),
        Transform::NormalizePathWin => path(input, true),
        Transform::RemoveCommentsChar => replace("/\\*|\\*/|<!--|-->|--|#", input, nothing),
        Transform::RemoveNulls => replace("\\x00", input, nothing),
        Transform::RemoveWhitespace => replace("[ \\t\\r\\n\\x0b\\x0c\\xa0]", input, nothing),
        Transform::ReplaceComments => replace("/\\*.*?(?:\\*/|\\z)", input, |_| b" ".to_vec()),
        Transform::ReplaceNulls => replace("\\x00", input, |_| b" ".to_vec()),
        Transform::Sha1 => return None,
        Transform::Trim => replace("\\A[ \\t\\r\\n\\x0b\\x0c]+|[ \\t\\r\\n\\x0b\\x0c]+\\z", input, nothing),
        Transform::TrimLeft => replace("\\A[ \\t\\r\\n\\x0b\\x0c]+", input, nothing),
        Transform::TrimRight => replace("[ \\t\\r\\n\\x0b\\x0c]+\\z", input, nothing),
        Transform::Uppercase => input.to_ascii_uppercase(),
        Transform::UrlDecode => url(input, false),
        Transform::UrlDecodeUni => url(input, true),
        Transform::Utf8ToUnicode => utf8(input),
    })
}
