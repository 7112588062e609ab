//! A path as a report may show it: its words, and `{}` for what looks like data.

/// LIMIT: segments of a path that are told apart; what follows is left out.
const SEGMENTS_MAX: usize = 12;
/// LIMIT: bytes of a segment that is a word.
const WORD_BYTES_MAX: usize = 32;
/// Digits in a word: `v2`, `oauth2`, and no number of anything.
const DIGITS_MAX: usize = 2;

/// The path with `{}` in place of each segment that is no plain word.
pub(super) fn shape(path: &str) -> String {
    let mut shape = String::new();
    let mut segments = path.split('/').skip(1);
    for segment in segments.by_ref().take(SEGMENTS_MAX) {
        shape.push('/');
        shape.push_str(if is_word(segment) { segment } else { "{}" });
    }
    if segments.next().is_some() {
        shape.push_str("/…");
    }
    shape
}

fn is_word(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let is_hex = segment.len() >= 8 && segment.bytes().all(|byte| byte.is_ascii_hexdigit());
    let begins = segment.bytes().next().is_none_or(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_'));
    begins && segment.len() <= WORD_BYTES_MAX && segment.bytes().all(plain) && digits <= DIGITS_MAX && !is_hex
}
