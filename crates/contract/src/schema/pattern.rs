//! Expressions of ECMA 262, matched in linear time, or refused with a reason.
//!
//! What both dialects write alike but mean differently is rewritten (`\d` and `\w` are ASCII, `\s` is not, `.` stops at four
//! line ends); what cannot be matched in linear time (looking around, referring back) has no translation.

mod bytes;

use regex_automata::Input;
use regex_automata::dfa::dense::{self, DFA};
use regex_automata::dfa::{Automaton, StartKind};
use regex_automata::meta::Regex;
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::syntax;

/// LIMIT: bytes of an expression.
const EXPRESSION_BYTES_MAX: usize = 4_096;
/// LIMIT: memory of one compiled expression.
const COMPILED_BYTES_MAX: usize = 2 << 20;
/// LIMIT: memory of one table.
const TABLE_BYTES_MAX: usize = 32 << 10;
/// LIMIT: nesting within an expression.
const NESTING_MAX: u32 = 64;
/// LIMIT: of the expression that a violation shows.
const SHOWN_CHARS_MAX: usize = 120;

const SPACE: &str = r"\t\n\x0b\x0c\r\x20\u{a0}\u{feff}\p{Zs}\u{2028}\u{2029}";
const SPACE_NOT: &str = r"[^\t\n\x0b\x0c\r\x20\u{a0}\u{feff}\p{Zs}\u{2028}\u{2029}]";

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// The same as one table, where that is small: it needs no memory of its own while it matches.
    table: Option<DFA<Vec<u32>>>,
    source: Box<str>,
}

// === impl Pattern ===

impl Pattern {
    /// # Errors
    /// What has no translation.
    pub(crate) fn new(source: &str) -> Result<Self, String> {
        if source.len() > EXPRESSION_BYTES_MAX {
            return Err(format!("the expression is longer than {EXPRESSION_BYTES_MAX} bytes"));
        }
        let translated = Translator { rest: source.chars().peekable(), written: String::new() }.translate()?;
        let config = Regex::config().nfa_size_limit(Some(COMPILED_BYTES_MAX));
        let dialect = syntax::Config::new().nest_limit(NESTING_MAX);
        let table = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .dfa_size_limit(Some(TABLE_BYTES_MAX))
                    .determinize_size_limit(Some(4 * TABLE_BYTES_MAX))
                    .start_kind(StartKind::Unanchored),
            )
            .thompson(
                thompson::Config::new().nfa_size_limit(Some(COMPILED_BYTES_MAX)).which_captures(WhichCaptures::None),
            )
            .syntax(dialect)
            .build(&translated)
            .ok();
        let regex = Regex::builder().configure(config).syntax(dialect).build(&translated).map_err(|error| {
            match (error.syntax_error(), error.size_limit()) {
                (_, Some(_)) => "the expression becomes too large".to_owned(),
                (Some(error), _) => format!("the expression is not valid: {}", reason(error)),
                (None, None) => "the expression is not valid".to_owned(),
            }
        })?;
        Ok(Self { regex, table, source: source.into() })
    }

    pub(crate) fn fits(&self, text: &str) -> bool {
        if let Some(table) = &self.table
            && let Ok(end) = table.try_search_fwd(&Input::new(text).earliest(true))
        {
            return end.is_some();
        }
        self.regex.is_match(text)
    }

    /// For a message: the expression stands in the contract, so it is no secret.
    pub(crate) fn shown(&self) -> String {
        self.source.chars().take(SHOWN_CHARS_MAX).collect()
    }
}

fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        _ => "its syntax is unknown".to_owned(),
    }
}

struct Translator<'s> {
    rest: std::iter::Peekable<std::str::Chars<'s>>,
    written: String,
}

// === impl Translator ===

impl Translator<'_> {
    fn translate(mut self) -> Result<String, String> {
        while let Some(letter) = self.rest.next() {
            match letter {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '.' => self.written.push_str(r"[^\n\r\u{2028}\u{2029}]"),
                '(' => self.group()?,
                '{' => self.brace(),
                // A brace that closes nothing stands for itself.
                '}' => self.written.push_str(r"\}"),
                other => self.written.push(other),
            }
        }
        Ok(self.written)
    }

    /// `{2,3}` counts, any other brace stands for itself (ECMA 262, annex B.1.2).
    fn brace(&mut self) {
        let ahead: String = self.rest.clone().take_while(|letter| *letter != '}').take(24).collect();
        let closed = self.rest.clone().nth(ahead.chars().count()) == Some('}');
        let (least, most) = ahead.split_once(',').unwrap_or((&ahead, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !closed || least.is_empty() || !digits(least) || !digits(most) {
            self.written.push_str(r"\{");
            return;
        }
        self.written.push('{');
        self.written.push_str(&ahead);
        self.written.push('}');
        for _ in 0..=ahead.chars().count() {
            self.rest.next();
        }
    }

    fn group(&mut self) -> Result<(), String> {
        if self.rest.peek() != Some(&'?') {
            self.written.push('(');
            return Ok(());
        }
        self.rest.next();
        match (self.rest.next(), self.rest.peek()) {
            (Some(':'), _) => self.written.push_str("(?:"),
            (Some('='), _) | (Some('!'), _) | (Some('<'), Some('=' | '!')) => {
                return Err("looking ahead or behind cannot be matched in linear time".to_owned());
            }
            (Some('<'), _) => self.written.push_str("(?<"),
            _ => return Err("the kind of group is unknown".to_owned()),
        }
        Ok(())
    }

    /// Stands behind the backslash.
    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let Some(letter) = self.rest.next() else { return Err("it ends with a backslash".to_owned()) };
        let set = |plain: &str| if in_class { plain.to_owned() } else { format!("[{plain}]") };
        let text = match letter {
            'd' => set("0-9"),
            'w' => set("0-9A-Za-z_"),
            's' => set(SPACE),
            'D' => "[^0-9]".to_owned(),
            'W' => "[^0-9A-Za-z_]".to_owned(),
            'S' => SPACE_NOT.to_owned(),
            'b' if in_class => r"\x08".to_owned(),
            'b' => r"(?-u:\b)".to_owned(),
            'B' if !in_class => r"(?-u:\B)".to_owned(),
            't' | 'n' | 'r' => format!("\\{letter}"),
            'v' => r"\x0b".to_owned(),
            'f' => r"\x0c".to_owned(),
            '0' => self.octal(),
            '1'..='9' if !in_class => return Err("referring back cannot be matched in linear time".to_owned()),
            'k' if !in_class => return Err("referring back cannot be matched in linear time".to_owned()),
            'c' => self.control()?,
            'x' => self.hexadecimal(2)?,
            'u' => self.unicode()?,
            'p' | 'P' => self.property(letter)?,
            other if other.is_ascii_alphanumeric() => return Err(format!("`\\{other}` is no escape of ECMA 262")),
            other => regex_syntax::escape(&other.to_string()),
        };
        self.written.push_str(&text);
        Ok(())
    }

    /// `\0`, and what old expressions write behind it (ECMA 262, annex B.1.2).
    fn octal(&mut self) -> String {
        let mut value = 0;
        for _ in 0..2 {
            let digit = self.rest.next_if(|letter| matches!(letter, '0'..='7')).and_then(|letter| letter.to_digit(8));
            let Some(digit) = digit else { break };
            value = value * 8 + digit;
        }
        format!("\\x{value:02x}")
    }

    fn control(&mut self) -> Result<String, String> {
        match self.rest.next() {
            Some(letter) if letter.is_ascii_alphabetic() => Ok(format!("\\x{:02x}", u32::from(letter) % 32)),
            Some(_) | None => Err("`\\c` names no control character".to_owned()),
        }
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some(value << 4 | self.rest.next()?.to_digit(16)?))
    }

    fn hexadecimal(&mut self, count: usize) -> Result<String, String> {
        let value = self.digits(count).ok_or("an escape has too few hexadecimal digits")?;
        Ok(format!("\\u{{{value:x}}}"))
    }

    fn unicode(&mut self) -> Result<String, String> {
        if self.rest.peek() == Some(&'{') {
            let name: String = self.rest.by_ref().skip(1).take_while(|letter| *letter != '}').take(16).collect();
            let value = u32::from_str_radix(&name, 16).map_err(|_| "`\\u{…}` names no character")?;
            return Ok(format!("\\u{{{value:x}}}"));
        }
        let first = self.digits(4).ok_or("an escape has too few hexadecimal digits")?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(format!("\\u{{{first:x}}}"));
        }
        let pair = (self.rest.next(), self.rest.next());
        let second = self.digits(4).filter(|second| (0xdc00..0xe000).contains(second));
        match (pair, second) {
            ((Some('\\'), Some('u')), Some(second)) => {
                Ok(format!("\\u{{{:x}}}", 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)))
            }
            _ => Err("half of a surrogate pair matches nothing".to_owned()),
        }
    }

    fn property(&mut self, letter: char) -> Result<String, String> {
        if self.rest.next() != Some('{') {
            return Err("a property has no name in braces".to_owned());
        }
        let name: String = self.rest.by_ref().take_while(|letter| *letter != '}').take(64).collect();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'=')) {
            return Err("a property has no name in braces".to_owned());
        }
        Ok(format!("\\{letter}{{{name}}}"))
    }

    /// Stands behind the bracket. Within a class nothing but `\`, `]`, `^` and `-` has a meaning in ECMA 262.
    fn class(&mut self) -> Result<(), String> {
        let negated = self.rest.next_if_eq(&'^').is_some();
        if self.rest.next_if_eq(&']').is_some() {
            // `[]` fits nothing and `[^]` everything.
            self.written.push_str(if negated { r"[\s\S]" } else { r"[^\s\S]" });
            return Ok(());
        }
        self.written.push_str(if negated { "[^" } else { "[" });
        loop {
            match self.rest.next() {
                None => return Err("a class does not end".to_owned()),
                Some(']') => break,
                Some('\\') => self.escape(true)?,
                Some(letter @ ('[' | '&' | '~' | '^')) => {
                    self.written.push('\\');
                    self.written.push(letter);
                }
                Some('-') => self.dash(),
                Some(other) => self.written.push(other),
            }
        }
        self.written.push(']');
        Ok(())
    }

    /// A dash is a range between two characters, and itself beside a set, at the start and at the end.
    fn dash(&mut self) {
        let mut ahead = self.rest.clone();
        let set_ahead = match (ahead.next(), ahead.next()) {
            (Some(']') | None, _) => true,
            (Some('\\'), Some(letter)) => "dDwWsSpP".contains(letter),
            _ => false,
        };
        let set_behind = self.written.ends_with([']', '[']) && !self.written.ends_with(r"\[")
            || self.written.ends_with("[^")
            || self.written.ends_with("0-9")
            || self.written.ends_with("0-9A-Za-z_")
            || self.written.ends_with(SPACE);
        self.written.push_str(if set_ahead || set_behind { r"\-" } else { "-" });
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn expressions_mean_what_ecma_says() {
        for (source, text, expected) in [
            ("^a.b$", "a\nb", false),
            ("^a.b$", "aéb", true),
            ("^\\d+$", "12", true),
            ("^\\d+$", "१२", false),
            ("^\\w$", "é", false),
            ("^\\s$", "\u{a0}", true),
            ("^\\S$", "\u{feff}", false),
            ("a$", "a\n", false),
            ("^[\\w.-]+$", "a-b.c", true),
            ("^[\\w-]+$", "a-b", true),
            ("^[a-\\d]+$", "-", true),
            ("^[^]$", "x", true),
            ("^[[a&&b]+$", "[a&&b", true),
            ("^\\/a\\-b\\_$", "/a-b_", true),
            ("^\\u0061\\x62\\cA$", "ab\u{1}", true),
            ("^\\ud83d\\ude00$", "😀", true),
            ("^\\p{Letter}+$", "éa", true),
            ("^[\\0-\\037]\\01\\0$", "\u{1f}\u{1}\0", true),
            ("^a{2}$", "aa", true),
            ("^{a}$", "{a}", true),
            ("^(?<year>\\d{4})$", "2024", true),
            ("\\bfoo\\b", "a foo b", true),
            ("^[0-9a-zA-Z~^]*$", "~^", true),
            ("^\\$\\{x\\}$", "${x}", true),
        ] {
            let pattern = Pattern::new(source).unwrap_or_else(|error| panic!("{source}: {error}"));
            assert_eq!(pattern.fits(text), expected, "{source} {text:?}");
        }
    }

    #[test]
    fn what_cannot_be_linear_or_is_none_is_refused() {
        let nested = "(".repeat(5_000);
        for source in [
            "(?=a)b",
            "(?!a)",
            "(?<=a)b",
            "(?<!a)b",
            "(a)\\1",
            "(?<x>a)\\k<x>",
            "[a",
            "(",
            "\\",
            "\\a",
            "(?i)a",
            "\\p{Nothing}",
            "((a{1000}){1000}){1000}",
            &nested,
            "[b-a]",
            "\\u{110000}",
            "*a",
        ] {
            assert!(Pattern::new(source).is_err(), "{}", &source[..source.len().min(40)]);
        }
    }
}
