//! One connection of an upstream, as a script sees it.

use super::{BoxedWire, Seen, until_closed};
use crate::client::find;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A conversation with the gateway.
#[derive(Debug)]
pub struct Talk {
    wire: BoxedWire,
    socket: TcpStream,
    /// Which connection this is, from 0.
    pub number: usize,
    /// Which request of the connection was heard last, from 1.
    pub count: usize,
    seen: Arc<Seen>,
    ahead: Vec<u8>,
}

/// A request as it arrived, byte for byte.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// From the request line to the empty line.
    pub head: Vec<u8>,
    /// The body with its framing as it arrived.
    pub body: Vec<u8>,
}

// === impl Heard ===

impl Heard {
    /// Head and body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&[self.head.as_slice(), self.body.as_slice()].concat()).into_owned()
    }

    /// The first field with this name (lower case).
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let head = String::from_utf8_lossy(&self.head).into_owned();
        let mut lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    }

    /// The target of the request line.
    #[must_use]
    pub fn target(&self) -> String {
        let head = String::from_utf8_lossy(&self.head).into_owned();
        head.split(' ').nth(1).unwrap_or_default().to_owned()
    }
}

// === impl Talk ===

impl Talk {
    pub(super) fn new(wire: BoxedWire, socket: TcpStream, number: usize, seen: Arc<Seen>) -> Self {
        Self { wire, socket, number, count: 0, seen, ahead: Vec::new() }
    }

    /// The next request, body included; `None` when the gateway has closed.
    pub fn request(&mut self) -> Option<Heard> {
        let mut heard = self.head()?;
        heard.body = self.body(&heard)?;
        Some(heard)
    }

    /// The next request's head; its body is still to be read.
    pub fn head(&mut self) -> Option<Heard> {
        let length = loop {
            if let Some(at) = find(&self.ahead, b"\r\n\r\n") {
                break at + 4;
            }
            self.fill()?;
        };
        self.seen.requests.fetch_add(1, Ordering::SeqCst);
        self.count += 1;
        Some(Heard { head: self.ahead.drain(..length).collect(), body: Vec::new() })
    }

    /// The body that belongs to a head, with its framing.
    pub fn body(&mut self, heard: &Heard) -> Option<Vec<u8>> {
        if heard.field("transfer-encoding").is_some() {
            return self.chunks();
        }
        let length = heard.field("content-length").map_or(0, |value| value.parse().unwrap());
        while self.ahead.len() < length {
            self.fill()?;
        }
        Some(self.ahead.drain(..length).collect())
    }

    fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut used = 0;
        loop {
            let line = self.line(used)?;
            let size = String::from_utf8_lossy(&self.ahead[used..line]).into_owned();
            let size = usize::from_str_radix(&size, 16).unwrap_or_else(|_| panic!("forwarded chunk size {size:?}"));
            used = line + 2;
            if size == 0 {
                break;
            }
            while self.ahead.len() < used + size + 2 {
                self.fill()?;
            }
            used += size + 2;
        }
        loop {
            let line = self.line(used)?;
            let empty = line == used;
            used = line + 2;
            if empty {
                return Some(self.ahead.drain(..used).collect());
            }
        }
    }

    fn line(&mut self, from: usize) -> Option<usize> {
        loop {
            if let Some(at) = find(&self.ahead[from..], b"\r\n") {
                return Some(from + at);
            }
            self.fill()?;
        }
    }

    /// The next frame of a WebSocket: opcode and payload. Payloads of up to 125 bytes, as the tests send them.
    pub fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        while self.ahead.len() < 6 || self.ahead.len() < 6 + usize::from(self.ahead[1] & 0x7f) {
            self.fill()?;
        }
        let length = usize::from(self.ahead[1] & 0x7f);
        assert!(length <= 125 && self.ahead[1] & 0x80 != 0, "a short frame of a client: {:?}", &self.ahead[..6]);
        let frame: Vec<u8> = self.ahead.drain(..6 + length).collect();
        let payload = frame[6..].iter().zip(frame[2..6].iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        Some((frame[0] & 0x0f, payload))
    }

    fn fill(&mut self) -> Option<()> {
        let mut room = vec![0u8; 64 * 1024];
        let count = self.wire.read(&mut room).ok().filter(|count| *count > 0)?;
        self.ahead.extend_from_slice(&room[..count]);
        self.seen.bytes.lock().unwrap()[self.number].extend_from_slice(&room[..count]);
        Some(())
    }

    /// Sends bytes as they are; `false` when the gateway is gone.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.wire.write_all(bytes.as_ref()).and_then(|()| self.wire.flush()).is_ok()
    }

    /// Says nothing until the gateway closes.
    pub fn hang(&mut self) {
        until_closed(&mut self.wire);
    }

    /// Says nothing for a while.
    pub fn pause(&mut self, long: Duration) {
        // SLEEP: this upstream is slow on purpose.
        std::thread::sleep(long);
    }

    /// Ends our direction and waits for the gateway to close.
    pub fn finish(&mut self) {
        drop(self.socket.shutdown(Shutdown::Write));
        self.hang();
    }
}
