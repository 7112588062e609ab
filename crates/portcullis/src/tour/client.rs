//! A small HTTP client that can also say what no decent client says. Blocking, with a deadline on everything.

mod answer;
pub(crate) mod http2;

pub(crate) use answer::Answer;

use portcullis_types::Clock;
use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

// LIMIT: for a whole exchange.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long a read may block before the deadline is looked at.
const READ_SLICE: Duration = Duration::from_millis(100);
// LIMIT: bytes of an answer.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Speaks to the gateway's listeners.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    clock: Clock,
    tls: Arc<ClientConfig>,
    secure: SocketAddr,
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Open {
    clock: Clock,
    stream: Stream,
    unread: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A client that trusts one authority.
fn builder(authority: &Path) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", authority.display());
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(authority).map_err(|error| told(&error))?;
    roots.add(certificate).map_err(|error| told(&error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|error| told(&error))?.with_root_certificates(roots))
}

// === impl Client ===

impl Client {
    /// Trusts one authority, as `curl --cacert` does.
    pub(crate) fn new(authority: &Path, secure: SocketAddr) -> Result<Self, String> {
        let config = builder(authority)?.with_no_client_auth();
        Ok(Self { clock: Clock::system(), tls: Arc::new(config), secure })
    }

    /// The same with a certificate of its own.
    pub(crate) fn showing(&self, authority: &Path, certificate: &str, key: &str) -> Result<Self, String> {
        let told = |error: &dyn std::fmt::Display| error.to_string();
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| told(&error))?;
        let builder = builder(authority)?;
        let config = builder.with_client_auth_cert(chain.map_err(|error| told(&error))?, key);
        let tls = Arc::new(config.map_err(|error| told(&error))?);
        Ok(Self { clock: self.clock.clone(), tls, secure: self.secure })
    }

    /// A connection with TLS.
    pub(crate) fn open(&self) -> Result<Open, String> {
        let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
        let session = ClientConnection::new(Arc::clone(&self.tls), name).map_err(|error| error.to_string())?;
        let stream = StreamOwned::new(session, connect(self.secure)?);
        Ok(Open { clock: self.clock.clone(), stream: Stream::Tls(Box::new(stream)), unread: Vec::new() })
    }

    /// A connection without.
    pub(crate) fn open_plain(&self, address: SocketAddr) -> Result<Open, String> {
        Ok(Open { clock: self.clock.clone(), stream: Stream::Plain(connect(address)?), unread: Vec::new() })
    }

    /// One GET on a connection of its own. `more` is header lines, each with its line end.
    pub(crate) fn get(&self, path: &str, more: &str) -> Result<Answer, String> {
        self.ask("GET", path, more)
    }

    /// One request without a body.
    pub(crate) fn ask(&self, method: &str, path: &str, more: &str) -> Result<Answer, String> {
        self.raw(format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{more}Connection: close\r\n\r\n").as_bytes())
    }

    /// Any bytes, and the first answer to them.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<Answer, String> {
        let mut open = self.open()?;
        open.send(bytes)?;
        open.answer()
    }

    /// One GET of a plain address that is not the gateway's.
    pub(crate) fn get_plain(&self, address: SocketAddr, path: &str, more: &str) -> Result<Answer, String> {
        let mut open = self.open_plain(address)?;
        open.send(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{more}Connection: close\r\n\r\n").as_bytes())?;
        open.answer()
    }

    /// Sends a form over a connection without encryption, as a page of that address would.
    pub(crate) fn post_plain(&self, address: SocketAddr, path: &str, more: &str, form: &str) -> Result<Answer, String> {
        let mut open = self.open_plain(address)?;
        let length = form.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n{more}Connection: close\r\n\r\n{form}"
        );
        open.send(request.as_bytes())?;
        open.answer()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream, String> {
    let stream = TcpStream::connect_timeout(&address, DEADLINE).map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(READ_SLICE)).map_err(|error| error.to_string())?;
    stream.set_write_timeout(Some(DEADLINE)).map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    Ok(stream)
}

// === impl Open ===

impl Open {
    /// Sends as much as the other side takes: one that has answered and closed need not read the rest.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let due = self.clock.millis() + 10_000;
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if is_slow(&error) && self.clock.millis() < due => {}
                Err(error) if is_gone(&error) => return Ok(()),
                Err(error) => return Err(error.to_string()),
            }
        }
        match self.stream.flush() {
            Err(error) if !is_gone(&error) && !is_slow(&error) => Err(error.to_string()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The next answer.
    pub(crate) fn answer(&mut self) -> Result<Answer, String> {
        let due = self.clock.millis() + 10_000;
        loop {
            if let Some((answer, length)) = Answer::read(&self.unread, false)? {
                self.unread.drain(..length);
                return Ok(answer.with_tls(self.tls_facts()));
            }
            if !self.more(due)? {
                let whole = Answer::read(&self.unread, true)?;
                self.unread.clear();
                let (answer, _) = whole.ok_or("the connection was closed without an answer")?;
                return Ok(answer.with_tls(self.tls_facts()));
            }
        }
    }

    /// The head of the next answer alone: its status.
    pub(crate) fn head(&mut self) -> Result<u16, String> {
        let end = self.until("\r\n\r\n")?;
        let head: Vec<u8> = self.unread.drain(..end).collect();
        let line = String::from_utf8_lossy(&head).into_owned();
        line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| format!("not an answer: {line}"))
    }

    /// The next bytes, exactly so many.
    pub(crate) fn exactly(&mut self, count: usize) -> Result<Vec<u8>, String> {
        let due = self.clock.millis() + 10_000;
        while self.unread.len() < count {
            if !self.more(due)? {
                return Err("the connection was closed".to_owned());
            }
        }
        Ok(self.unread.drain(..count).collect())
    }

    /// Reads until a text has come; says where it ends.
    pub(crate) fn until(&mut self, text: &str) -> Result<usize, String> {
        let due = self.clock.millis() + 10_000;
        loop {
            if let Some(at) = answer::find(&self.unread, text.as_bytes()) {
                return Ok(at + text.len());
            }
            if !self.more(due)? {
                return Err(format!("closed before `{text}` came"));
            }
        }
    }

    /// Waits for the other side to close; says whether it sent something before.
    pub(crate) fn closed(&mut self) -> Result<(), String> {
        let due = self.clock.millis() + 10_000;
        while self.more(due)? {
            self.unread.clear();
        }
        Ok(())
    }

    /// Reads on; false at the end.
    fn more(&mut self, due: u64) -> Result<bool, String> {
        let mut chunk = [0; 16 * 1024];
        while self.clock.millis() < due {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    self.unread.extend_from_slice(chunk.get(..count).unwrap_or_default());
                    let fits = self.unread.len() <= ANSWER_BYTES_MAX;
                    return if fits { Ok(true) } else { Err("the answer has no end".to_owned()) };
                }
                Err(error) if is_slow(&error) => {}
                Err(error) if is_gone(&error) => return Ok(false),
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("no answer within ten seconds".to_owned())
    }

    /// Version and key exchange group.
    fn tls_facts(&self) -> Option<(String, String)> {
        let Stream::Tls(stream) = &self.stream else { return None };
        let version = stream.conn.protocol_version()?;
        let group = stream.conn.negotiated_key_exchange_group()?.name();
        Some((format!("{version:?}"), format!("{group:?}")))
    }
}

fn is_slow(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}

// === impl Stream ===

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
