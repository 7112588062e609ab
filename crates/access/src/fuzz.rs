//! What must hold for any text that is taken for an expression; the fuzz target and its smoke test call the same.

use crate::expression::Expression;

/// What is read is written in a form that is read as the same; what is not says where, within the text.
///
/// # Panics
/// Where that does not hold.
#[allow(clippy::panic, reason = "the purpose of this function is to fail loudly")]
pub fn expression(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Expression::parse(text) {
        Ok(expression) => {
            let written = expression.to_string();
            // Parentheses of our own may be too many or too long; what is read is the same.
            if let Ok(again) = Expression::parse(&written) {
                assert_eq!(again, expression, "{text} was written as {written}");
            }
        }
        Err(mistake) => {
            let place = text.get(mistake.start..mistake.end);
            assert!(place.is_some(), "{text}: {mistake:?} is outside of it");
            assert!(!mistake.message.is_empty() && !mistake.help.is_empty(), "{text}: {mistake:?} says nothing");
        }
    }
}
