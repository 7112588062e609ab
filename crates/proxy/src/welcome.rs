//! The first moments of a connection on a TLS listener: the handshake, or a clear answer to a client that speaks
//! plain HTTP. There is no redirect: what was sent in the clear must not be forgotten silently.

use crate::carry::channel::Channel;
use crate::carry::socket::Socket;
use crate::exchange::Connection;
use crate::http1;
use crate::record::TlsFacts;
use crate::snapshot::ListenerSettings;
use crate::tls::server::ListenerTls;
use crate::worker::Worker;
use portcullis_types::{Reason, Refusal, Stage};
use rustls::ProtocolVersion;
use rustls::server::ServerConnection;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

type Place = (Arc<str>, Rc<ListenerSettings>, SocketAddr);

/// Shakes hands within the time for a head; says whether HTTP/2 was agreed on.
pub(crate) async fn secure(
    worker: &Worker,
    stream: TcpStream,
    tls: &ListenerTls,
    place: Place,
) -> Option<(Socket, Connection, bool)> {
    let limit = place.1.limits.head_timeout;
    let mut first = [0u8; 1];
    let peeked = tokio::time::timeout(limit, stream.peek(&mut first)).await;
    if matches!(peeked, Ok(Ok(1))) && first[0].is_ascii_alphabetic() {
        worker.shared.registry.plaintext_on_tls.fetch_add(1, Ordering::Relaxed);
        let refusal = Refusal::new(Stage::Tls, Reason::PlaintextOnTls, "this port speaks HTTPS only").closing();
        let (listener, settings, peer) = place;
        let connection = Connection { listener, settings, peer, tls: None, certificate: None };
        let mut client = Channel::new(Socket::Plain(stream), worker.timers.timer());
        http1::turn_away(worker, &mut client, &connection, worker.exchange(), refusal).await;
        return None;
    }
    let acceptor = TlsAcceptor::from(Arc::clone(&tls.config));
    match tokio::time::timeout(limit, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let (listener, settings, peer) = place;
            let session = stream.get_ref().1;
            let certificate = tls.names.differ().then(|| {
                let index = session.server_name().map_or(0, |name| tls.names.index(name));
                (Arc::clone(&tls.names), index)
            });
            let connection = Connection { listener, settings, peer, tls: Some(facts(session)), certificate };
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            Some((Socket::TlsServer(Box::new(stream)), connection, http2))
        }
        Ok(Err(_)) | Err(_) => {
            worker.shared.registry.handshakes_failed.fetch_add(1, Ordering::Relaxed);
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
