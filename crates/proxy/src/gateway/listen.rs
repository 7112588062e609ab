//! Listening sockets: one per worker and listener on the same address, so that the system spreads connections. A
//! socket that was inherited is shared by the workers instead: whoever made it knows of one only.

use super::life::Life;
use super::{Listener, StartError};
use crate::worker::Bound;
use portcullis_config::plan::ListenerPlan;
use portcullis_limit::{KeyHasher, Prefixes};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

// LIMIT: connections that wait to be accepted, as far as the system allows.
const BACKLOG: i32 = 4096;

// LIMIT: bytes that the system holds for a client before they are on their way. Without it, a client that does not read
// costs megabytes of the system's memory beyond what we see.
const UNSENT_BYTES_MAX: u32 = 128 * 1024;

/// Who opened a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giver {
    /// The system, which was told of listeners: one that there is not is a mistake.
    System,
    /// The gateway before this one, which had listeners of its own: those that there are not any more are closed.
    Predecessor,
}

/// A socket that somebody else opened for us, by the name of its listener.
#[derive(Debug)]
pub struct Inherited {
    /// By whom.
    pub giver: Giver,
    /// The listener that it is for.
    pub listener: String,
    /// The socket, listening.
    pub socket: TcpListener,
}

/// A listener that has just been bound, with a socket for each worker.
pub(super) struct Fresh {
    pub(super) listener: Listener,
    pub(super) sockets: Vec<Bound>,
}

/// Binds what a plan has; nothing stays bound unless all is. Sockets that no listener is named after are refused.
pub(super) fn bind_all(
    plans: &[ListenerPlan],
    workers: usize,
    mut inherited: Vec<Inherited>,
) -> Result<Vec<Fresh>, StartError> {
    let mut all = Vec::new();
    for plan in plans {
        let mut found = false;
        // The system opens one for each; a second one is left, and told as such.
        let is_given = |one: &mut Inherited| {
            is_for(plan, one) && (!std::mem::replace(&mut found, true) || one.giver == Giver::Predecessor)
        };
        let given: Vec<TcpListener> = inherited.extract_if(.., is_given).map(|one| one.socket).collect();
        all.push(if given.is_empty() { bind(plan, workers, &[])? } else { adopt(plan, workers, &given)? });
    }
    match inherited.iter().find(|left| left.giver == Giver::System) {
        None => Ok(all),
        Some(left) => Err(StartError::Inherited(format!(
            "the socket `{}` was inherited, but there is no listener of that name (or it came twice); \
             `FileDescriptorName=` of the socket unit is the listener's name",
            left.listener
        ))),
    }
}

/// Whether a socket is the listener's. What a predecessor had elsewhere is not; what the system opened elsewhere is a mistake, which is
/// told when it is adopted.
fn is_for(plan: &ListenerPlan, one: &Inherited) -> bool {
    let is_named = *one.listener == *plan.name;
    is_named && (one.giver == Giver::System || one.socket.local_addr().is_ok_and(|address| fits(plan, address)))
}

fn fits(plan: &ListenerPlan, address: SocketAddr) -> bool {
    address.ip() == plan.bind.ip() && (address.port() == plan.bind.port() || plan.bind.port() == 0)
}

/// Binds one listener beside those that are open already.
pub(super) fn bind(plan: &ListenerPlan, workers: usize, open: &[Listener]) -> Result<Fresh, StartError> {
    let error = |source| StartError::Listen { listener: Arc::clone(&plan.name), bind: plan.bind, source };
    let life = Arc::new(Life::default());
    let mut address = plan.bind;
    // What is on the port may be a listener of ours that goes with the same reload.
    if !open.iter().any(|listener| listener.address.port() == address.port()) {
        claim(address).map_err(error)?;
    }
    let mut sockets = Vec::with_capacity(workers);
    for _ in 0..workers {
        let socket = listen(address).map_err(error)?;
        // The first socket turns port 0 into a real one, which the others share.
        address = socket.local_addr().map_err(error)?;
        sockets.push(bound(plan, socket, &life).map_err(error)?);
    }
    Ok(fresh(plan, address, life, sockets))
}

fn bound(plan: &ListenerPlan, socket: TcpListener, life: &Arc<Life>) -> io::Result<Bound> {
    let kept = Arc::new(socket.try_clone()?);
    Ok(Bound { name: Arc::clone(&plan.name), socket, kept, life: Arc::clone(life) })
}

fn fresh(plan: &ListenerPlan, address: SocketAddr, life: Arc<Life>, sockets: Vec<Bound>) -> Fresh {
    let open = sockets.iter().map(|bound| Arc::downgrade(&bound.kept)).collect();
    Fresh { listener: Listener { name: Arc::clone(&plan.name), bind: plan.bind, address, life, open }, sockets }
}

/// Takes over inherited sockets: each by a worker at least, since clients may wait at any of them, and each worker at least one.
fn adopt(plan: &ListenerPlan, workers: usize, given: &[TcpListener]) -> Result<Fresh, StartError> {
    let name = &plan.name;
    let error = |source| StartError::Listen { listener: Arc::clone(name), bind: plan.bind, source };
    let nothing = || error(io::Error::other("no socket was given"));
    let address = given.first().ok_or_else(nothing)?.local_addr().map_err(error)?;
    if !fits(plan, address) {
        return Err(StartError::Inherited(format!(
            "listeners.{name}: the inherited socket is on {address}, the configuration says {}; make them the same",
            plan.bind
        )));
    }
    let life = Arc::new(Life::default());
    let mut sockets = Vec::with_capacity(workers.max(given.len()));
    for socket in given.iter().cycle().take(workers.max(given.len())) {
        socket.set_nonblocking(true).map_err(error)?;
        let socket = socket.try_clone().map_err(error)?;
        sockets.push(bound(plan, socket, &life).map_err(error)?);
    }
    Ok(fresh(plan, address, life, sockets))
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

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    // What is accepted inherits it.
    socket.set_tcp_notsent_lowat(UNSENT_BYTES_MAX)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// What names accounts of limits: nobody outside can tell which address or caller shares a place with which.
pub(super) fn hasher() -> io::Result<KeyHasher> {
    let [low, high] = seed(0)?;
    let secret = u128::from(high) << 64 | u128::from(low);
    Ok(KeyHasher::new(secret.to_le_bytes(), Prefixes::default()))
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
