//! Text into an expression, or the first mistake with its place and a way out.

use super::{Expression, Operand, PROPERTIES, Parameter, Property};
use std::fmt;

// LIMIT: bytes of an expression.
/// Bytes of an expression.
pub const TEXT_BYTES_MAX: usize = 1024;
// LIMIT: parentheses and `not` inside each other.
/// Parentheses and `not` inside each other.
pub const NESTING_MAX: usize = 16;

// LIMIT: names that lead to a member of the body.
const STEPS_MAX: usize = 16;

const SOURCES: &str = "`path.`, `query.`, `header.`, `body.`, `principal.` or `claims.`";

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The first byte of what is wrong.
    pub start: usize,
    /// The byte after it.
    pub end: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    Text(&'t str),
    Sign(&'static str),
    End,
}

struct Parser<'t> {
    text: &'t str,
    /// The next token, and where it stands.
    token: Token<'t>,
    start: usize,
    end: usize,
    depth: usize,
}

/// What can stand in a name without quotes.
fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.')
}

/// Whether a name needs no quotes.
pub(super) fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_letter)
}

pub(super) fn parse(text: &str) -> Result<Expression, Mistake> {
    let mut parser = Parser { text, token: Token::End, start: 0, end: 0, depth: 0 };
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the expression is longer than {TEXT_BYTES_MAX} bytes");
        return Err(Mistake { start: 0, end: text.len(), message, help: "make several rules of it".to_owned() });
    }
    parser.step()?;
    let expression = parser.any()?;
    match parser.token {
        Token::End => Ok(expression),
        Token::Word(_) | Token::Text(_) | Token::Sign(_) => {
            Err(parser.wrong("the expression should have ended here", "join comparisons with `and` or `or`"))
        }
    }
}

// === impl Parser ===

impl<'t> Parser<'t> {
    fn wrong(&self, message: impl Into<String>, help: impl Into<String>) -> Mistake {
        Mistake { start: self.start, end: self.end, message: message.into(), help: help.into() }
    }

    /// Takes the next token.
    fn step(&mut self) -> Result<(), Mistake> {
        let rest = self.text.get(self.end..).unwrap_or_default();
        let trimmed = rest.trim_start();
        self.start = self.text.len() - trimmed.len();
        let Some(first) = trimmed.chars().next() else {
            (self.token, self.end) = (Token::End, self.start);
            return Ok(());
        };
        let sign = ["==", "!=", "&&", "||", "(", ")", "[", "]", ",", "!"].into_iter();
        if let Some(sign) = sign.clone().find(|sign| trimmed.starts_with(sign)) {
            (self.token, self.end) = (Token::Sign(sign), self.start + sign.len());
            return Ok(());
        }
        if matches!(first, '"' | '\'') {
            return self.string(trimmed, first);
        }
        let length = trimmed.find(|letter| !is_letter(letter)).unwrap_or(trimmed.len());
        if length == 0 {
            self.end = self.start + first.len_utf8();
            let help = match first {
                '=' => "write `==`".to_owned(),
                '&' => "write `and`".to_owned(),
                '|' => "write `or`".to_owned(),
                '<' | '>' => "there is only `==`, `!=` and `in`".to_owned(),
                _ => format!("compare {SOURCES} with each other or with a text in quotes"),
            };
            return Err(self.wrong("this sign has no meaning here", help));
        }
        let word = trimmed.get(..length).unwrap_or_default();
        self.end = self.start + length;
        self.token = match word {
            "and" => Token::Sign("&&"),
            "or" => Token::Sign("||"),
            "not" => Token::Sign("!"),
            "in" => Token::Sign("in"),
            word => Token::Word(word),
        };
        Ok(())
    }

    fn string(&mut self, trimmed: &'t str, mark: char) -> Result<(), Mistake> {
        let inner = trimmed.get(1..).unwrap_or_default();
        let Some((text, _)) = inner.split_once(mark) else {
            self.end = self.text.len();
            return Err(self.wrong("the text has no end", "close the quotes"));
        };
        (self.token, self.end) = (Token::Text(text), self.start + text.len() + 2);
        Ok(())
    }

    fn takes(&mut self, sign: &str) -> Result<bool, Mistake> {
        let is_there = matches!(self.token, Token::Sign(have) if have == sign);
        if is_there {
            self.step()?;
        }
        Ok(is_there)
    }

    fn any(&mut self) -> Result<Expression, Mistake> {
        let mut left = self.all()?;
        while self.takes("||")? {
            left = Expression::Or(Box::new([left, self.all()?]));
        }
        Ok(left)
    }

    fn all(&mut self) -> Result<Expression, Mistake> {
        let mut left = self.one()?;
        while self.takes("&&")? {
            left = Expression::And(Box::new([left, self.one()?]));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Expression, Mistake> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(self.wrong("this is nested too deeply", format!("{NESTING_MAX} levels are the most")));
        }
        let one = if self.takes("!")? {
            Expression::Not(Box::new(self.one()?))
        } else if self.takes("(")? {
            let inner = self.any()?;
            if !self.takes(")")? {
                return Err(self.wrong("a `)` is missing here", "close the parenthesis"));
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(one)
    }

    fn comparison(&mut self) -> Result<Expression, Mistake> {
        let (start, left) = (self.start, self.operand()?);
        let (sign, is_in) = (self.token, self.token == Token::Sign("in"));
        let make: fn(Operand, Operand) -> Expression = match sign {
            Token::Sign("==") => Expression::Equal,
            Token::Sign("!=") => Expression::Unequal,
            Token::Sign("in") => Expression::In,
            Token::Sign(_) | Token::Word(_) | Token::Text(_) | Token::End => {
                return Err(self.wrong("a comparison is missing here", "write `==`, `!=` or `in`"));
            }
        };
        self.step()?;
        let (right_start, right) = (self.start, self.operand()?);
        let end = self.text.get(..self.start).map_or(self.start, |before| before.trim_end().len());
        let at = |start: usize, message: &str, help: &str| Mistake {
            start,
            end,
            message: message.to_owned(),
            help: help.to_owned(),
        };
        let is_fixed = |one: &Operand| matches!(one, Operand::Text(_) | Operand::List(_));
        if is_fixed(&left) && is_fixed(&right) {
            return Err(at(start, "both sides are fixed, so that the answer is always the same", "remove it"));
        }
        if left == right {
            return Err(at(start, "both sides are the same", "compare two different things"));
        }
        let is_list =
            |one: &Operand| matches!(one, Operand::List(_) | Operand::Principal(Property::Roles | Property::Scopes));
        if is_list(&left) || (!is_in && is_list(&right)) {
            let start = if is_list(&left) { start } else { right_start };
            return Err(at(start, "a list cannot be equal to a value", "write `VALUE in LIST`"));
        }
        Ok(make(left, right))
    }

    fn operand(&mut self) -> Result<Operand, Mistake> {
        match self.token {
            Token::Text(text) => {
                let text = text.to_owned();
                self.step()?;
                Ok(Operand::Text(text))
            }
            Token::Sign("[") => self.list(),
            Token::Word(word) => self.source(word),
            Token::Sign(_) | Token::End => {
                Err(self.wrong("a value is missing here", format!("write {SOURCES}, or a text in quotes")))
            }
        }
    }

    fn list(&mut self) -> Result<Operand, Mistake> {
        self.step()?;
        let mut all = Vec::new();
        loop {
            let Token::Text(text) = self.token else {
                return Err(self.wrong("a list holds texts in quotes", "write it like `[\"a\", \"b\"]`"));
            };
            all.push(text.to_owned());
            self.step()?;
            if self.takes("]")? {
                return Ok(Operand::List(all));
            }
            if !self.takes(",")? {
                return Err(self.wrong("the list has no end", "close it with `]`"));
            }
        }
    }

    fn source(&mut self, word: &'t str) -> Result<Operand, Mistake> {
        let (source, name) = match word.split_once('.') {
            Some((source, name)) => (source, Some(name)),
            None => (word, None),
        };
        let known = ["path", "query", "header", "principal", "claims", "body"];
        if !known.contains(&source) {
            let help = format!("write {SOURCES}, or a text in quotes: `\"{word}\"`");
            return Err(self.wrong(format!("`{source}` is nothing that a request has"), help));
        }
        let mistaken = self.wrong(format!("`{word}` has no name behind it"), format!("write `{source}.NAME`"));
        let name = match name {
            Some(name) if is_word(name) && !name.starts_with('.') && !name.ends_with('.') => name,
            None => {
                let (start, end) = (self.start, self.end);
                self.step()?;
                let at_source = |mistake: Mistake| Mistake { start, end, ..mistake };
                return self.bracketed(source).and_then(|name| name.ok_or(mistaken)).and_then(|name| match source {
                    "body" => self.pointed(name).map_err(at_source),
                    _ => self.named(source, name),
                });
            }
            Some(_) => return Err(mistaken),
        };
        let operand = self.named(source, name)?;
        self.step()?;
        Ok(operand)
    }

    /// `["name"]`, for names that are no words; nothing if there is no bracket. The closing bracket is not taken.
    fn bracketed(&mut self, source: &str) -> Result<Option<&'t str>, Mistake> {
        if !self.takes("[")? {
            return Ok(None);
        }
        let Token::Text(name) = self.token else {
            return Err(self.wrong("a name in quotes is missing here", format!("write `{source}[\"NAME\"]`")));
        };
        self.step()?;
        if !self.takes("]")? {
            return Err(self.wrong("a `]` is missing here", "close the bracket"));
        }
        Ok(Some(name))
    }

    /// `body["name"]`, or a JSON Pointer (RFC 6901): `body["/order/user id"]`.
    fn pointed(&self, text: &str) -> Result<Operand, Mistake> {
        let Some(pointer) = text.strip_prefix('/') else { return self.steps(vec![text.to_owned()]) };
        self.steps(pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
    }

    fn steps(&self, names: Vec<String>) -> Result<Operand, Mistake> {
        let name = "write `body.NAME`, with dots into objects, or `body[\"/NAME/NAME\"]`";
        match names.len() {
            _ if names.iter().any(String::is_empty) => Err(self.wrong("a name is missing here", name)),
            length if length > STEPS_MAX => {
                Err(self.wrong("this lies too deep in the body", format!("{STEPS_MAX} names are the most")))
            }
            _ => Ok(Operand::Body(names)),
        }
    }

    fn named(&self, source: &str, name: &str) -> Result<Operand, Mistake> {
        let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        match source {
            "path" => Ok(Operand::Path(Parameter { name: name.to_owned(), place: None })),
            "query" => Ok(Operand::Query(name.to_owned())),
            "header" if plain(name) && !name.is_empty() => Ok(Operand::Header(name.to_owned())),
            "header" => Err(self.wrong("this is not the name of a field", "use letters, digits and `-`")),
            "claims" => Ok(Operand::Claim(name.to_owned())),
            "body" => self.steps(name.split('.').map(str::to_owned).collect()),
            _ => Property::named(name).map(Operand::Principal).ok_or_else(|| {
                let known: Vec<String> = PROPERTIES.iter().map(|(name, _)| format!("`{name}`")).collect();
                let help = format!("known are {}; claims of a token are `claims.NAME`", known.join(", "));
                self.wrong(format!("a principal has no `{name}`"), help)
            }),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}; {}", self.message, self.help)
    }
}

impl std::error::Error for Mistake {}
