//! `identify`: who calls.

use super::Stop;
use super::cors::Cleared;
use super::route::Routed;
use portcullis_config::plan::Authn;
use portcullis_types::{Reason, Refusal, Stage};

/// Proof that the route's way of identifying callers has been followed. In this version there is one way to pass: the
/// route says `public`, and the caller is anonymous.
#[derive(Debug)]
pub(crate) struct Authenticated<'a> {
    routed: Routed<'a>,
}

// === impl Authenticated ===

impl<'a> Authenticated<'a> {
    pub(super) fn into_routed(self) -> Routed<'a> {
        self.routed
    }
}

/// Follows the route's decision about authentication; there is always one.
pub(super) fn identify(before: Cleared<'_>) -> Result<Authenticated<'_>, Stop> {
    let routed = before.into_routed();
    match routed.route().authn {
        Authn::Public => Ok(Authenticated { routed }),
        Authn::Refuse => {
            Err(Refusal::new(Stage::Identify, Reason::RouteClosed, "nobody may call this operation").into())
        }
    }
}
