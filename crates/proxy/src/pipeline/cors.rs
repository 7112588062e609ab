//! `cors`: cross-origin rules. A preflight may end here.
//!
//! No origin can be allowed in this version, so that browsers keep other origins out: a preflight finds no route with
//! its method, and no answer names an origin.

use super::Stop;
use super::guard::Guarded;
use super::route::Routed;

/// Proof that the request's origin has been looked at.
#[derive(Debug)]
pub(crate) struct Cleared<'a>(Guarded<'a>);

// === impl Cleared ===

impl<'a> Cleared<'a> {
    pub(super) fn into_routed(self) -> Routed<'a> {
        self.0.into_inner()
    }
}

/// Decides "not required", which the record says.
#[expect(clippy::unnecessary_wraps, reason = "every stage may refuse; what it decides is added here")]
pub(super) fn clear(before: Guarded<'_>) -> Result<Cleared<'_>, Stop> {
    Ok(Cleared(before))
}
