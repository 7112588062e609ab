//! The first moments of a connection: where it is from, if somebody has to say so, and on a TLS listener the handshake,
//! or a clear answer to a client that speaks
//! plain HTTP. There is no redirect: what was sent in the clear must not be forgotten silently.

use crate::carry::channel::Channel;
use crate::carry::socket::Socket;
use crate::exchange::{Connection, Place};
use crate::http1;
use crate::origin::{self, proxy_header};
use crate::record::TlsFacts;
use crate::tls::client::ClientIdentity;
use crate::tls::server::ListenerTls;
use crate::worker::Worker;
use portcullis_types::{Reason, Refusal, Stage};
use proxy_header::Progress;
use rustls::ProtocolVersion;
use rustls::server::ServerConnection;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// Why a connection that should have begun with a PROXY header was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unheard {
    /// The peer is none of those whose header counts.
    Stranger,
    /// What came is no header.
    Malformed,
    /// Nothing came in time, or the connection ended.
    Late,
}

// === impl Unheard ===

impl Unheard {
    pub(crate) const ALL: [Self; 3] = [Self::Stranger, Self::Malformed, Self::Late];

    /// The name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stranger => "untrusted_peer",
            Self::Malformed => "malformed",
            Self::Late => "incomplete",
        }
    }
}

/// Finds out where a connection is from, before its first byte. Whoever must say so and does not is closed without a
/// word: there is no protocol yet in which to answer.
pub(crate) async fn introduce(worker: &Worker, stream: &TcpStream, place: Place) -> Option<Connection> {
    let (peer, listener) = (place.peer, Arc::clone(&place.listener));
    if !place.settings.provenance.proxy_protocol {
        return Some(Connection::new(place, peer));
    }
    let header = if origin::is_trusted(&place.settings.provenance.trusted, peer.ip()) {
        let limit = place.settings.limits.head_timeout;
        tokio::time::timeout(limit, proxy_header(stream)).await.unwrap_or(Err(Unheard::Late))
    } else {
        Err(Unheard::Stranger)
    };
    match header {
        Ok(source) => Some(Connection::new(place, source.unwrap_or(peer))),
        Err(unheard) => {
            if let Some(counter) = worker.shared.registry.proxy_headers_refused.get(unheard as usize) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
            worker.turned_away(&listener, peer, "proxy_header", unheard.name());
            None
        }
    }
}

/// Reads the header and not a byte more.
async fn proxy_header(stream: &TcpStream) -> Result<Option<SocketAddr>, Unheard> {
    let mut bytes = Vec::new();
    loop {
        let more = match proxy_header::parse(&bytes) {
            Ok(Progress::Whole(source)) => return Ok(source),
            Ok(Progress::Needs(more)) => more,
            Err(_) => return Err(Unheard::Malformed),
        };
        let have = bytes.len();
        bytes.resize(have + more, 0);
        stream.readable().await.map_err(|_| Unheard::Late)?;
        match stream.try_read(bytes.get_mut(have..).unwrap_or_default()) {
            Ok(0) => return Err(Unheard::Late),
            Ok(count) => bytes.truncate(have + count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => bytes.truncate(have),
            Err(_) => return Err(Unheard::Late),
        }
    }
}

/// Shakes hands within the time for a head; says whether HTTP/2 was agreed on.
pub(crate) async fn secure(
    worker: &Worker,
    stream: TcpStream,
    tls: &ListenerTls,
    connection: Connection,
) -> Option<(Socket, Connection, bool)> {
    let limit = connection.settings.limits.head_timeout;
    let mut first = [0u8; 1];
    let peeked = tokio::time::timeout(limit, stream.peek(&mut first)).await;
    if matches!(peeked, Ok(Ok(1))) && first[0].is_ascii_alphabetic() {
        worker.shared.registry.plaintext_on_tls.fetch_add(1, Ordering::Relaxed);
        let refusal = Refusal::new(Stage::Tls, Reason::PlaintextOnTls, "this port speaks HTTPS only").closing();
        let mut client = Channel::new(Socket::Plain(stream), worker.timers.timer_of(&connection.life));
        http1::turn_away(worker, &mut client, &connection, worker.exchange(), refusal).await;
        return None;
    }
    let acceptor = TlsAcceptor::from(Arc::clone(&tls.config));
    match tokio::time::timeout(limit, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let session = stream.get_ref().1;
            let certificate = tls.names.differ().then(|| {
                let index = session.server_name().map_or(0, |name| tls.names.index(name));
                (Arc::clone(&tls.names), index)
            });
            let identity = ClientIdentity::of(session, tls.authorities.as_ref()).map(Rc::new);
            let http2 = session.alpn_protocol() == Some(b"h2");
            let connection = Connection { tls: Some(facts(session)), certificate, identity, ..connection };
            Some((Socket::TlsServer(Box::new(stream)), connection, http2))
        }
        outcome => {
            worker.shared.registry.handshakes_failed.fetch_add(1, Ordering::Relaxed);
            let detail = match outcome {
                Ok(Err(error)) => error.to_string(),
                Ok(Ok(_)) | Err(_) => "not within the time for a head".to_owned(),
            };
            worker.turned_away(&connection.listener, connection.source, "tls_handshake", &detail);
            None
        }
    }
}

fn facts(session: &ServerConnection) -> TlsFacts {
    let version = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "1.3",
        Some(ProtocolVersion::TLSv1_2) => "1.2",
        Some(_) | None => "",
    };
    let group = session.negotiated_key_exchange_group().and_then(|group| group.name().as_str()).unwrap_or("");
    TlsFacts { version, group }
}
