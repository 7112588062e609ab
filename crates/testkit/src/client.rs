//! A client that sends any bytes, in any pieces, and reads answers strictly. Every wait has a deadline.

use crate::answer::{Answer, Delimited};
use crate::deadline::Deadline;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    /// Bytes that came and belong to no answer yet.
    pub ahead: Vec<u8>,
    ended: bool,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

// === impl Stream ===

impl Stream {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(room),
            Self::Tls(stream) => stream.read(room),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }
}

// === impl Client ===

impl Client {
    /// Connects in plain.
    #[must_use]
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10)).expect("the gateway accepts");
        stream.set_nodelay(true).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { stream: Stream::Plain(stream), ahead: Vec::new(), ended: false }
    }

    /// Connects and shakes hands.
    ///
    /// # Errors
    /// A handshake that failed.
    pub fn tls(address: SocketAddr, config: &Arc<ClientConfig>, name: &str) -> io::Result<Self> {
        Self::tls_after(b"", address, config, name)
    }

    /// Connects, says something in the clear, and shakes hands.
    ///
    /// # Errors
    /// A handshake that failed.
    pub fn tls_after(preface: &[u8], address: SocketAddr, config: &Arc<ClientConfig>, name: &str) -> io::Result<Self> {
        let mut tcp = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(Duration::from_secs(10)))?;
        tcp.set_write_timeout(Some(Duration::from_secs(10)))?;
        tcp.write_all(preface)?;
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let mut session = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        while session.is_handshaking() {
            session.complete_io(&mut tcp)?;
        }
        let stream = StreamOwned::new(session, tcp);
        Ok(Self { stream: Stream::Tls(Box::new(stream)), ahead: Vec::new(), ended: false })
    }

    /// The TLS session, where there is one.
    #[must_use]
    pub fn session(&self) -> Option<&ClientConnection> {
        match &self.stream {
            Stream::Plain(_) => None,
            Stream::Tls(stream) => Some(&stream.conn),
        }
    }

    /// The socket, for what only a socket can do.
    #[must_use]
    pub fn socket(&self) -> &TcpStream {
        self.stream.tcp()
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).expect("the gateway takes what is sent");
    }

    /// Sends bytes as they are, to a gateway that may close while they are on their way.
    ///
    /// # Errors
    /// What the system says when the other side is gone.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Ends our direction only.
    pub fn finish(&self) {
        // The other side may be gone already.
        drop(self.socket().shutdown(Shutdown::Write));
    }

    /// Sends a request and reads its answer.
    pub fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        let request = request.as_ref();
        self.send(request);
        self.answer_to(request.starts_with(b"HEAD "))
    }

    /// Reads the next answer to a request that was not HEAD, interim ones included.
    pub fn answer(&mut self) -> Answer {
        self.answer_to(false)
    }

    /// Reads the next answer, or panics when there is none.
    pub fn answer_to(&mut self, to_head: bool) -> Answer {
        self.try_answer(to_head)
            .unwrap_or_else(|| panic!("no answer; the connection ended after {:?}", lossy(&self.ahead)))
    }

    /// Reads the next answer; `None` where the connection ends before its head is whole.
    pub fn try_answer(&mut self, to_head: bool) -> Option<Answer> {
        let deadline = Deadline::default();
        let length = loop {
            if let Some(at) = find(&self.ahead, b"\r\n\r\n") {
                break at + 4;
            }
            if self.fill(deadline) == 0 {
                return None;
            }
        };
        let head: Vec<u8> = self.ahead.drain(..length).collect();
        let mut answer = Answer::from_head(&head);
        let delimited = answer.delimited(to_head);
        answer.until_close = delimited == Delimited::Close;
        answer.whole = match delimited {
            Delimited::Nothing => true,
            Delimited::Length(length) => self.take(length, &mut answer.body, deadline),
            Delimited::Chunks => self.chunks(&mut answer, deadline),
            Delimited::Close => {
                while self.fill(deadline) > 0 {}
                answer.body = std::mem::take(&mut self.ahead);
                true
            }
        };
        Some(answer)
    }

    /// The next bytes, exactly so many.
    pub fn read_exactly(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        assert!(self.take(count, &mut bytes, Deadline::default()), "the connection ended after {:?}", lossy(&bytes));
        bytes
    }

    fn take(&mut self, length: usize, into: &mut Vec<u8>, deadline: Deadline) -> bool {
        while self.ahead.len() < length {
            if self.fill(deadline) == 0 {
                into.append(&mut self.ahead);
                return false;
            }
        }
        into.extend(self.ahead.drain(..length));
        true
    }

    fn line(&mut self, deadline: Deadline) -> Option<String> {
        loop {
            if let Some(at) = find(&self.ahead, b"\r\n") {
                let line: Vec<u8> = self.ahead.drain(..at + 2).collect();
                return Some(lossy(&line[..at]));
            }
            if self.fill(deadline) == 0 {
                return None;
            }
        }
    }

    fn chunks(&mut self, answer: &mut Answer, deadline: Deadline) -> bool {
        loop {
            let Some(size) = self.line(deadline) else { return false };
            let size = usize::from_str_radix(&size, 16).unwrap_or_else(|_| panic!("chunk size {size:?}"));
            if size == 0 {
                break;
            }
            if !self.take(size, &mut answer.body, deadline) {
                return false;
            }
            match self.line(deadline) {
                None => return false,
                Some(end) => assert_eq!(end, "", "a chunk ends where its size says"),
            }
        }
        loop {
            match self.line(deadline) {
                None => return false,
                Some(line) if line.is_empty() => return true,
                Some(line) => {
                    answer.trailers.push_str(&line);
                    answer.trailers.push('\n');
                }
            }
        }
    }

    /// Reads once; 0 is the end of the connection, however it came.
    fn fill(&mut self, deadline: Deadline) -> usize {
        if self.ended {
            return 0;
        }
        let left = deadline.left().unwrap_or_else(|| panic!("no answer in time after {:?}", lossy(&self.ahead)));
        self.socket().set_read_timeout(Some(left)).unwrap();
        let mut room = vec![0u8; 64 * 1024];
        match self.stream.read(&mut room) {
            Ok(0) => self.ended = true,
            Ok(count) => {
                self.ahead.extend_from_slice(&room[..count]);
                return count;
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("no answer in time after {:?}", lossy(&self.ahead))
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return self.fill(deadline),
            Err(_) => self.ended = true,
        }
        0
    }

    /// Waits for the end of the connection; panics if the gateway says anything more, or does not end it.
    pub fn expect_end(&mut self) {
        let deadline = Deadline::default();
        while self.fill(deadline) > 0 {}
        assert!(self.ahead.is_empty(), "more than was expected: {:?}", lossy(&self.ahead));
    }

    /// Everything until the end, and whether the end was an orderly one.
    pub fn rest(&mut self) -> (Vec<u8>, io::Result<()>) {
        let deadline = Deadline::default();
        let mut bytes = std::mem::take(&mut self.ahead);
        let mut room = vec![0u8; 64 * 1024];
        loop {
            let left = deadline.left().unwrap_or_else(|| panic!("no end in time after {:?}", lossy(&bytes)));
            self.socket().set_read_timeout(Some(left)).unwrap();
            match self.stream.read(&mut room) {
                Ok(0) => return (bytes, Ok(())),
                Ok(count) => bytes.extend_from_slice(&room[..count]),
                Err(error) => return (bytes, Err(error)),
            }
        }
    }

    /// Whether nothing comes and the connection stays open for `long`.
    pub fn is_quiet_for(&mut self, long: Duration) -> bool {
        if self.ended || !self.ahead.is_empty() {
            return false;
        }
        self.socket().set_read_timeout(Some(long)).unwrap();
        let mut room = [0u8; 1024];
        match self.stream.read(&mut room) {
            Ok(count) => {
                self.ahead.extend_from_slice(&room[..count]);
                self.ended = count == 0;
                false
            }
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

/// Where `what` begins in `bytes`.
#[must_use]
pub fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned()
}
