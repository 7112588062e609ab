//! The thread of a worker: its runtime, its accept loops, its clock ticks, its end.

use super::Worker;
use crate::carry::socket::Socket;
use crate::carry::timer::SWEEP_EVERY;
use crate::exchange::{Connection, Place};
use crate::gateway::{Life, Shared};
use crate::snapshot::ListenerSettings;
use crate::welcome;
use crate::{http1, http2};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, LocalSet};

/// A listening socket of one worker, not yet part of a runtime.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) name: Arc<str>,
    pub(crate) socket: std::net::TcpListener,
    /// The same once more, for as long as this worker accepts: what a successor is given.
    pub(crate) kept: Arc<std::net::TcpListener>,
    pub(crate) life: Arc<Life>,
}

// LIMIT: turns that tasks get to end in their record once the time to drain is up.
const CUT_TURNS_MAX: u32 = 50;
const CUT_TURN: Duration = Duration::from_millis(10);

/// How long accepting rests after the system refused a socket, which under a shortage it does at once again.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// A listening socket within the worker's runtime.
#[derive(Debug)]
struct Listening {
    name: Arc<str>,
    socket: TcpListener,
    kept: Arc<std::net::TcpListener>,
    life: Arc<Life>,
}

/// The accept loop of a listener.
struct Accepting {
    life: Arc<Life>,
    task: JoinHandle<()>,
}

/// A worker with everything that the system can refuse, before its thread begins.
#[derive(Debug)]
pub(crate) struct Ready {
    runtime: Runtime,
    listeners: Vec<Listening>,
}

// === impl Ready ===

impl Ready {
    /// # Errors
    /// A runtime or a socket that the system does not grant.
    pub(crate) fn new(listeners: Vec<Bound>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(61).build()?;
        let listeners = {
            let _entered = runtime.enter();
            listeners.into_iter().map(Listening::new).collect::<io::Result<_>>()?
        };
        Ok(Self { runtime, listeners })
    }

    /// Runs the worker until it has drained.
    pub(crate) fn run(self, shared: Arc<Shared>, index: usize, seed: [u64; 2]) {
        let Self { runtime, listeners } = self;
        LocalSet::new().block_on(&runtime, async move {
            let worker = Rc::new(Worker::new(shared, seed));
            let accepting = listeners.into_iter().map(|listening| listening.accept(&worker)).collect();
            tick_until_drained(&worker, index, accepting).await;
        });
    }
}

// === impl Listening ===

impl Listening {
    fn new(bound: Bound) -> io::Result<Self> {
        Ok(Self { name: bound.name, socket: TcpListener::from_std(bound.socket)?, kept: bound.kept, life: bound.life })
    }

    fn accept(self, worker: &Rc<Worker>) -> Accepting {
        let life = Arc::clone(&self.life);
        Accepting { life, task: tokio::task::spawn_local(accept(Rc::clone(worker), self)) }
    }
}

async fn tick_until_drained(worker: &Rc<Worker>, index: usize, mut accepting: Vec<Accepting>) {
    let mut interval = tokio::time::interval(SWEEP_EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        worker.tick();
        // A socket that the runtime does not take leaves its listener to the other workers.
        let added = worker.shared.collect(index).into_iter().filter_map(|bound| Listening::new(bound).ok());
        accepting.extend(added.map(|listening| listening.accept(worker)));
        // Ends the loops of listeners that are gone, and with them closes the sockets.
        accepting.extract_if(.., |accepting| accepting.life.is_ending()).for_each(|gone| gone.task.abort());
        if worker.shared.is_draining() {
            accepting.drain(..).for_each(|accepting| accepting.task.abort());
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
    worker.shared.cuts(worker.open.get());
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

async fn accept(worker: Rc<Worker>, listening: Listening) {
    // Closed with the other, or connections would wait for somebody who accepts no more.
    let Listening { name, socket, kept: _kept, life } = listening;
    let mut settings: Option<(u64, Rc<ListenerSettings>)> = None;
    loop {
        let Ok((stream, peer)) = socket.accept().await else {
            tokio::time::sleep(ACCEPT_REST).await;
            continue;
        };
        let snapshot = Arc::clone(&worker.local().snapshot);
        if settings.as_ref().is_none_or(|(generation, _)| *generation != snapshot.generation) {
            // A listener that has just been removed serves whoever it has accepted as it did before.
            let found = snapshot.listeners.get(&name).map(|found| (snapshot.generation, Rc::new(found.clone())));
            settings = found.or(settings);
        }
        let Some((_, current)) = &settings else { continue };
        let registry = &worker.shared.registry;
        if life.open.fetch_add(1, Ordering::Relaxed) >= current.limits.connections as u64 {
            life.open.fetch_sub(1, Ordering::Relaxed);
            registry.connections_refused.fetch_add(1, Ordering::Relaxed);
            worker.turned_away(&name, peer, "listener_full", "");
            continue;
        }
        let guest = Guest::new(&worker, &life);
        let (listener, settings) = (Arc::clone(&name), Rc::clone(current));
        let place = Place { listener, settings, peer, life: Arc::clone(&life) };
        tokio::task::spawn_local(connection(Rc::clone(&worker), stream, place, guest));
    }
}

async fn connection(worker: Rc<Worker>, stream: TcpStream, place: Place, guest: Guest) {
    if stream.set_nodelay(true).is_ok()
        && let Some(connection) = welcome::introduce(&worker, &stream, place).await
    {
        match connection.settings.tls.clone() {
            None => talk(&worker, Socket::Plain(stream), connection, guest, false).await,
            Some(tls) => {
                if let Some((socket, connection, http2)) = welcome::secure(&worker, stream, &tls, connection).await {
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
    life: Arc<Life>,
}

// === impl Guest ===

impl Guest {
    fn new(worker: &Rc<Worker>, life: &Arc<Life>) -> Self {
        let registry = &worker.shared.registry;
        registry.connections_total.fetch_add(1, Ordering::Relaxed);
        registry.connections_open.fetch_add(1, Ordering::Relaxed);
        worker.open.set(worker.open.get() + 1);
        Self { worker: Rc::clone(worker), life: Arc::clone(life) }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.worker.shared.registry.connections_open.fetch_sub(1, Ordering::Relaxed);
        self.life.open.fetch_sub(1, Ordering::Relaxed);
        self.worker.open.set(self.worker.open.get().saturating_sub(1));
    }
}
