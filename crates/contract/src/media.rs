//! Media types (RFC 9110 section 8.3): what a body is said to be, and which declaration speaks of it.

/// How a body of a media type is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// `application/json` and all that end in `+json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/…`.
    Multipart,
    /// `text/…`.
    Text,
    /// Its structure is not read here.
    Xml,
    /// Bytes that mean nothing here.
    Bytes,
}

// === impl Reading ===

impl Reading {
    /// How a body with this `Content-Type` is read; `None` where that is no media type, or a range of them.
    #[must_use]
    pub fn of(content_type: &str) -> Option<Self> {
        MediaType::parse(content_type).filter(|sent| !sent.is_range()).map(|sent| sent.reading())
    }
}

/// `type/subtype` in small letters, or a range of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaType {
    kind: Box<str>,
    subtype: Box<str>,
}

// === impl MediaType ===

impl MediaType {
    /// Its name without parameters; `None` where it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let essence = text.split(';').next()?.trim_matches([' ', '\t']);
        let (kind, subtype) = essence.split_once('/')?;
        let is_token = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        (is_token(kind) && is_token(subtype))
            .then(|| Self { kind: kind.to_ascii_lowercase().into(), subtype: subtype.to_ascii_lowercase().into() })
    }

    pub(crate) fn reading(&self) -> Reading {
        match (&*self.kind, &*self.subtype) {
            ("application", "json" | "*") | ("text", "json") | ("*", "*") => Reading::Json,
            ("application", "x-www-form-urlencoded") => Reading::Form,
            ("multipart", _) => Reading::Multipart,
            ("application" | "text", "xml") => Reading::Xml,
            (_, subtype) if subtype.ends_with("+json") => Reading::Json,
            (_, subtype) if subtype.ends_with("+xml") => Reading::Xml,
            ("text", _) => Reading::Text,
            _ => Reading::Bytes,
        }
    }

    /// How exactly it, as it is declared, speaks of a body: nothing, by all types, by the type, by name.
    pub(crate) fn fit(&self, sent: &Self) -> Option<u8> {
        match (&*self.kind == "*", &*self.subtype == "*") {
            (true, true) => Some(0),
            (false, true) => (self.kind == sent.kind).then_some(1),
            (_, false) => (self == sent).then_some(2),
        }
    }

    pub(crate) fn is(&self, kind: &str, subtype: &str) -> bool {
        &*self.kind == kind && &*self.subtype == subtype
    }

    pub(crate) fn is_range(&self) -> bool {
        &*self.subtype == "*"
    }
}

/// A parameter of a media type, by name in any case, unquoted.
pub(crate) fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text.split_once(';')?.1;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        let (key, after) = rest.split_once('=')?;
        let (value, behind) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let (value, behind) = after.split_at_checked(after.find(';').unwrap_or(after.len()))?;
                (value.trim_end_matches([' ', '\t']).to_owned(), behind)
            }
        };
        if key.trim_matches([' ', '\t']).eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = behind;
    }
}

/// RFC 9110 section 5.6.4.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(letters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

/// Whether a body says that it is text in something other than UTF-8.
pub fn is_foreign_charset(content_type: &str) -> bool {
    let charset = parameter(content_type, "charset");
    charset.is_some_and(|charset| !["utf-8", "utf8", "us-ascii"].iter().any(|name| charset.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::{MediaType, Reading, is_foreign_charset, parameter};

    #[test]
    fn media_types_are_read() {
        for (text, expected) in [
            ("application/json", Some(Reading::Json)),
            ("Application/Problem+JSON; charset=utf-8", Some(Reading::Json)),
            ("application/x-www-form-urlencoded", Some(Reading::Form)),
            ("multipart/form-data; boundary=x", Some(Reading::Multipart)),
            ("text/plain", Some(Reading::Text)),
            ("text/xml", Some(Reading::Xml)),
            ("image/png", Some(Reading::Bytes)),
            ("json", None),
            ("a/b c", None),
            ("/", None),
        ] {
            assert_eq!(MediaType::parse(text).map(|one| one.reading()), expected, "{text}");
        }
    }

    #[test]
    fn declarations_fit_by_how_exact_they_are() {
        let fit = |one: &str, other: &str| MediaType::parse(one).unwrap().fit(&MediaType::parse(other).unwrap());
        assert_eq!(fit("*/*", "a/b"), Some(0));
        assert_eq!(fit("a/*", "a/b"), Some(1));
        assert_eq!(fit("a/*", "c/b"), None);
        assert_eq!(fit("a/b", "A/B"), Some(2));
        assert_eq!(fit("a/b", "a/c"), None);
    }

    #[test]
    fn parameters_are_found() {
        let text = "multipart/form-data; charset=\"UTF-8\"; Boundary=\"a;\\\"b\" ; x=1";
        assert_eq!(parameter(text, "boundary").as_deref(), Some("a;\"b"));
        assert_eq!(parameter(text, "x").as_deref(), Some("1"));
        assert_eq!(parameter(text, "y"), None);
        assert!(!is_foreign_charset(text) && is_foreign_charset("a/b;charset=utf-16"));
    }
}
