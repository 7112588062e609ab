//! `route`: the API, version and operation that a request is for, or that there is none.

use super::Stop;
use crate::carry::websocket::Handshake;
use crate::exchange::{Connection, Exchange};
use crate::limits::Charged;
use crate::origin::Client;
use crate::record::AccessRecord;
use crate::snapshot::paths::Found;
use crate::snapshot::{Route, Snapshot};
use portcullis_auth::signature::DigestCheck;
use portcullis_h1::{Known, RequestHead, ResponseHead};
use portcullis_types::{CanonicalTarget, Reason, Refusal, Stage};

/// A request whose route is known. Every later proof holds it, in a box: proofs are moved from stage to stage.
#[derive(Debug)]
pub(crate) struct Routed<'a> {
    pub(crate) request: Request<'a>,
    route: &'a Route,
    /// Whether it only asks what a page may send, on behalf of this route.
    pub(crate) preflight: bool,
    /// Whether the request may go on as WebSocket.
    pub(crate) upgrades: bool,
    /// What the caller gets unless the version serves him also at announced times.
    pub(crate) brownout: Option<Box<Refusal>>,
    /// Our own handshake with the server, once there is one.
    pub(crate) handshake: Option<Box<Handshake>>,
    /// The body that was announced, where a signature covers it.
    pub(crate) announced: Option<Box<Announced>>,
    /// What is signed about the caller for the server, where anything is.
    pub(crate) statement: Option<Box<str>>,
    /// What the answer's head is read into.
    pub(crate) answer: &'a mut ResponseHead,
    pub(crate) record: &'a mut AccessRecord,
    pub(crate) charged: &'a mut Charged,
}

/// A body that is held back until it has proved to be the announced one.
#[derive(Debug)]
pub(crate) struct Announced {
    pub(crate) check: DigestCheck,
    pub(crate) bytes_max: u64,
}

/// A request as every stage sees it; what else is known of it stands in the record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) head: &'a RequestHead,
    pub(crate) target: &'a CanonicalTarget,
    pub(crate) host: &'a str,
    pub(crate) client: Client,
}

// === impl Routed ===

impl<'a> Routed<'a> {
    pub(crate) fn route(&self) -> &'a Route {
        self.route
    }
}

/// Finds the route.
pub(super) fn find<'a>(
    snapshot: &'a Snapshot,
    connection: &Connection,
    exchange: &'a mut Exchange,
) -> Result<Box<Routed<'a>>, Stop> {
    let Exchange { head, target, host, client, answer, record, charged } = exchange;
    let refuse = |reason, detail: &'static str| Refusal::new(Stage::Route, reason, detail);
    if let Some((certificates, index)) = &connection.certificate
        && certificates.index(host) != *index
    {
        return Err(refuse(Reason::MisdirectedRequest, "the host has another certificate").closing().into());
    }
    if let Some(document) = snapshot.documents.find(host, target.path()) {
        return Err(match head.method() {
            b"GET" | b"HEAD" => Stop::Told(document),
            _ => refuse(Reason::MethodNotAllowed, "the document is read only").header("allow", "GET, HEAD").into(),
        });
    }
    let preflight = preflight(snapshot, (&*head, &*target), host);
    let found = match preflight {
        Some(index) => Found::Route(index),
        None => snapshot.locate((&*head, &*target), host, head.method())?,
    };
    let index = match found {
        Found::Route(index) => index,
        Found::OtherMethods(_) if is_preflight(head) && is_shared(snapshot, host, target) => {
            let detail = "pages may not use this method";
            return Err(Refusal::new(Stage::Cors, Reason::PreflightRefused, detail).into());
        }
        Found::OtherMethods(allow) => {
            let refusal = refuse(Reason::MethodNotAllowed, "the path exists with other methods");
            return Err(refusal.header("allow", allow).into());
        }
        Found::Nothing => return Err(snapshot.nothing(host, target.path()).into()),
    };
    // Also where every method is served: it would echo credentials.
    if head.method() == b"TRACE" {
        return Err(refuse(Reason::MethodNotImplemented, "TRACE is not forwarded").into());
    }
    let missing = || refuse(Reason::Internal, "the route is missing from its table");
    let route = snapshot.routes.get(index).ok_or_else(missing)?;
    record.route = Some(index);
    let brownout = match &route.lifecycle {
        Some(lifecycle) => lifecycle.look(i64::try_from(record.wall_ms / 1000).unwrap_or(i64::MAX))?,
        None => None,
    };
    if target.has_parameters() && !route.allow_path_parameters {
        return Err(
            refuse(Reason::AmbiguousTarget, "the path holds a parameter (`;`), which this API does not use").into()
        );
    }
    if let Some(calls) = &route.grpc_calls
        && !calls.iter().any(|call| call.fits(target.path()))
    {
        // However it comes: servers take calls in other forms than gRPC's own.
        return Err(refuse(Reason::RouteNotFound, "the call is none that this route lets through").into());
    }
    let request = Request { head, target, host, client: *client };
    let preflight = preflight.is_some();
    Ok(Box::new(Routed {
        request,
        route,
        preflight,
        upgrades: false,
        brownout,
        handshake: None,
        announced: None,
        statement: None,
        answer,
        record,
        charged,
    }))
}

/// The route that a preflight is about (the Fetch standard, section 4.8), where pages of other origins may call it at all.
/// Everywhere else it is an OPTIONS like any other.
fn preflight(snapshot: &Snapshot, (head, target): (&RequestHead, &CanonicalTarget), host: &str) -> Option<usize> {
    if !is_preflight(head) {
        return None;
    }
    let method = head.fields().first(Known::AccessControlRequestMethod)?;
    let index = snapshot.announced((head, target), host, method)?;
    snapshot.routes.get(index)?.cors.as_ref().map(|_| index)
}

/// Whether a browser asks what a page may send.
fn is_preflight(head: &RequestHead) -> bool {
    let has = |known| head.fields().first(known).is_some();
    head.method() == b"OPTIONS" && has(Known::Origin) && has(Known::AccessControlRequestMethod)
}

/// Whether pages of other origins may call something of the API that stands there.
fn is_shared(snapshot: &Snapshot, host: &str, target: &CanonicalTarget) -> bool {
    snapshot.fronts.at(host, target.path()).is_some_and(|front| front.cors.is_some())
}
