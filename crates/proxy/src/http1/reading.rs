//! The head of the next request: waited for, bounded in size and time, parsed.

use crate::carry::channel::{Broken, Channel};
use crate::exchange::{Connection, Exchange};
use crate::worker::Worker;
use portcullis_h1::{HeadError, HeadScan};
use portcullis_types::{Reason, Refusal, Stage};
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

/// What a connection of HTTP/2 begins with, as far as it looks like a head of HTTP/1.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";

/// What came.
pub(super) enum Arrival {
    /// A well-formed head.
    Request(Box<Exchange>),
    /// The preface of HTTP/2, on a connection that may begin with it (RFC 9113 section 3.3).
    Http2,
    /// Bytes that are none, with whatever could be read of them.
    Refused(Box<Exchange>, Refusal),
    /// The end of the connection, between two requests.
    End,
}

/// Waits for the next head.
pub(super) async fn arrival(worker: &Worker, connection: &Connection, client: &mut Channel, first: bool) -> Arrival {
    let limits = &connection.settings.limits;
    if client.input.is_empty() {
        client.timer.set_idle(&worker.timers, limits.idle_timeout);
    } else {
        client.timer.set(&worker.timers, limits.head_timeout);
    }
    client.rest();
    // Over TLS, the handshake has said what is spoken.
    let may_be_http2 = first && connection.settings.http2.is_some() && !connection.is_secure();
    let mut waiting =
        Waiting { worker, connection, scan: HeadScan::default(), begun: false, skipped: false, may_be_http2 };
    let outcome = poll_fn(|context| waiting.poll(client, context)).await;
    client.timer.clear();
    match outcome {
        Ok(Some(_)) if may_be_http2 && client.input.bytes().starts_with(PREFACE) => Arrival::Http2,
        Ok(Some(length)) => {
            let mut exchange = worker.exchange();
            let raw = client.input.bytes().get(..length).unwrap_or_default();
            let parsed = exchange.head.parse(raw, &connection.settings.head);
            client.input.consume(length, &worker.buffers);
            match parsed {
                Ok(()) => Arrival::Request(exchange),
                Err(error) => Arrival::Refused(exchange, refusal(error)),
            }
        }
        Ok(None) => Arrival::End,
        Err(refusal) => Arrival::Refused(worker.exchange(), refusal),
    }
}

struct Waiting<'a> {
    worker: &'a Worker,
    connection: &'a Connection,
    scan: HeadScan,
    /// Whether a byte of the head has come.
    begun: bool,
    /// Whether an empty line before it has been read over.
    skipped: bool,
    /// Whether the preface of HTTP/2 may come instead.
    may_be_http2: bool,
}

// === impl Waiting ===

impl Waiting<'_> {
    /// The length of the complete head, `None` at the end of the connection.
    fn poll(&mut self, client: &mut Channel, context: &mut Context<'_>) -> Poll<Result<Option<usize>, Refusal>> {
        let settings = &self.connection.settings;
        loop {
            if !self.begun {
                self.skip_empty_line(client);
            }
            let input = client.input.bytes();
            // A lone carriage return may be the first half of that empty line.
            if !input.is_empty() && (self.begun || self.skipped || input != b"\r") {
                if !std::mem::replace(&mut self.begun, true) {
                    client.timer.set(&self.worker.timers, settings.limits.head_timeout);
                }
                if self.may_be_http2 && input.starts_with(PREFACE) {
                    return Poll::Ready(Ok(Some(PREFACE.len())));
                }
                if let Some(length) = self.scan.find(input, settings.head.head_bytes_max).map_err(refusal)? {
                    return Poll::Ready(Ok(Some(length)));
                }
            }
            match ready!(client.poll_fill(context, &self.worker.timers, &self.worker.buffers)) {
                Ok(0) if self.begun => return Poll::Ready(Err(cut_off())),
                Ok(0) => return Poll::Ready(Ok(None)),
                Ok(_) => {}
                Err(Broken::Late) if self.begun => return Poll::Ready(Err(late())),
                Err(_) => return Poll::Ready(Ok(None)),
            }
        }
    }

    /// Old clients send an empty line after a body; one is read over (RFC 9112 section 2.2).
    fn skip_empty_line(&mut self, client: &mut Channel) {
        if !self.skipped && client.input.bytes().starts_with(b"\r\n") {
            client.input.consume(2, &self.worker.buffers);
            self.skipped = true;
        }
    }
}

fn late() -> Refusal {
    Refusal::new(Stage::Head, Reason::HeadTimeout, "the head was not complete in time").closing()
}

fn cut_off() -> Refusal {
    Refusal::new(Stage::Head, Reason::MalformedHead, "the head breaks off").closing()
}

/// What the caller is told about a rule of the codec.
pub(crate) fn refusal(error: HeadError) -> Refusal {
    let reason = match error {
        HeadError::BareLineFeed
        | HeadError::BareCarriageReturn
        | HeadError::Control
        | HeadError::RequestLine
        | HeadError::Method
        | HeadError::Target
        | HeadError::Version
        | HeadError::StatusLine
        | HeadError::FoldedLine
        | HeadError::BlankBeforeColon
        | HeadError::EmptyName
        | HeadError::Name
        | HeadError::NoColon
        | HeadError::PaddedValue
        | HeadError::ConnectionField
        | HeadError::TargetForm => Reason::MalformedHead,
        HeadError::VersionUnsupported => Reason::UnsupportedVersion,
        HeadError::TooManyFields | HeadError::HeadTooLarge => Reason::HeadTooLarge,
        HeadError::TargetTooLong => Reason::TargetTooLong,
        HeadError::HostMissing | HeadError::HostRepeated | HeadError::HostMalformed | HeadError::HostUnlikeTarget => {
            Reason::InvalidHost
        }
        HeadError::LengthRepeated
        | HeadError::LengthMalformed
        | HeadError::LengthWithCoding
        | HeadError::CodingRepeated
        | HeadError::CodingUnknown
        | HeadError::CodingInOldVersion
        | HeadError::FramingLookalike => Reason::AmbiguousFraming,
        HeadError::Expectation => Reason::UnknownExpectation,
    };
    Refusal::new(Stage::Head, reason, error.rule()).closing()
}
