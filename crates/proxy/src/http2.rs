//! A client's connection in HTTP/2 (RFC 9113): many requests at once, each with a task, a pipeline and a record of its own.

pub(crate) mod fields;
pub(crate) mod meter;
pub(crate) mod ours;
mod request;
mod wire;

use crate::carry::socket::Socket;
use crate::carry::stream::WRITE_BYTES_MAX;
use crate::carry::timer::Timer;
use crate::exchange::Connection;
use crate::worker::{Guest, Worker};
use bytes::Bytes;
use h2::Reason;
use h2::server::{Builder, Handshake};
use meter::{Flood, Meter};
use portcullis_config::plan::Http2Plan;
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use wire::Wire;

/// Bytes that a connection begins with before its first frame.
const PREFACE_BYTES: usize = 24;
// LIMIT: bytes that a client may send ahead of what is read: on one stream, and on all of a connection.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;
// LIMIT: bytes that a head may have beyond the listener's limit before the library refuses it without a word of ours: HTTP/2
// counts 32 for each field (RFC 9113 section 6.5.2), and a refusal of ours has a record.
const LIST_BYTES_MORE: u32 = 32 * 1024;
// LIMIT: streams that a client reset and we have not looked at yet.
const RESET_PENDING_MAX: usize = 20;
/// How long a client may take to read the last frames of a connection that is over.
const FAREWELL: Duration = Duration::from_secs(2);

type Served = h2::server::Connection<Wire, Bytes>;

/// What the task of a connection knows besides the connection.
struct Serving {
    worker: Rc<Worker>,
    connection: Rc<Connection>,
    guest: Rc<Guest>,
    flood: Rc<Cell<Option<Flood>>>,
    /// The kind of the last metered frame, for floods that the library ends by limits of its own.
    latest: Rc<Cell<Option<Flood>>>,
    timer: Timer,
    /// Requests so far, at the last look at the time, and those under way.
    asked: u64,
    seen: u64,
    open: Rc<Cell<usize>>,
    /// Whether the client has been told that no more is taken, and whether that was because of a flood.
    leaving: bool,
    flooded: bool,
}

/// Serves a connection until it ends; `ahead` is what has been read from it.
pub(crate) async fn serve(worker: &Rc<Worker>, socket: Socket, ahead: Vec<u8>, connection: Connection, guest: Guest) {
    let Some(plan) = connection.settings.http2.clone() else { return };
    let flood = Rc::new(Cell::new(None));
    let meter = Meter::new(&plan.floods, PREFACE_BYTES, worker.millis());
    let latest = Rc::new(Cell::new(None));
    let clock = worker.shared.clock.clone();
    let registry = Arc::clone(&worker.shared.registry);
    let wire = Wire::new(socket, ahead, meter, (clock, registry), Rc::clone(&flood), Rc::clone(&latest));
    let shaking = handshake(&plan, &connection, wire);
    // The preface is the head of the connection.
    let Ok(Ok(mut served)) = tokio::time::timeout(connection.settings.limits.head_timeout, shaking).await else {
        return;
    };
    let timer = worker.timers.timer_of(&connection.life);
    let mut serving = Serving {
        worker: Rc::clone(worker),
        connection: Rc::new(connection),
        guest: Rc::new(guest),
        flood,
        latest,
        timer,
        asked: 0,
        seen: 0,
        open: Rc::default(),
        leaving: false,
        flooded: false,
    };
    serving.rest();
    poll_fn(|context| serving.poll(&mut served, context)).await;
}

fn handshake(plan: &Http2Plan, connection: &Connection, wire: Wire) -> Handshake<Wire, Bytes> {
    let head_bytes = u32::try_from(connection.settings.limits.head_bytes).unwrap_or(u32::MAX);
    Builder::new()
        .max_concurrent_streams(plan.streams)
        .max_header_list_size(head_bytes.saturating_add(LIST_BYTES_MORE))
        .initial_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buffer_size(WRITE_BYTES_MAX)
        .max_pending_accept_reset_streams(RESET_PENDING_MAX)
        .enable_connect_protocol()
        .handshake(wire)
}

// === impl Serving ===

impl Serving {
    fn poll(&mut self, served: &mut Served, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(flood) = self.flood.get()
                && !self.flooded
            {
                self.flooded = true;
                self.count_flood(flood);
                served.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                self.timer.set(&self.worker.timers, FAREWELL);
            }
            if self.timer.expired(&self.worker.timers, context) {
                if self.flooded || self.leaving {
                    return Poll::Ready(());
                }
                self.late(served);
                continue;
            }
            match served.poll_accept(context) {
                Poll::Ready(Some(Ok((request, respond)))) => {
                    self.asked += 1;
                    request::spawn(&self.worker, &self.connection, self.place(), request, respond);
                    if self.asked == self.connection.settings.limits.requests_per_connection {
                        served.graceful_shutdown();
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    self.count_calmed(&error);
                    return Poll::Ready(());
                }
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending if self.flood.get().is_some() && !self.flooded => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// The library has limits of its own that come first where a flood arrives in one piece (streams reset before they
    /// were looked at, CONTINUATION frames of one head): such an end is counted with the others.
    fn count_calmed(&self, error: &h2::Error) {
        if !self.flooded && error.is_library() && error.reason() == Some(Reason::ENHANCE_YOUR_CALM) {
            let flood = self.latest.get().unwrap_or(Flood::Resets);
            self.count_flood(flood);
        }
    }

    fn count_flood(&self, flood: Flood) {
        self.worker.shared.registry.count_flood(flood);
        let connection = &self.connection;
        self.worker.turned_away(&connection.listener, connection.source, "http2_flood", flood.name());
    }

    /// A place among the requests under way, left when it is dropped.
    fn place(&self) -> Place {
        self.open.set(self.open.get() + 1);
        Place { open: Rc::clone(&self.open), _guest: Rc::clone(&self.guest) }
    }

    fn rest(&self) {
        self.timer.set_told(&self.worker.timers, self.connection.settings.limits.idle_timeout);
    }

    /// A connection may rest as long as one of HTTP/1; whether it did is looked at once in that time. When the worker
    /// drains, requests under way may end, and no others are taken.
    fn late(&mut self, served: &mut Served) {
        let open = self.open.get();
        let used = std::mem::replace(&mut self.seen, self.asked) != self.asked;
        if !self.connection.is_ending(&self.worker.shared) && (open > 0 || used) {
            self.rest();
            return;
        }
        self.leaving = true;
        served.graceful_shutdown();
        // With requests under way, only the end of the time to drain cuts them off.
        if open > 0 { self.timer.clear() } else { self.timer.set(&self.worker.timers, FAREWELL) }
    }
}

/// A request under way.
pub(crate) struct Place {
    open: Rc<Cell<usize>>,
    /// The connection counts until the last of its requests has its record.
    _guest: Rc<Guest>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.set(self.open.get().saturating_sub(1));
    }
}
