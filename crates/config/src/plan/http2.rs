//! How HTTP/2 is spoken, and what streams that last may do.

use std::time::Duration;

/// HTTP/2 on a listener: what one connection may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http2Plan {
    /// Requests under way at once on one connection.
    pub streams: u32,
    /// How many frames of each kind that cost a client nothing it may send in a burst; a thirtieth of it comes back
    /// every second.
    pub floods: FloodLimits,
}

/// Bursts of frames that carry no request and no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloodLimits {
    /// `RST_STREAM`.
    pub resets: u32,
    /// `SETTINGS`.
    pub settings: u32,
    /// `PING`.
    pub pings: u32,
    /// `DATA` without data that does not end its stream.
    pub empty_data: u32,
    /// `PRIORITY`.
    pub priorities: u32,
    /// `WINDOW_UPDATE`, beyond one for each 256 bytes that we have sent.
    pub window_updates: u32,
    /// `CONTINUATION`.
    pub continuations: u32,
}

/// Answers that go on: server-sent events, gRPC, WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamsPlan {
    /// How long neither side may say anything.
    pub idle_timeout: Duration,
    /// How long one may last.
    pub lifetime: Duration,
}

/// What an upstream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UpstreamProtocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2: by ALPN over TLS, by prior knowledge in the clear.
    Http2,
}

/// WebSocket on a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketPlan {
    /// Pages that may open one, as browsers state them in `Origin`.
    pub origins: Origins,
    /// Whether a client without an `Origin`, which is no browser, may.
    pub require_origin: bool,
}

/// Which pages may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Any page.
    Any,
    /// These, in lower case: `https://app.example.com`, or `https://*.example.com` for what is below.
    Only(Vec<String>),
}

impl Default for Http2Plan {
    fn default() -> Self {
        Self { streams: 100, floods: FloodLimits::default() }
    }
}

impl Default for FloodLimits {
    fn default() -> Self {
        Self {
            resets: 200,
            settings: 50,
            pings: 500,
            empty_data: 100,
            priorities: 1_000,
            window_updates: 5_000,
            continuations: 500,
        }
    }
}

impl Default for StreamsPlan {
    fn default() -> Self {
        Self { idle_timeout: Duration::from_secs(5 * 60), lifetime: Duration::from_secs(60 * 60) }
    }
}

impl Origins {
    /// Whether a page of this origin may call.
    pub fn allow(&self, origin: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Only(origins) => origins.iter().any(|one| is_one(one.as_bytes(), origin)),
        }
    }
}

/// Whether an origin is the one that is meant, or its host below the domain that is.
fn is_one(meant: &[u8], origin: &[u8]) -> bool {
    let Some(star) = meant.iter().position(|byte| *byte == b'*') else { return meant.eq_ignore_ascii_case(origin) };
    let (scheme, domain) = (meant.get(..star).unwrap_or_default(), meant.get(star + 1..).unwrap_or_default());
    let Some((first, rest)) = origin.split_at_checked(scheme.len()) else { return false };
    let Some((below, last)) = rest.len().checked_sub(domain.len()).and_then(|at| rest.split_at_checked(at)) else {
        return false;
    };
    // Nothing but labels of a host: what else could stand there would be another host, or none.
    let is_label = |label: &[u8]| {
        !label.is_empty() && label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    first.eq_ignore_ascii_case(scheme)
        && last.eq_ignore_ascii_case(domain)
        && below.split(|byte| *byte == b'.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::Origins;

    #[test]
    fn who_is_meant() {
        let origins = Origins::Only(
            ["https://app.example.com", "https://*.example.org", "http://*.dev.test:8080"].map(str::to_owned).to_vec(),
        );
        for (origin, allowed) in [
            ("https://app.example.com", true),
            ("https://APP.example.com", true),
            ("http://app.example.com", false),
            ("https://app.example.com:444", false),
            ("https://app.example.com.evil.test", false),
            ("https://a.example.org", true),
            ("https://a.b-c.example.org", true),
            ("https://example.org", false),
            ("https://.example.org", false),
            ("https://a..example.org", false),
            ("https://evil.test/.example.org", false),
            ("https://evil.test@a.example.org", false),
            ("https://evil.test:1.example.org", false),
            ("https://evilexample.org", false),
            ("https://a.example.org:8443", false),
            ("http://a.dev.test:8080", true),
            ("http://a.dev.test", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(origins.allow(origin.as_bytes()), allowed, "{origin}");
        }
        assert!(Origins::Any.allow(b"null"));
    }
}
