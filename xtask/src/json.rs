//! A small JSON reader, for what cargo prints about the workspace.

/// LIMIT: deeper nesting is refused, so that a strange file cannot exhaust the stack.
const DEPTH_MAX: usize = 64;

/// A JSON value; objects keep the order of their members.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

impl Value {
    /// Reads one value that fills the whole text.
    pub(crate) fn parse(text: &str) -> Result<Value, String> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        reader.space();
        if reader.at == text.len() { Ok(value) } else { Err(reader.error("the end")) }
    }

    /// A member of an object.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        let Value::Map(members) = self else { return None };
        members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// A text member of an object.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_text)
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// A list member of an object; nothing is an empty list.
    pub(crate) fn list(&self, key: &str) -> &[Value] {
        if let Some(Value::List(items)) = self.get(key) { items } else { &[] }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, expected: &str) -> String {
        format!("JSON: expected {expected} at byte {}", self.at)
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    fn take(&mut self, word: &str) -> bool {
        let here = self.rest().starts_with(word);
        if here {
            self.at += word.len();
        }
        here
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > DEPTH_MAX {
            return Err(self.error("less nesting"));
        }
        self.space();
        match self.rest().chars().next() {
            Some('{') => self.map(depth),
            Some('[') => self.list(depth),
            Some('"') => self.string().map(Value::Text),
            Some('-' | '0'..='9') => self.number(),
            _ if self.take("true") => Ok(Value::Bool(true)),
            _ if self.take("false") => Ok(Value::Bool(false)),
            _ if self.take("null") => Ok(Value::Null),
            _ => Err(self.error("a value")),
        }
    }

    fn number(&mut self) -> Result<Value, String> {
        let rest = self.rest();
        let length =
            rest.find(|sign: char| !matches!(sign, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let number = rest.get(..length).and_then(|digits| digits.parse().ok()).ok_or_else(|| self.error("a number"))?;
        self.at += length;
        Ok(Value::Number(number))
    }

    fn list(&mut self, depth: usize) -> Result<Value, String> {
        let mut items = Vec::new();
        self.at += 1;
        self.space();
        if self.take("]") {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take("]") {
                return Ok(Value::List(items));
            }
            if !self.take(",") {
                return Err(self.error("`,` or `]`"));
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, String> {
        let mut members = Vec::new();
        self.at += 1;
        self.space();
        if self.take("}") {
            return Ok(Value::Map(members));
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            if !self.take(":") {
                return Err(self.error("`:`"));
            }
            members.push((name, self.value(depth + 1)?));
            self.space();
            if self.take("}") {
                return Ok(Value::Map(members));
            }
            if !self.take(",") {
                return Err(self.error("`,` or `}`"));
            }
        }
    }

    fn string(&mut self) -> Result<String, String> {
        if !self.take("\"") {
            return Err(self.error("a string"));
        }
        let mut out = String::new();
        loop {
            let sign = self.rest().chars().next().ok_or_else(|| self.error("the end of a string"))?;
            self.at += sign.len_utf8();
            match sign {
                '"' => return Ok(out),
                '\\' => out.push(self.escape()?),
                _ => out.push(sign),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let sign = self.rest().chars().next().ok_or_else(|| self.error("an escape"))?;
        self.at += sign.len_utf8();
        match sign {
            'n' => Ok('\n'),
            't' => Ok('\t'),
            'r' => Ok('\r'),
            'b' => Ok('\u{8}'),
            'f' => Ok('\u{c}'),
            '"' | '\\' | '/' => Ok(sign),
            'u' => {
                let first = self.code_unit()?;
                let pair = (0xD800..0xDC00).contains(&first) && self.take("\\u");
                let second = if pair { self.code_unit()? } else { 0 };
                let code = if pair { 0x1_0000 + ((first - 0xD800) << 10) + (second & 0x3FF) } else { first };
                Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            _ => Err(self.error("a known escape")),
        }
    }

    fn code_unit(&mut self) -> Result<u32, String> {
        let digits = self.rest().get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let unit = digits.ok_or_else(|| self.error("four hexadecimal digits"))?;
        self.at += 4;
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        let value =
            Value::parse(" {\"a\": [1, -2.5e1, true, null, {}, []], \"b\\n\": \"x\\u00e4\\ud83d\\ude00\\\"\"} ")
                .unwrap();
        assert_eq!(value.text("b\n"), Some("xä😀\""));
        let expected = [
            Value::Number(1.0),
            Value::Number(-25.0),
            Value::Bool(true),
            Value::Null,
            Value::Map(vec![]),
            Value::List(vec![]),
        ];
        assert_eq!(value.list("a"), expected);
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in ["", "{", "[1,]", "{\"a\" 1}", "\"", "\"\\x\"", "1 2", "nul", "\"\\u12\"", &"[".repeat(100)] {
            assert!(Value::parse(text).is_err(), "{text}");
        }
    }
}
