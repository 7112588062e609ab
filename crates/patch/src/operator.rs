//! What a value is asked for.

use crate::judge::{Held, Kind};
use regex_automata::meta::Regex;
use regex_automata::util::syntax;

/// LIMIT: bytes of a text or an expression to compare with.
const TEXT_BYTES_MAX: usize = 4_096;
/// LIMIT: memory of a compiled expression.
const COMPILED_BYTES_MAX: usize = 1 << 20;
/// LIMIT: nesting within an expression.
const NESTING_MAX: u32 = 64;

/// One question about a value; all of them are answered in time linear in its length.
#[derive(Clone, Debug)]
pub(crate) enum Operator {
    /// Anything is there.
    Present,
    /// Nothing is there.
    Absent,
    Text(Comparison, Vec<u8>, bool),
    /// An expression, and whether it is asked for what does not match it. Matching never waits: memory that another thread uses is not
    /// waited for but made anew.
    Matches(Box<Regex>, bool),
    /// More bytes than this.
    LongerThan(u64),
    /// A value of JSON is, or is not, of this kind.
    Is(Kind, bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equals,
    NotEquals,
    Contains,
    StartsWith,
    EndsWith,
}

// === impl Operator ===

impl Operator {
    /// Compares texts, in whatever case if so said.
    pub(crate) fn text(comparison: Comparison, text: &str, ignore_case: bool) -> Result<Self, String> {
        if text.is_empty() && !matches!(comparison, Comparison::Equals | Comparison::NotEquals) {
            return Err("every value has an empty text in it".to_owned());
        }
        let text = bounded(text)?;
        let text = if ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
        Ok(Self::Text(comparison, text.into_bytes(), ignore_case))
    }

    pub(crate) fn expression(text: &str, ignore_case: bool, not: bool) -> Result<Self, String> {
        // Values are bytes: what is no UTF-8 must not go by unseen.
        let dialect = syntax::Config::new().utf8(false).nest_limit(NESTING_MAX).case_insensitive(ignore_case);
        let config = Regex::config().utf8_empty(false).nfa_size_limit(Some(COMPILED_BYTES_MAX));
        let built = Regex::builder().configure(config).syntax(dialect).build(bounded(text)?);
        let regex = built.map_err(|error| match error.size_limit() {
            Some(_) => "the expression becomes too large".to_owned(),
            None => "the expression is not valid, or cannot be matched in linear time".to_owned(),
        })?;
        Ok(Self::Matches(Box::new(regex), not))
    }

    /// Whether it is about what is not there.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether it is about a value that is there, whatever it is.
    pub(crate) fn is_present(&self) -> bool {
        matches!(self, Self::Present)
    }

    pub(crate) fn asks_kind(&self) -> bool {
        matches!(self, Self::Is(..))
    }

    /// Whether a value that is there is what is asked for.
    pub(crate) fn fits(&self, value: &Held<'_>) -> bool {
        match self {
            Self::Present => true,
            Self::Absent => false,
            Self::Is(kind, not) => value.kind.is_some_and(|have| (have == *kind) != *not),
            // What holds others is no text; how its parts read is asked of them.
            _ if matches!(value.kind, Some(Kind::Array | Kind::Object)) => false,
            Self::Text(comparison, text, ignore_case) => match ignore_case {
                true => compare(*comparison, &value.bytes.to_ascii_lowercase(), text),
                false => compare(*comparison, value.bytes, text),
            },
            Self::Matches(regex, not) => regex.is_match(value.bytes) != *not,
            Self::LongerThan(bytes) => u64::try_from(value.bytes.len()).unwrap_or(u64::MAX) > *bytes,
        }
    }
}

fn compare(comparison: Comparison, value: &[u8], text: &[u8]) -> bool {
    match comparison {
        Comparison::Equals => value == text,
        Comparison::NotEquals => value != text,
        Comparison::Contains => memchr::memmem::find(value, text).is_some(),
        Comparison::StartsWith => value.starts_with(text),
        Comparison::EndsWith => value.ends_with(text),
    }
}

fn bounded(text: &str) -> Result<&str, String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("a text to compare with has at most {TEXT_BYTES_MAX} bytes"));
    }
    Ok(text)
}
