//! Transformations: one value in, one value out. Each does what the reference engine does, byte for byte;
//! `effect` says what is known about the outcome from the byte classes of the input alone.

mod bestfit;
mod decode;
mod escapes;
mod sha1;
mod text;

use crate::classes::{self, Classes};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use bestfit::best_fit;

/// A transformation of the rule language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Transform {
    Base64Decode,
    Base64DecodeExt,
    CmdLine,
    CompressWhitespace,
    CssDecode,
    EscapeSeqDecode,
    HexDecode,
    HexEncode,
    HtmlEntityDecode,
    JsDecode,
    Length,
    Lowercase,
    NormalizePath,
    NormalizePathWin,
    RemoveCommentsChar,
    RemoveNulls,
    RemoveWhitespace,
    ReplaceComments,
    ReplaceNulls,
    Sha1,
    Trim,
    TrimLeft,
    TrimRight,
    Uppercase,
    UrlDecode,
    UrlDecodeUni,
    Utf8ToUnicode,
}

/// What a transformation does to a value with known byte classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The value stays as it is.
    Identity,
    /// Letters change case and nothing else happens.
    Fold,
    /// Anything may happen.
    Changes,
}

const NAMES: &[(&str, Transform)] = &[
    ("base64Decode", Transform::Base64Decode),
    ("base64DecodeExt", Transform::Base64DecodeExt),
    ("cmdLine", Transform::CmdLine),
    ("compressWhitespace", Transform::CompressWhitespace),
    ("cssDecode", Transform::CssDecode),
    ("escapeSeqDecode", Transform::EscapeSeqDecode),
    ("hexDecode", Transform::HexDecode),
    ("hexEncode", Transform::HexEncode),
    ("htmlEntityDecode", Transform::HtmlEntityDecode),
    ("jsDecode", Transform::JsDecode),
    ("length", Transform::Length),
    ("lowercase", Transform::Lowercase),
    ("normalizePath", Transform::NormalizePath),
    ("normalisePath", Transform::NormalizePath),
    ("normalizePathWin", Transform::NormalizePathWin),
    ("normalisePathWin", Transform::NormalizePathWin),
    ("removeCommentsChar", Transform::RemoveCommentsChar),
    ("removeNulls", Transform::RemoveNulls),
    ("removeWhitespace", Transform::RemoveWhitespace),
    ("replaceComments", Transform::ReplaceComments),
    ("replaceNulls", Transform::ReplaceNulls),
    ("sha1", Transform::Sha1),
    ("trim", Transform::Trim),
    ("trimLeft", Transform::TrimLeft),
    ("trimRight", Transform::TrimRight),
    ("uppercase", Transform::Uppercase),
    ("urlDecode", Transform::UrlDecode),
    ("urlDecodeUni", Transform::UrlDecodeUni),
    ("utf8toUnicode", Transform::Utf8ToUnicode),
];

// === impl Transform ===

impl Transform {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, t)| *t)
    }

    pub(crate) fn as_str(self) -> &'static str {
        NAMES.iter().find(|(_, t)| *t == self).map_or("", |(name, _)| name)
    }

    /// Every transformation there is.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(_, t)| *t)
    }

    /// Replaces `out` by the transformed `input`.
    pub(crate) fn apply(self, input: &[u8], out: &mut Vec<u8>) {
        out.clear();
        match self {
            Transform::Base64Decode => decode::base64(input, false, out),
            Transform::Base64DecodeExt => decode::base64(input, true, out),
            Transform::CmdLine => text::command_line(input, out),
            Transform::CompressWhitespace => text::compress_whitespace(input, out),
            Transform::CssDecode => escapes::css(input, out),
            Transform::EscapeSeqDecode => escapes::ansi_c(input, out),
            Transform::HexDecode => decode::hex(input, out),
            Transform::HexEncode => decode::hex_encode(input, out),
            Transform::HtmlEntityDecode => decode::html_entities(input, out),
            Transform::JsDecode => escapes::js(input, out),
            Transform::Length => crate::bytes::push_decimal(out, i64::try_from(input.len()).unwrap_or(i64::MAX)),
            Transform::Lowercase => out.extend(input.iter().map(u8::to_ascii_lowercase)),
            Transform::NormalizePath => text::normalize_path(input, false, out),
            Transform::NormalizePathWin => text::normalize_path(input, true, out),
            Transform::RemoveCommentsChar => text::remove_comment_chars(input, out),
            Transform::RemoveNulls => out.extend(input.iter().filter(|b| **b != 0)),
            Transform::RemoveWhitespace => out.extend(input.iter().filter(|b| !text::is_blank(**b))),
            Transform::ReplaceComments => text::replace_comments(input, out),
            Transform::ReplaceNulls => out.extend(input.iter().map(|b| if *b == 0 { b' ' } else { *b })),
            Transform::Sha1 => out.extend_from_slice(&sha1::digest(input)),
            Transform::Trim => out.extend_from_slice(crate::bytes::trim(input)),
            Transform::TrimLeft => out.extend(input.iter().skip_while(|b| crate::bytes::is_space(**b))),
            Transform::TrimRight => {
                let end = input.iter().rposition(|b| !crate::bytes::is_space(*b)).map_or(0, |e| e + 1);
                out.extend_from_slice(crate::bytes::sub(input, 0, end));
            }
            Transform::Uppercase => out.extend(input.iter().map(u8::to_ascii_uppercase)),
            Transform::UrlDecode => decode::url(input, false, out),
            Transform::UrlDecodeUni => decode::url(input, true, out),
            Transform::Utf8ToUnicode => decode::utf8_to_unicode(input, out),
        }
    }

    /// What happens to a value with these byte classes. INVARIANT: `Identity` and `Fold` are promises.
    pub(crate) fn effect(self, mask: Classes) -> Effect {
        let unless = |set: Classes| if mask & set == 0 { Effect::Identity } else { Effect::Changes };
        match self {
            Transform::Lowercase => {
                if mask & classes::UPPER == 0 {
                    Effect::Identity
                } else {
                    Effect::Fold
                }
            }
            Transform::Uppercase => Effect::Fold,
            Transform::CmdLine => {
                let special = classes::of(b"\"'\\^,;/(") | classes::SPACE | classes::BLANK;
                match (mask & special, mask & classes::UPPER) {
                    (0, 0) => Effect::Identity,
                    (0, _) => Effect::Fold,
                    _ => Effect::Changes,
                }
            }
            Transform::CompressWhitespace | Transform::RemoveWhitespace => {
                unless(classes::SPACE | classes::BLANK | classes::HIGH)
            }
            Transform::Trim | Transform::TrimLeft | Transform::TrimRight => unless(classes::SPACE | classes::BLANK),
            Transform::CssDecode | Transform::EscapeSeqDecode | Transform::JsDecode => unless(classes::of(b"\\")),
            Transform::HtmlEntityDecode => unless(classes::of(b"&")),
            Transform::NormalizePath => unless(classes::of(b"/.")),
            Transform::NormalizePathWin => unless(classes::of(b"/.\\")),
            Transform::RemoveCommentsChar => unless(classes::of(b"/*-#<")),
            Transform::ReplaceComments => {
                // A comment needs both of its characters.
                if mask & classes::of(b"/") != 0 { unless(classes::of(b"*")) } else { Effect::Identity }
            }
            Transform::RemoveNulls | Transform::ReplaceNulls => unless(classes::CONTROL),
            Transform::UrlDecode | Transform::UrlDecodeUni => unless(classes::of(b"%+")),
            Transform::Utf8ToUnicode => unless(classes::HIGH),
            Transform::Base64Decode
            | Transform::Base64DecodeExt
            | Transform::HexDecode
            | Transform::HexEncode
            | Transform::Length
            | Transform::Sha1 => Effect::Changes,
        }
    }
}

#[cfg(test)]
mod tests;
