//! An upstream whose mood changes while it serves: it repeats nonces over HTTP/1.1 and HTTP/2 on one port, and is killed,
//! hung, slowed or healed in the middle of it, by a seeded plan.

mod http1;
mod http2;
mod plan;

pub use plan::{Mood, Step, plan};

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A running upstream. Dropping it closes everything.
#[derive(Debug)]
pub struct MoodyUpstream {
    address: SocketAddr,
    mood: watch::Sender<Mood>,
    seen: Arc<Seen>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What all connections have seen together.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) open: AtomicUsize,
    pub(crate) taken: AtomicUsize,
    pub(crate) requests: AtomicUsize,
    pub(crate) over_http2: AtomicUsize,
}

/// Counts a connection for as long as it lives, however it ends.
struct Open(Arc<Seen>);

// === impl Open ===

impl Open {
    fn new(seen: &Arc<Seen>) -> Self {
        seen.open.fetch_add(1, Ordering::SeqCst);
        seen.taken.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(seen))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

// === impl MoodyUpstream ===

impl MoodyUpstream {
    /// Starts in good health.
    #[must_use]
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (mood, told) = watch::channel(Mood::Well);
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                serve(TcpListener::from_std(listener).unwrap(), address, told, &shared).await;
            });
        });
        Self { address, mood, seen, thread: Some(thread) }
    }

    /// Where it listens, unless it is killed.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes its mood from now on, also for what is under way.
    pub fn become_(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Connections open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.seen.open.load(Ordering::SeqCst)
    }

    /// Connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.seen.taken.load(Ordering::SeqCst)
    }

    /// Requests so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.seen.requests.load(Ordering::SeqCst)
    }

    /// Requests that came over HTTP/2.
    #[must_use]
    pub fn requests_over_http2(&self) -> usize {
        self.seen.over_http2.load(Ordering::SeqCst)
    }
}

impl Drop for MoodyUpstream {
    fn drop(&mut self) {
        self.become_(Mood::Gone);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Accepts while it is not killed; a kill closes the listener and every connection at once.
async fn serve(first: TcpListener, address: SocketAddr, mut mood: watch::Receiver<Mood>, seen: &Arc<Seen>) {
    let mut listener = Some(first);
    let mut connections = JoinSet::new();
    loop {
        let now = *mood.borrow_and_update();
        match now {
            Mood::Gone => return,
            Mood::Killed => {
                listener = None;
                connections.abort_all();
            }
            Mood::Well | Mood::Hung | Mood::Slow(_) | Mood::HalfClosing | Mood::Garbage | Mood::Resetting => {
                if listener.is_none() {
                    listener = TcpListener::bind(address).await.ok();
                }
            }
        }
        // Ended ones are counted off; a task that was aborted is no error.
        while connections.try_join_next().is_some() {}
        let told = mood.changed();
        let Some(accepting) = &listener else {
            // Killed, or the port was taken meanwhile by a connection going out: tried again soon.
            let again = Duration::from_millis(if now == Mood::Killed { 3_600_000 } else { 10 });
            if matches!(tokio::time::timeout(again, told).await, Ok(Err(_))) {
                return;
            }
            continue;
        };
        tokio::select! {
            changed = told => if changed.is_err() { return },
            accepted = accepting.accept() => if let Ok((stream, _)) = accepted {
                let open = Open::new(seen);
                connections.spawn(greet(stream, mood.clone(), open));
            },
        }
    }
}

/// The preface of HTTP/2 tells the two apart: no method of ours begins like it.
async fn greet(stream: TcpStream, mood: watch::Receiver<Mood>, open: Open) {
    drop(stream.set_nodelay(true));
    let mut first = [0; 4];
    loop {
        match stream.peek(&mut first).await {
            Ok(count) if count >= 4 => break,
            Ok(0) | Err(_) => return,
            // SLEEP: the rest is on its way, and a look does not take away what is there.
            Ok(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
    if &first == b"PRI " {
        http2::serve(stream, mood, &open.0).await
    } else {
        http1::serve(stream, mood, &open.0).await
    }
}
