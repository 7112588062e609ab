//! `identify`: who calls.

use super::Stop;
use super::cors::Cleared;
use super::route::Routed;
use portcullis_config::plan::Authn;
use portcullis_types::{Reason, Refusal, Stage};

/// Proof that the route's way of identifying callers has been followed.
#[derive(Debug)]
pub(crate) struct Authenticated<'a> {
    routed: Routed<'a>,
    principal: Principal,
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    /// Anybody, because the route says `public`.
    Anonymous,
}

// === impl Authenticated ===

impl<'a> Authenticated<'a> {
    pub(crate) fn principal(&self) -> Principal {
        self.principal
    }

    pub(super) fn into_routed(self) -> Routed<'a> {
        self.routed
    }
}

/// Follows the route's decision about authentication; there is always one.
pub(super) fn identify(before: Cleared<'_>) -> Result<Authenticated<'_>, Stop> {
    let routed = before.into_routed();
    match routed.route().authn {
        Authn::Public => Ok(Authenticated { routed, principal: Principal::Anonymous }),
        Authn::Refuse => {
            Err(Refusal::new(Stage::Identify, Reason::RouteClosed, "nobody may call this operation").into())
        }
    }
}
