//! Listening sockets: one per worker and listener on the same address, so that the system spreads connections.

use super::StartError;
use crate::worker::Bound;
use portcullis_config::plan::ListenerPlan;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

// LIMIT: connections that wait to be accepted, as far as the system allows.
const BACKLOG: i32 = 4096;

type Sockets = (Vec<Vec<Bound>>, Vec<(Arc<str>, SocketAddr)>);

/// Sockets for each worker, and the address of each listener.
pub(super) fn bind(listeners: &[ListenerPlan], workers: usize) -> Result<Sockets, StartError> {
    let mut by_worker: Vec<Vec<Bound>> = (0..workers).map(|_| Vec::new()).collect();
    let mut addresses = Vec::new();
    for listener in listeners {
        let error = |source| StartError::Listen { listener: Arc::clone(&listener.name), bind: listener.bind, source };
        let open = Arc::new(AtomicU64::new(0));
        let mut address = listener.bind;
        claim(address).map_err(error)?;
        for bound in &mut by_worker {
            let socket = listen(address).map_err(error)?;
            // The first socket turns port 0 into a real one, which the others share.
            address = socket.local_addr().map_err(error)?;
            bound.push(Bound { name: Arc::clone(&listener.name), socket, open: Arc::clone(&open) });
        }
        addresses.push((Arc::clone(&listener.name), address));
    }
    Ok((by_worker, addresses))
}

/// Sockets that share a port are granted to every process of the same user; binding once without sharing tells
/// whether another one has it.
fn claim(address: SocketAddr) -> io::Result<()> {
    if address.port() == 0 {
        return Ok(());
    }
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Randomness of the system for a worker's ids.
pub(super) fn seed(worker: usize) -> io::Result<[u64; 2]> {
    let mut bytes = [0u8; 16];
    let filled = rustls::crypto::aws_lc_rs::default_provider().secure_random.fill(&mut bytes);
    filled.map_err(|_| io::Error::other("no randomness"))?;
    let [low, high] = [bytes.first_chunk::<8>(), bytes.last_chunk::<8>()]
        .map(|half| half.map_or(0, |half| u64::from_le_bytes(*half)));
    Ok([low ^ worker as u64, high])
}
