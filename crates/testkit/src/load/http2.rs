//! HTTP/2 for the load: several requests at once on a connection that all slots of it share.

use super::http1::connect;
use super::{Outcome, Question, Shared};
use bytes::Bytes;
use h2::client::SendRequest;
use std::cell::RefCell;
use std::rc::Rc;

/// The connection in use. When it goes away, the first slot that needs one puts a new one here.
#[derive(Default)]
pub(super) struct Shelf {
    sender: RefCell<Option<(u64, SendRequest<Bytes>)>>,
    opening: tokio::sync::Mutex<u64>,
}

/// Asks one request after the other until the load is over.
pub(super) async fn slot(shared: Rc<Shared>, shelf: Rc<Shelf>) {
    while let Some((question, from)) = shared.next().await {
        shared.settle(&question, from, async |question| ask(&shared, &shelf, question).await).await;
    }
}

async fn ask(shared: &Rc<Shared>, shelf: &Shelf, question: &Question) -> Outcome {
    let Some((number, sender)) = sender(shared, shelf).await else { return Outcome::Lost("no connection") };
    let Ok(mut sender) = sender.ready().await else {
        forget(shelf, number);
        // Nothing of it was sent.
        return Outcome::Again;
    };
    let uri = format!("{}://a.test{}", if shared.load.tls.is_some() { "https" } else { "http" }, question.path);
    let request = http::Request::builder().method(question.method()).uri(uri).version(http::Version::HTTP_2);
    let request = question.field.iter().fold(request, |request, (name, value)| request.header(name, value));
    let request = request.body(()).expect("a request");
    let (answer, mut stream) = match sender.send_request(request, question.body.is_none()) {
        Ok(sent) => sent,
        Err(error) => return failed(shelf, number, &error, question),
    };
    if let Some(body) = &question.body {
        // What goes wrong here shows in the answer as well.
        drop(stream.send_data(Bytes::from(body.clone()), true));
    }
    let answer = match answer.await {
        Ok(answer) => answer,
        Err(error) => return failed(shelf, number, &error, question),
    };
    let status = answer.status().as_u16();
    let mut stream = answer.into_body();
    let mut body = Vec::new();
    while let Some(piece) = stream.data().await {
        let Ok(piece) = piece else { return Outcome::Cut(status, body) };
        drop(stream.flow_control().release_capacity(piece.len()));
        body.extend_from_slice(&piece);
    }
    match stream.trailers().await {
        Ok(_) => Outcome::Answered(status, body),
        Err(_) => Outcome::Cut(status, body),
    }
}

async fn sender(shared: &Rc<Shared>, shelf: &Shelf) -> Option<(u64, SendRequest<Bytes>)> {
    let have = || shelf.sender.borrow().clone();
    if let Some(have) = have() {
        return Some(have);
    }
    let mut count = shelf.opening.lock().await;
    if let Some(have) = have() {
        return Some(have);
    }
    let wire = connect(shared).await?;
    let (sender, connection) = h2::client::handshake(wire).await.ok()?;
    // Ends with its last request; an error is told to whoever asks over it.
    tokio::task::spawn_local(async move { drop(connection.await) });
    *count += 1;
    *shelf.sender.borrow_mut() = Some((*count, sender.clone()));
    Some((*count, sender))
}

fn forget(shelf: &Shelf, number: u64) {
    let mut sender = shelf.sender.borrow_mut();
    if sender.as_ref().is_some_and(|(have, _)| *have == number) {
        *sender = None;
    }
}

/// A stream that was refused, or that a GOAWAY says was not looked at, was not acted upon (RFC 9113 section 8.7).
fn failed(shelf: &Shelf, number: u64, error: &h2::Error, question: &Question) -> Outcome {
    if error.is_reset() && error.is_remote() {
        let refused = error.reason() == Some(h2::Reason::REFUSED_STREAM);
        return if refused { Outcome::Again } else { Outcome::Lost("the stream was reset") };
    }
    forget(shelf, number);
    if error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR) {
        return Outcome::Again;
    }
    if question.is_repeatable() { Outcome::Again } else { Outcome::Lost("the connection ended before an answer") }
}
