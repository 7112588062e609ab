//! Where in a document: the part of JSONPath (RFC 9535) that can be followed while a document passes. Filters, slices and
//! places counted from the end need what has not come yet.

use std::fmt;

// LIMIT: bytes of a path.
const PATH_BYTES_MAX: usize = 1_024;
// LIMIT: steps of a path.
const STEPS_MAX: usize = 64;

/// A place in a document: `$.customer.email`, `$.items[*].price`, `$..iban`, `$['a b']`, `$.list[0]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    pub(crate) steps: Vec<Step>,
}

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The member of this name.
    Member(String),
    /// The item at this place, from 0.
    Item(u32),
    /// Any member, any item.
    Any,
    /// Any number of steps, also none.
    Descend,
}

/// Why a text is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathError {
    /// The byte at which it stops being one.
    pub at: usize,
    /// What was expected there.
    pub expected: &'static str,
}

// === impl Path ===

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// Where the text stops being one, and what was expected there.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.len() > PATH_BYTES_MAX {
            return Err(PathError { at: PATH_BYTES_MAX, expected: "at most 1,024 bytes" });
        }
        let mut reader = Reader { text, at: 0 };
        reader.expect("$", "`$`, the document")?;
        let mut steps = Vec::new();
        while !reader.rest().is_empty() {
            reader.step(&mut steps)?;
            if steps.len() > STEPS_MAX {
                return Err(reader.wrong("at most 64 steps"));
            }
        }
        Ok(Self { steps })
    }

    /// The steps down, from the document.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// A path along these names; `None` stands for the items of a list.
    #[must_use]
    pub fn along<'n>(names: impl IntoIterator<Item = Option<&'n str>>) -> Self {
        let step = |name: Option<&str>| name.map_or(Step::Any, |name| Step::Member(name.to_owned()));
        Self { steps: names.into_iter().map(step).collect() }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("$")?;
        let mut descends = false;
        for step in &self.steps {
            let dot = if descends { "" } else { "." };
            match step {
                Step::Descend => formatter.write_str("..")?,
                Step::Any if descends => formatter.write_str("*")?,
                Step::Any => formatter.write_str("[*]")?,
                Step::Item(index) => write!(formatter, "[{index}]")?,
                Step::Member(name) if name.bytes().all(is_plain) && !name.is_empty() => {
                    write!(formatter, "{dot}{name}")?;
                }
                Step::Member(name) => write!(formatter, "['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))?,
            }
            descends = *step == Step::Descend;
        }
        Ok(())
    }
}

/// Whether a byte needs no brackets.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || !byte.is_ascii()
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn wrong(&self, expected: &'static str) -> PathError {
        PathError { at: self.at, expected }
    }

    fn take(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    fn expect(&mut self, text: &str, expected: &'static str) -> Result<(), PathError> {
        if self.take(text) { Ok(()) } else { Err(self.wrong(expected)) }
    }

    fn step(&mut self, steps: &mut Vec<Step>) -> Result<(), PathError> {
        if self.take("..") {
            steps.push(Step::Descend);
            let step = if self.take("[") { self.bracket()? } else { self.name()? };
            steps.push(step);
        } else if self.take(".") {
            steps.push(self.name()?);
        } else if self.take("[") {
            steps.push(self.bracket()?);
        } else {
            return Err(self.wrong("`.`, `..` or `[`"));
        }
        Ok(())
    }

    fn name(&mut self) -> Result<Step, PathError> {
        if self.take("*") {
            return Ok(Step::Any);
        }
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !is_plain(byte)).unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or_default();
        if name.is_empty() {
            return Err(self.wrong("a name or `*`"));
        }
        self.at += length;
        Ok(Step::Member(name.to_owned()))
    }

    fn bracket(&mut self) -> Result<Step, PathError> {
        let step = if self.take("*") {
            Step::Any
        } else if self.take("'") {
            self.quoted('\'')?
        } else if self.take("\"") {
            self.quoted('"')?
        } else {
            self.index()?
        };
        self.expect("]", "`]`")?;
        Ok(step)
    }

    fn index(&mut self) -> Result<Step, PathError> {
        let expected = "`*`, a name in quotes or a place from 0";
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let number = self.rest().get(..digits).unwrap_or_default();
        let index = number.parse().map_err(|_| self.wrong(expected))?;
        self.at += digits;
        Ok(Step::Item(index))
    }

    fn quoted(&mut self, quote: char) -> Result<Step, PathError> {
        let mut name = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some((_, next)) if next == '\\' || next == quote => name.push(next),
                    _ => return Err(PathError { at: self.at + at, expected: "a quote or `\\` behind `\\`" }),
                },
                _ if character == quote => {
                    self.at += at + 1;
                    return Ok(Step::Member(name));
                }
                _ => name.push(character),
            }
        }
        self.at = self.text.len();
        Err(self.wrong("a closing quote"))
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn paths_are_read_and_shown() {
        for (text, shown) in [
            ("$", "$"),
            ("$.customer.email", "$.customer.email"),
            ("$.items[*].price", "$.items[*].price"),
            ("$.*", "$[*]"),
            ("$..iban", "$..iban"),
            ("$..*", "$..*"),
            ("$..['a b']", "$..['a b']"),
            ("$['a.b'][\"c\"]", "$['a.b'].c"),
            ("$['it\\'s']", "$['it\\'s']"),
            ("$['']", "$['']"),
            ("$.list[12]", "$.list[12]"),
            ("$.x-rate", "$.x-rate"),
            ("$.größe", "$.größe"),
        ] {
            let path = Path::parse(text).unwrap();
            assert_eq!(path.to_string(), shown);
            assert_eq!(Path::parse(shown).unwrap(), path, "{text}");
        }
    }

    #[test]
    fn what_is_no_path_says_where() {
        for (text, at) in [
            ("", 0),
            ("customer", 0),
            ("$customer", 1),
            ("$.", 2),
            ("$..", 3),
            ("$.a b", 3),
            ("$[-1]", 2),
            ("$[1:2]", 3),
            ("$[?@.a]", 2),
            ("$['a]", 5),
            ("$['a'", 5),
            ("$['a\\n']", 4),
            ("$[99999999999]", 2),
        ] {
            assert_eq!(Path::parse(text).unwrap_err().at, at, "{text}");
        }
    }
}
