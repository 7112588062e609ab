//! `inspect`: whether the message is an attack.
//!
//! No rules can be configured in this version.

use super::Stop;
use super::conform::Valid;

/// Proof that this stage has decided.
#[derive(Debug)]
pub(crate) struct Inspected<'a>(Valid<'a>);

// === impl Inspected ===

impl<'a> Inspected<'a> {
    pub(super) fn into_inner(self) -> Valid<'a> {
        self.0
    }
}

/// Decides "not required", which the record says.
#[expect(clippy::unnecessary_wraps, reason = "every stage may refuse; what it decides is added here")]
pub(super) fn inspect(before: Valid<'_>) -> Result<Inspected<'_>, Stop> {
    Ok(Inspected(before))
}
