//! The thread of a worker: its runtime, its accept loops, its clock ticks, its end.

use super::Worker;
use crate::carry::socket::Socket;
use crate::carry::timer::SWEEP_EVERY;
use crate::exchange::Connection;
use crate::gateway::Shared;
use crate::snapshot::ListenerSettings;
use crate::welcome;
use crate::{http1, http2};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, LocalSet};

/// A listening socket of one worker, not yet part of a runtime.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) name: Arc<str>,
    pub(crate) socket: std::net::TcpListener,
    /// Connections of the listener over all workers.
    pub(crate) open: Arc<AtomicU64>,
}

// LIMIT: turns that tasks get to end in their record once the time to drain is up.
const CUT_TURNS_MAX: u32 = 50;
const CUT_TURN: Duration = Duration::from_millis(10);

/// How long accepting rests after the system refused a socket, which under a shortage it does at once again.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// A worker with everything that the system can refuse, before its thread begins.
#[derive(Debug)]
pub(crate) struct Ready {
    runtime: Runtime,
    listeners: Vec<(Arc<str>, TcpListener, Arc<AtomicU64>)>,
}

// === impl Ready ===

impl Ready {
    /// # Errors
    /// A runtime or a socket that the system does not grant.
    pub(crate) fn new(listeners: Vec<Bound>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(61).build()?;
        let listeners = {
            let _entered = runtime.enter();
            let listen = |bound: Bound| Ok((bound.name, TcpListener::from_std(bound.socket)?, bound.open));
            listeners.into_iter().map(listen).collect::<io::Result<_>>()?
        };
        Ok(Self { runtime, listeners })
    }

    /// Runs the worker until it has drained.
    pub(crate) fn run(self, shared: Arc<Shared>, seed: [u64; 2]) {
        let Self { runtime, listeners } = self;
        LocalSet::new().block_on(&runtime, async move {
            let worker = Rc::new(Worker::new(shared, seed));
            let accepting = listeners.into_iter().map(|(name, listener, open)| {
                tokio::task::spawn_local(accept(Rc::clone(&worker), name, listener, open))
            });
            tick_until_drained(&worker, accepting.collect()).await;
        });
    }
}

async fn tick_until_drained(worker: &Worker, mut accepting: Vec<JoinHandle<()>>) {
    let mut interval = tokio::time::interval(SWEEP_EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        worker.tick();
        if worker.shared.is_draining() {
            // Ends the loops and with them closes the listening sockets.
            accepting.drain(..).for_each(|task| task.abort());
            if worker.shared.may_end(worker.open.get()) {
                cut_off(worker).await;
                break;
            }
        }
    }
    worker.tick();
}

/// Ends what is still open by letting every deadline pass, so that each request ends in its record.
async fn cut_off(worker: &Worker) {
    worker.timers.cut();
    for _ in 0..CUT_TURNS_MAX {
        if worker.open.get() == 0 {
            return;
        }
        worker.tick();
        // SLEEP: gives the tasks that were woken their turn.
        tokio::time::sleep(CUT_TURN).await;
    }
}

async fn accept(worker: Rc<Worker>, name: Arc<str>, listener: TcpListener, open: Arc<AtomicU64>) {
    let mut settings: Option<(u64, Rc<ListenerSettings>)> = None;
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_REST).await;
            continue;
        };
        let snapshot = Arc::clone(&worker.local().snapshot);
        if settings.as_ref().is_none_or(|(generation, _)| *generation != snapshot.generation) {
            settings = snapshot.listeners.get(&name).map(|found| (snapshot.generation, Rc::new(found.clone())));
        }
        let Some((_, current)) = &settings else { continue };
        let registry = &worker.shared.registry;
        if open.fetch_add(1, Ordering::Relaxed) >= current.limits.connections as u64 {
            open.fetch_sub(1, Ordering::Relaxed);
            registry.connections_refused.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let guest = Guest::new(&worker, &open);
        let serve = connection(Rc::clone(&worker), stream, (Arc::clone(&name), Rc::clone(current), peer), guest);
        tokio::task::spawn_local(serve);
    }
}

async fn connection(
    worker: Rc<Worker>,
    stream: TcpStream,
    (listener, settings, peer): (Arc<str>, Rc<ListenerSettings>, SocketAddr),
    guest: Guest,
) {
    if stream.set_nodelay(true).is_ok() {
        match settings.tls.clone() {
            None => {
                let connection = Connection { listener, settings, peer, tls: None, certificate: None };
                talk(&worker, Socket::Plain(stream), connection, guest, false).await;
            }
            Some(tls) => {
                if let Some((socket, connection, http2)) =
                    welcome::secure(&worker, stream, &tls, (listener, settings, peer)).await
                {
                    talk(&worker, socket, connection, guest, http2).await;
                }
            }
        }
    }
}

/// Serves a connection in what it speaks: as the handshake agreed, or as its first bytes say.
async fn talk(worker: &Rc<Worker>, socket: Socket, connection: Connection, guest: Guest, http2: bool) {
    let (socket, ahead) = if http2 {
        (socket, Vec::new())
    } else {
        match http1::serve(worker, socket, &connection).await {
            Some(found) => found,
            None => return,
        }
    };
    worker.shared.registry.connections_http2.fetch_add(1, Ordering::Relaxed);
    http2::serve(worker, socket, ahead, connection, guest).await;
}

/// Counts a connection for as long as it lives; the listener has counted it already.
pub(crate) struct Guest {
    worker: Rc<Worker>,
    open: Arc<AtomicU64>,
}

// === impl Guest ===

impl Guest {
    fn new(worker: &Rc<Worker>, open: &Arc<AtomicU64>) -> Self {
        let registry = &worker.shared.registry;
        registry.connections_total.fetch_add(1, Ordering::Relaxed);
        registry.connections_open.fetch_add(1, Ordering::Relaxed);
        worker.open.set(worker.open.get() + 1);
        Self { worker: Rc::clone(worker), open: Arc::clone(open) }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.worker.shared.registry.connections_open.fetch_sub(1, Ordering::Relaxed);
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.worker.open.set(self.worker.open.get().saturating_sub(1));
    }
}
