//! Where a request comes from: the socket's peer, whom a PROXY header names instead, and what listed proxies say in
//! fields. Whom to believe is decided here and nowhere else.
//!
//! From the right, each address is believed as long as the one before it is a listed proxy; the first that is none is
//! the client. What a client could have written itself is never reached. Where a proxy hides the next address, the
//! last one that is known counts.

pub(crate) mod forwarded;
mod fuzz;
pub(crate) mod proxy_header;
#[cfg(test)]
mod tests;

pub use fuzz::{fuzz_forwarded, fuzz_proxy_header};

use crate::exchange::{Connection, Exchange};
use forwarded::{Hop, Malformed};
use portcullis_h1::{Fields, Known};
use portcullis_types::id::RequestId;
use portcullis_types::{Network, Reason, Refusal, Stage};
use std::net::{IpAddr, Ipv4Addr};

/// Who asks, as far as it can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    /// Whether it speaks HTTPS, to us or to the proxy that says so.
    pub(crate) secure: bool,
}

impl Default for Client {
    fn default() -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), secure: false }
    }
}

/// What the connection alone says.
pub(crate) fn of_connection(connection: &Connection) -> Client {
    Client { address: connection.source.ip().to_canonical(), secure: connection.is_secure() }
}

/// The id that a trusted peer gave to the request, if it is one that can be written anywhere.
pub(crate) fn request_id(connection: &Connection, fields: Fields<'_>) -> Option<RequestId> {
    if !connection.trusted {
        return None;
    }
    let mut values = fields.all(Known::XRequestId);
    let value = values.next()?;
    RequestId::foreign(value).filter(|_| values.next().is_none())
}

/// Finds the client of a request whose head is known, and enters it into the record where it is not the peer.
///
/// # Errors
/// Fields of a listed proxy that cannot be read, or that contradict each other: guessing would let a client choose.
pub(crate) fn find(connection: &Connection, exchange: &mut Exchange) -> Result<(), Refusal> {
    let mut client = of_connection(connection);
    if connection.trusted {
        let trusted = &connection.settings.provenance.trusted;
        client = believed(client, trusted, exchange.head.fields())
            .map_err(|error| Refusal::new(Stage::Head, Reason::MalformedForwarding, error.0).closing())?;
    }
    note(connection, exchange, client);
    Ok(())
}

/// Enters the client into exchange and record.
pub(crate) fn note(connection: &Connection, exchange: &mut Exchange, client: Client) {
    exchange.client = client;
    let differs = client.address != connection.peer.ip().to_canonical();
    exchange.record.client = differs.then_some(client.address);
}

/// Whom the fields name, for a request that a listed proxy sent.
fn believed(peer: Client, trusted: &[Network], fields: Fields<'_>) -> Result<Client, Malformed> {
    let standard = forwarded::forwarded(fields.all(Known::Forwarded))?;
    let usual = forwarded::x_forwarded(fields.all(Known::XForwardedFor), fields.all(Known::XForwardedProto))?;
    match (standard.is_empty(), usual.is_empty()) {
        (true, _) => Ok(walk(peer, trusted, &usual)),
        (false, true) => Ok(walk(peer, trusted, &standard)),
        (false, false) => {
            let (one, other) = (walk(peer, trusted, &standard), walk(peer, trusted, &usual));
            // A proxy writes one of the two and passes on the other, which the client wrote: nobody knows which.
            if one == other { Ok(one) } else { Err(Malformed("Forwarded and X-Forwarded-For name different clients")) }
        }
    }
}

/// From the right to the first address that is no proxy of ours.
fn walk(peer: Client, trusted: &[Network], hops: &[Hop]) -> Client {
    let mut client = peer;
    for hop in hops.iter().rev() {
        client.secure = hop.secure.unwrap_or(client.secure);
        let Some(address) = hop.address else { break };
        client.address = address;
        if !is_trusted(trusted, address) {
            break;
        }
    }
    client
}

/// Whether an address is one of the listed proxies.
pub(crate) fn is_trusted(trusted: &[Network], address: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(address))
}
