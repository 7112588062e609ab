//! The connection to a collector: one request at a time over HTTP/1.1, kept open, with our own codec. Every wait is bounded
//! by the caller; the answer's size here.

use super::otlp::{Signal, rejected};
use crate::carry::socket::Socket;
use crate::tls::files::TlsError;
use crate::upstream::tls::UpstreamTls;
use portcullis_config::plan::{ExportPlan, UpstreamProtocol};
use portcullis_h1::write::{decimal, field};
use portcullis_h1::{Body, HeadLimits, HeadScan, Part, ResponseHead};
use std::future::poll_fn;
use std::io;
use std::task::{Poll, ready};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

// LIMIT: bytes of an answer's body that are kept; a collector says in a few what it did not take.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A collector.
#[derive(Debug)]
pub(crate) struct Collector {
    plan: ExportPlan,
    tls: Option<UpstreamTls>,
    /// Kept between requests.
    socket: Option<Socket>,
    output: Vec<u8>,
}

/// What a collector answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Seconds, where it says when to come back. Dates are not read: the pause of our own is as good.
    pub(crate) retry_after: Option<u64>,
    /// Items of an accepted request that it did not take.
    pub(crate) rejected: u64,
}

// === impl Collector ===

impl Collector {
    /// # Errors
    /// TLS files that cannot be used.
    pub(crate) fn new(plan: &ExportPlan) -> Result<Self, TlsError> {
        let tls = plan.tls.as_ref().map(|tls| UpstreamTls::new(tls, UpstreamProtocol::Http1)).transpose()?;
        Ok(Self { plan: plan.clone(), tls, socket: None, output: Vec::new() })
    }

    pub(crate) fn service_name(&self) -> &str {
        &self.plan.service_name
    }

    /// Sends one request. A kept connection that turns out to be closed is replaced once.
    pub(crate) async fn post(&mut self, signal: Signal, body: &[u8]) -> io::Result<Answer> {
        self.write(signal, body);
        if let Some(socket) = self.socket.take()
            && let Ok(answer) = self.exchange(socket, signal).await
        {
            return Ok(answer);
        }
        let socket = self.connect().await?;
        self.exchange(socket, signal).await
    }

    fn write(&mut self, signal: Signal, body: &[u8]) {
        let out = &mut self.output;
        out.clear();
        out.extend_from_slice(b"POST ");
        out.extend_from_slice(signal.path().as_bytes());
        out.extend_from_slice(b" HTTP/1.1\r\nhost: ");
        let target = &self.plan.collector;
        let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
        out.extend_from_slice(format!("{host}:{}", target.port).as_bytes());
        out.extend_from_slice(b"\r\ncontent-type: application/json\r\nuser-agent: portcullis/");
        out.extend_from_slice(env!("CARGO_PKG_VERSION").as_bytes());
        out.extend_from_slice(b"\r\ncontent-length: ");
        decimal(body.len() as u64, out);
        out.extend_from_slice(b"\r\n");
        for (name, value) in &self.plan.headers {
            field(name.as_bytes(), value.expose().as_bytes(), out);
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
    }

    async fn connect(&self) -> io::Result<Socket> {
        let target = &self.plan.collector;
        let stream = TcpStream::connect((target.host.as_str(), target.port)).await?;
        stream.set_nodelay(true)?;
        if !target.tls {
            return Ok(Socket::Plain(stream));
        }
        // What is to be encrypted is never sent in the clear, whatever is missing.
        let tls = self.tls.as_ref().ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
        let name = tls.server_name(&target.host).map_err(io::Error::other)?;
        let stream = TlsConnector::from(tls.config()).connect(name, stream).await?;
        Ok(Socket::TlsClient(Box::new(stream)))
    }

    async fn exchange(&mut self, mut socket: Socket, signal: Signal) -> io::Result<Answer> {
        let mut sent = 0;
        let output = &self.output;
        poll_fn(|context| {
            while let Some(rest) = output.get(sent..).filter(|rest| !rest.is_empty()) {
                match ready!(socket.poll_write(context, rest))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    count => sent += count,
                }
            }
            socket.poll_flush(context)
        })
        .await?;
        let mut input = Vec::new();
        let head = read_head(&mut socket, &mut input).await?;
        let (body, whole) = read_body(&mut socket, &mut input, &head).await?;
        let retry_after = head.fields().iter().find(|line| line.name.eq_ignore_ascii_case(b"retry-after"));
        let retry_after = retry_after.and_then(|line| std::str::from_utf8(line.value).ok()?.parse().ok());
        if whole && head.keep_alive() && input.is_empty() {
            self.socket = Some(socket);
        }
        Ok(Answer { status: head.status(), retry_after, rejected: rejected(signal, &body) })
    }
}

/// Reads until there is the head of a final answer, and takes it off the input.
async fn read_head(socket: &mut Socket, input: &mut Vec<u8>) -> io::Result<ResponseHead> {
    let (mut scan, limits) = (HeadScan::default(), HeadLimits::default());
    loop {
        let found = scan.find(input, limits.head_bytes_max).map_err(|error| io::Error::other(error.rule()))?;
        let Some(length) = found else {
            if fill(socket, input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            continue;
        };
        let mut head = ResponseHead::default();
        let raw = input.get(..length).unwrap_or_default();
        head.parse(raw, false, &limits).map_err(|error| io::Error::other(error.rule()))?;
        input.drain(..length);
        if !head.is_interim() {
            return Ok(head);
        }
        scan = HeadScan::default();
    }
}

/// The body, and whether all of it was read.
async fn read_body(socket: &mut Socket, input: &mut Vec<u8>, head: &ResponseHead) -> io::Result<(Vec<u8>, bool)> {
    let (mut body, mut data) = (Body::new(head.framing()), Vec::new());
    loop {
        match body.next(input).map_err(|error| io::Error::other(error.rule()))? {
            Part::Data(range) => {
                data.extend_from_slice(input.get(range.clone()).unwrap_or_default());
                input.drain(..range.end);
                if data.len() > ANSWER_BYTES_MAX {
                    return Ok((data, false));
                }
            }
            Part::More(used) => {
                input.drain(..used);
                if fill(socket, input).await? == 0 {
                    let whole = body.closed().is_ok();
                    return Ok((data, whole));
                }
            }
            Part::End(used) => {
                input.drain(..used);
                return Ok((data, true));
            }
        }
    }
}

async fn fill(socket: &mut Socket, input: &mut Vec<u8>) -> io::Result<usize> {
    let mut room = [0; 4096];
    let count = poll_fn(|context| socket.poll_read(context, &mut room)).await?;
    input.extend_from_slice(room.get(..count).unwrap_or_default());
    Ok(count)
}
