//! The bytes of a client's connection of HTTP/2, metered on their way.

use super::meter::{Flood, Meter};
use super::ours::Ours;
use crate::carry::socket::LINGER_BYTES_MAX;
use crate::carry::socket::Socket;
use crate::metrics::Registry;
use portcullis_types::Clock;
use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

// LIMIT: bytes that are read over at a time.
const LINGER_READ_BYTES: usize = 4 * 1024;

/// A socket whose frames are counted. After a flood nothing more is read from it but what would destroy our goodbye.
#[derive(Debug)]
pub(crate) struct Wire {
    socket: Socket,
    /// What was read before it was known that the connection speaks HTTP/2.
    ahead: Vec<u8>,
    meter: Meter,
    ours: Ours,
    clock: Clock,
    registry: Arc<Registry>,
    flood: Rc<Cell<Option<Flood>>>,
    latest: Rc<Cell<Option<Flood>>>,
    /// Bytes that may still be read over, once our direction has ended.
    linger: Option<usize>,
}

// === impl Wire ===

impl Wire {
    /// The flood that stopped it shows in `flood`, the kind of the last metered frame in `latest`.
    pub(crate) fn new(
        socket: Socket,
        ahead: Vec<u8>,
        meter: Meter,
        (clock, registry): (Clock, Arc<Registry>),
        flood: Rc<Cell<Option<Flood>>>,
        latest: Rc<Cell<Option<Flood>>>,
    ) -> Self {
        Self { socket, ahead, meter, ours: Ours::default(), clock, registry, flood, latest, linger: None }
    }

    /// Reads over what a client still sends, until it ends as well or has sent too much. How long that may take is the
    /// connection's deadline.
    fn poll_linger(&mut self, mut left: usize, context: &mut Context<'_>) -> Poll<()> {
        let mut room = [0; LINGER_READ_BYTES];
        loop {
            self.linger = Some(left);
            match ready!(self.socket.poll_read(context, &mut room)) {
                Ok(count) if count > 0 && left > count => left -= count,
                Ok(_) | Err(_) => return Poll::Ready(()),
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        if wire.flood.get().is_some() {
            // Whoever drives the connection looks at the flood after each turn.
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let outcome = if wire.ahead.is_empty() {
            Pin::new(&mut wire.socket).poll_read(context, buffer)
        } else {
            let count = wire.ahead.len().min(buffer.remaining());
            buffer.put_slice(wire.ahead.get(..count).unwrap_or_default());
            wire.ahead.drain(..count);
            Poll::Ready(Ok(()))
        };
        let arrived = buffer.filled().get(before..).unwrap_or_default();
        let within = wire.meter.received(arrived, wire.clock.millis());
        wire.latest.set(wire.meter.latest());
        if let Err(flood) = within {
            wire.flood.set(Some(flood));
            buffer.set_filled(before);
            return Poll::Pending;
        }
        outcome
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        let outcome = Pin::new(&mut wire.socket).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = &outcome {
            wire.meter.sent(*count);
            let registry = &wire.registry;
            wire.ours.sent(bytes.get(..*count).unwrap_or_default(), |code| registry.count_reset(code));
        }
        outcome
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.get_mut().socket), context)
    }

    /// After a flood more of it is on its way: a socket that is closed with unread bytes resets the connection, and the client
    /// would not learn why.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        if wire.linger.is_none() {
            ready!(AsyncWrite::poll_shutdown(Pin::new(&mut wire.socket), context))?;
        }
        if wire.flood.get().is_some() {
            let left = wire.linger.unwrap_or(LINGER_BYTES_MAX);
            ready!(wire.poll_linger(left, context));
        }
        Poll::Ready(Ok(()))
    }
}
