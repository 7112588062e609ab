//! A connection's socket, plain or encrypted, in either role.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::{client, server};

/// The bytes of one connection.
#[derive(Debug)]
pub(crate) enum Socket {
    Plain(TcpStream),
    TlsServer(Box<server::TlsStream<TcpStream>>),
    TlsClient(Box<client::TlsStream<TcpStream>>),
}

// === impl Socket ===

impl Socket {
    /// Reads once. `Ready(Ok(0))` is the end.
    pub(crate) fn poll_read(&mut self, context: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(room);
        let outcome = match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, &mut buffer),
            Self::TlsServer(stream) => Pin::new(stream).poll_read(context, &mut buffer),
            Self::TlsClient(stream) => Pin::new(stream).poll_read(context, &mut buffer),
        };
        outcome.map_ok(|()| buffer.filled().len())
    }

    pub(crate) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::TlsServer(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::TlsClient(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    /// Pushes out what TLS holds back; a plain socket holds nothing.
    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::TlsServer(stream) => Pin::new(stream).poll_flush(context),
            Self::TlsClient(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    /// Makes the coming close a reset instead of an orderly end.
    pub(crate) fn break_off(&self) {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::TlsServer(stream) => stream.get_ref().0,
            Self::TlsClient(stream) => stream.get_ref().0,
        };
        // A socket that refuses the option is broken already.
        drop(stream.set_zero_linger());
    }

    /// Ends our direction: a close_notify where TLS is spoken, then the end of the stream.
    pub(crate) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::TlsServer(stream) => Pin::new(stream).poll_shutdown(context),
            Self::TlsClient(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
