//! What must hold for any bytes that somebody signs as a bundle; the fuzz target and its smoke test call the same.

use crate::{Asked, Body, Bundle, Fields, Held, Stage, Step, judge};
use std::collections::HashSet;

/// A request with a little of everything, in which whoever wrote the bundle may find what he likes.
struct Request;

// === impl Request ===

impl Asked for Request {
    fn method(&self) -> &[u8] {
        b"POST"
    }

    fn path(&self) -> &str {
        "/orders/7"
    }

    fn query(&self) -> Option<&str> {
        Some("a=1&b=%2e%2e%2f&b[]=x")
    }

    fn header(&self, name: &str, each: &mut dyn FnMut(&[u8]) -> bool) {
        if name == "x-a" {
            let _stopped = each(b"one") || each(b"\xff\x00");
        }
    }

    fn body(&self) -> Body<'_> {
        Body::Whole(b"{\"role\":\"admin\"}")
    }

    fn field(&self, _: &[Step], each: &mut dyn FnMut(&Held<'_>) -> bool) -> Fields {
        each(&Held { bytes: b"admin", kind: None });
        Fields::Read
    }
}

/// What is read names itself, ends after its last day and has patches of different names; it judges a request alike each time, refuses nothing
/// while it is only observed, and what it refuses once it is enforced it was about before. What is not read says why.
///
/// # Panics
/// Where that does not hold.
#[allow(clippy::panic, reason = "the purpose of this function is to fail loudly")]
pub fn bundle(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let bundle = match Bundle::read(text) {
        Ok(bundle) => bundle,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "{text}: it says nothing");
            return;
        }
    };
    assert!(bundle.version > 0 && !bundle.name.is_empty(), "{text}");
    assert!(bundle.is_expired(bundle.expires_s) && !bundle.is_expired(bundle.expires_s.saturating_sub(1)), "{text}");
    let ids: HashSet<&str> = bundle.patches.iter().map(|patch| &*patch.id).collect();
    assert_eq!(ids.len(), bundle.patches.len(), "{text}");
    let judged =
        |stage| judge(&bundle.patches, "/orders/{id}", stage, &Request).map(|met| (met.patch.id.clone(), met.refuses));
    let (observed, enforced) = (judged(Stage::Observe), judged(Stage::Enforce));
    assert_eq!(observed, judged(Stage::Observe), "{text}");
    assert!(observed.as_ref().is_none_or(|(_, refuses)| !refuses), "{text}");
    assert_eq!(observed.is_some(), enforced.is_some(), "{text}");
}
