//! Tokens of GraphQL documents (GraphQL, October 2021, section 2.1).

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'d> {
    /// `! $ & ( ) : = @ [ ] { | }`
    Mark(u8),
    /// `...`
    Spread,
    Name(&'d str),
    Int(&'d str),
    Float,
    Text,
    End,
}

/// A document from where it is read next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lexer<'d> {
    rest: &'d str,
}

// === impl Lexer ===

impl<'d> Lexer<'d> {
    pub(super) fn new(text: &'d str) -> Self {
        Self { rest: text }
    }

    /// The next token; what is none is a mistake.
    pub(super) fn token(&mut self) -> Result<Token<'d>, &'static str> {
        self.skip_ignored();
        let Some(first) = self.rest.bytes().next() else { return Ok(Token::End) };
        match first {
            b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|' | b'}' => {
                self.take(1);
                Ok(Token::Mark(first))
            }
            b'.' => match self.rest.starts_with("...") {
                true => {
                    self.take(3);
                    Ok(Token::Spread)
                }
                false => Err("a dot stands alone"),
            },
            b'"' => self.text(),
            b'-' | b'0'..=b'9' => self.number(),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => Ok(Token::Name(self.take_while(is_of_a_name))),
            _ => Err("a character stands where none may"),
        }
    }

    fn take(&mut self, bytes: usize) -> &'d str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, is: fn(u8) -> bool) -> &'d str {
        let bytes = self.rest.bytes().position(|byte| !is(byte)).unwrap_or(self.rest.len());
        self.take(bytes)
    }

    fn skip_ignored(&mut self) {
        loop {
            let rest = self.rest.trim_start_matches(['\u{feff}', ' ', '\t', '\n', '\r', ',']);
            self.rest = match rest.strip_prefix('#') {
                Some(comment) => comment.trim_start_matches(|letter| !matches!(letter, '\n' | '\r')),
                None => rest,
            };
            if !rest.starts_with('#') {
                return;
            }
        }
    }

    fn number(&mut self) -> Result<Token<'d>, &'static str> {
        const WRONG: &str = "a number is none";
        let text = self.take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'));
        // A number ends before no name (section 2.9.1).
        if self.rest.bytes().next().is_some_and(is_of_a_name) || !crate::json::is_number(text) {
            return Err(WRONG);
        }
        let is_int = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        Ok(if is_int { Token::Int(text) } else { Token::Float })
    }

    fn text(&mut self) -> Result<Token<'d>, &'static str> {
        const OPEN: &str = "a text does not end";
        if let Some(block) = self.rest.strip_prefix("\"\"\"") {
            let mut from = 0;
            loop {
                let at = block.get(from..).and_then(|rest| rest.find("\"\"\"")).ok_or(OPEN)?.saturating_add(from);
                let escaped = block.get(..at).is_some_and(|before| before.ends_with('\\'));
                from = at.saturating_add(3);
                if !escaped {
                    self.rest = block.get(from..).unwrap_or("");
                    return Ok(Token::Text);
                }
            }
        }
        let mut escaped = false;
        for (at, byte) in self.rest.bytes().enumerate().skip(1) {
            match byte {
                b'\n' | b'\r' => return Err(OPEN),
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    self.take(at.saturating_add(1));
                    return Ok(Token::Text);
                }
                _ => {}
            }
        }
        Err(OPEN)
    }
}

fn is_of_a_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}
