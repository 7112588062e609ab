//! One request of a connection: a head in our form, and then the same way as any other request.

use super::{Place, fields};
use crate::answer::{self, Next};
use crate::carry::channel::Channel;
use crate::carry::socket::Socket;
use crate::carry::stream::Stream;
use crate::exchange::{Connection, Exchange};
use crate::http1;
use crate::record::{Outcome, Protocol};
use crate::worker::Worker;
use bytes::Bytes;
use h2::RecvStream;
use h2::ext;
use h2::server::SendResponse;
use http::{Method, Request};
use portcullis_h1::{Composed, HeadError};
use std::rc::Rc;

/// Serves a request in a task of its own.
pub(super) fn spawn(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    place: Place,
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
) {
    let (worker, connection) = (Rc::clone(worker), Rc::clone(connection));
    drop(tokio::task::spawn_local(async move {
        serve(&worker, &connection, request, respond).await;
        drop(place);
    }));
}

async fn serve(worker: &Worker, connection: &Connection, request: Request<RecvStream>, respond: SendResponse<Bytes>) {
    let mut exchange = worker.exchange();
    let parsed = compose(&mut exchange, &request, connection);
    let body = request.into_body();
    let body = (!body.is_end_stream()).then_some(body);
    let mut client =
        Channel::new(Socket::Stream(Box::new(Stream::asked(respond, body))), worker.timers.timer_of(&connection.life));
    answer::begin(worker, connection, &mut exchange);
    exchange.record.protocol = Protocol::Http2;
    let local = worker.local();
    let next = match parsed {
        Ok(()) => answer::handle(worker, &local, connection, &mut exchange, &mut client, false).await,
        Err(error) => {
            let stop = http1::head_refusal(error).into();
            answer::refuse(worker, &local, connection, &mut exchange, &mut client, &stop, false).await
        }
    };
    let torn = matches!(next, Next::BreakOff) || exchange.record.outcome == Outcome::Truncated;
    if torn {
        client.break_off();
    }
    answer::finish(worker, &local, exchange);
}

/// The head in the form that every stage knows.
fn compose(exchange: &mut Exchange, request: &Request<RecvStream>, connection: &Connection) -> Result<(), HeadError> {
    let uri = request.uri();
    let protocol = request.extensions().get::<ext::Protocol>().map(ext::Protocol::as_str);
    // CONNECT with another protocol, or with none, asks for a tunnel; the next stage refuses it by its method.
    let websocket = request.method() == Method::CONNECT && protocol == Some("websocket");
    let method = if websocket { "GET" } else { request.method().as_str() };
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let composed = Composed {
        method: method.as_bytes(),
        target: if target.is_empty() { b"*" } else { target.as_bytes() },
        authority: uri.authority().map(|authority| authority.as_str().as_bytes()),
        has_body: !request.body().is_end_stream() && !websocket,
        websocket,
    };
    exchange.head.compose(&composed, fields::pairs(request.headers()), &connection.settings.head)
}
