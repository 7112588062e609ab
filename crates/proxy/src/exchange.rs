//! The memory of one request and its answer, used again for the next one.

use crate::gateway::{Life, Shared};
use crate::limits::Charged;
use crate::origin::{self, Client};
use crate::record::AccessRecord;
use crate::record::TlsFacts;
use crate::snapshot::ListenerSettings;
use crate::tls::client::ClientIdentity;
use crate::tls::server::Certificates;
use portcullis_h1::{RequestHead, ResponseHead};
use portcullis_types::CanonicalTarget;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

/// A request from its head to its record.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) head: RequestHead,
    pub(crate) target: CanonicalTarget,
    /// The host that was asked for: lower case, without a port.
    pub(crate) host: String,
    pub(crate) client: Client,
    pub(crate) answer: ResponseHead,
    pub(crate) record: AccessRecord,
    pub(crate) charged: Charged,
}

/// What is known about a connection before its first request.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) listener: Arc<str>,
    pub(crate) settings: Rc<ListenerSettings>,
    /// The other end of the socket.
    pub(crate) peer: SocketAddr,
    /// Whom the connection is from: the peer, or whom its PROXY header names.
    pub(crate) source: SocketAddr,
    /// Whether what it says about where requests come from is believed.
    pub(crate) trusted: bool,
    pub(crate) life: Arc<Life>,
    pub(crate) tls: Option<TlsFacts>,
    /// The certificate that the handshake chose, where there are several.
    pub(crate) certificate: Option<(Arc<Certificates>, usize)>,
    /// The client's own certificate, where it showed one.
    pub(crate) identity: Option<Rc<ClientIdentity>>,
}

/// Where a connection was taken.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) listener: Arc<str>,
    pub(crate) settings: Rc<ListenerSettings>,
    pub(crate) peer: SocketAddr,
    pub(crate) life: Arc<Life>,
}

// === impl Exchange ===

impl Exchange {
    /// Forgets the request and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.head.clear();
        self.target.clear();
        self.host.clear();
        self.client = Client::default();
        self.record = AccessRecord::default();
        self.charged.clear();
    }
}

// === impl Connection ===

impl Connection {
    /// A connection before anything is known but where it is from.
    pub(crate) fn new(place: Place, source: SocketAddr) -> Self {
        let Place { listener, settings, peer, life } = place;
        let trusted = origin::is_trusted(&settings.provenance.trusted, source.ip());
        Self { listener, settings, peer, source, trusted, life, tls: None, certificate: None, identity: None }
    }

    /// Whether the request under way is the connection's last, because the gateway or its listener ends.
    pub(crate) fn is_ending(&self, shared: &Shared) -> bool {
        self.life.is_ending() || shared.is_draining()
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }
}
