//! Questions and answers, without the sockets that they come over.

use crate::problem::Problem;
use crate::stream::Stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};
use std::net::IpAddr;

/// LIMIT: bytes of a question's body.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
// LIMIT: names with values in a query or a form.
const PAIRS_MAX: usize = 64;

/// Where a question comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The listener of the console: the peer, and whether the connection is encrypted.
    Listener(IpAddr, bool),
    /// The admin socket: the user at the other end.
    Socket(u32),
}

/// An answer.
pub type Answer = Response<Body>;

/// What an answer holds.
#[derive(Debug)]
pub enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// What happens from now on.
    Stream(Stream),
}

/// Names with their values, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs(Vec<(String, String)>);

// === impl Pairs ===

impl Pairs {
    /// Reads `application/x-www-form-urlencoded`; `None` if it is none or too long.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decoded(name)?, decoded(value)?));
        }
        (pairs.len() <= PAIRS_MAX).then_some(Self(pairs))
    }

    /// The value of a name; the first one, if there are several.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// A text without its percent signs; `None` where they stand for nothing, or for no UTF-8.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// A body as members of a JSON object. None is an empty one.
pub(crate) fn members(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) | Err(_) => Err(Problem::malformed("the body is no JSON object")),
    }
}

/// An answer of one media type.
pub(crate) fn whole(status: StatusCode, media_type: &'static str, body: impl Into<Vec<u8>>) -> Answer {
    let mut answer = Response::new(Body::Whole(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}

/// A value.
pub(crate) fn data(status: StatusCode, value: &Value) -> Answer {
    whole(status, "application/json", format!("{value:#}\n"))
}

/// Why not.
pub(crate) fn refusal(problem: &Problem) -> Answer {
    let mut answer = whole(problem.status, "application/problem+json", format!("{:#}\n", problem.json()));
    wait(&mut answer, problem);
    answer
}

/// Says when to try again.
pub(crate) fn wait(answer: &mut Answer, problem: &Problem) {
    if let Some(seconds) = problem.retry_after {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// On every answer. Pages load scripts and styles from here and nothing else.
const HEADERS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // `no-referrer` would have browsers say `Origin: null` of our own forms.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("x-robots-tag", "noindex"),
];

/// Adds what every answer has.
pub(crate) fn headed(mut answer: Answer, is_secure: bool) -> Answer {
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if is_secure {
        headers.insert("strict-transport-security", HeaderValue::from_static("max-age=63072000"));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::{Pairs, decoded};
    use portcullis_types::percent::encoded;

    #[test]
    fn what_is_written_is_read() {
        for text in ["", "a b", "ä/&=+%", "\u{1f600}"] {
            assert_eq!(decoded(&encoded(text)).as_deref(), Some(text));
        }
        for text in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(decoded(text), None, "{text}");
        }
        let pairs = Pairs::read("a=1&b=x+y&a=2&c").unwrap();
        assert_eq!(
            (pairs.value("a"), pairs.value("b"), pairs.value("c"), pairs.value("d")),
            (Some("1"), Some("x y"), Some(""), None)
        );
        assert_eq!(pairs.values("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(Pairs::read(&"a=1&".repeat(65)), None);
    }
}
