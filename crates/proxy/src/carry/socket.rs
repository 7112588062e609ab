//! A connection's socket, plain or encrypted, in either role; or one stream of a connection that many share.

use super::stream::Stream;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::{client, server};

// LIMIT: bytes that are read over while a connection closes.
pub(crate) const LINGER_BYTES_MAX: usize = 256 * 1024;

/// The bytes of one connection.
#[derive(Debug)]
pub(crate) enum Socket {
    Plain(TcpStream),
    TlsServer(Box<server::TlsStream<TcpStream>>),
    TlsClient(Box<client::TlsStream<TcpStream>>),
    Stream(Box<Stream>),
}

// === impl Socket ===

impl Socket {
    /// The stream, if it is one of many on a connection.
    pub(crate) fn as_stream(&mut self) -> Option<&mut Stream> {
        match self {
            Self::Stream(stream) => Some(stream),
            Self::Plain(_) | Self::TlsServer(_) | Self::TlsClient(_) => None,
        }
    }

    pub(crate) fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(_))
    }

    fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(stream) => Some(stream),
            Self::TlsServer(stream) => Some(stream.get_ref().0),
            Self::TlsClient(stream) => Some(stream.get_ref().0),
            Self::Stream(_) => None,
        }
    }

    /// Reads once. `Ready(Ok(0))` is the end.
    pub(crate) fn poll_read(&mut self, context: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(room);
        let outcome = match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, &mut buffer),
            Self::TlsServer(stream) => Pin::new(stream).poll_read(context, &mut buffer),
            Self::TlsClient(stream) => Pin::new(stream).poll_read(context, &mut buffer),
            Self::Stream(stream) => return stream.poll_read(context, room),
        };
        outcome.map_ok(|()| buffer.filled().len())
    }

    pub(crate) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::TlsServer(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::TlsClient(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Stream(stream) => stream.poll_write(context, bytes),
        }
    }

    /// Pushes out what TLS holds back; a plain socket holds nothing.
    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            // A stream's bytes are its connection's to send.
            Self::Stream(stream) => Poll::Ready(stream.flush()),
            Self::TlsServer(stream) => Pin::new(stream).poll_flush(context),
            Self::TlsClient(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    /// Makes the coming close a reset instead of an orderly end.
    pub(crate) fn break_off(&mut self) {
        if let Some(stream) = self.as_stream() {
            stream.break_off();
        } else if let Some(stream) = self.tcp() {
            // A socket that refuses the option is broken already.
            drop(stream.set_zero_linger());
        }
    }

    /// Ends our direction: a close_notify where TLS is spoken, then the end of the stream.
    pub(crate) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::TlsServer(stream) => Pin::new(stream).poll_shutdown(context),
            Self::TlsClient(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Stream(stream) => Poll::Ready(stream.end()),
        }
    }
}

/// For those who read and write by the runtime's traits: the connections of HTTP/2, which are never streams themselves.
impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::TlsServer(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::TlsClient(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Stream(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Self::poll_write(self.get_mut(), context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_flush(self.get_mut(), context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_shutdown(self.get_mut(), context)
    }
}
