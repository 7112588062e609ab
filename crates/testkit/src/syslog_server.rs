//! A collector that speaks syslog over TCP or TLS, keeps what it has read, and dies and comes back when a test says so.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a reader waits before it looks whether it is to die.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The collector.
#[derive(Debug)]
pub struct SyslogServer {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    tls: Option<Arc<ServerConfig>>,
    life: Mutex<Option<Life>>,
}

/// From one start to the next death.
#[derive(Debug)]
struct Life {
    ends: Arc<AtomicBool>,
    accepting: JoinHandle<()>,
}

/// A stream that is read from, and told that we are done.
trait Line: Read + Write {
    fn goodbye(&mut self) {}
}

impl Line for TcpStream {}

impl Line for StreamOwned<ServerConnection, TcpStream> {
    fn goodbye(&mut self) {
        self.conn.send_close_notify();
        drop(self.flush());
    }
}

// === impl SyslogServer ===

impl SyslogServer {
    /// One that listens.
    #[must_use]
    pub fn start() -> Self {
        Self::with(None)
    }

    /// One that speaks TLS.
    #[must_use]
    pub fn start_tls(config: Arc<ServerConfig>) -> Self {
        Self::with(Some(config))
    }

    fn with(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = Self { address, heard: Arc::default(), tls, life: Mutex::default() };
        server.live(listener);
        server
    }

    fn life(&self) -> std::sync::MutexGuard<'_, Option<Life>> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self, listener: TcpListener) {
        let ends: Arc<AtomicBool> = Arc::default();
        let (told, heard, tls) = (Arc::clone(&ends), Arc::clone(&self.heard), self.tls.clone());
        let accepting = std::thread::spawn(move || {
            let mut readers = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if told.load(Ordering::SeqCst) {
                    break;
                }
                let (told, heard, tls) = (Arc::clone(&told), Arc::clone(&heard), tls.clone());
                readers.push(std::thread::spawn(move || {
                    drop(stream.set_read_timeout(Some(LOOK_EVERY)));
                    match tls.map(ServerConnection::new) {
                        None => read(stream, &told, &heard),
                        Some(Ok(session)) => read(StreamOwned::new(session, stream), &told, &heard),
                        Some(Err(_)) => {}
                    }
                }));
            }
            readers.into_iter().for_each(|reader| drop(reader.join()));
        });
        *self.life() = Some(Life { ends, accepting });
    }

    /// Where it listens, or will again.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every message so far, without its count.
    #[must_use]
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Dies: nobody listens, and what it has not read is lost.
    pub fn kill(&self) {
        let Some(Life { ends, accepting }) = self.life().take() else { return };
        ends.store(true, Ordering::SeqCst);
        // Wakes whoever accepts.
        drop(TcpStream::connect(self.address));
        drop(accepting.join());
    }

    /// Listens again where it did.
    pub fn revive(&self) {
        self.live(TcpListener::bind(self.address).expect("the port of before"));
    }
}

impl Drop for SyslogServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads until the other side ends or this one dies. A stream that is dropped with something unread is reset by the system.
fn read(mut stream: impl Line, told: &AtomicBool, heard: &Mutex<Vec<String>>) {
    let (mut input, mut room) = (Vec::new(), [0; 4096]);
    while !told.load(Ordering::SeqCst) {
        match stream.read(&mut room) {
            Ok(0) => {
                assert!(input.is_empty(), "half a message: {:?}", String::from_utf8_lossy(&input));
                return stream.goodbye();
            }
            Ok(count) => {
                input.extend_from_slice(&room[..count]);
                while let Some(message) = take(&mut input) {
                    heard.lock().unwrap_or_else(PoisonError::into_inner).push(message);
                }
            }
            Err(error) if is_pause(&error) => {}
            Err(_) => return,
        }
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Takes one message off: its octets, a blank, itself.
fn take(input: &mut Vec<u8>) -> Option<String> {
    let blank = input.iter().position(|byte| *byte == b' ')?;
    let count: usize = std::str::from_utf8(&input[..blank]).expect("a count").parse().expect("a count");
    let end = blank + 1 + count;
    let message = input.get(blank + 1..end).map(|message| String::from_utf8(message.to_vec()).expect("ASCII"))?;
    input.drain(..end);
    Some(message)
}
