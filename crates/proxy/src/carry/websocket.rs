//! The handshake and the frames of WebSocket (RFC 6455), as far as a gateway has to know them: whether a server accepted,
//! where one frame ends and the next begins, and how to say goodbye between two of them.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What the key is joined with (RFC 6455 section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// "Going away" (section 7.4.1).
const GOING_AWAY: [u8; 2] = 1001u16.to_be_bytes();
// LIMIT: payload of a control frame (section 5.5).
const CONTROL_BYTES_MAX: u64 = 125;

/// Our question to a server.
#[derive(Clone, Debug)]
pub(crate) struct Handshake {
    pub(crate) key: String,
}

/// Who sent the frames of a direction; clients mask theirs, servers don't (section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    Client,
    Server,
}

/// The frames of one direction, as they pass.
#[derive(Debug)]
pub(crate) struct Frames {
    sender: Sender,
    head: [u8; 14],
    have: usize,
    payload_left: u64,
    closed: bool,
}

// === impl Handshake ===

impl Handshake {
    /// A key from 128 random bits.
    pub(crate) fn new(random: [u64; 2]) -> Self {
        let [low, high] = random.map(u64::to_le_bytes);
        Self { key: STANDARD.encode([low, high].concat()) }
    }

    /// Whether the server's `Sec-WebSocket-Accept` belongs to our key.
    pub(crate) fn is_accepted(&self, accept: Option<&[u8]>) -> bool {
        accept == Some(accept_for(self.key.as_bytes()).as_bytes())
    }
}

/// What a server answers to a key.
pub(crate) fn accept_for(key: &[u8]) -> String {
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key, GUID].concat()))
}

/// Whether a client's key is one: 16 bytes in base64 (section 4.1).
pub(crate) fn is_key(key: &[u8]) -> bool {
    STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16)
}

/// A frame that ends the conversation because the gateway goes away; a client's one is masked with zeros, since nothing
/// in it is a secret.
pub(crate) fn goodbye(from: Sender, out: &mut Vec<u8>) {
    match from {
        Sender::Server => out.extend_from_slice(&[0x88, 2]),
        Sender::Client => out.extend_from_slice(&[0x88, 0x82, 0, 0, 0, 0]),
    }
    out.extend_from_slice(&GOING_AWAY);
}

// === impl Frames ===

impl Frames {
    pub(crate) fn of(sender: Sender) -> Self {
        Self { sender, head: [0; 14], have: 0, payload_left: 0, closed: false }
    }

    /// Whether nothing of a frame is open, so that one of ours may follow.
    pub(crate) fn is_between(&self) -> bool {
        self.have == 0 && self.payload_left == 0
    }

    /// Whether a frame has said goodbye; nothing of ours may follow it.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes note of bytes that pass.
    ///
    /// # Errors
    /// A frame that the other side would read differently from how it was meant.
    pub(crate) fn pass(&mut self, mut bytes: &[u8]) -> Result<(), &'static str> {
        while !bytes.is_empty() {
            if self.payload_left > 0 {
                let take = usize::try_from(self.payload_left).unwrap_or(usize::MAX).min(bytes.len());
                self.payload_left -= take as u64;
                bytes = bytes.get(take..).unwrap_or_default();
                continue;
            }
            let (first, rest) = bytes.split_at(1);
            if let (Some(slot), Some(byte)) = (self.head.get_mut(self.have), first.first()) {
                *slot = *byte;
            }
            self.have += 1;
            bytes = rest;
            if self.have == self.length() {
                self.begin()?;
            }
        }
        Ok(())
    }

    /// Bytes of the frame's head, as far as what has come tells.
    fn length(&self) -> usize {
        let [_, second, ..] = self.head;
        let extended = match (self.have, second & 0x7f) {
            (0 | 1, _) => return 2,
            (_, 126) => 2,
            (_, 127) => 8,
            (_, _) => 0,
        };
        2 + extended + if second & 0x80 == 0 { 0 } else { 4 }
    }

    /// The head is complete.
    fn begin(&mut self) -> Result<(), &'static str> {
        let [first, second, a, b, c, d, e, f, g, h, ..] = self.head;
        let payload = match second & 0x7f {
            126 => u64::from(u16::from_be_bytes([a, b])),
            127 => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            short => u64::from(short),
        };
        let (opcode, masked) = (first & 0x0f, second & 0x80 != 0);
        if masked != (self.sender == Sender::Client) {
            return Err("a frame is masked by the wrong side");
        }
        if payload >> 63 != 0 {
            return Err("a frame is too long");
        }
        if opcode & 0x8 != 0 && (payload > CONTROL_BYTES_MAX || first & 0x80 == 0) {
            return Err("a control frame is too long or in parts");
        }
        if matches!(opcode, 0x3..=0x7 | 0xb..) {
            return Err("a frame has an unknown opcode");
        }
        self.closed |= opcode == 0x8;
        (self.have, self.payload_left) = (0, payload);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Frames, Handshake, Sender, accept_for, goodbye, is_key};

    #[test]
    fn the_example_of_the_standard() {
        assert_eq!(accept_for(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        for key in [&b""[..], b"dGhlIHNhbXBsZSBub25jZQ", b"AAAA", b"dGhlIHNhbXBsZSBub25jZQ== "] {
            assert!(!is_key(key), "{key:?}");
        }
        let handshake = Handshake::new([1, 2]);
        assert!(is_key(handshake.key.as_bytes()));
        assert!(handshake.is_accepted(Some(accept_for(handshake.key.as_bytes()).as_bytes())));
        assert!(!handshake.is_accepted(Some(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
        assert!(!handshake.is_accepted(None));
    }

    fn pass(sender: Sender, bytes: &[u8]) -> Result<Frames, &'static str> {
        let mut whole = Frames::of(sender);
        let outcome = whole.pass(bytes);
        let mut single = Frames::of(sender);
        let by_one = bytes.iter().try_for_each(|byte| single.pass(&[*byte]));
        assert_eq!(outcome, by_one, "borders between reads decide nothing");
        assert_eq!((whole.is_between(), whole.is_closed()), (single.is_between(), single.is_closed()));
        outcome.map(|()| whole)
    }

    #[test]
    fn frames_end_where_they_say() {
        assert!(pass(Sender::Server, b"\x81\x05Hello").unwrap().is_between());
        assert!(!pass(Sender::Server, b"\x81\x05Hell").unwrap().is_between());
        assert!(pass(Sender::Client, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58").unwrap().is_between());
        let mut long = b"\x82\x7e\x01\x00".to_vec();
        long.extend([7; 256]);
        assert!(pass(Sender::Server, &long).unwrap().is_between());
        let mut longer = b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00".to_vec();
        longer.extend(vec![7; 65_535]);
        assert!(!pass(Sender::Server, &longer).unwrap().is_between());
        longer.push(7);
        assert!(pass(Sender::Server, &longer).unwrap().is_between());
        for sender in [Sender::Client, Sender::Server] {
            let mut bytes = Vec::new();
            goodbye(sender, &mut bytes);
            let frames = pass(sender, &bytes).unwrap();
            assert!(frames.is_between() && frames.is_closed());
        }
    }

    #[test]
    fn frames_that_no_side_may_send() {
        for (sender, bytes) in [
            (Sender::Client, &b"\x81\x05Hello"[..]),
            (Sender::Server, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
            (Sender::Server, b"\x89\x7e\x01\x00"),
            (Sender::Server, b"\x09\x00"),
            (Sender::Server, b"\x83\x00"),
            (Sender::Server, b"\x8b\x00"),
            (Sender::Server, b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00"),
        ] {
            assert!(pass(sender, bytes).is_err(), "{bytes:?}");
        }
    }
}
