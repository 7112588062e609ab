//! Texts of others in our messages: short, and on one line.

/// LIMIT: characters of a text from a document that a message repeats.
const CHARS_MAX: usize = 120;

/// The beginning of a text, without control characters.
pub(crate) fn short(text: &str) -> String {
    let mut kept: String =
        text.chars().take(CHARS_MAX).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        kept.push('…');
    }
    kept
}
