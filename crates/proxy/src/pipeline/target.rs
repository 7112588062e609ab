//! `target`: one canonical target and host for every stage after it.

use super::Stop;
use crate::exchange::Exchange;
use portcullis_types::{Reason, Refusal, Stage};

/// Makes the target canonical and the host comparable.
pub(super) fn canonicalise(exchange: &mut Exchange) -> Result<(), Stop> {
    let head = &exchange.head;
    host(head.authority(), &mut exchange.host);
    if head.method() == b"CONNECT" {
        return Err(refuse(Reason::MethodNotImplemented, "CONNECT is not forwarded").into());
    }
    let target = head.origin_target();
    if target.is_empty() {
        // OPTIONS * asks about the server itself, of which there is nothing to tell.
        return Err(refuse(Reason::RouteNotFound, "no API answers to this target").into());
    }
    if let Err(error) = exchange.target.replace(target) {
        let reason = if error.is_ambiguous() { Reason::AmbiguousTarget } else { Reason::MalformedTarget };
        return Err(refuse(reason, error.rule()).into());
    }
    Ok(())
}

fn refuse(reason: Reason, detail: &'static str) -> Refusal {
    Refusal::new(Stage::Target, reason, detail)
}

/// Lower case, without a port and without the dot of a fully qualified name. The codec has checked its form.
fn host(authority: &[u8], out: &mut String) {
    out.clear();
    let name = match authority.first() {
        Some(b'[') => authority.split_inclusive(|byte| *byte == b']').next().unwrap_or_default(),
        _ => authority.split(|byte| *byte == b':').next().unwrap_or_default(),
    };
    let name = name.strip_suffix(b".").unwrap_or(name);
    out.extend(name.iter().map(|byte| char::from(byte.to_ascii_lowercase())));
}
