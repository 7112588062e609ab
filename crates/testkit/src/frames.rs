//! HTTP/2 as raw bytes (RFC 9113): frames built one by one, well-formed or not, and what comes back taken apart. Bytes go
//! in, bytes and frames come out; no sockets here.

mod block;

pub use block::{Block, status};

/// What a client says first (RFC 9113 section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The nine octets before each payload.
const HEAD: usize = 9;

/// `END_STREAM`, and `ACK` of settings and pings.
pub const END_STREAM: u8 = 0x1;
/// `ACK` of settings and pings.
pub const ACK: u8 = 0x1;
/// `END_HEADERS`.
pub const END_HEADERS: u8 = 0x4;

/// The kinds of frames (RFC 9113 section 6); any other number may be sent as well.
pub mod kind {
    #![allow(missing_docs, reason = "the names are those of the RFC")]
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// Error codes (RFC 9113 section 7).
pub mod code {
    #![allow(missing_docs, reason = "the names are those of the RFC")]
    pub const NO_ERROR: u32 = 0;
    pub const PROTOCOL_ERROR: u32 = 1;
    pub const INTERNAL_ERROR: u32 = 2;
    pub const FLOW_CONTROL_ERROR: u32 = 3;
    pub const FRAME_SIZE_ERROR: u32 = 6;
    pub const REFUSED_STREAM: u32 = 7;
    pub const CANCEL: u32 = 8;
    pub const COMPRESSION_ERROR: u32 = 9;
    pub const ENHANCE_YOUR_CALM: u32 = 11;
    pub const HTTP_1_1_REQUIRED: u32 = 13;
}

/// Settings (RFC 9113 section 6.5.2, RFC 8441 section 3).
pub mod setting {
    #![allow(missing_docs, reason = "the names are those of the RFC")]
    pub const HEADER_TABLE_SIZE: u16 = 1;
    pub const ENABLE_PUSH: u16 = 2;
    pub const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub const INITIAL_WINDOW_SIZE: u16 = 4;
    pub const MAX_FRAME_SIZE: u16 = 5;
    pub const MAX_HEADER_LIST_SIZE: u16 = 6;
    pub const ENABLE_CONNECT_PROTOCOL: u16 = 8;
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Of [`kind`].
    pub kind: u8,
    /// As they stand on the wire.
    pub flags: u8,
    /// 0 is the connection.
    pub stream: u32,
    /// All of it, padding included.
    pub payload: Vec<u8>,
}

/// Takes a byte stream apart.
#[derive(Debug, Default)]
pub struct Frames {
    ahead: Vec<u8>,
}

// === impl Frame ===

impl Frame {
    /// A frame of any kind.
    #[must_use]
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self { kind, flags, stream, payload: payload.into() }
    }

    /// Settings, each with its value.
    #[must_use]
    pub fn settings(settings: &[(u16, u32)]) -> Self {
        let one = |(name, value): &(u16, u32)| [&name.to_be_bytes()[..], &value.to_be_bytes()[..]].concat();
        Self::new(kind::SETTINGS, 0, 0, settings.iter().flat_map(one).collect::<Vec<u8>>())
    }

    /// The answer to settings.
    #[must_use]
    pub fn settings_ack() -> Self {
        Self::new(kind::SETTINGS, ACK, 0, [])
    }

    /// A request's whole head in one frame.
    #[must_use]
    pub fn headers(stream: u32, block: &Block, flags: u8) -> Self {
        Self::new(kind::HEADERS, flags | END_HEADERS, stream, block.bytes())
    }

    /// A piece of a body.
    #[must_use]
    pub fn data(stream: u32, data: impl Into<Vec<u8>>, flags: u8) -> Self {
        Self::new(kind::DATA, flags, stream, data)
    }

    /// A piece of a head.
    #[must_use]
    pub fn continuation(stream: u32, piece: impl Into<Vec<u8>>, flags: u8) -> Self {
        Self::new(kind::CONTINUATION, flags, stream, piece)
    }

    /// The end of a stream before its time.
    #[must_use]
    pub fn reset(stream: u32, code: u32) -> Self {
        Self::new(kind::RST_STREAM, 0, stream, code.to_be_bytes())
    }

    /// More room for data.
    #[must_use]
    pub fn window_update(stream: u32, increment: u32) -> Self {
        Self::new(kind::WINDOW_UPDATE, 0, stream, increment.to_be_bytes())
    }

    /// A question for a sign of life, or the answer to one.
    #[must_use]
    pub fn ping(flags: u8, opaque: u64) -> Self {
        Self::new(kind::PING, flags, 0, opaque.to_be_bytes())
    }

    /// A priority: depends on the connection, weight 16. Deprecated, but still to be read over.
    #[must_use]
    pub fn priority(stream: u32) -> Self {
        Self::new(kind::PRIORITY, 0, stream, [0, 0, 0, 0, 15])
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).unwrap();
        self.bytes_claiming(length)
    }

    /// The same with another length in its head than the payload has.
    #[must_use]
    pub fn bytes_claiming(&self, length: u32) -> Vec<u8> {
        let mut bytes = length.to_be_bytes()[1..].to_vec();
        bytes.extend_from_slice(&[self.kind, self.flags]);
        bytes.extend_from_slice(&self.stream.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Whether a flag is set.
    #[must_use]
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The error code of a reset or a GOAWAY.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        let from = match self.kind {
            kind::RST_STREAM => 0,
            kind::GOAWAY => 4,
            _ => return None,
        };
        let four = self.payload.get(from..from + 4)?;
        Some(u32::from_be_bytes(four.try_into().unwrap()))
    }
}

// === impl Frames ===

impl Frames {
    /// Takes bytes as they come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.ahead.extend_from_slice(bytes);
    }

    /// The next whole frame.
    pub fn next_frame(&mut self) -> Option<Frame> {
        let head: [u8; HEAD] = self.ahead.get(..HEAD)?.try_into().unwrap();
        let length = usize::try_from(u32::from_be_bytes([0, head[0], head[1], head[2]])).unwrap();
        let payload = self.ahead.get(HEAD..HEAD + length)?.to_vec();
        self.ahead.drain(..HEAD + length);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & 0x7fff_ffff;
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// What is no whole frame yet.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.ahead
    }
}

/// The head of a GET on a new stream, well-formed.
#[must_use]
pub fn get(stream: u32, path: &str) -> Frame {
    Frame::headers(stream, &Block::request("GET", path), END_STREAM)
}

/// What a well-behaved raw client says first: the preface and settings without a dynamic table, so that what comes back
/// can be read without one.
#[must_use]
pub fn hello(settings: &[(u16, u32)]) -> Vec<u8> {
    let all = [&[(setting::HEADER_TABLE_SIZE, 0)], settings].concat();
    [PREFACE, &Frame::settings(&all).bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::{Block, END_HEADERS, END_STREAM, Frame, Frames, code, get, kind, status};

    #[test]
    fn what_is_built_is_read_again() {
        let frames = [
            Frame::settings(&[(3, 100), (4, 65_535)]),
            get(1, "/a"),
            Frame::data(1, b"abc", END_STREAM),
            Frame::reset(3, code::CANCEL),
            Frame::ping(0, 7),
            Frame::priority(5),
            Frame::window_update(0, 1),
        ];
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
        let mut reader = Frames::default();
        let mut read = Vec::new();
        // One byte at a time: nothing is read before it is whole, and nothing is lost.
        for byte in bytes {
            reader.push(&[byte]);
            read.extend(std::iter::from_fn(|| reader.next_frame()));
        }
        assert_eq!(read, frames);
        assert_eq!(reader.rest(), b"");
        assert_eq!(frames[3].code(), Some(code::CANCEL));
        assert_eq!(Frame::new(kind::GOAWAY, 0, 0, [0, 0, 0, 1, 0, 0, 0, 11]).code(), Some(code::ENHANCE_YOUR_CALM));
        assert!(frames[1].has(END_HEADERS) && frames[1].has(END_STREAM));
    }

    #[test]
    fn a_status_is_read_from_what_encoders_write() {
        for (block, expected) in [
            (&[0x88][..], Some(200)),
            (&[0x3f, 0xe1, 0x1f, 0x8d], Some(404)),
            (&[0x20, 0x48, 0x82, 0x68, 0x01], Some(401)),
            (&[0x08, 0x03, b'4', b'2', b'9'], Some(429)),
            (&[0x08, 0x82, 0x64, 0x02], Some(302)),
            (&[0x08, 0x82, 0x6c, 0x0f], None),
            (&[0x40, 0x01, b'x', 0x01, b'y'], None),
            (&[], None),
        ] {
            assert_eq!(status(block), expected, "{block:x?}");
        }
        // RFC 7541 appendix C.4.1 has `www.example.com`; ours are plain literals, so that no encoder hides the bytes.
        let block = Block::default().with(":method", "GET").bytes();
        assert_eq!(block, [&[0x00, 7][..], b":method", &[3], b"GET"].concat());
    }
}
