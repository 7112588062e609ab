//! One regular expression in the dialect rule files are written in: translated where the two dialects differ
//! silently, refused where they differ in ways we can't translate. Matching is linear in the input.

use regex_automata::meta;
use regex_automata::util::{captures::Captures, syntax};

/// LIMIT: compiled size of one expression; the largest of the Core Rule Set needs a twentieth.
const NFA_SIZE_BYTES: usize = 10 << 20;
/// LIMIT: lazily built states of one expression.
const LAZY_CACHE_BYTES: usize = 1 << 20;

/// A compiled expression over bytes.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: meta::Regex,
    /// The translated source: what the gates are computed from.
    pub(crate) source: String,
    pub(crate) caseless: bool,
    /// `^.*$` and its like match everything: no need to ask the engine.
    everything: bool,
}

// === impl Pattern ===

impl Pattern {
    pub(crate) fn new(source: &str, caseless: bool) -> Result<Self, String> {
        let translated = translate(source)?;
        let regex = meta::Regex::builder()
            .syntax(syntax(caseless))
            .configure(
                meta::Config::new()
                    .utf8_empty(false)
                    .nfa_size_limit(Some(NFA_SIZE_BYTES))
                    .hybrid_cache_capacity(LAZY_CACHE_BYTES),
            )
            .build(&translated)
            .map_err(|e| match e.syntax_error() {
                Some(syntax) => format!("expression: {}", last_line(&syntax.to_string())),
                None => format!("expression: {e}"),
            })?;
        let everything = matches!(translated.as_str(), "^.*$" | ".*" | "^.*");
        Ok(Self { regex, source: translated, caseless, everything })
    }

    pub(crate) fn is_match(&self, bytes: &[u8]) -> bool {
        self.everything || self.regex.is_match(bytes)
    }

    /// The spans of the whole match and its first nine groups.
    pub(crate) fn captures(&self, bytes: &[u8]) -> Option<Vec<Option<(usize, usize)>>> {
        let mut captures: Captures = self.regex.create_captures();
        self.regex.captures(bytes, &mut captures);
        if !captures.is_match() {
            return None;
        }
        Some((0..captures.group_len().min(10)).map(|i| captures.get_group(i).map(|s| (s.start, s.end))).collect())
    }

    /// The span of the leftmost match.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<(usize, usize)> {
        if self.everything {
            return Some((0, bytes.len()));
        }
        self.regex.find(bytes).map(|m| (m.start(), m.end()))
    }

    /// Whether there are groups besides the whole match.
    pub(crate) fn has_groups(&self) -> bool {
        self.regex.captures_len() > 1
    }
}

/// The sentence below a drawing of the expression, so that a message is one line.
fn last_line(text: &str) -> &str {
    let line = text.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line)
}

/// The syntax all expressions are read with: bytes, no Unicode, dot matches everything, `$` only at the very end.
pub(crate) fn syntax(caseless: bool) -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true).case_insensitive(caseless)
}

/// Rewrites what the two dialects read differently without complaint; refuses what has no equivalent.
fn translate(source: &str) -> Result<String, String> {
    let mut out = String::with_capacity(source.len());
    let mut chars = source.chars().peekable();
    let mut in_class = false;
    let mut class_start = false;
    let mut previous_quantifier = false;
    while let Some(c) = chars.next() {
        let mut quantifier = false;
        match c {
            '\\' => escape(&mut chars, &mut out)?,
            '[' if in_class => {
                // `[:alpha:]` is the same in both; any other bracket in a class is itself.
                if chars.peek() == Some(&':') {
                    posix_class(&mut chars, &mut out)?;
                } else {
                    out.push_str("\\[");
                }
            }
            '[' => {
                in_class = true;
                class_start = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
                previous_quantifier = false;
                continue;
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            '-' if in_class && chars.peek() == Some(&'-') => {
                if !class_start {
                    return Err("`--` inside a character class is read differently by different engines".into());
                }
                out.push_str("\\-");
            }
            '*' | '+' | '?' | '}' if !in_class => {
                if c == '+' && previous_quantifier {
                    return Err("possessive quantifiers aren't supported: matching here is linear without them".into());
                }
                quantifier = true;
                out.push(c);
            }
            _ => out.push(c),
        }
        class_start = false;
        previous_quantifier = quantifier;
    }
    Ok(out)
}

fn escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Result<(), String> {
    let Some(next) = chars.next() else { return Err("expression ends with a backslash".into()) };
    match next {
        // Word boundaries in one dialect, the characters themselves in the other.
        '<' | '>' => out.push(next),
        'v' => return Err("`\\v` is read differently by different engines; write `\\x0b`".into()),
        'x' if chars.peek() == Some(&'{') => {
            chars.next();
            let digits: String = std::iter::from_fn(|| chars.next_if(|c| *c != '}')).collect();
            chars.next();
            if digits.is_empty() || digits.len() > 2 {
                return Err(format!("`\\x{{{digits}}}` isn't a byte"));
            }
            out.push_str(&format!("\\x{digits:0>2}"));
        }
        _ => {
            out.push('\\');
            out.push(next);
        }
    }
    Ok(())
}

fn posix_class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Result<(), String> {
    let rest: String = chars.clone().take(12).collect();
    let Some(end) = rest.find(":]") else {
        out.push_str("\\[");
        return Ok(());
    };
    out.push('[');
    for _ in 0..rest.get(..end + 2).map_or(0, |s| s.chars().count()) {
        out.extend(chars.next());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
