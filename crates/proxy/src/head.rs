//! Heads as they are written: lines of HTTP/1, or fields of HTTP/2. What is written is decided once, for both.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use portcullis_h1::write;

/// Takes the parts of a head in their order.
pub(crate) trait Head {
    /// The first line of a request: its method and canonical target.
    fn request(&mut self, method: &[u8], target: &str);
    /// The host that a request asks for.
    fn host(&mut self, value: impl FnOnce(&mut Vec<u8>));
    /// The first line of an answer.
    fn status(&mut self, status: u16);
    /// A field whose value `value` appends.
    fn field_with(&mut self, name: &[u8], value: impl FnOnce(&mut Vec<u8>));
    /// Fields that are always the same.
    fn fixed(&mut self, fields: &Fixed);
    /// Fields that are the same for as long as the configuration is.
    fn block(&mut self, block: &Block);
    /// Lines of HTTP/1 alone, whole; HTTP/2 has frames for what they say.
    fn framing(&mut self, lines: &[u8]);
    /// Nothing follows.
    fn end(&mut self);

    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.field_with(name, |out| out.extend_from_slice(value));
    }

    fn number(&mut self, name: &[u8], value: u64) {
        self.field_with(name, |out| write::decimal(value, out));
    }
}

/// Fields that are always the same, ready for both forms.
#[derive(Debug)]
pub(crate) struct Fixed {
    lines: &'static [u8],
    fields: &'static [(&'static str, &'static str)],
}

/// Fields that are the same for as long as the configuration is, ready for both forms.
#[derive(Debug, Default)]
pub(crate) struct Block {
    lines: Vec<u8>,
    fields: Vec<(HeaderName, HeaderValue)>,
}

/// A head of HTTP/2.
#[derive(Debug, Default)]
pub(crate) struct FieldMap {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) authority: Vec<u8>,
    pub(crate) status: StatusCode,
    pub(crate) fields: HeaderMap,
    scratch: Vec<u8>,
    /// Whether something could not be said in HTTP/2; the head must not be sent.
    broken: bool,
}

/// Names and values, as a head of HTTP/1 has lines.
macro_rules! fixed {
    ($($name:literal: $value:literal),+ $(,)?) => {
        $crate::head::Fixed::new(
            concat!($($name, ": ", $value, "\r\n"),+).as_bytes(),
            &[$(($name, $value)),+],
        )
    };
}
pub(crate) use fixed;

// === impl Fixed ===

impl Fixed {
    /// Made by [`fixed!`], which keeps both forms the same.
    pub(crate) const fn new(lines: &'static [u8], fields: &'static [(&'static str, &'static str)]) -> Self {
        Self { lines, fields }
    }
}

// === impl Block ===

impl Block {
    /// Of these names, in lower case, with their values; nothing if they could not be said.
    pub(crate) fn of<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Option<Self> {
        let mut block = Self::default();
        for (name, value) in fields {
            write::field(name.as_bytes(), value.as_bytes(), &mut block.lines);
            block.fields.push((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?));
        }
        Some(block)
    }

    /// Whether it says a field itself.
    pub(crate) fn holds(&self, name: &[u8]) -> bool {
        self.fields.iter().any(|(known, _)| name.eq_ignore_ascii_case(known.as_str().as_bytes()))
    }
}

// === impl Vec ===

impl Head for Vec<u8> {
    fn request(&mut self, method: &[u8], target: &str) {
        self.extend_from_slice(method);
        self.push(b' ');
        self.extend_from_slice(target.as_bytes());
        self.extend_from_slice(b" HTTP/1.1\r\n");
    }

    fn host(&mut self, value: impl FnOnce(&mut Vec<u8>)) {
        self.field_with(b"host", value);
    }

    fn status(&mut self, status: u16) {
        write::status_line(status, self);
    }

    fn field_with(&mut self, name: &[u8], value: impl FnOnce(&mut Vec<u8>)) {
        self.extend_from_slice(name);
        self.extend_from_slice(b": ");
        value(self);
        self.extend_from_slice(b"\r\n");
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        write::field(name, value, self);
    }

    fn fixed(&mut self, fields: &Fixed) {
        self.extend_from_slice(fields.lines);
    }

    fn block(&mut self, block: &Block) {
        self.extend_from_slice(&block.lines);
    }

    fn framing(&mut self, lines: &[u8]) {
        self.extend_from_slice(lines);
    }

    fn end(&mut self) {
        self.extend_from_slice(b"\r\n");
    }
}

// === impl FieldMap ===

impl FieldMap {
    /// The head as an answer, if all of it could be said.
    pub(crate) fn into_answer(self) -> Option<http::Response<()>> {
        let mut answer = http::Response::new(());
        *answer.status_mut() = self.status;
        *answer.headers_mut() = self.fields;
        (!self.broken).then_some(answer)
    }

    /// The head as a request, if all of it could be said.
    pub(crate) fn into_request(self, secure: bool) -> Option<http::Request<()>> {
        let scheme = if secure { "https" } else { "http" };
        let uri = Uri::builder().scheme(scheme).authority(self.authority).path_and_query(self.target).build().ok()?;
        let mut request = http::Request::new(());
        *request.method_mut() = self.method;
        *request.uri_mut() = uri;
        *request.version_mut() = http::Version::HTTP_2;
        *request.headers_mut() = self.fields;
        (!self.broken).then_some(request)
    }
}

impl Head for FieldMap {
    fn request(&mut self, method: &[u8], target: &str) {
        match Method::from_bytes(method) {
            Ok(method) => self.method = method,
            Err(_) => self.broken = true,
        }
        target.clone_into(&mut self.target);
    }

    fn host(&mut self, value: impl FnOnce(&mut Vec<u8>)) {
        value(&mut self.authority);
    }

    fn status(&mut self, status: u16) {
        // A stream that goes on as WebSocket succeeds like any other (RFC 8441 section 5.1).
        let status = if status == 101 { 200 } else { status };
        match StatusCode::from_u16(status) {
            Ok(status) => self.status = status,
            Err(_) => self.broken = true,
        }
    }

    fn field_with(&mut self, name: &[u8], value: impl FnOnce(&mut Vec<u8>)) {
        self.scratch.clear();
        value(&mut self.scratch);
        match (HeaderName::from_bytes(name), HeaderValue::from_bytes(&self.scratch)) {
            (Ok(name), Ok(value)) => drop(self.fields.append(name, value)),
            _ => self.broken = true,
        }
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        match (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            (Ok(name), Ok(value)) => drop(self.fields.append(name, value)),
            _ => self.broken = true,
        }
    }

    fn fixed(&mut self, fields: &Fixed) {
        for (name, value) in fields.fields {
            self.fields.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }

    fn block(&mut self, block: &Block) {
        for (name, value) in &block.fields {
            self.fields.append(name.clone(), value.clone());
        }
    }

    fn framing(&mut self, _lines: &[u8]) {}

    fn end(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::{FieldMap, Head};

    fn write(head: &mut impl Head) {
        head.status(404);
        head.field(b"x-a", b"1");
        head.fixed(&fixed!("x-b": "2", "x-c": "3; d"));
        head.number(b"content-length", 70);
        head.framing(b"connection: close\r\n");
        head.end();
    }

    #[test]
    fn both_forms_say_the_same() {
        let mut lines = Vec::new();
        write(&mut lines);
        let text = String::from_utf8(lines).unwrap();
        assert_eq!(
            text,
            "HTTP/1.1 404 Not Found\r\nx-a: 1\r\nx-b: 2\r\nx-c: 3; d\r\ncontent-length: 70\r\nconnection: close\r\n\r\n"
        );
        let mut map = FieldMap::default();
        write(&mut map);
        let answer = map.into_answer().unwrap();
        let fields: Vec<_> = answer.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(answer.status(), 404);
        assert_eq!(
            fields,
            [("x-a", &b"1"[..]), ("x-b", b"2"), ("x-c", b"3; d"), ("content-length", b"70")],
            "what frames a message of HTTP/1 is left out"
        );
    }

    #[test]
    fn what_cannot_be_said_in_http2_is_not_sent() {
        let mut map = FieldMap::default();
        map.field(b"x-a", b"line\r\nfeed");
        assert!(map.into_answer().is_none());
    }
}
