//! All reasons why a message does not fit its contract, as members of a problem: names and places, never what was sent there.

use portcullis_types::Violation;
use std::fmt::Write as _;

/// `,"errors":[…]`, or nothing.
pub(super) fn member(errors: &[Violation]) -> String {
    let mut out = String::new();
    for (index, error) in errors.iter().enumerate() {
        out.push_str(if index == 0 { ",\"errors\":[{\"in\":\"" } else { ",{\"in\":\"" });
        out.push_str(error.part);
        if !error.name.is_empty() {
            out.push_str("\",\"name\":\"");
            escape(&error.name, &mut out);
        }
        if error.part == "body" || !error.pointer.is_empty() {
            out.push_str("\",\"pointer\":\"");
            escape(&error.pointer, &mut out);
        }
        out.push_str("\",\"keyword\":\"");
        out.push_str(error.keyword);
        out.push_str("\",\"detail\":\"");
        escape(&error.detail, &mut out);
        out.push_str("\"}");
    }
    if !errors.is_empty() {
        out.push(']');
    }
    out
}

/// Text inside a JSON string (RFC 8259 section 7).
fn escape(text: &str, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            // A browser that took the problem for a page finds no mark in it.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{7f}' | '\0'..='\u{1f}' => {
                let written = write!(out, "\\u{:04x}", u32::from(letter));
                debug_assert!(written.is_ok(), "a string takes everything");
            }
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::member;
    use portcullis_types::Violation;

    #[test]
    fn what_clients_chose_stays_within_its_text() {
        let error = |part, name: &str, pointer: &str| Violation {
            part,
            name: name.to_owned(),
            pointer: pointer.to_owned(),
            keyword: "unknown",
            detail: "it \"is\" none".to_owned(),
        };
        assert_eq!(member(&[]), "");
        assert_eq!(
            member(&[error("query", "a\"},{\n<b>ü", ""), error("body", "", "")]),
            ",\"errors\":[{\"in\":\"query\",\"name\":\"a\\\"},{\\u000a\\u003cb\\u003eü\",\"keyword\":\"unknown\",\
             \"detail\":\"it \\\"is\\\" none\"},{\"in\":\"body\",\"pointer\":\"\",\"keyword\":\"unknown\",\
             \"detail\":\"it \\\"is\\\" none\"}]"
        );
    }
}
