//! A small HTTP server on a thread of its own, so that a busy gateway still answers its operators.
//!
//! What is served is `site`'s business; this file bounds what a client may cost.

#[cfg(test)]
mod tests;

use crate::site::{self, Source};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use portcullis_proxy::Handle;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

// LIMIT: connections at once; more wait in the system's queue.
const CONNECTIONS_MAX: usize = 64;
// LIMIT: bytes of a request head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
// LIMIT: header lines of a request.
const FIELDS_MAX: usize = 64;
// LIMIT: from the first byte of a head to its last.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
// LIMIT: the whole life of a connection; a scraper opens the next one.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(300);
/// After an accept that failed for want of file descriptors, so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The running status listener.
#[derive(Debug)]
pub struct Status {
    address: SocketAddr,
    source: Source,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// Why the status listener does not start. The text is one line that says what to do.
#[derive(Debug)]
pub enum StatusError {
    /// The address cannot be listened on.
    Listen {
        /// The address.
        bind: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// The system grants no thread.
    System(io::Error),
}

// === impl Status ===

impl Status {
    /// Listens and answers at once: alive, and not ready until [`Status::attach`]. The address is known before the
    /// gateway starts, because the gateway names it in its problems.
    ///
    /// # Errors
    /// The address is taken or not ours, or there is no thread to be had.
    pub fn listen(bind: SocketAddr) -> Result<Self, StatusError> {
        let error = |source| StatusError::Listen { bind, source };
        let listener = std::net::TcpListener::bind(bind).map_err(error)?;
        listener.set_nonblocking(true).map_err(error)?;
        let address = listener.local_addr().map_err(error)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StatusError::System)?;
        let source = Source::default();
        let router = site::router(source.clone());
        let (stop, stopped) = oneshot::channel();
        let serving = move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    () = accept(listener, router) => {}
                    _ = stopped => {}
                }
            });
        };
        let thread =
            std::thread::Builder::new().name("status".to_owned()).spawn(serving).map_err(StatusError::System)?;
        Ok(Self { address, source, stop, thread })
    }

    /// Listens for a gateway that runs already.
    ///
    /// # Errors
    /// As [`Status::listen`].
    pub fn start(bind: SocketAddr, handle: Handle) -> Result<Self, StatusError> {
        let status = Self::listen(bind)?;
        status.attach(handle);
        Ok(status)
    }

    /// From now on readiness and metrics are this gateway's. The first one stays.
    pub fn attach(&self, handle: Handle) {
        self.source.attach(handle);
    }

    /// Where it listens; a port of 0 is a real one here.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the `type` of a problem starts with: where the pages are, as somebody on this machine calls it.
    #[must_use]
    pub fn problem_base(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        format!("http://{}/problems/", SocketAddr::new(ip, self.address.port()))
    }

    /// Stops listening and closes what is open.
    pub fn stop(self) {
        // A thread that has ended already hears nothing and needs nothing.
        let _told = self.stop.send(());
        drop(self.thread.join());
    }
}

async fn accept(listener: TcpListener, router: Router) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve(stream, router.clone(), slot))),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve(stream: TcpStream, router: Router, slot: OwnedSemaphorePermit) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(FIELDS_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // A client that breaks off or dawdles is its own problem.
    drop(tokio::time::timeout(CONNECTION_TIMEOUT, connection).await);
    drop(slot);
}

// === impl StatusError ===

impl fmt::Display for StatusError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { bind, source } => {
                write!(formatter, "status: cannot listen on {bind}: {}", listen_advice(source))
            }
            Self::System(error) => write!(formatter, "status: the system refuses a thread: {error}"),
        }
    }
}

impl std::error::Error for StatusError {}

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
