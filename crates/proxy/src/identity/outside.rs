//! One question to a server of an issuer: which addresses may be asked, one request, an answer within limits. Redirects are not
//! followed. The deadline is the caller's.

use crate::outcall::{read_body, read_head, secure, send};
use crate::tls::files::TlsError;
use crate::upstream::tls::UpstreamTls;
use portcullis_auth::issuer::{FetchFault, may_ask};
use portcullis_config::plan::{Endpoint, UpstreamProtocol};
use portcullis_h1::{Fields, ResponseHead};
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// How a server is verified; `None` where it is on this machine and speaks no TLS.
pub(super) fn tls_of(at: &Endpoint) -> Result<Option<UpstreamTls>, TlsError> {
    at.secure.then(|| UpstreamTls::new(&at.tls, UpstreamProtocol::Http1)).transpose()
}

/// What is asked: a method, further field lines that end with a line break each, a body.
pub(super) struct Question<'q> {
    pub(super) method: &'static str,
    pub(super) lines: &'q str,
    pub(super) body: &'q [u8],
    /// Bytes that an answer's body may have.
    pub(super) bytes_max: usize,
}

/// The head of the answer and its whole body.
pub(super) async fn ask(
    at: &Endpoint,
    tls: Option<&UpstreamTls>,
    question: Question<'_>,
) -> Result<(ResponseHead, Vec<u8>), FetchFault> {
    let stream = connect(at).await?;
    let fault = |_: io::Error| FetchFault::Unreachable;
    let refused = if tls.is_some() { FetchFault::Tls } else { FetchFault::Unreachable };
    let mut socket = secure(stream, tls, &at.host).await.map_err(|_| refused)?;
    let mut request = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\nuser-agent: portcullis/{}\r\nconnection: close\r\n{}\r\n",
        question.method,
        at.target,
        authority(at),
        env!("CARGO_PKG_VERSION"),
        question.lines,
    )
    .into_bytes();
    request.extend_from_slice(question.body);
    send(&mut socket, &request).await.map_err(fault)?;
    let mut input = Vec::new();
    let head = read_head(&mut socket, &mut input).await.map_err(fault)?;
    let (body, whole) = read_body(&mut socket, &mut input, &head, question.bytes_max).await.map_err(fault)?;
    match whole {
        true => Ok((head, body)),
        false if body.len() > question.bytes_max => Err(FetchFault::TooLarge),
        false => Err(FetchFault::Unreachable),
    }
}

/// Fetches a document, and says how long it may be kept by its cache headers, in seconds.
pub(super) async fn fetch(
    at: &Endpoint,
    tls: Option<&UpstreamTls>,
    accept: &str,
    bytes_max: usize,
) -> Result<(Vec<u8>, Option<u64>), FetchFault> {
    let lines = format!("accept: {accept}\r\n");
    let (head, body) = ask(at, tls, Question { method: "GET", lines: &lines, body: &[], bytes_max }).await?;
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
