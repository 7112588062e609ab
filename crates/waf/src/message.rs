//! What the engine is shown: heads as plain borrowed bytes, so that any HTTP implementation can call it.

use crate::bytes::{sub, trim};
use std::net::IpAddr;

/// A header field: name and value as received.
pub type Field<'a> = (&'a [u8], &'a [u8]);

/// The head of a request.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method as received.
    pub method: &'a [u8],
    /// The target exactly as received: inspection has to see what was sent, not what it was turned into.
    pub target: &'a [u8],
    /// The protocol as the request line states it, e.g. `HTTP/1.1`.
    pub protocol: &'a [u8],
    /// The fields in order.
    pub headers: &'a [Field<'a>],
    /// The peer's address and port.
    pub peer: (IpAddr, u16),
    /// The request's id: what sampling draws from, so it must not be chosen by the client.
    pub unique_id: &'a str,
}

/// A head taken apart whatever it looks like: lines end at line feeds, names at colons. For heads that nobody else may
/// read, so that a record can name what was tried.
#[derive(Debug, Clone, Default)]
pub struct LooseHead<'a> {
    /// The request line up to its first space.
    pub method: &'a [u8],
    /// What stands between the first and the last space of the request line.
    pub target: &'a [u8],
    /// What stands after the last space. A line without it is how HTTP/0.9 asks (RFC 1945 section 4.1).
    pub protocol: &'a [u8],
    /// The other lines.
    pub headers: Vec<Field<'a>>,
}

// === impl LooseHead ===

impl<'a> LooseHead<'a> {
    /// Takes bytes apart up to the first empty line. LIMIT: as many lines as there are bytes, which the caller bounds.
    pub fn read(bytes: &'a [u8]) -> Self {
        let end = memchr::memmem::find(bytes, b"\r\n\r\n").unwrap_or(bytes.len());
        let mut lines = sub(bytes, 0, end).split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
        let line = lines.next().unwrap_or_default();
        let first = memchr::memchr(b' ', line).unwrap_or(line.len());
        let last = memchr::memrchr(b' ', line).filter(|last| *last > first);
        let headers = lines.filter(|line| !line.is_empty()).map(|line| {
            let colon = memchr::memchr(b':', line).unwrap_or(line.len());
            (sub(line, 0, colon), trim(sub(line, colon + 1, line.len())))
        });
        let protocol = last.map(|last| sub(line, last + 1, line.len())).unwrap_or_default();
        Self {
            method: sub(line, 0, first),
            target: sub(line, first + 1, last.unwrap_or(line.len())),
            protocol: if protocol.is_empty() && first < line.len() { b"HTTP/0.9" } else { protocol },
            headers: headers.collect(),
        }
    }
}

/// The head of a response.
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead<'a> {
    /// The status code.
    pub status: u16,
    /// The protocol, e.g. `HTTP/1.1`.
    pub protocol: &'a [u8],
    /// The fields in order.
    pub headers: &'a [Field<'a>],
}

#[cfg(test)]
mod tests {
    use super::LooseHead;

    #[test]
    fn a_head_is_taken_apart_whatever_it_looks_like() {
        for (line, method, target, protocol) in [
            ("GET / HTTP/1.1", "GET", "/", "HTTP/1.1"),
            ("GET /a b HTTP/1.1", "GET", "/a b", "HTTP/1.1"),
            ("GET / HTTP/7", "GET", "/", "HTTP/7"),
            ("GET /", "GET", "/", "HTTP/0.9"),
            ("GET / ", "GET", "/", "HTTP/0.9"),
            ("GET", "GET", "", ""),
            ("", "", "", ""),
        ] {
            let bytes = format!("{line}\r\nHost: a\r\n no colon\r\n\r\nbody: none");
            let head = LooseHead::read(bytes.as_bytes());
            let found = (head.method, head.target, head.protocol);
            assert_eq!(found, (method.as_bytes(), target.as_bytes(), protocol.as_bytes()), "{line}");
            let headers: &[(&[u8], &[u8])] = &[(b"Host", b"a"), (b" no colon", b"")];
            assert_eq!(head.headers, headers, "{line}");
        }
    }
}
