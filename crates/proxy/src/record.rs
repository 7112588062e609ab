//! One record per request, made at the end of its body: the log line and the metrics both come from it.

mod buffer;
mod common;
mod ecs;
pub(crate) mod form;
pub(crate) mod json;
pub(crate) mod log;
pub(crate) mod object;
mod ocsf;
pub(crate) mod output;
pub(crate) mod recent;
pub(crate) mod security;
pub(crate) mod syslog;
#[cfg(test)]
mod tests;
pub(crate) mod wall;

pub(crate) use crate::trace::Trace;

use crate::inspection::Asked;
use crate::inspection::findings::Findings;
use crate::reports::Report;
use crate::snapshot::disclosure::Masked;
use portcullis_auth::principal::Principal;
use portcullis_mask::Active;
use portcullis_patch::Met;
use portcullis_types::id::RequestId;
use portcullis_types::{Reason, Stage};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

/// What became of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// The upstream's answer was passed on whole.
    #[default]
    Served,
    /// We answered ourselves, as was asked for: a preflight.
    Answered,
    /// We refused.
    Refused,
    /// The upstream or we failed; the client has an error of ours.
    Failed,
    /// The answer broke off after its head had left.
    Truncated,
    /// The client went away first.
    Gone,
}

/// Everything that is known about one request when it is over. Times are nanoseconds of the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct AccessRecord {
    pub(crate) id: RequestId,
    pub(crate) wall_ms: u64,
    pub(crate) trace: Trace,
    pub(crate) listener: Option<Arc<str>>,
    pub(crate) peer: Option<SocketAddr>,
    /// Who asks, where that is not the peer.
    pub(crate) client: Option<IpAddr>,
    pub(crate) tls: Option<TlsFacts>,
    /// Who calls, where the route demanded to know and it is somebody.
    pub(crate) caller: Option<Rc<Principal>>,
    /// The schemes by which he has proved himself as well.
    pub(crate) also: Vec<&'static str>,
    /// What the rules of the route have decided, where it has some.
    pub(crate) permit: Option<portcullis_access::Decision>,
    /// The virtual patch that is about the request.
    pub(crate) patch: Option<Box<Met>>,
    /// What rules about attacks found, where they found something.
    pub(crate) findings: Option<Box<Findings>>,
    /// What such rules keep of the request until they have seen its answer.
    pub(crate) asked: Option<Box<Asked>>,
    /// Which rules about values count for the caller, where the route has some.
    pub(crate) active: Option<Active>,
    /// What they did.
    pub(crate) masked: Option<Box<Masked>>,
    /// How many ids that he was not shown the caller has asked for by now; 0 if he has not with this request.
    pub(crate) guesses: u64,
    /// Index into the snapshot's routes.
    pub(crate) route: Option<usize>,
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
    pub(crate) decision: Option<Decision>,
    /// The limit that refused, and one that would have: places among the snapshot's books.
    pub(crate) limit: Option<usize>,
    pub(crate) limit_observed: Option<usize>,
    /// What does not fit the contract, and passed.
    pub(crate) breaches: Breaches,
    /// What a browser has reported, and to which API.
    pub(crate) reports: Option<Box<(Arc<str>, Vec<Report>)>>,
    /// How a conversation that went on was ended, where that was not one of its sides.
    pub(crate) note: Option<&'static str>,
    /// Whether the body of the answer leaves in a coding of ours.
    pub(crate) recoded: bool,
    /// What the error of a server said that was replaced: for the security record alone.
    pub(crate) original: String,
    /// What the client's connection speaks.
    pub(crate) protocol: Protocol,
    /// The server that was asked.
    pub(crate) target: Option<Rc<str>>,
    pub(crate) request_bytes: u64,
    /// Whether the request's body has been read to its end, so that nothing of it stands before the next request.
    pub(crate) body_read: bool,
    pub(crate) response_bytes: u64,
    pub(crate) started: u64,
    /// When the request began to leave for the upstream.
    pub(crate) forwarded: u64,
    /// When the upstream's part was over; 0 without one.
    pub(crate) answered: u64,
    pub(crate) ended: u64,
}

/// What does not fit a contract that only reports.
#[derive(Clone, Debug, Default)]
pub(crate) struct Breaches {
    pub(crate) request: Option<Box<str>>,
    pub(crate) answer: Option<Box<str>>,
}

/// Why a request was refused or failed.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) stage: Stage,
    pub(crate) reason: Reason,
    pub(crate) private: Option<String>,
}

/// What the TLS handshake agreed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TlsFacts {
    pub(crate) version: &'static str,
    pub(crate) group: &'static str,
}

/// What a client's connection speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Protocol {
    #[default]
    Http1,
    Http2,
}

// === impl Protocol ===

impl Protocol {
    /// The version as a text.
    pub(crate) const fn version(self) -> &'static str {
        match self {
            Self::Http1 => "1.1",
            Self::Http2 => "2",
        }
    }

    /// The member of a record, named as `network.protocol.version` of OpenTelemetry is.
    pub(crate) const fn member(self) -> &'static [u8] {
        match self {
            Self::Http1 => b",\"protocol\":\"1.1\"",
            Self::Http2 => b",\"protocol\":\"2\"",
        }
    }
}

// === impl Outcome ===

impl Outcome {
    /// The name in records and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Truncated => "truncated",
            Self::Gone => "gone",
        }
    }
}

// === impl AccessRecord ===

impl AccessRecord {
    /// Nanoseconds from the end of the request's head to the end of the answer.
    pub(crate) fn total_nanos(&self) -> u64 {
        self.ended.saturating_sub(self.started)
    }

    /// What rules about attacks came to: `would_refuse` also where the request was refused for something else.
    pub(crate) fn verdict(&self) -> &'static str {
        let refused = self.decision.as_ref().is_some_and(|decision| decision.stage == Stage::Inspect);
        match self.findings.as_ref().is_some_and(|findings| findings.is_attack) {
            true if refused => "refused",
            true => "would_refuse",
            false => "noted",
        }
    }

    /// Nanoseconds spent waiting for the upstream.
    pub(crate) fn upstream_nanos(&self) -> u64 {
        self.answered.saturating_sub(self.forwarded)
    }
}
