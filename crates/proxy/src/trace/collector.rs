//! The connection to a collector: one request at a time over HTTP/1.1, kept open, with our own codec. Every wait is bounded
//! by the caller; the answer's size here.

use super::otlp::{Signal, rejected};
use crate::carry::socket::Socket;
use crate::outcall::{read_body, read_head, secure, send};
use crate::tls::files::TlsError;
use crate::upstream::tls::UpstreamTls;
use portcullis_config::plan::{ExportPlan, UpstreamProtocol};
use portcullis_h1::write::{decimal, field};
use std::io;
use tokio::net::TcpStream;

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
        let tls = target.tls.then_some(self.tls.as_ref());
        // What is to be encrypted is never sent in the clear, whatever is missing.
        let tls = tls.map(|tls| tls.ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))).transpose()?;
        secure(stream, tls, &target.host).await
    }

    async fn exchange(&mut self, mut socket: Socket, signal: Signal) -> io::Result<Answer> {
        send(&mut socket, &self.output).await?;
        let mut input = Vec::new();
        let head = read_head(&mut socket, &mut input).await?;
        let (body, whole) = read_body(&mut socket, &mut input, &head, ANSWER_BYTES_MAX).await?;
        let retry_after = head.fields().iter().find(|line| line.name.eq_ignore_ascii_case(b"retry-after"));
        let retry_after = retry_after.and_then(|line| std::str::from_utf8(line.value).ok()?.parse().ok());
        if whole && head.keep_alive() && input.is_empty() {
            self.socket = Some(socket);
        }
        Ok(Answer { status: head.status(), retry_after, rejected: rejected(signal, &body) })
    }
}
