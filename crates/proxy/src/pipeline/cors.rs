//! `cors`: cross-origin rules. A preflight may end here.
//!
//! Browsers keep pages of other origins out unless an answer names them, which `shape` writes by the rules of the route. Here a
//! preflight is answered, and where a page may not call as it wants to, it is told why. A simple request of a strange page goes
//! on: it is not the origin that says what a caller may do. A WebSocket is not kept out by browsers, so that its `Origin` is
//! checked here (RFC 6455 section 10.2).

use super::Stop;
use super::guard::Guarded;
use super::route::Routed;
use crate::carry::websocket::is_key;
use crate::snapshot::cors::Cors;
use portcullis_config::plan::WebSocketPlan;
use portcullis_h1::{Known, RequestHead, Version};
use portcullis_types::{Reason, Refusal, Stage};

/// Private Network Access.
const PRIVATE_NETWORK: &[u8] = b"access-control-request-private-network";

/// A preflight that may be answered.
#[derive(Debug)]
pub(crate) struct Preflight {
    /// The method that it asked for and that the page may use.
    pub(crate) method: Vec<u8>,
    /// Whether it asked for a private network, and may.
    pub(crate) private_network: bool,
}

/// Proof that the request's origin has been looked at.
#[derive(Debug)]
pub(crate) struct Cleared<'a>(Guarded<'a>);

// === impl Cleared ===

impl<'a> Cleared<'a> {
    pub(super) fn into_routed(self) -> Box<Routed<'a>> {
        self.0.into_inner()
    }
}

/// Answers a preflight, and checks the origin of a WebSocket.
pub(super) fn clear(mut before: Guarded<'_>) -> Result<Cleared<'_>, Stop> {
    let routed = before.routed_mut();
    let head = routed.request.head;
    if let (true, Some(cors)) = (routed.preflight, &routed.route().cors) {
        return Err(Stop::Answered(preflight(cors, head)?));
    }
    match &routed.route().websocket {
        Some(plan) if head.asks_websocket() => {
            websocket(plan, head)?;
            routed.upgrades = true;
        }
        // An extended CONNECT asks for nothing else; a GET of HTTP/1 may be answered as one.
        None if head.version() == Version::Http2 && head.asks_websocket() => {
            return Err(refuse(Reason::WebSocketClosed, "the operation is not served over WebSocket").into());
        }
        Some(_) | None => {}
    }
    Ok(Cleared(before))
}

/// Whether the page may call as it wants to.
fn preflight(cors: &Cors, head: &RequestHead) -> Result<Preflight, Refusal> {
    let fields = head.fields();
    let refuse = |detail: &'static str| Refusal::new(Stage::Cors, Reason::PreflightRefused, detail);
    if !fields.only(Known::Origin).is_some_and(|origin| cors.allows(origin)) {
        return Err(refuse("pages of this origin may not read what the API answers"));
    }
    let method = fields.only(Known::AccessControlRequestMethod).filter(|method| cors.takes_method(method));
    let method = method.ok_or_else(|| refuse("pages may not use this method"))?.to_vec();
    if !fields.all(Known::AccessControlRequestHeaders).all(|list| cors.takes_fields(list)) {
        return Err(refuse("pages may not set all of these request headers"));
    }
    let mut private = fields.iter().filter(|line| line.name.eq_ignore_ascii_case(PRIVATE_NETWORK));
    let private_network = private.any(|line| line.value == b"true");
    if private_network && !cors.opens_private_network() {
        return Err(refuse("public pages may not call into this network"));
    }
    Ok(Preflight { method, private_network })
}

fn websocket(plan: &WebSocketPlan, head: &RequestHead) -> Result<(), Refusal> {
    let fields = head.fields();
    let mut origins = fields.all(Known::Origin);
    match (origins.next(), origins.next()) {
        (None, _) if plan.require_origin => {
            return Err(refuse(Reason::OriginRefused, "the request states no origin"));
        }
        (Some(origin), None) if !plan.origins.allow(origin) => {
            return Err(refuse(Reason::OriginRefused, "pages of this origin may not open a WebSocket here"));
        }
        (Some(_), Some(_)) => return Err(refuse(Reason::OriginRefused, "the request states several origins")),
        (None, _) | (Some(_), None) => {}
    }
    let shared = head.version() == Version::Http2;
    let version = fields.first(Known::SecWebSocketVersion);
    if version != Some(b"13") && !(shared && version.is_none()) {
        let refusal = refuse(Reason::WebSocketVersion, "version 13 of WebSocket is spoken here");
        return Err(refusal.header("sec-websocket-version", "13"));
    }
    let mut keys = fields.all(Known::SecWebSocketKey);
    let key = (keys.next(), keys.next());
    if !shared && !matches!(key, (Some(key), None) if is_key(key)) {
        return Err(refuse(Reason::WebSocketHandshake, "the key of the handshake is not 16 bytes in base64"));
    }
    Ok(())
}

fn refuse(reason: Reason, detail: &'static str) -> Refusal {
    Refusal::new(Stage::Cors, reason, detail)
}
