//! The admin socket: a Unix socket over which commands ask a running gateway. Whoever is not root or the gateway's own
//! user is not answered; what is asked of the process itself is handed to its owner as an [`Order`].

mod bind;
mod contracts;
mod findings;
mod limits;
mod report;
#[cfg(test)]
mod tests;

use crate::console::reply;
use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use bind::Place;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use portcullis_console::{By, Console, Order, Orders, Reloaded, Via};
use portcullis_proxy::Handle;
use serde_json::{Value, json};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

// LIMIT: connections at once; more wait in the system's queue.
const CONNECTIONS_MAX: usize = 16;
// LIMIT: bytes of a request head. Bodies are not read at all.
const HEAD_BYTES_MAX: usize = 8 * 1024;
// LIMIT: header lines of a request.
const FIELDS_MAX: usize = 32;
// LIMIT: from the first byte of a head to its last.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
// LIMIT: the whole life of a connection, a reload included.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(120);
/// After an accept that failed for want of file descriptors, so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that is there and not answered yet.
#[derive(Debug)]
pub struct AdminSocket {
    place: Place,
    listener: std::os::unix::net::UnixListener,
}

/// The admin socket at work.
#[derive(Debug)]
pub struct Admin {
    place: Place,
    /// For a successor.
    kept: std::os::unix::net::UnixListener,
    leave: Option<oneshot::Sender<()>>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// Why there is no admin socket. The text is one line that says what to do.
#[derive(Debug)]
pub enum AdminError {
    /// Another process answers there.
    Taken(PathBuf),
    /// Something else has that name.
    NoSocket(PathBuf),
    /// The system does not allow it.
    System(PathBuf, io::Error),
}

// === impl AdminSocket ===

impl AdminSocket {
    /// Makes the socket, for its owner only from its first moment on. One that a dead process left is replaced.
    ///
    /// # Errors
    /// Something is there that is in use or no socket, or the folder cannot be written.
    pub fn bind(path: &Path) -> Result<Self, AdminError> {
        let (listener, place) = bind::bind(path)?;
        Ok(Self { place, listener })
    }

    /// Takes over the one that a predecessor made. Until it is served, it stays the predecessor's: whoever cannot start takes nothing away.
    ///
    /// # Errors
    /// It is not at this path any more.
    pub fn adopt(path: &Path, listener: std::os::unix::net::UnixListener) -> Result<Self, AdminError> {
        let error = |error| AdminError::System(path.to_owned(), error);
        listener.set_nonblocking(true).map_err(error)?;
        Ok(Self { place: Place::found(path).map_err(error)?, listener })
    }

    /// Answers on a thread of its own, the admin API as well where there is a console.
    ///
    /// # Errors
    /// The system grants no thread.
    pub fn serve(self, handle: Handle, orders: Orders, console: Option<Console>) -> Result<Admin, AdminError> {
        let Self { mut place, listener } = self;
        let error = |error| AdminError::System(place.path().to_owned(), error);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(error)?;
        let kept = listener.try_clone().map_err(error)?;
        let listener = {
            let _entered = runtime.enter();
            UnixListener::from_std(listener).map_err(error)?
        };
        let ((stop, mut stopped), (leave, left)) = (oneshot::channel(), oneshot::channel());
        let owner = place.owner();
        let serving = move || {
            runtime.block_on(async move {
                tokio::select! {
                    () = accept(listener, router(Source { handle, orders, console }), owner) => {}
                    _ = &mut stopped => return,
                    _ = left => {}
                }
                // Whoever has asked already still gets an answer.
                drop(stopped.await);
            });
            // An answer that nobody gives any more must not hold up the end.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("admin".to_owned()).spawn(serving).map_err(error)?;
        place.take();
        Ok(Admin { place, kept, leave: Some(leave), stop, thread })
    }
}

// === impl Admin ===

impl Admin {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// The socket at which it listens, for a successor.
    ///
    /// # Errors
    /// The system grants no more files.
    pub fn socket(&self) -> io::Result<std::os::unix::net::UnixListener> {
        self.kept.try_clone()
    }

    /// Leaves the socket to a successor: who asks from now on asks that one.
    pub fn leave(&mut self) {
        self.place.leave();
        if let Some(leave) = self.leave.take() {
            // A thread that has ended already hears nothing and needs nothing.
            let _told = leave.send(());
        }
    }

    /// Stops answering and takes the socket away.
    pub fn stop(self) {
        // A thread that has ended already hears nothing and needs nothing.
        let _told = self.stop.send(());
        drop(self.thread.join());
        drop(self.place);
    }
}

async fn accept(listener: UnixListener, router: Router, owner: u32) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Some(user) = welcome(&stream, owner) {
                    let router = router.clone().layer(Extension(User(user)));
                    drop(tokio::spawn(serve(stream, router, slot)));
                }
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// The file's mode keeps others out already; who is there is asked all the same.
fn welcome(stream: &UnixStream, owner: u32) -> Option<u32> {
    let user = stream.peer_cred().ok()?.uid();
    (user == owner || user == 0).then_some(user)
}

async fn serve(stream: UnixStream, router: Router, slot: OwnedSemaphorePermit) {
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

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
struct User(u32);

#[derive(Clone)]
struct Source {
    handle: Handle,
    orders: Orders,
    console: Option<Console>,
}

fn router(source: Source) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/reload", post(reload))
        .route("/drain", post(drain))
        .route("/upgrade", post(upgrade))
        .route("/contracts", get(contracts::show))
        .route("/findings", get(findings::show))
        .route("/findings/pardon", post(findings::pardon))
        .route("/limits", get(limits::show))
        .route("/limits/reset", post(limits::reset))
        .route("/api/v1", any(api))
        .route("/api/v1/{*rest}", any(api))
        .with_state(source)
}

/// The same that the listener of the console answers to programs.
async fn api(State(source): State<Source>, Extension(User(by)): Extension<User>, request: Request) -> Response {
    match source.console {
        Some(console) => reply(move |question| console.answer(Via::Socket(by), question), request).await,
        None => {
            answer(StatusCode::NOT_FOUND, &json!({ "text": "the admin API comes with the console (`admin.bind`)" }))
        }
    }
}

async fn status(State(source): State<Source>) -> Response {
    answer(StatusCode::OK, &report::status(&source.handle))
}

async fn reload(State(source): State<Source>, Extension(User(by)): Extension<User>) -> Response {
    let (sender, told) = oneshot::channel();
    if !(source.orders)(Order::Reload { by: By::Uid(by), answer: sender }) {
        return busy();
    }
    outcome("reloaded", told).await
}

/// The path of the program in hexadecimal digits.
async fn upgrade(State(source): State<Source>, Extension(User(by)): Extension<User>, uri: Uri) -> Response {
    let query = uri.query().and_then(|query| query.strip_prefix("binary="));
    let Some(binary) = query.and_then(limits::decoded).map(PathBuf::from).filter(|path| path.is_absolute()) else {
        return answer(StatusCode::BAD_REQUEST, &json!({ "text": "the query names no program by its whole path" }));
    };
    let (sender, told) = oneshot::channel();
    if !(source.orders)(Order::Upgrade { by: By::Uid(by), binary, answer: sender }) {
        return busy();
    }
    outcome("upgraded", told).await
}

async fn outcome(what: &str, told: oneshot::Receiver<Reloaded>) -> Response {
    match told.await {
        Ok(outcome) => {
            let status = if outcome.done { StatusCode::OK } else { StatusCode::CONFLICT };
            answer(status, &json!({ what: outcome.done, "text": outcome.text, "details": outcome.details }))
        }
        Err(_) => busy(),
    }
}

async fn drain(State(source): State<Source>, Extension(User(by)): Extension<User>) -> Response {
    if (source.orders)(Order::Drain { by: By::Uid(by) }) {
        answer(StatusCode::ACCEPTED, &report::status(&source.handle))
    } else {
        busy()
    }
}

/// Something that is to be written down.
fn noted(by: u32, what: &'static str, details: Value) -> Order {
    Order::Note { by: By::Uid(by), what, details, written: None }
}

fn busy() -> Response {
    let text = "the gateway ends already, or has too much to do";
    answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "text": text }))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}

// === impl AdminError ===

impl fmt::Display for AdminError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(path) => {
                write!(formatter, "admin: another gateway answers on {}; stop it or name another file", path.display())
            }
            Self::NoSocket(path) => {
                write!(formatter, "admin: {} is there and no socket; name another file", path.display())
            }
            Self::System(path, error) => write!(formatter, "admin: no socket at {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for AdminError {}
