//! Operators, compiled: does this value match, and what did it match? Macros in arguments are expanded by the caller.

mod ip;
mod phrases;

use crate::bytes::integer;
use crate::loader::{Source, beside};
use crate::pattern::Pattern;
use crate::seclang::{OperatorName, OperatorSource};
use crate::template::Template;
pub(crate) use ip::Network;
pub(crate) use phrases::Phrases;
use std::sync::Arc;

/// How numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    Ge,
    Gt,
    Le,
    Lt,
}

/// How texts compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextTest {
    Equals,
    Within,
    Contains,
    ContainsWord,
    BeginsWith,
    EndsWith,
}

/// What a rule asks of a value.
#[derive(Debug, Clone)]
pub(crate) enum Operator {
    Rx(Arc<Pattern>),
    Phrases(Arc<Phrases>),
    Number(Comparison, Template),
    Text(TextTest, Template),
    Ip(Vec<Network>),
    Sqli,
    Xss,
    /// Matches if a byte lies outside the set.
    ByteRange(Box<[bool; 256]>),
    UrlEncoding,
    Utf8,
    Always,
    Never,
}

/// What an operator found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// It matched, with nothing to capture.
    Plain,
    /// The pieces of the value to capture, the whole match first.
    Groups(Vec<Option<(usize, usize)>>),
    /// A text of the operator's own.
    Text(Vec<u8>),
}

// === impl Operator ===

impl Operator {
    /// Compiles an operator; data files are read beside the rule file.
    pub(crate) fn compile(source: &OperatorSource, file: &str, files: &dyn Source) -> Result<Self, String> {
        let argument = source.argument.as_str();
        let number = |c| Template::parse(argument).map(|t| Operator::Number(c, t));
        let text = |c| Template::parse(argument).map(|t| Operator::Text(c, t));
        match source.name {
            OperatorName::Rx if argument.contains("%{") => Err("macros in expressions aren't supported".into()),
            OperatorName::Rx => Ok(Operator::Rx(Arc::new(Pattern::new(argument, false)?))),
            OperatorName::Pm => Ok(Operator::Phrases(Arc::new(Phrases::inline(argument)?))),
            OperatorName::PmFromFile => {
                let mut phrases = Vec::new();
                for name in argument.split_whitespace() {
                    phrases.extend(phrases::lines(&files.read(&beside(file, name))?));
                }
                Ok(Operator::Phrases(Arc::new(Phrases::new(phrases)?)))
            }
            OperatorName::Eq => number(Comparison::Eq),
            OperatorName::Ge => number(Comparison::Ge),
            OperatorName::Gt => number(Comparison::Gt),
            OperatorName::Le => number(Comparison::Le),
            OperatorName::Lt => number(Comparison::Lt),
            OperatorName::StrEq => text(TextTest::Equals),
            OperatorName::Within => text(TextTest::Within),
            OperatorName::Contains | OperatorName::StrMatch => text(TextTest::Contains),
            OperatorName::ContainsWord => text(TextTest::ContainsWord),
            OperatorName::BeginsWith => text(TextTest::BeginsWith),
            OperatorName::EndsWith => text(TextTest::EndsWith),
            OperatorName::IpMatch => Ok(Operator::Ip(ip::networks(argument.split(','))?)),
            OperatorName::IpMatchFromFile => {
                let text = files.read(&beside(file, argument.trim()))?;
                Ok(Operator::Ip(ip::networks(text.lines().filter(|l| !l.trim_start().starts_with('#')))?))
            }
            OperatorName::DetectSqli => Ok(Operator::Sqli),
            OperatorName::DetectXss => Ok(Operator::Xss),
            OperatorName::ValidateByteRange => byte_range(argument).map(|set| Operator::ByteRange(Box::new(set))),
            OperatorName::ValidateUrlEncoding => Ok(Operator::UrlEncoding),
            OperatorName::ValidateUtf8Encoding => Ok(Operator::Utf8),
            OperatorName::UnconditionalMatch => Ok(Operator::Always),
            OperatorName::NoMatch => Ok(Operator::Never),
        }
    }

    /// The argument, where it may hold macros.
    pub(crate) fn template(&self) -> Option<&Template> {
        match self {
            Operator::Number(_, template) | Operator::Text(_, template) => Some(template),
            Operator::Rx(_)
            | Operator::Phrases(_)
            | Operator::Ip(_)
            | Operator::Sqli
            | Operator::Xss
            | Operator::ByteRange(_)
            | Operator::UrlEncoding
            | Operator::Utf8
            | Operator::Always
            | Operator::Never => None,
        }
    }

    pub(crate) fn template_mut(&mut self) -> Option<&mut Template> {
        if let Operator::Number(_, template) | Operator::Text(_, template) = self { Some(template) } else { None }
    }

    /// What a byte costs, an expression's being one.
    pub(crate) fn cost(&self) -> usize {
        match self {
            Operator::Sqli => 24,
            Operator::Xss => 8,
            Operator::Rx(_)
            | Operator::Phrases(_)
            | Operator::Number(..)
            | Operator::Text(..)
            | Operator::Ip(_)
            | Operator::ByteRange(_)
            | Operator::UrlEncoding
            | Operator::Utf8
            | Operator::Always
            | Operator::Never => 1,
        }
    }

    /// Whether `value` matches; `argument` is the expanded template. With `capture`, says what was found.
    pub(crate) fn test(&self, value: &[u8], argument: &[u8], capture: bool) -> Option<Found> {
        let plain = |matched: bool| matched.then_some(Found::Plain);
        match self {
            Operator::Rx(pattern) if !capture => plain(pattern.is_match(value)),
            Operator::Rx(pattern) if !pattern.has_groups() => {
                pattern.find(value).map(|span| Found::Groups(vec![Some(span)]))
            }
            Operator::Rx(pattern) => pattern.captures(value).map(Found::Groups),
            Operator::Phrases(phrases) => phrases.find(value).map(|span| Found::Groups(vec![Some(span)])),
            Operator::Number(comparison, _) => plain(comparison.holds(integer(value), integer(argument))),
            Operator::Text(test, _) => plain(test.holds(value, argument)),
            Operator::Ip(networks) => plain(ip::parse(value).is_some_and(|ip| networks.iter().any(|n| n.contains(ip)))),
            Operator::Sqli => {
                let result = libinjectionrs::detect_sqli(value);
                result
                    .is_injection()
                    .then(|| Found::Text(result.fingerprint.map_or_else(Vec::new, |f| f.as_str().as_bytes().to_vec())))
            }
            Operator::Xss => plain(libinjectionrs::detect_xss(value).is_injection()),
            Operator::ByteRange(set) => {
                plain(value.iter().any(|b| !set.get(usize::from(*b)).copied().unwrap_or(false)))
            }
            Operator::UrlEncoding => plain(broken_url_encoding(value)),
            Operator::Utf8 => plain(std::str::from_utf8(value).is_err()),
            Operator::Always => Some(Found::Plain),
            Operator::Never => None,
        }
    }
}

// === impl Comparison ===

impl Comparison {
    pub(crate) fn holds(self, value: i64, argument: i64) -> bool {
        match self {
            Comparison::Eq => value == argument,
            Comparison::Ge => value >= argument,
            Comparison::Gt => value > argument,
            Comparison::Le => value <= argument,
            Comparison::Lt => value < argument,
        }
    }
}

// === impl TextTest ===

impl TextTest {
    pub(crate) fn holds(self, value: &[u8], argument: &[u8]) -> bool {
        match self {
            TextTest::Equals => value == argument,
            TextTest::Within => memchr::memmem::find(argument, value).is_some(),
            TextTest::Contains => memchr::memmem::find(value, argument).is_some(),
            TextTest::ContainsWord => contains_word(value, argument),
            TextTest::BeginsWith => value.starts_with(argument),
            TextTest::EndsWith => value.ends_with(argument),
        }
    }
}

fn contains_word(value: &[u8], word: &[u8]) -> bool {
    let is_word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    memchr::memmem::find_iter(value, word).any(|at| {
        let before = at.checked_sub(1).and_then(|i| value.get(i));
        !is_word(before) && !is_word(value.get(at + word.len()))
    })
}

/// `1-255,9,10`: the bytes that are allowed.
fn byte_range(text: &str) -> Result<[bool; 256], String> {
    let mut set = [false; 256];
    let number = |t: &str| t.trim().parse::<u8>().map_err(|_| format!("`{t}` isn't a byte"));
    for piece in text.split(',') {
        let (from, to) = match piece.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None => (number(piece)?, number(piece)?),
        };
        for slot in set.iter_mut().take(usize::from(to) + 1).skip(usize::from(from)) {
            *slot = true;
        }
    }
    Ok(set)
}

/// A percent sign without two hexadecimal digits.
fn broken_url_encoding(value: &[u8]) -> bool {
    memchr::memchr_iter(b'%', value).any(|at| crate::bytes::hex_pair(value, at + 1).is_none())
}

#[cfg(test)]
mod tests;
