//! `permit`: what the caller may do.
//!
//! No rule can be configured in this version: whoever the route identifies may call it.

use super::Stop;
use super::identify::Authenticated;
use super::route::Routed;

/// Proof that this stage has decided.
#[derive(Debug)]
pub(crate) struct Authorized<'a>(Authenticated<'a>);

// === impl Authorized ===

impl<'a> Authorized<'a> {
    pub(super) fn into_inner(self) -> Authenticated<'a> {
        self.0
    }

    /// For the stage after this one, to add what it finds.
    pub(super) fn routed_mut(&mut self) -> &mut Routed<'a> {
        self.0.routed_mut()
    }
}

/// Decides "not required", which the record says.
#[expect(clippy::unnecessary_wraps, reason = "every stage may refuse; what it decides is added here")]
pub(super) fn permit(before: Authenticated<'_>) -> Result<Authorized<'_>, Stop> {
    Ok(Authorized(before))
}
