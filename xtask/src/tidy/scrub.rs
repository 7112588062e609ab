//! Blanks out comments and literals of Rust text, line by line and column by column, so that rules see code alone.

/// What a stretch of Rust text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Code,
    Comment,
    Literal,
}

/// The text with comments and what stands in string and character literals replaced by spaces.
pub(super) fn code_only(text: &str) -> String {
    keep(text, |part| part == Part::Code)
}

/// The text with comments replaced by spaces.
pub(super) fn without_comments(text: &str) -> String {
    keep(text, |part| part != Part::Comment)
}

fn keep(text: &str, wanted: fn(Part) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for (part, piece) in pieces(text) {
        if wanted(part) {
            out.push_str(piece);
        } else {
            out.extend(piece.chars().map(|sign| if sign == '\n' { '\n' } else { ' ' }));
        }
    }
    out
}

/// Splits the text into stretches; quotes belong to the literal they enclose.
fn pieces(text: &str) -> Vec<(Part, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut code = 0;
    while let Some(sign) = rest.get(code..).and_then(|tail| tail.chars().next()) {
        let (before, tail) = rest.split_at(code);
        let Some((part, length)) = special(before, tail) else {
            code += sign.len_utf8();
            continue;
        };
        let (piece, after) = tail.split_at(length);
        found.push((Part::Code, before));
        found.push((part, piece));
        rest = after;
        code = 0;
    }
    found.push((Part::Code, rest));
    found
}

/// The comment or literal that `tail` begins with, and its length in bytes.
fn special(before: &str, tail: &str) -> Option<(Part, usize)> {
    if tail.starts_with("//") {
        return Some((Part::Comment, tail.find('\n').unwrap_or(tail.len())));
    }
    if tail.starts_with("/*") {
        return Some((Part::Comment, block_comment(tail)));
    }
    if tail.starts_with('"') {
        return Some((Part::Literal, quoted(tail, '"')));
    }
    if tail.starts_with('\'') {
        return character(tail).map(|length| (Part::Literal, length));
    }
    // `r` begins a raw string only where no name is being spelled: `var"` is no Rust, but `br"` is.
    let named = before.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_');
    let prefixed =
        before.ends_with(['b', 'c']) && !before.trim_end_matches(['b', 'c']).ends_with(char::is_alphanumeric);
    if tail.starts_with('r') && (!named || prefixed) {
        return raw_string(tail).map(|length| (Part::Literal, length));
    }
    None
}

fn block_comment(tail: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = tail.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    tail.len()
}

fn quoted(tail: &str, quote: char) -> usize {
    let mut signs = tail.char_indices().skip(1);
    while let Some((at, sign)) = signs.next() {
        if sign == '\\' {
            signs.next();
        } else if sign == quote {
            return at + sign.len_utf8();
        }
    }
    tail.len()
}

/// A character literal; a lifetime (`'a` without a closing quote) is code.
fn character(tail: &str) -> Option<usize> {
    let mut signs = tail.chars().skip(1);
    let first = signs.next()?;
    let closed = first == '\\' || signs.next() == Some('\'');
    closed.then(|| quoted(tail, '\''))
}

fn raw_string(tail: &str) -> Option<usize> {
    let hashes = tail.chars().skip(1).take_while(|sign| *sign == '#').count();
    let body = tail.get(1 + hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(2 + hashes + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_leave_their_room() {
        for (text, expected) in [
            ("let a = 1; // todo!()\nb", "let a = 1;           \nb"),
            ("/* a /* b */ c */ d", "                  d"),
            (r#"f("a\"b", 'x')"#, "f(      ,    )"),
            (r##"f(r#"a"b"#, br"c")"##, "f(        , b    )"),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            (r"let q = '\''; c", "let q =     ; c"),
            ("\"// no comment\" x", "                x"),
            ("for x in y", "for x in y"),
            ("'ä' b", "    b"),
        ] {
            assert_eq!(code_only(text), expected, "{text}");
        }
    }

    #[test]
    fn literals_stay_when_only_comments_go() {
        assert_eq!(without_comments("bind(\"a//b\") // c"), "bind(\"a//b\")     ");
    }

    #[test]
    fn an_unclosed_end_does_not_hang() {
        for text in ["\"abc", "/* abc", "r#\"abc", "'", "'\\"] {
            assert_eq!(code_only(text).len(), text.len(), "{text}");
        }
    }
}
