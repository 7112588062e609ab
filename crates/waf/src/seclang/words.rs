//! Splits a rule file into directives and a directive into its words, as the reference's host does:
//! a backslash at the end of a line joins, quotes group, a backslash escapes only a quote or itself.

/// One directive's text and where it starts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) number: u32,
    pub(crate) text: String,
}

/// The directives of a file, comments and blank lines left out.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    let mut out = Vec::new();
    let mut open: Option<Line> = None;
    for (index, raw) in text.split('\n').enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let raw = raw.strip_suffix('\r').unwrap_or(raw);
        let (piece, joins) = match raw.strip_suffix('\\') {
            Some(piece) => (piece, true),
            None => (raw, false),
        };
        match &mut open {
            Some(line) => line.text.push_str(piece),
            None => {
                let trimmed = piece.trim_start();
                if trimmed.is_empty() || (trimmed.starts_with('#') && !joins) {
                    continue;
                }
                open = Some(Line { number, text: trimmed.to_owned() });
            }
        }
        if !joins && let Some(line) = open.take() {
            push(&mut out, line);
        }
    }
    out.extend(open.take().filter(|line| !line.text.starts_with('#')));
    out
}

fn push(out: &mut Vec<Line>, line: Line) {
    if !line.text.starts_with('#') {
        out.push(line);
    }
}

/// The words of a directive. An unclosed quote is an error.
pub(crate) fn words(text: &str) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let Some(first) = chars.peek().copied() else { return Ok(out) };
        let quote = matches!(first, '"' | '\'').then_some(first);
        if quote.is_some() {
            chars.next();
        }
        let mut word = String::new();
        let mut closed = quote.is_none();
        while let Some(c) = chars.next() {
            match c {
                '\\' if chars.peek() == Some(&'\\') || (quote.is_some() && chars.peek().copied() == quote) => {
                    word.extend(chars.next());
                }
                _ if Some(c) == quote => {
                    closed = true;
                    break;
                }
                _ if quote.is_none() && c.is_whitespace() => break,
                _ => word.push(c),
            }
        }
        if !closed {
            return Err("a quote isn't closed".into());
        }
        out.push(word);
    }
}
