//! Connections of HTTP/2 to a target, each shared by many requests at once.

use super::connect;
use super::pool::{Busy, Lease, Target};
use crate::carry::channel::Channel;
use crate::carry::socket::Socket;
use crate::carry::stream::{Stream, WRITE_BYTES_MAX};
use crate::snapshot::Upstream;
use crate::worker::Worker;
use bytes::Bytes;
use h2::Ping;
use h2::client::{Builder, SendRequest};
use portcullis_types::{Fault, FaultKind, Millis};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;

// LIMIT: connections of one worker to one target.
const TRUNKS_MAX: usize = 32;
// LIMIT: requests under way on one connection, if the server allows as many.
const STREAMS_MAX: usize = 200;
// LIMIT: bytes that a server may send ahead of what is read: on one stream, and on all of a connection.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
// LIMIT: bytes of an answer's head, counted as RFC 9113 section 6.5.2 says.
const HEAD_BYTES_MAX: u32 = 64 * 1024;

/// A worker's connections to one target.
#[derive(Debug, Default)]
pub(crate) struct Trunks {
    open: RefCell<Vec<Rc<Trunk>>>,
    /// Whether one is being opened; who needs one meanwhile waits for it.
    opening: Cell<bool>,
    opened: Notify,
}

/// One connection.
#[derive(Debug)]
struct Trunk {
    send: SendRequest<Bytes>,
    active: Cell<usize>,
    carried: Cell<u64>,
    idle_since: Cell<Millis>,
    /// Set by the task that drives it when it ends, or by a request that got no answer over it.
    done: Rc<Cell<bool>>,
}

/// A request's place on a connection.
#[derive(Debug)]
pub(crate) struct Place {
    trunk: Rc<Trunk>,
    send: SendRequest<Bytes>,
    now: Millis,
}

// === impl Trunks ===

impl Trunks {
    /// Lets go of connections that have ended, or that nobody has used for so long.
    pub(crate) fn expire(&self, now: Millis, idle: Duration) {
        let idle = Millis::try_from(idle.as_millis()).unwrap_or(Millis::MAX);
        self.open.borrow_mut().retain(|trunk| {
            let rests = trunk.active.get() == 0 && trunk.idle_since.get().saturating_add(idle) <= now;
            !trunk.done.get() && !rests
        });
    }

    /// How many connections stand.
    pub(crate) fn count(&self) -> usize {
        self.open.borrow().len()
    }

    /// The least busy connection with room for one more request.
    fn with_room(&self) -> Option<Rc<Trunk>> {
        let open = self.open.borrow();
        let fit = open.iter().filter(|trunk| trunk.has_room());
        fit.min_by_key(|trunk| trunk.active.get()).map(Rc::clone)
    }

    /// The least busy connection of all.
    fn least_busy(&self) -> Option<Rc<Trunk>> {
        let open = self.open.borrow();
        open.iter().filter(|trunk| !trunk.done.get()).min_by_key(|trunk| trunk.active.get()).map(Rc::clone)
    }
}

// === impl Trunk ===

impl Trunk {
    fn has_room(&self) -> bool {
        !self.done.get() && self.active.get() < self.send.current_max_send_streams().min(STREAMS_MAX)
    }
}

// === impl Place ===

impl Place {
    fn on(trunk: Rc<Trunk>, now: Millis) -> Self {
        trunk.active.set(trunk.active.get() + 1);
        let send = trunk.send.clone();
        Self { trunk, send, now }
    }

    /// Sends a request's head; `whole` if no body follows.
    pub(crate) fn ask(&mut self, request: http::Request<()>, whole: bool) -> Result<Stream, h2::Error> {
        let (answer, send) = self.send.send_request(request, whole)?;
        self.trunk.carried.set(self.trunk.carried.get() + 1);
        Ok(Stream::asking(answer, send, whole))
    }

    /// Keeps later requests off a connection over which no answer came.
    pub(crate) fn distrust(&self) {
        self.trunk.done.set(true);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.trunk.active.set(self.trunk.active.get().saturating_sub(1));
        self.trunk.idle_since.set(self.now);
    }
}

/// A place for a request on a connection to the target, on a new connection if none has room.
pub(crate) async fn acquire(
    worker: &Worker,
    upstream: &Upstream,
    target: &Rc<Target>,
    left: Duration,
) -> Result<Lease, Fault> {
    let late =
        || Fault::before_sending(FaultKind::ConnectTimeout, format!("{}: no place on a connection", target.label));
    let trunks = &target.trunks;
    let limit = upstream.plan.connect_timeout.min(left);
    let finding = async {
        loop {
            if let Some(trunk) = trunks.with_room() {
                return Ok(trunk);
            }
            if trunks.count() >= TRUNKS_MAX
                && let Some(trunk) = trunks.least_busy()
            {
                return Ok(trunk);
            }
            if trunks.opening.get() {
                trunks.opened.notified().await;
                continue;
            }
            return open(worker, upstream, target, left).await;
        }
    };
    let busy = Busy::with(target);
    let trunk = tokio::time::timeout(limit, finding).await.unwrap_or_else(|_| Err(late()))?;
    let reused = trunk.carried.get() > 0;
    let mut place = Place::on(trunk, worker.millis());
    let ready = poll_fn(|context| place.send.poll_ready(context));
    match tokio::time::timeout(left, ready).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            place.distrust();
            return Err(Fault::before_sending(FaultKind::Closed, format!("{}: {error}", target.label)));
        }
        Err(_) => return Err(late()),
    }
    let channel = Channel::new(Socket::Stream(Box::new(Stream::idle())), worker.timers.timer());
    Ok(Lease::shared(channel, busy, reused, place))
}

/// Marks that a connection is being opened, however that ends.
struct Opening<'a>(&'a Trunks);

impl<'a> Opening<'a> {
    fn of(trunks: &'a Trunks) -> Self {
        trunks.opening.set(true);
        Self(trunks)
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.0.opening.set(false);
        self.0.opened.notify_waiters();
    }
}

async fn open(worker: &Worker, upstream: &Upstream, target: &Rc<Target>, left: Duration) -> Result<Rc<Trunk>, Fault> {
    let opening = Opening::of(&target.trunks);
    let socket = connect::socket(worker, upstream, target, left).await?;
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEAD_BYTES_MAX)
        .max_send_buffer_size(WRITE_BYTES_MAX);
    let shaken = builder.handshake::<_, Bytes>(socket).await;
    let broken =
        |error: h2::Error| Fault::before_sending(FaultKind::Closed, format!("{}: no HTTP/2: {error}", target.label));
    let (send, mut connection) = shaken.map_err(broken)?;
    let pings = connection.ping_pong();
    let done = Rc::new(Cell::new(false));
    let ended = Rc::clone(&done);
    // Ends with the connection, or when nobody holds a place on it any more.
    drop(tokio::task::spawn_local(async move {
        drop(connection.await);
        ended.set(true);
    }));
    // The answer to a ping comes after the server's settings, which say how many requests it takes at once; what is sent
    // before they are known may be refused.
    if let Some(mut pings) = pings {
        let _pong = pings.ping(Ping::opaque()).await.map_err(broken)?;
    }
    let trunk = Rc::new(Trunk {
        send,
        active: Cell::new(0),
        carried: Cell::new(0),
        idle_since: Cell::new(worker.millis()),
        done,
    });
    target.trunks.open.borrow_mut().push(Rc::clone(&trunk));
    drop(opening);
    Ok(trunk)
}
