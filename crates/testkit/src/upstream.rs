//! Upstreams that do what a test says: answer, echo, stall, lie about lengths, break off, speak garbage.
//!
//! Each connection has a thread that runs the test's script. Everything that arrives is kept as it came, so that a
//! test can say what was forwarded, and that nothing was.

use crate::deadline::{DEADLINE, Deadline};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::collections::HashMap;
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

mod talk;

pub use talk::{Heard, Talk};

/// A listening upstream. Dropping it closes everything.
#[derive(Debug)]
pub struct FakeUpstream {
    address: SocketAddr,
    seen: Arc<Seen>,
}

/// What all connections of an upstream have seen together.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    stopping: AtomicBool,
    taken: AtomicUsize,
    open: AtomicUsize,
    requests: AtomicUsize,
    bytes: Mutex<Vec<Vec<u8>>>,
    sockets: Mutex<HashMap<usize, TcpStream>>,
}

pub(crate) type BoxedWire = Box<dyn WireSend>;

/// A byte stream of either kind.
pub(crate) trait WireSend: Read + Write + Send {}
impl<T: Read + Write + Send> WireSend for T {}

impl fmt::Debug for dyn WireSend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("wire")
    }
}

// === impl FakeUpstream ===

impl FakeUpstream {
    /// Runs `script` for each connection.
    #[must_use]
    pub fn with(script: impl Fn(&mut Talk) + Send + Sync + 'static) -> Self {
        Self::start(None, Arc::new(script))
    }

    /// The same behind TLS.
    #[must_use]
    pub fn with_tls(config: Arc<ServerConfig>, script: impl Fn(&mut Talk) + Send + Sync + 'static) -> Self {
        Self::start(Some(config), Arc::new(script))
    }

    /// Gives these bytes as the answer to every request, after all of it.
    #[must_use]
    pub fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::with(move |talk| while talk.request().is_some() && talk.send(&answer) {})
    }

    /// Answers every request with the request itself, byte for byte as it arrived.
    #[must_use]
    pub fn echoing() -> Self {
        Self::with(echo)
    }

    /// One at an address that is chosen, which gives the same answer to every request.
    #[must_use]
    pub fn answering_at(address: SocketAddr, answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        let script = move |talk: &mut Talk| while talk.request().is_some() && talk.send(&answer) {};
        Self::on(TcpListener::bind(address).unwrap(), None, Arc::new(script))
    }

    /// An address that nobody listens on.
    #[must_use]
    pub fn nobody() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap()
    }

    fn start(tls: Option<Arc<ServerConfig>>, script: Arc<dyn Fn(&mut Talk) + Send + Sync>) -> Self {
        Self::on(TcpListener::bind(("127.0.0.1", 0)).unwrap(), tls, script)
    }

    fn on(listener: TcpListener, tls: Option<Arc<ServerConfig>>, script: Arc<dyn Fn(&mut Talk) + Send + Sync>) -> Self {
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let number = shared.taken.fetch_add(1, Ordering::SeqCst);
                shared.open.fetch_add(1, Ordering::SeqCst);
                let (seen, script, tls) = (Arc::clone(&shared), Arc::clone(&script), tls.clone());
                std::thread::spawn(move || serve(stream, number, tls, &seen, &*script));
            }
        });
        Self { address, seen }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.seen.taken.load(Ordering::SeqCst)
    }

    /// Connections whose script has not ended.
    #[must_use]
    pub fn open(&self) -> usize {
        self.seen.open.load(Ordering::SeqCst)
    }

    /// Request heads so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.seen.requests.load(Ordering::SeqCst)
    }

    /// All bytes that each connection has sent, in the order of the connections.
    #[must_use]
    pub fn bytes(&self) -> Vec<Vec<u8>> {
        self.seen.bytes.lock().unwrap().clone()
    }

    /// All bytes of all connections as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes().concat()).into_owned()
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        self.seen.stopping.store(true, Ordering::SeqCst);
        for (_, socket) in self.seen.sockets.lock().unwrap().drain() {
            drop(socket.shutdown(Shutdown::Both));
        }
        // Wakes the accepting thread, which then ends; if it has ended already, there is nothing to wake.
        drop(TcpStream::connect_timeout(&self.address, Duration::from_secs(1)));
    }
}

fn serve(
    stream: TcpStream,
    number: usize,
    tls: Option<Arc<ServerConfig>>,
    seen: &Arc<Seen>,
    script: &(dyn Fn(&mut Talk) + Send + Sync),
) {
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(DEADLINE * 2)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    let socket = stream.try_clone().unwrap();
    let _open = Open { number, socket: stream.try_clone().unwrap(), seen: Arc::clone(seen) };
    seen.sockets.lock().unwrap().insert(number, stream.try_clone().unwrap());
    {
        let mut bytes = seen.bytes.lock().unwrap();
        while bytes.len() <= number {
            bytes.push(Vec::new());
        }
    }
    if let Some(wire) = wire(stream, tls) {
        script(&mut Talk::new(wire, socket, number, Arc::clone(seen)));
    }
}

/// Ends a connection with its script, even one that panics.
struct Open {
    number: usize,
    socket: TcpStream,
    seen: Arc<Seen>,
}

impl Drop for Open {
    fn drop(&mut self) {
        // The copies of the socket elsewhere would keep it open.
        drop(self.socket.shutdown(Shutdown::Both));
        if let Ok(mut sockets) = self.seen.sockets.lock() {
            sockets.remove(&self.number);
        }
        self.seen.open.fetch_sub(1, Ordering::SeqCst);
    }
}

fn wire(mut stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> Option<BoxedWire> {
    let Some(config) = tls else { return Some(Box::new(stream)) };
    let mut session = ServerConnection::new(config).unwrap();
    while session.is_handshaking() {
        session.complete_io(&mut stream).ok()?;
    }
    Some(Box::new(StreamOwned::new(session, stream)))
}

/// The script of an upstream that echoes.
pub fn echo(talk: &mut Talk) {
    while let Some(heard) = talk.request() {
        let bytes = [heard.head.as_slice(), heard.body.as_slice()].concat();
        let to_head = heard.head.starts_with(b"HEAD ");
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
            bytes.len()
        );
        if !talk.send(head.as_bytes()) || (!to_head && !talk.send(&bytes)) {
            return;
        }
    }
}

/// Waits until the peer has closed, so that a script can be the silent one.
pub(crate) fn until_closed(wire: &mut BoxedWire) {
    let deadline = Deadline::after(DEADLINE * 2);
    let mut room = [0u8; 16 * 1024];
    while deadline.left().is_some() {
        match wire.read(&mut room) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
