//! An answer as a client sees it, read strictly, with whether it is whole.

use serde_json::Value;

/// An answer, or as much of it as came.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case, in order.
    pub fields: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Vec<u8>,
    /// Trailer lines after a chunked body.
    pub trailers: String,
    /// Whether the body ended where its head said; `false` when the connection ended first.
    pub whole: bool,
    /// Whether only the end of the connection ended it.
    pub until_close: bool,
    /// The whole head as it came.
    pub head: String,
}

/// How the body of an answer is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delimited {
    Nothing,
    Length(usize),
    Chunks,
    Close,
}

// === impl Answer ===

impl Answer {
    /// Reads a head; `raw` ends with the empty line.
    pub(crate) fn from_head(raw: &[u8]) -> Self {
        let head = String::from_utf8_lossy(raw).into_owned();
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("not a status line of HTTP/1.1: {first:?} in {head:?}"));
        let fields = lines.filter(|line| !line.is_empty()).map(|line| {
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no colon in {line:?}"));
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Self { status, fields: fields.collect(), head: head.clone(), ..Self::default() }
    }

    pub(crate) fn delimited(&self, to_head: bool) -> Delimited {
        let length = self.field("content-length");
        let coding = self.field("transfer-encoding");
        assert!(length.is_none() || coding.is_none(), "two framings in {:?}", self.head);
        assert!(self.all("content-length").len() <= 1, "two lengths in {:?}", self.head);
        if to_head || matches!(self.status, 100..=199 | 204 | 304) {
            return Delimited::Nothing;
        }
        match (length, coding) {
            (Some(length), _) => Delimited::Length(length.parse().expect("a length")),
            (None, Some("chunked")) => Delimited::Chunks,
            (None, Some(other)) => panic!("transfer-encoding {other:?}"),
            (None, None) => Delimited::Close,
        }
    }

    /// The first field with this name (lower case).
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// Every field with this name.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(have, _)| have == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }

    /// The code of a problem, or nothing where the body is none.
    #[must_use]
    pub fn code(&self) -> String {
        let value: Option<Value> = serde_json::from_slice(&self.body).ok();
        value.and_then(|value| value["code"].as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Whether the answer says that the connection ends.
    #[must_use]
    pub fn says_close(&self) -> bool {
        self.field("connection") == Some("close")
    }
}
