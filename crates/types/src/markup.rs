//! Texts within HTML and XML: no character of theirs means anything there.

/// A text in which no character means anything to a reader of HTML or XML, in an element as in a quoted attribute. Characters that
/// only change how others look (controls, directions of writing) are shown as such.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(text, &mut out);
    out
}

/// The same, at the end of another text. Copies what needs no escape in whole pieces.
pub fn escape(text: &str, out: &mut String) {
    let mut from = 0;
    for (at, character) in text.char_indices() {
        let instead = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            '\n' | '\t' | ' '..='~' => continue,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => "\u{fffd}",
            other if other.is_control() => "\u{fffd}",
            _ => continue,
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(instead);
        from = at + character.len_utf8();
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

/// A text without the characters that XML 1.0 (section 2.2) has no place for; a sign that something was there stands instead.
#[must_use]
pub fn legible(text: &str) -> String {
    let is_char = |c: char| matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'));
    text.chars().map(|c| if is_char(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::{escaped, legible};

    #[test]
    fn nothing_means_anything() {
        assert_eq!(escaped("<a b=\"c\" d='e'>&"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
        assert_eq!(legible("a\0b\u{1b}[1m\n\u{ffff}"), "a\u{fffd}b\u{fffd}[1m\n\u{fffd}");
    }
}
