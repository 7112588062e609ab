//! A small HTTP server on a thread of its own, so that a busy gateway still answers its operators.
//!
//! What is served is others' business; this file bounds what a client may cost.

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;

// LIMIT: connections at once; more wait in the system's queue.
pub(crate) const CONNECTIONS_MAX: usize = 64;
// LIMIT: bytes of a request head.
pub(crate) const HEAD_BYTES_MAX: usize = 16 * 1024;
// LIMIT: header lines of a request.
pub(crate) const FIELDS_MAX: usize = 64;
// LIMIT: from the first byte of a head to its last.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
// LIMIT: the whole life of a connection; a scraper opens the next one.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(300);
/// After an accept that failed for want of file descriptors, so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

// LIMIT: threads of a server that wait for something.
const WAITING_MAX: usize = 8;
// LIMIT: how long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) is_secure: bool,
}

/// How new connections are encrypted, if they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Security(Arc<RwLock<Option<Arc<ServerConfig>>>>);

/// A server at work.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    /// For a successor.
    kept: std::net::TcpListener,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// Why a listener for operators or developers does not start. The text is one line that says what to do.
#[derive(Debug)]
pub enum ServerError {
    /// The address cannot be listened on.
    Listen {
        /// Whose.
        name: &'static str,
        /// The address.
        bind: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// The system grants no thread.
    System(&'static str, io::Error),
}

/// A socket that listens there.
pub(crate) fn bound(name: &'static str, bind: SocketAddr) -> Result<std::net::TcpListener, ServerError> {
    std::net::TcpListener::bind(bind).map_err(|source| ServerError::Listen { name, bind, source })
}

// === impl Server ===

impl Server {
    /// Listens and answers.
    pub(crate) fn listen(name: &'static str, bind: SocketAddr, router: Router) -> Result<Self, ServerError> {
        Self::adopt(name, bound(name, bind)?, router)
    }

    /// The same at a socket that listens already.
    pub(crate) fn adopt(
        name: &'static str,
        listener: std::net::TcpListener,
        router: Router,
    ) -> Result<Self, ServerError> {
        Self::adopt_with(name, listener, router, (Security::default(), std::future::pending()))
    }

    /// The same with encryption, and with something that goes on beside it.
    pub(crate) fn adopt_with(
        name: &'static str,
        listener: std::net::TcpListener,
        router: Router,
        (security, beside): (Security, impl Future<Output = ()> + Send + 'static),
    ) -> Result<Self, ServerError> {
        let address = listener.local_addr().map_err(|error| ServerError::System(name, error))?;
        let error = |source| ServerError::Listen { name, bind: address, source };
        listener.set_nonblocking(true).map_err(error)?;
        let kept = listener.try_clone().map_err(error)?;
        let system = |error| ServerError::System(name, error);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(WAITING_MAX)
            .enable_all()
            .build()
            .map_err(system)?;
        let (stop, stopped) = oneshot::channel();
        let serving = move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    () = accept(listener, router, security) => {}
                    () = beside => {}
                    _ = stopped => {}
                }
            });
            // What waits for the disk or for an answer that nobody gives any more must not hold up the end.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(serving).map_err(system)?;
        Ok(Self { address, kept, stop, thread })
    }

    /// Where it listens; a port of 0 is a real one here.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The socket at which it listens, for a successor.
    pub(crate) fn socket(&self) -> io::Result<std::net::TcpListener> {
        self.kept.try_clone()
    }

    /// The same as somebody on this machine calls it.
    pub(crate) fn near(&self) -> SocketAddr {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        SocketAddr::new(ip, self.address.port())
    }

    /// Stops listening and closes what is open.
    pub(crate) fn stop(self) {
        // A thread that has ended already hears nothing and needs nothing.
        let _told = self.stop.send(());
        drop(self.thread.join());
    }
}

async fn accept(listener: TcpListener, router: Router, security: Security) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, address)) => {
                let tls = security.current();
                let peer = Peer { address, is_secure: tls.is_some() };
                let router = router.clone().layer(Extension(peer));
                drop(tokio::spawn(welcome(stream, tls, router, slot)));
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn welcome(stream: TcpStream, tls: Option<Arc<ServerConfig>>, router: Router, slot: OwnedSemaphorePermit) {
    match tls {
        None => serve(stream, router).await,
        Some(tls) => {
            let handshake = TlsAcceptor::from(tls).accept(stream);
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await {
                serve(stream, router).await;
            }
        }
    }
    drop(slot);
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(FIELDS_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // A client that breaks off or dawdles is its own problem.
    drop(tokio::time::timeout(CONNECTION_TIMEOUT, connection).await);
}

// === impl Security ===

impl Security {
    pub(crate) fn new(tls: Option<Arc<ServerConfig>>) -> Self {
        Self(Arc::new(RwLock::new(tls)))
    }

    pub(crate) fn replace(&self, tls: Option<Arc<ServerConfig>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = tls;
    }

    fn current(&self) -> Option<Arc<ServerConfig>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

// === impl ServerError ===

impl fmt::Display for ServerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { name, bind, source } => {
                write!(formatter, "{name}: cannot listen on {bind}: {}", listen_advice(source))
            }
            Self::System(name, error) => write!(formatter, "{name}: the system refuses a thread: {error}"),
        }
    }
}

impl std::error::Error for ServerError {}

fn listen_advice(source: &io::Error) -> String {
    let is = |kind| source.kind() == kind;
    if is(io::ErrorKind::AddrInUse) {
        "the port is taken by another process; stop it or choose another port".to_owned()
    } else if is(io::ErrorKind::PermissionDenied) {
        "this needs a privilege; choose a port above 1023".to_owned()
    } else if is(io::ErrorKind::AddrNotAvailable) {
        "this is no address of this machine; use one that is, or 127.0.0.1".to_owned()
    } else {
        source.to_string()
    }
}
