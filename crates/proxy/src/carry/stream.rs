//! One stream of an HTTP/2 connection, in either role, seen as a socket whose bytes are the body: what the peer sends
//! is read, what we send is written, and the end of our direction carries the trailers.
//!
//! Flow control runs through it: bytes are released to the peer when they are read here, and no more is taken for
//! sending than the peer has room for (RFC 9113 section 5.2).

use bytes::{Buf, Bytes};
use h2::client::ResponseFuture;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Response};
use portcullis_h1::BodyError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

// LIMIT: bytes of one write; what one stream can hold in the connection's own queue.
pub(crate) const WRITE_BYTES_MAX: usize = 16 * 1024;

/// A request and its answer on a connection that they share with others.
#[derive(Debug)]
pub(crate) struct Stream {
    sending: Sending,
    incoming: Option<RecvStream>,
    /// What arrived and has not been read.
    chunk: Bytes,
    trailers: Option<HeaderMap>,
    /// Trailer lines that follow what is written from now on; without any, the last write ends the stream itself.
    ending: Option<Vec<u8>>,
}

/// How far our direction has come.
#[derive(Debug)]
enum Sending {
    /// A client waits for our answer, whose head may be ready to leave, whole or not.
    Asked(Box<SendResponse<Bytes>>, Option<(Response<()>, bool)>),
    /// Our head has left; the server's answer may be awaited.
    Open(SendStream<Bytes>, Option<Box<ResponseFuture>>),
    /// Nothing more can be sent.
    Ended(Option<Box<ResponseFuture>>),
}

// === impl Stream ===

impl Stream {
    /// A request of ours that has not been sent yet.
    pub(crate) fn idle() -> Self {
        Self { sending: Sending::Ended(None), incoming: None, chunk: Bytes::new(), trailers: None, ending: None }
    }

    /// A client's request, to be answered.
    pub(crate) fn asked(respond: SendResponse<Bytes>, body: Option<RecvStream>) -> Self {
        Self { sending: Sending::Asked(Box::new(respond), None), incoming: body, ..Self::idle() }
    }

    /// A request of ours, whose answer will come.
    pub(crate) fn asking(answer: ResponseFuture, send: SendStream<Bytes>, whole: bool) -> Self {
        let answer = Some(Box::new(answer));
        let sending = if whole { Sending::Ended(answer) } else { Sending::Open(send, answer) };
        Self { sending, ..Self::idle() }
    }

    /// Answers the client; `whole` if no body follows. The head leaves with the next flush and can be taken back until
    /// then.
    pub(crate) fn answer(&mut self, answer: Response<()>, whole: bool) {
        if let Sending::Asked(_, head) = &mut self.sending {
            *head = Some((answer, whole));
        }
    }

    /// Takes a head back that has not left; says whether another answer can be given.
    pub(crate) fn take_back(&mut self) -> bool {
        match &mut self.sending {
            Sending::Asked(_, head) => {
                *head = None;
                true
            }
            Sending::Open(..) | Sending::Ended(_) => false,
        }
    }

    /// Lets a head leave that is ready.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if let Sending::Asked(respond, head) = &mut self.sending
            && let Some((answer, whole)) = head.take()
        {
            let send = respond.send_response(answer, whole).map_err(error)?;
            self.sending = if whole { Sending::Ended(None) } else { Sending::Open(send, None) };
        }
        Ok(())
    }

    /// Tells a client that waits for it to send its body.
    pub(crate) fn go_on(&mut self) {
        if let Sending::Asked(respond, _) = &mut self.sending {
            let mut head = Response::new(());
            *head.status_mut() = http::StatusCode::CONTINUE;
            // A stream that has been reset shows when its body is read.
            drop(respond.send_informational(head));
        }
    }

    /// The head of the server's answer, and whether a body follows.
    pub(crate) fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Result<(Response<()>, bool), h2::Error>> {
        let (Sending::Open(_, answer) | Sending::Ended(answer)) = &mut self.sending else { return Poll::Pending };
        let Some(future) = answer else { return Poll::Pending };
        let answered = ready!(Pin::new(future.as_mut()).poll(context))?;
        *answer = None;
        let (head, body) = answered.into_parts();
        let has_body = !body.is_end_stream();
        self.incoming = has_body.then_some(body);
        Poll::Ready(Ok((Response::from_parts(head, ()), has_body)))
    }

    /// Reads once. `Ready(Ok(0))` is the end of the body, with whatever trailers there are.
    pub(crate) fn poll_read(&mut self, context: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(Ok(0)) };
        while self.chunk.is_empty() {
            match ready!(incoming.poll_data(context)) {
                Some(chunk) => self.chunk = chunk.map_err(error)?,
                None => {
                    self.trailers = ready!(incoming.poll_trailers(context)).map_err(error)?;
                    self.incoming = None;
                    return Poll::Ready(Ok(0));
                }
            }
        }
        let count = self.chunk.len().min(room.len());
        if let (Some(to), Some(from)) = (room.get_mut(..count), self.chunk.get(..count)) {
            to.copy_from_slice(from);
        }
        self.chunk.advance(count);
        incoming.flow_control().release_capacity(count).map_err(error)?;
        Poll::Ready(Ok(count))
    }

    /// Hands over as much as the peer has room for.
    pub(crate) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.flush()?;
        let Sending::Open(send, _) = &mut self.sending else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let wanted = bytes.len().min(WRITE_BYTES_MAX);
        send.reserve_capacity(wanted);
        while send.capacity() == 0 {
            match ready!(send.poll_capacity(context)) {
                Some(outcome) => drop(outcome.map_err(error)?),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        let count = send.capacity().min(wanted);
        let piece = Bytes::copy_from_slice(bytes.get(..count).unwrap_or_default());
        let last = count == bytes.len() && self.ending.as_ref().is_some_and(Vec::is_empty);
        send.send_data(piece, last).map_err(error)?;
        if last && let Sending::Open(_, answer) = &mut self.sending {
            self.sending = Sending::Ended(answer.take());
        }
        Poll::Ready(Ok(count))
    }

    /// What is written from now on is the last of the body, and these trailer lines follow it.
    pub(crate) fn set_ending(&mut self, trailers: &[u8]) {
        self.ending = Some(trailers.to_vec());
    }

    /// Ends our direction.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.flush()?;
        let trailers = self.ending.take().unwrap_or_default();
        let Sending::Open(send, answer) = &mut self.sending else { return Ok(()) };
        let outcome = if trailers.is_empty() {
            send.send_data(Bytes::new(), true)
        } else {
            send.send_trailers(crate::http2::fields::map(portcullis_h1::trailer_fields(&trailers)))
        };
        self.sending = Sending::Ended(answer.take());
        outcome.map_err(error)
    }

    /// The trailers that followed the body, as lines.
    pub(crate) fn take_trailers(&mut self) -> Result<Vec<u8>, BodyError> {
        let Some(map) = self.trailers.take() else { return Ok(Vec::new()) };
        portcullis_h1::trailer_lines(crate::http2::fields::pairs(&map))
    }

    /// Whether the peer has taken the stream back while nothing is asked of it.
    pub(crate) fn is_gone(&mut self, context: &mut Context<'_>) -> bool {
        match &mut self.sending {
            Sending::Asked(respond, _) => respond.poll_reset(context).is_ready(),
            Sending::Open(send, _) => send.poll_reset(context).is_ready(),
            Sending::Ended(_) => false,
        }
    }

    /// Takes the stream back: what was sent is not whole.
    pub(crate) fn break_off(&mut self) {
        match &mut self.sending {
            Sending::Asked(respond, _) => respond.send_reset(Reason::INTERNAL_ERROR),
            Sending::Open(send, _) => send.send_reset(Reason::INTERNAL_ERROR),
            Sending::Ended(_) => {}
        }
    }
}

fn error(error: h2::Error) -> io::Error {
    let text = error.to_string();
    error.into_io().unwrap_or_else(|| io::Error::new(io::ErrorKind::ConnectionReset, text))
}
