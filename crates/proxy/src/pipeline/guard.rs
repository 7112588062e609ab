//! `guard`: address and connection limits before any cryptography.
//!
//! No limit by address is configured in this version; the listener has bounded its connections at accept.

use super::Stop;
use super::route::Routed;

/// Proof that this stage has decided.
#[derive(Debug)]
pub(crate) struct Guarded<'a>(Routed<'a>);

// === impl Guarded ===

impl<'a> Guarded<'a> {
    pub(super) fn into_inner(self) -> Routed<'a> {
        self.0
    }

    /// For the stage after this one, to add what it finds.
    pub(super) fn routed_mut(&mut self) -> &mut Routed<'a> {
        &mut self.0
    }
}

/// Decides "not required", which the record says.
#[expect(clippy::unnecessary_wraps, reason = "every stage may refuse; what it decides is added here")]
pub(super) fn guard(before: Routed<'_>) -> Result<Guarded<'_>, Stop> {
    Ok(Guarded(before))
}
