//! `charge`: whether the caller has budget.
//!
//! No budget can be configured in this version.

use super::Stop;
use super::permit::Authorized;

/// Proof that this stage has decided.
#[derive(Debug)]
pub(crate) struct Admitted<'a>(Authorized<'a>);

// === impl Admitted ===

impl<'a> Admitted<'a> {
    pub(super) fn into_inner(self) -> Authorized<'a> {
        self.0
    }
}

/// Decides "not required", which the record says.
#[expect(clippy::unnecessary_wraps, reason = "every stage may refuse; what it decides is added here")]
pub(super) fn charge(before: Authorized<'_>) -> Result<Admitted<'_>, Stop> {
    Ok(Admitted(before))
}
