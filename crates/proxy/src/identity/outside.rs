//! Questions to a server of an issuer: which addresses may be asked, one request at a time, an answer within limits. Redirects
//! are not followed. The deadline is the caller's.

use crate::carry::socket::Socket;
use crate::outcall::{is_quiet, read_body, read_head, secure, send};
use crate::tls::files::TlsError;
use crate::upstream::tls::UpstreamTls;
use portcullis_auth::issuer::{FetchFault, may_ask};
use portcullis_config::plan::{Endpoint, UpstreamProtocol};
use portcullis_h1::{Fields, ResponseHead};
use portcullis_types::Millis;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use tokio::net::TcpStream;

// LIMIT: connections to one server that are kept between questions.
const KEPT_MAX: usize = 8;
/// How long one is kept without a question; many servers close theirs after five seconds.
const IDLE_MAX_MS: Millis = 4_000;
/// How long one is used at all, so that a name that leads elsewhere by now is followed.
const LIFE_MAX_MS: Millis = 60_000;

/// How a server is verified; `None` where it is on this machine and speaks no TLS.
pub(crate) fn tls_of(at: &Endpoint) -> Result<Option<UpstreamTls>, TlsError> {
    at.secure.then(|| UpstreamTls::new(&at.tls, UpstreamProtocol::Http1)).transpose()
}

/// What is asked: a method, further field lines that end with a line break each, a body.
pub(crate) struct Question<'q> {
    pub(crate) method: &'static str,
    pub(crate) lines: &'q str,
    pub(crate) body: &'q [u8],
    /// Bytes that an answer's body may have.
    pub(crate) bytes_max: usize,
}

/// Connections to one server that may be used again.
#[derive(Debug, Default)]
pub(super) struct Lines(Mutex<Vec<Line>>);

#[derive(Debug)]
struct Line {
    socket: Socket,
    made: Millis,
    used: Millis,
}

/// The head of the answer and its whole body.
type Answered = (ResponseHead, Vec<u8>);

// === impl Lines ===

impl Lines {
    /// Asks over a connection that is there already, or over a new one. A question that may be asked twice, because the server
    /// may close a connection at the moment at which it is used again.
    pub(super) async fn ask(
        &self,
        at: &Endpoint,
        tls: Option<&UpstreamTls>,
        question: &Question<'_>,
        now: Millis,
    ) -> Result<Answered, FetchFault> {
        while let Some(mut line) = self.take(now) {
            if !is_quiet(&mut line.socket).await {
                continue;
            }
            match exchange(&mut line.socket, at, question, "").await {
                Err(FetchFault::Unreachable) => break,
                Err(other) => return Err(other),
                Ok((answered, kept)) => {
                    self.keep(kept.then_some(Line { used: now, ..line }));
                    return Ok(answered);
                }
            }
        }
        let mut socket = open(at, tls).await?;
        let (answered, kept) = exchange(&mut socket, at, question, "").await?;
        self.keep(kept.then_some(Line { socket, made: now, used: now }));
        Ok(answered)
    }

    /// The connection that was used last, of those that are not too old.
    fn take(&self, now: Millis) -> Option<Line> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|line| {
            now.saturating_sub(line.used) <= IDLE_MAX_MS && now.saturating_sub(line.made) <= LIFE_MAX_MS
        });
        kept.pop()
    }

    fn keep(&self, line: Option<Line>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX {
            kept.extend(line);
        }
    }
}

/// The head of the answer and its whole body, over a connection for this question alone.
pub(crate) async fn ask(
    at: &Endpoint,
    tls: Option<&UpstreamTls>,
    question: &Question<'_>,
) -> Result<Answered, FetchFault> {
    let mut socket = open(at, tls).await?;
    Ok(exchange(&mut socket, at, question, "connection: close\r\n").await?.0)
}

/// A new connection.
async fn open(at: &Endpoint, tls: Option<&UpstreamTls>) -> Result<Socket, FetchFault> {
    let stream = connect(at).await?;
    let refused = if tls.is_some() { FetchFault::Tls } else { FetchFault::Unreachable };
    secure(stream, tls, &at.host).await.map_err(|_| refused)
}

/// One request and its answer, and whether the connection is good for another one.
async fn exchange(
    socket: &mut Socket,
    at: &Endpoint,
    question: &Question<'_>,
    lines: &str,
) -> Result<(Answered, bool), FetchFault> {
    let fault = |_: io::Error| FetchFault::Unreachable;
    let mut request = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\nuser-agent: portcullis/{}\r\n{lines}{}\r\n",
        question.method,
        at.target,
        authority(at),
        env!("CARGO_PKG_VERSION"),
        question.lines,
    )
    .into_bytes();
    request.extend_from_slice(question.body);
    send(socket, &request).await.map_err(fault)?;
    let mut input = Vec::new();
    let head = read_head(socket, &mut input).await.map_err(fault)?;
    let (body, whole) = read_body(socket, &mut input, &head, question.bytes_max).await.map_err(fault)?;
    match whole {
        true => {
            let kept = head.keep_alive() && input.is_empty();
            Ok(((head, body), kept))
        }
        false if body.len() > question.bytes_max => Err(FetchFault::TooLarge),
        false => Err(FetchFault::Unreachable),
    }
}

/// Fetches a document, and says how long it may be kept by its cache headers, in seconds.
pub(crate) async fn fetch(
    at: &Endpoint,
    tls: Option<&UpstreamTls>,
    accept: &str,
    bytes_max: usize,
) -> Result<(Vec<u8>, Option<u64>), FetchFault> {
    let lines = format!("accept: {accept}\r\n");
    let (head, body) = ask(at, tls, &Question { method: "GET", lines: &lines, body: &[], bytes_max }).await?;
    if head.status() == 200 { Ok((body, max_age(head.fields()))) } else { Err(FetchFault::Status) }
}

/// Every address that the name has is looked at before it is asked, so that a name cannot lead to places inside.
async fn connect(at: &Endpoint) -> Result<TcpStream, FetchFault> {
    let found = tokio::net::lookup_host((at.host.as_str(), at.port)).await;
    let found: Vec<SocketAddr> = found.map_err(|_| FetchFault::Unreachable)?.collect();
    let issuer = format!("{}://{}", if at.secure { "https" } else { "http" }, authority(at));
    let allowed = found.iter().filter(|address| may_ask(&issuer, &at.networks, address.ip()));
    let mut fault = FetchFault::Address;
    for address in allowed {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(_) => fault = FetchFault::Unreachable,
        }
    }
    Err(fault)
}

fn authority(at: &Endpoint) -> String {
    let host = if at.host.contains(':') { format!("[{}]", at.host) } else { at.host.clone() };
    format!("{host}:{}", at.port)
}

/// `max-age` of `Cache-Control`; zero where nothing may be kept, which the policy bounds.
fn max_age(fields: Fields<'_>) -> Option<u64> {
    let lines = fields.iter().filter(|line| line.name.eq_ignore_ascii_case(b"cache-control"));
    let text: Vec<String> = lines.map(|line| String::from_utf8_lossy(line.value).to_ascii_lowercase()).collect();
    let text = text.join(",");
    let parts = || text.split(',').map(str::trim);
    if parts().any(|part| part == "no-store" || part == "no-cache") {
        return Some(0);
    }
    parts().find_map(|part| part.strip_prefix("max-age=")?.trim_matches('"').parse().ok())
}
