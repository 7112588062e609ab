//! New connections to a target: name, TCP, TLS, each within the time to connect.

use super::names;
use super::pool::{Busy, Lease, Target};
use crate::carry::channel::Channel;
use crate::carry::socket::Socket;
use crate::snapshot::Upstream;
use crate::worker::Worker;
use portcullis_config::plan::UpstreamProtocol;
use portcullis_types::{Fault, FaultKind};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Opens a connection within the upstream's time to connect, and within what is `left` of the request's own.
pub(crate) async fn open(
    worker: &Worker,
    upstream: &Upstream,
    target: &Rc<Target>,
    left: Duration,
) -> Result<Lease, Fault> {
    // From here on it counts: a target that swallows connections must not look idle.
    let busy = Busy::with(target);
    let socket = socket(worker, upstream, target, left).await?;
    Ok(Lease::new(Box::new(Channel::new(socket, worker.timers.timer())), busy, false))
}

/// A connection on which nothing has been said yet.
pub(super) async fn socket(
    worker: &Worker,
    upstream: &Upstream,
    target: &Target,
    left: Duration,
) -> Result<Socket, Fault> {
    let limit = upstream.plan.connect_timeout.min(left);
    match tokio::time::timeout(limit, stand(worker, upstream, target, limit)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault::before_sending(
            FaultKind::ConnectTimeout,
            format!("{}: no connection after {limit:?}", target.label),
        )),
    }
}

async fn stand(worker: &Worker, upstream: &Upstream, target: &Target, limit: Duration) -> Result<Socket, Fault> {
    let stream = tcp(worker, target, limit).await?;
    if !target.plan.tls {
        return Ok(Socket::Plain(stream));
    }
    // A target that is to speak TLS is never spoken to in the clear, whatever its upstream lacks.
    let missing = || Fault::before_sending(FaultKind::Internal, "the upstream has no TLS settings");
    let tls = upstream.tls.as_ref().ok_or_else(missing)?;
    let fault =
        |error: &dyn std::fmt::Display| Fault::before_sending(FaultKind::Tls, format!("{}: {error}", target.label));
    let name = tls.server_name(&target.plan.host).map_err(|error| fault(&error))?;
    let stream = TlsConnector::from(tls.config()).connect(name, stream).await.map_err(|error| fault(&error))?;
    let wanted = upstream.plan.protocol == UpstreamProtocol::Http2;
    if wanted != (stream.get_ref().1.alpn_protocol() == Some(b"h2")) {
        let spoken = if wanted { "the server does not speak HTTP/2" } else { "the server insists on HTTP/2" };
        return Err(fault(&spoken));
    }
    Ok(Socket::TlsClient(Box::new(stream)))
}

async fn tcp(worker: &Worker, target: &Target, limit: Duration) -> Result<TcpStream, Fault> {
    let mut addresses = names::of(&target.server).await?;
    turn(&mut addresses, worker.random());
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    // One address that swallows packets must not use up the time of the others.
    let each = limit / u32::try_from(addresses.len()).unwrap_or(1).max(1);
    for address in addresses {
        let connecting = tokio::time::timeout(each, TcpStream::connect(address)).await;
        let connected = connecting.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        match connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    let late = last.kind() == io::ErrorKind::TimedOut;
    let kind = if late { FaultKind::ConnectTimeout } else { FaultKind::Connect };
    Err(Fault::before_sending(kind, format!("{}: {last}", target.label)))
}

/// Begins somewhere among the addresses that are of the first one's family, so that every one has its share of connections.
/// The other family stays behind them: where it leads nowhere, only those who have failed already wait for it.
fn turn(addresses: &mut [SocketAddr], random: u64) {
    let Some(is_ipv4) = addresses.first().map(SocketAddr::is_ipv4) else { return };
    let alike = addresses.iter().take_while(|address| address.is_ipv4() == is_ipv4).count();
    if let Some(part) = addresses.get_mut(..alike) {
        part.rotate_left(usize::try_from(random % alike as u64).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::turn;

    #[test]
    fn connections_begin_everywhere_within_a_family() {
        for (texts, firsts) in [
            (&["10.0.0.1:80"][..], &["10.0.0.1:80"][..]),
            (&["10.0.0.1:80", "10.0.0.2:80", "[::1]:80"], &["10.0.0.1:80", "10.0.0.2:80"]),
            (&["[::1]:80", "[::2]:80"], &["[::1]:80", "[::2]:80"]),
        ] {
            let all: Vec<std::net::SocketAddr> = texts.iter().map(|text| text.parse().unwrap()).collect();
            let mut seen: Vec<String> = Vec::new();
            for random in 0..12 {
                let mut turned = all.clone();
                turn(&mut turned, random);
                seen.push(turned[0].to_string());
                turned.sort_unstable();
                assert_eq!(turned, all, "none is lost");
            }
            seen.sort();
            seen.dedup();
            assert_eq!(seen, firsts);
        }
        turn(&mut [], 7);
    }
}
