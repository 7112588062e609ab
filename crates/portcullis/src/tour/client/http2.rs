//! As much of HTTP/2 as the tour needs: a request without a body, any other frames, and what comes back.

use super::{Client, Open, Stream};
use rustls::ClientConnection;
use rustls::StreamOwned;
use rustls::pki_types::ServerName;
use std::sync::Arc;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEAD_BYTES: usize = 9;
const HEADERS: u8 = 0x1;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const GOAWAY: u8 = 0x7;

/// What the gateway said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// An answer of this status; 0 for one that is not among the few which stand in the static table.
    Status(u16),
    /// Goodbye, for this reason (RFC 9113 section 7).
    Goodbye(u32),
    /// Nothing more.
    Nothing,
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    let [_, a, b, c] = length;
    [&[a, b, c, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// Fields as literals of HPACK, but for method and scheme (RFC 7541 appendix A).
fn get(path: &str) -> Vec<u8> {
    let literal = |index: u8, text: &str| {
        let length = u8::try_from(text.len()).unwrap_or(0) & 0x7f;
        [&[index, length], text.as_bytes()].concat()
    };
    [vec![0x82, 0x87], literal(0x41, "localhost"), literal(0x44, path)].concat()
}

/// Pings, `count` of them.
pub(crate) fn pings(count: usize) -> Vec<u8> {
    frame(PING, 0, 0, b"tourtour").repeat(count)
}

/// A request whose path is short and without a body.
pub(crate) fn request(path: &str) -> Vec<u8> {
    frame(HEADERS, 0x5, 1, &get(path))
}

impl Client {
    /// A connection with TLS on which both sides agree on HTTP/2, and its first frames.
    pub(crate) fn open_http2(&self) -> Result<Open, String> {
        let mut config = (*self.tls).clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
        let session = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
        let stream = StreamOwned::new(session, super::connect(self.secure)?);
        let mut open = Open { clock: self.clock.clone(), stream: Stream::Tls(Box::new(stream)), unread: Vec::new() };
        open.send(&[PREFACE, &frame(SETTINGS, 0, 0, b"")].concat())?;
        Ok(open)
    }
}

impl Open {
    /// Whether HTTP/2 was agreed on.
    pub(crate) fn speaks_http2(&self) -> bool {
        matches!(&self.stream, Stream::Tls(stream) if stream.conn.alpn_protocol() == Some(b"h2"))
    }

    /// Reads frames until one says something.
    pub(crate) fn said(&mut self) -> Result<Said, String> {
        let due = self.clock.millis() + 10_000;
        loop {
            while let Some((kind, payload)) = self.frame() {
                match kind {
                    HEADERS => return Ok(Said::Status(status(&payload))),
                    GOAWAY => {
                        let code = payload.get(4..8).and_then(|code| code.first_chunk::<4>().copied());
                        return Ok(Said::Goodbye(code.map_or(0, u32::from_be_bytes)));
                    }
                    _ => {}
                }
            }
            if !self.more(due)? {
                return Ok(Said::Nothing);
            }
        }
    }

    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let head: [u8; FRAME_HEAD_BYTES] = *self.unread.first_chunk()?;
        let [a, b, c, kind, ..] = head;
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        let payload = self.unread.get(FRAME_HEAD_BYTES..FRAME_HEAD_BYTES + length)?.to_vec();
        self.unread.drain(..FRAME_HEAD_BYTES + length);
        Some((kind, payload))
    }
}

/// The status where it is one of the static table's, which encoders use.
fn status(block: &[u8]) -> u16 {
    match block.first() {
        Some(0x88) => 200,
        Some(0x89) => 204,
        Some(0x8a) => 206,
        Some(0x8b) => 304,
        Some(0x8c) => 400,
        Some(0x8d) => 404,
        Some(0x8e) => 500,
        Some(_) | None => 0,
    }
}
