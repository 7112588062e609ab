//! `conform`: whether the message fits its contract.
//!
//! No contract can be configured in this version.

use super::Stop;
use super::receive::Received;

/// Proof that this stage has decided.
#[derive(Debug)]
pub(crate) struct Valid<'a>(Received<'a>);

// === impl Valid ===

impl<'a> Valid<'a> {
    pub(super) fn into_inner(self) -> Received<'a> {
        self.0
    }
}

/// Decides "not required", which the record says.
#[expect(clippy::unnecessary_wraps, reason = "every stage may refuse; what it decides is added here")]
pub(super) fn conform(before: Received<'_>) -> Result<Valid<'_>, Stop> {
    Ok(Valid(before))
}
