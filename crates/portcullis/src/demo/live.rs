//! The corner of the sample API that goes on: events one after another, and a WebSocket that repeats what it hears.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, UPGRADE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Sleep, sleep};

const EVENTS: u8 = 3;
const EVERY: Duration = Duration::from_millis(200);
// LIMIT: payload of a frame that is repeated; longer ones end the conversation.
const FRAME_BYTES_MAX: usize = 125;

/// An answer whose body may be anything.
pub(super) type Answered = Response<BoxBody<Bytes, Infallible>>;

/// Events, each after a while.
struct Events {
    sent: u8,
    next: Pin<Box<Sleep>>,
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.sent == EVENTS {
            return Poll::Ready(None);
        }
        ready!(self.next.as_mut().poll(context));
        self.sent += 1;
        self.next = Box::pin(sleep(EVERY));
        Poll::Ready(Some(Ok(Frame::data(format!("event: {}\ndata: order shipped\n\n", self.sent).into()))))
    }
}

pub(super) fn events() -> Answered {
    let mut response = Response::new(Events { sent: 0, next: Box::pin(sleep(EVERY)) }.boxed());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

/// Accepts a WebSocket and repeats its frames. `None` where none is asked for.
pub(super) fn conversation(request: &mut Request<Incoming>) -> Option<Answered> {
    let key = request.headers().get("sec-websocket-key")?.as_bytes();
    let joined = [key, b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat();
    let accept = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &joined));
    let upgraded = hyper::upgrade::on(request);
    drop(tokio::spawn(async move {
        if let Ok(upgraded) = upgraded.await {
            // Whoever breaks off has had enough.
            drop(repeat(TokioIo::new(upgraded)).await);
        }
    }));
    let mut response = Response::new(Empty::new().boxed());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    response.headers_mut().insert("sec-websocket-accept", HeaderValue::from_str(&accept).ok()?);
    Some(response)
}

async fn repeat(mut wire: TokioIo<hyper::upgrade::Upgraded>) -> std::io::Result<()> {
    loop {
        let mut head = [0; 6];
        wire.read_exact(&mut head).await?;
        let [first, second, mask @ ..] = head;
        let length = usize::from(second & 0x7f);
        if length > FRAME_BYTES_MAX {
            return Ok(());
        }
        let mut payload = vec![0; length];
        wire.read_exact(&mut payload).await?;
        for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
        wire.write_all(&[&[first, second & 0x7f], payload.as_slice()].concat()).await?;
        // 8 says goodbye.
        if first & 0x0f == 8 {
            return Ok(());
        }
    }
}
