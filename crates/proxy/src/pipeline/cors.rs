//! `cors`: cross-origin rules. A preflight may end here.
//!
//! No origin can be allowed to read answers in this version, so that browsers keep other origins out: a preflight finds no
//! route with its method, and no answer names an origin. A WebSocket is not kept out by browsers, so that its `Origin` is
//! checked here (RFC 6455 section 10.2).

use super::Stop;
use super::guard::Guarded;
use super::route::Routed;
use crate::carry::websocket::is_key;
use portcullis_config::plan::WebSocketPlan;
use portcullis_h1::{Known, RequestHead, Version};
use portcullis_types::{Reason, Refusal, Stage};

/// Proof that the request's origin has been looked at.
#[derive(Debug)]
pub(crate) struct Cleared<'a>(Guarded<'a>);

// === impl Cleared ===

impl<'a> Cleared<'a> {
    pub(super) fn into_routed(self) -> Routed<'a> {
        self.0.into_inner()
    }
}

/// Checks the origin of a WebSocket; decides "not required" about everything else, which the record says.
pub(super) fn clear(mut before: Guarded<'_>) -> Result<Cleared<'_>, Stop> {
    let routed = before.routed_mut();
    let head = routed.request.head;
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
