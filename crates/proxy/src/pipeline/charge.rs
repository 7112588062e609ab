//! `charge`: whether the caller has budget.
//!
//! What the address alone is charged stands in `guard`; here it is known who calls.

use super::Stop;
use super::permit::Authorized;
use crate::limits::{self, Till};
use portcullis_types::Stage;

/// Proof that this stage has decided.
#[derive(Debug)]
pub(crate) struct Admitted<'a>(Authorized<'a>);

// === impl Admitted ===

impl<'a> Admitted<'a> {
    pub(super) fn into_inner(self) -> Authorized<'a> {
        self.0
    }
}

/// Charges the caller. `till` is asked for only where there is something to charge.
pub(super) async fn charge<'a, 't>(
    mut before: Authorized<'a>,
    till: impl Fn() -> Till<'t>,
) -> Result<Admitted<'a>, Stop> {
    let routed = before.routed_mut();
    routed.charged.is_complete = true;
    if let Some(limits) = routed.route().limits.as_deref().filter(|limits| !limits.charge.is_empty()) {
        limits::charge(till, &limits.charge, (limits.cost, Stage::Charge), routed).await?;
    }
    Ok(Admitted(before))
}

/// The same offline, where nothing is shared with anybody.
pub(super) fn charge_at_once<'a, 't>(
    mut before: Authorized<'a>,
    till: impl Fn() -> Till<'t>,
) -> Result<Admitted<'a>, Stop> {
    let routed = before.routed_mut();
    routed.charged.is_complete = true;
    if let Some(limits) = routed.route().limits.as_deref().filter(|limits| !limits.charge.is_empty()) {
        limits::charge_at_once(till, &limits.charge, (limits.cost, Stage::Charge), routed)?;
    }
    Ok(Admitted(before))
}
