//! `conform`: whether the message fits its contract.
//!
//! No contract can be configured in this version; that JSON is what it says can.

use super::Stop;
use super::receive::{Received, Seen};
use super::route::Routed;
use portcullis_types::{Reason, Refusal, Stage};

/// Proof that this stage has decided.
#[derive(Debug)]
pub(crate) struct Valid<'a>(Received<'a>);

// === impl Valid ===

impl<'a> Valid<'a> {
    pub(super) fn into_inner(self) -> Received<'a> {
        self.0
    }

    /// For the stage after this one: the request, and what is held of its body.
    pub(super) fn parts_mut(&mut self) -> (&mut Routed<'a>, &Seen) {
        self.0.parts_mut()
    }
}

/// Refuses JSON that programs read in different ways, where the route says so.
pub(super) fn conform(mut before: Received<'_>) -> Result<Valid<'_>, Stop> {
    let (routed, seen) = before.parts_mut();
    let strict = routed.route().looks.as_deref().is_some_and(|looks| looks.strict_json);
    if let Seen::Whole(content) = seen
        && let Some(flaw) = content.flaw().filter(|_| strict)
    {
        let reason = Reason::MalformedJson;
        let private = format!("{} (byte {})", flaw.flaw, flaw.at);
        return Err(Refusal::new(Stage::Conform, reason, reason.page().caller).private(private).into());
    }
    Ok(Valid(before))
}
