//! The status listener: there before the gateway is, and ready once it is. What it serves is `site`'s business.

#[cfg(test)]
mod tests;

use crate::server::{Server, ServerError};
use crate::site::{self, Source};
use portcullis_proxy::Handle;
use std::io;
use std::net::{SocketAddr, TcpListener};

/// The running status listener.
#[derive(Debug)]
pub struct Status {
    source: Source,
    server: Server,
}

// === impl Status ===

impl Status {
    /// Listens and answers at once: alive, and not ready until [`Status::attach`]. The address is known before the
    /// gateway starts, because the gateway names it in its problems.
    ///
    /// # Errors
    /// The address is taken or not ours, or there is no thread to be had.
    pub fn listen(bind: SocketAddr) -> Result<Self, ServerError> {
        let source = Source::default();
        let server = Server::listen("status", bind, site::router(source.clone()))?;
        Ok(Self { source, server })
    }

    /// The same at a socket that a predecessor gave.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn adopt(listener: TcpListener) -> Result<Self, ServerError> {
        let source = Source::default();
        let server = Server::adopt("status", listener, site::router(source.clone()))?;
        Ok(Self { source, server })
    }

    /// The socket at which it listens, for a successor.
    ///
    /// # Errors
    /// The system grants no more files.
    pub fn socket(&self) -> io::Result<TcpListener> {
        self.server.socket()
    }

    /// Listens for a gateway that runs already.
    ///
    /// # Errors
    /// As [`Status::listen`].
    pub fn start(bind: SocketAddr, handle: Handle) -> Result<Self, ServerError> {
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
        self.server.address()
    }

    /// What the `type` of a problem starts with: where the pages are, as somebody on this machine calls it.
    #[must_use]
    pub fn problem_base(&self) -> String {
        format!("http://{}/problems/", self.server.near())
    }

    /// Stops listening and closes what is open.
    pub fn stop(self) {
        self.server.stop();
    }
}
