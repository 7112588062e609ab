//! No function longer than a screen: clippy speaks at 70 lines of code, this rule at 100 lines of anything.

use super::Finding;
use super::source::Source;

/// LIMIT: from the line of `fn` to the closing brace, comments and blank lines included.
const FUNCTION_LINES_MAX: usize = 100;

pub(super) fn check(source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (start, length, name) in functions(&source.code) {
        if length > FUNCTION_LINES_MAX {
            let message = format!("function `{name}` has {length} lines; at most {FUNCTION_LINES_MAX}");
            findings.push(source.finding(start, message));
        }
    }
    findings
}

/// First line (from 1), number of lines and name of each function with a body.
fn functions(code: &str) -> Vec<(usize, usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = code.get(at..).and_then(|rest| rest.find("fn ")) {
        let start = at + offset;
        at = start + 3;
        let before = code.get(..start).unwrap_or_default();
        if before.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_') {
            continue;
        }
        let rest = code.get(at..).unwrap_or_default();
        let name = rest.split(|sign: char| !sign.is_alphanumeric() && sign != '_').next().unwrap_or_default();
        if let Some(length) = body_end(rest) {
            let body = rest.get(..length).unwrap_or_default();
            found.push((before.matches('\n').count() + 1, body.matches('\n').count() + 1, name));
        }
    }
    found
}

/// Where the body that follows a signature ends; `None` for a declaration without one.
fn body_end(rest: &str) -> Option<usize> {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (at, sign) in rest.char_indices() {
        match sign {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            // Inside brackets, `;` belongs to an array type, not to the end of a declaration.
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' => {
                braces = braces.checked_sub(1)?;
                if braces == 0 && brackets == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::messages;

    #[test]
    fn bodies_are_measured_and_declarations_passed_over() {
        let code =
            "trait T {\n fn a(x: [u8; 3]);\n fn b() { if x { y } }\n}\nfn c(x: [u8; 3])\n{\n\n}\nlet f: fn (u8) = g;\n";
        assert_eq!(functions(code), [(3, 1, "b"), (5, 4, "c")]);
    }

    #[test]
    fn the_hard_stop_is_at_a_hundred() {
        let of = |lines: usize| format!("//! a\nfn f() {{\n{}}}\n", "    x();\n".repeat(lines - 2));
        assert!(messages("a.rs", &of(100), check).is_empty());
        assert_eq!(messages("a.rs", &of(101), check), ["a.rs:2: function `f` has 101 lines; at most 100"]);
    }
}
