//! As much TOML 1.0 as the head of an advisory has: tables, keys, strings of all four kinds, lists of strings. Anything else is kept as the
//! bare words that it is; what cannot be read is an error, never a value.

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<Value>),
    /// A number, a date, a truth value.
    Word(String),
    /// A table within a line; nothing of an advisory that matters here is one.
    Inline,
}

/// Table, key, value.
pub(super) type Item = (String, String, Value);

/// LIMIT: items of a head, and lists within lists.
const ITEMS_MAX: usize = 10_000;
const DEPTH_MAX: usize = 8;

/// All items in their order.
pub(super) fn items(text: &str) -> Result<Vec<Item>, String> {
    let (mut rest, mut table, mut items) = (text, String::new(), Vec::new());
    loop {
        rest = blank(rest);
        if rest.is_empty() {
            return Ok(items);
        }
        if let Some(after) = rest.strip_prefix('[') {
            let (name, after) = after.split_once('\n').unwrap_or((after, ""));
            name.split('#').next().unwrap_or_default().trim().trim_matches(['[', ']']).trim().clone_into(&mut table);
            rest = after;
            continue;
        }
        let (key, after) = rest.split_once('=').ok_or("a line is neither a table nor a key with its value")?;
        let key = key.trim().trim_matches('"');
        if key.is_empty() || key.contains('\n') || items.len() >= ITEMS_MAX {
            return Err(format!("`{}` is no key", key.chars().take(20).collect::<String>()));
        }
        let (value, after) = value(after.trim_start_matches([' ', '\t']), 0)?;
        items.push((table.clone(), key.to_owned(), value));
        let (left, after) = after.split_once('\n').unwrap_or((after, ""));
        if !left.split('#').next().unwrap_or_default().trim().is_empty() {
            return Err(format!("something follows the value of `{key}`"));
        }
        rest = after;
    }
}

/// Without white space, line breaks and comments at its beginning.
fn blank(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        match text.strip_prefix('#') {
            Some(comment) => text = comment.split_once('\n').map_or("", |(_, after)| after),
            None => return text,
        }
    }
}

fn value(text: &str, depth: usize) -> Result<(Value, &str), String> {
    if let Some(rest) = text.strip_prefix("\"\"\"") {
        return string(first_break(rest), "\"\"\"", true);
    }
    if let Some(rest) = text.strip_prefix("'''") {
        return string(first_break(rest), "'''", false);
    }
    if let Some(rest) = text.strip_prefix('"') {
        return string(rest, "\"", true);
    }
    if let Some(rest) = text.strip_prefix('\'') {
        return string(rest, "'", false);
    }
    if let Some(rest) = text.strip_prefix('[') {
        return list(rest, depth + 1);
    }
    let line = text.split('\n').next().unwrap_or_default();
    if text.starts_with('{') {
        let end = line.rfind('}').ok_or("a table within a line does not end on it")?;
        return Ok((Value::Inline, text.get(end + 1..).unwrap_or_default()));
    }
    let end = line.find([',', ']', '#']).unwrap_or(line.len());
    let word = line.get(..end).unwrap_or_default().trim();
    if word.is_empty() || word.contains(' ') && !word.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a value is missing".to_owned());
    }
    Ok((Value::Word(word.to_owned()), text.get(end..).unwrap_or_default()))
}

fn first_break(text: &str) -> &str {
    text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')).unwrap_or(text)
}

fn string<'t>(text: &'t str, end: &str, escapes: bool) -> Result<(Value, &'t str), String> {
    let mut out = String::new();
    let mut rest = text;
    loop {
        if let Some(after) = rest.strip_prefix(end) {
            return Ok((Value::Text(out), after));
        }
        let mut characters = rest.chars();
        match characters.next() {
            None => return Err("a string does not end".to_owned()),
            Some('\n') if end.len() == 1 => return Err("a string does not end on its line".to_owned()),
            Some('\\') if escapes => rest = escape(characters.as_str(), &mut out)?,
            Some(character) => {
                out.push(character);
                rest = characters.as_str();
            }
        }
    }
}

fn escape<'t>(text: &'t str, out: &mut String) -> Result<&'t str, String> {
    let mut characters = text.chars();
    let digits = match characters.next() {
        Some('u') => 4,
        Some('U') => 8,
        // A line that goes on.
        Some('\n' | '\r' | ' ') => return Ok(text.trim_start()),
        Some(other) => {
            out.push(match other {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                '"' | '\\' => other,
                _ => return Err(format!("`\\{other}` is no escape")),
            });
            return Ok(characters.as_str());
        }
        None => return Err("a string does not end".to_owned()),
    };
    let code = text.get(1..=digits).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
    out.push(code.ok_or("an escape is no character")?);
    Ok(text.get(1 + digits..).unwrap_or_default())
}

fn list(text: &str, depth: usize) -> Result<(Value, &str), String> {
    if depth > DEPTH_MAX {
        return Err("lists lie too deep in each other".to_owned());
    }
    let (mut all, mut rest) = (Vec::new(), blank(text));
    loop {
        if let Some(after) = rest.strip_prefix(']') {
            return Ok((Value::List(all), after));
        }
        let (one, after) = value(rest, depth)?;
        all.push(one);
        rest = blank(after);
        match rest.strip_prefix(',') {
            Some(after) => rest = blank(after),
            None if rest.starts_with(']') => {}
            None => return Err("a list does not end".to_owned()),
        }
        if all.len() > ITEMS_MAX {
            return Err("a list is too long".to_owned());
        }
    }
}
