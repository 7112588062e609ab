//! HTTP/2 of the moody upstream, prior knowledge: each stream is answered as its mood is.

use super::{Mood, Seen};
use crate::load::echo;
use bytes::Bytes;
use h2::Reason;
use h2::server::SendResponse;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(super) async fn serve(mut stream: TcpStream, mut mood: watch::Receiver<Mood>, seen: &Seen) {
    if *mood.borrow() == Mood::Garbage {
        drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await);
        return;
    }
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    // Aborted when the connection ends: nothing outlives it.
    let mut streams = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = connection.accept() => accepted,
            // A connection in the middle of which the bytes turn into garbage cannot be made with a good library; it ends.
            told = mood.wait_for(|mood| *mood == Mood::Garbage) => {
                drop(told);
                return;
            }
        };
        let Some(Ok((request, respond))) = accepted else { return };
        seen.requests.fetch_add(1, Ordering::SeqCst);
        seen.over_http2.fetch_add(1, Ordering::SeqCst);
        streams.spawn(answer(request, respond, mood.clone()));
        while streams.try_join_next().is_some() {}
    }
}

async fn answer(
    request: http::Request<h2::RecvStream>,
    mut respond: SendResponse<Bytes>,
    mut mood: watch::Receiver<Mood>,
) {
    let path = request.uri().path().to_owned();
    let mut stream = request.into_body();
    let mut body = Vec::new();
    while let Some(piece) = stream.data().await {
        let Ok(piece) = piece else { return };
        drop(stream.flow_control().release_capacity(piece.len()));
        body.extend_from_slice(&piece);
    }
    let text = echo(&path, &String::from_utf8_lossy(&body));
    let now = *mood.borrow();
    match now {
        Mood::Well | Mood::Garbage => {}
        // SLEEP: this upstream is slow on purpose.
        Mood::Slow(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        Mood::Hung => {
            drop(mood.wait_for(|mood| *mood != Mood::Hung).await);
            return respond.send_reset(Reason::CANCEL);
        }
        Mood::Resetting => return respond.send_reset(Reason::INTERNAL_ERROR),
        Mood::HalfClosing | Mood::Killed | Mood::Gone => {
            let head = http::Response::builder().header("content-length", text.len()).body(()).expect("an answer");
            let Ok(mut sending) = respond.send_response(head, false) else { return };
            drop(sending.send_data(Bytes::from(text[..text.len() / 2].to_owned()), false));
            // SLEEP: what was sent gets ahead of the reset.
            tokio::time::sleep(Duration::from_millis(5)).await;
            return sending.send_reset(Reason::INTERNAL_ERROR);
        }
    }
    let head = http::Response::builder().header("content-type", "text/plain");
    let head = head.header("content-length", text.len()).body(()).expect("an answer");
    // The other side may have given up.
    if let Ok(mut sending) = respond.send_response(head, false) {
        drop(sending.send_data(Bytes::from(text), true));
    }
}
