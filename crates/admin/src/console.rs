//! The listener of the console and of the admin API: questions come in whole, answers go out, and what happens from now on is carried
//! piece by piece. What is answered is the console's business; it may take long, and so has a thread of its own.

#[cfg(test)]
mod tests;

use crate::server::{Peer, Security, Server, ServerError, bound};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as Carried, Frame};
use portcullis_console::{Answer, BODY_BYTES_MAX, Body as Told, Console, STREAM_INTERVAL, Stream, Via};
use rustls::ServerConfig;
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

const NAME: &str = "console";
/// How often what was counted is looked at.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);
// LIMIT: how long a question's body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The listener at work.
#[derive(Debug)]
pub struct ConsoleListener {
    console: Console,
    security: Security,
    server: Server,
}

// === impl ConsoleListener ===

impl ConsoleListener {
    /// Listens and answers at once; over TLS where there is a configuration for it.
    ///
    /// # Errors
    /// The address is taken or not ours, or there is no thread to be had.
    pub fn listen(bind: SocketAddr, tls: Option<Arc<ServerConfig>>, console: Console) -> Result<Self, ServerError> {
        Self::adopt(bound(NAME, bind)?, tls, console)
    }

    /// The same at a socket that listens already.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn adopt(socket: TcpListener, tls: Option<Arc<ServerConfig>>, console: Console) -> Result<Self, ServerError> {
        let security = Security::new(tls);
        let router = Router::new().fallback(answer).with_state(console.clone());
        let sampled = console.clone();
        let every_second = async move {
            let mut seconds = interval(SAMPLE_INTERVAL);
            seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                seconds.tick().await;
                sampled.sample();
            }
        };
        let server = Server::adopt_with(NAME, socket, router, (security.clone(), every_second))?;
        Ok(Self { console, security, server })
    }

    /// What answers.
    #[must_use]
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// From now on new connections are encrypted so.
    pub fn show(&self, tls: Option<Arc<ServerConfig>>) {
        self.security.replace(tls);
    }

    /// Where it listens; a port of 0 is a real one here.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The socket at which it listens, for a successor.
    ///
    /// # Errors
    /// The system grants no more files.
    pub fn socket(&self) -> io::Result<TcpListener> {
        self.server.socket()
    }

    /// Stops listening and closes what is open.
    pub fn stop(self) {
        self.server.stop();
    }
}

async fn answer(State(console): State<Console>, Extension(peer): Extension<Peer>, request: Request) -> Response {
    let from = Via::Listener(peer.address.ip(), peer.is_secure);
    reply(move |question| console.answer(from, question), request).await
}

/// Answers a whole question on a thread that may wait.
pub(crate) async fn reply(
    answer: impl FnOnce(&axum::http::Request<Vec<u8>>) -> Answer + Send + 'static,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    let body = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    let body = match body {
        Ok(Ok(body)) => body.to_bytes().to_vec(),
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let question = axum::http::Request::from_parts(head, body);
    let answered = tokio::task::spawn_blocking(move || answer(&question)).await;
    answered.map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), carried)
}

fn carried(answer: Answer) -> Response {
    let (head, body) = answer.into_parts();
    let body = match body {
        Told::Whole(bytes) => Body::from(bytes),
        Told::Stream(stream) => Body::new(Carrier::new(stream)),
    };
    Response::from_parts(head, body)
}

/// A stream on its way: asked again and again for what is new.
struct Carrier {
    stream: Stream,
    ticks: Interval,
}

// === impl Carrier ===

impl Carrier {
    fn new(stream: Stream) -> Self {
        let mut ticks = interval(STREAM_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { stream, ticks }
    }
}

impl Carried for Carrier {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            if self.ticks.poll_tick(context).is_pending() {
                return Poll::Pending;
            }
            match self.stream.next_piece() {
                None => return Poll::Ready(None),
                Some(piece) if piece.is_empty() => {}
                Some(piece) => return Poll::Ready(Some(Ok(Frame::data(Bytes::from(piece))))),
            }
        }
    }
}
