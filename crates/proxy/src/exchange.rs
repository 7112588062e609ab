//! The memory of one request and its answer, used again for the next one.

use crate::record::AccessRecord;
use crate::record::TlsFacts;
use crate::snapshot::ListenerSettings;
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
    pub(crate) answer: ResponseHead,
    pub(crate) record: AccessRecord,
}

/// What is known about a connection before its first request.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) listener: Arc<str>,
    pub(crate) settings: Rc<ListenerSettings>,
    pub(crate) peer: SocketAddr,
    pub(crate) tls: Option<TlsFacts>,
    /// The certificate that the handshake chose, where there are several.
    pub(crate) certificate: Option<(Arc<Certificates>, usize)>,
}

// === impl Exchange ===

impl Exchange {
    /// Forgets the request and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.head.clear();
        self.target.clear();
        self.host.clear();
        self.record = AccessRecord::default();
    }
}

// === impl Connection ===

impl Connection {
    pub(crate) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }
}
