//! `guard`: limits of callers of whom nothing but the address is known, before any cryptography.
//!
//! The listener has bounded its connections at accept; here requests are charged.

use super::Stop;
use super::route::Routed;
use crate::anomalies::Anomalies;
use crate::limits::{self, Till};
use portcullis_types::Stage;

/// Proof that this stage has decided.
#[derive(Debug)]
pub(crate) struct Guarded<'a>(Box<Routed<'a>>);

// === impl Guarded ===

impl<'a> Guarded<'a> {
    pub(super) fn into_inner(self) -> Box<Routed<'a>> {
        self.0
    }

    /// For the stage after this one, to add what it finds.
    pub(super) fn routed_mut(&mut self) -> &mut Routed<'a> {
        &mut self.0
    }
}

/// Charges what does not depend on who calls. `till` is asked for only where there is something to charge.
/// An address that is up to something unusual comes no further.
pub(super) async fn guard<'a, 't>(
    mut before: Box<Routed<'a>>,
    till: impl Fn() -> Till<'t>,
    anomalies: Option<&Anomalies>,
) -> Result<Guarded<'a>, Stop> {
    if let Some(anomalies) = anomalies {
        let address = before.request.client.address;
        anomalies.meet(|names| names.address(address), Stage::Guard).await?;
    }
    if let Some(limits) = before.route().limits.as_deref() {
        before.charged.in_legacy_fields = limits.legacy_fields;
        if !limits.guard.is_empty() {
            limits::charge(till, &limits.guard, (limits.cost, Stage::Guard), &mut before).await?;
        }
    }
    Ok(Guarded(before))
}

/// The same offline, where nothing is shared with anybody.
pub(super) fn guard_at_once<'a, 't>(
    mut before: Box<Routed<'a>>,
    till: impl Fn() -> Till<'t>,
) -> Result<Guarded<'a>, Stop> {
    if let Some(limits) = before.route().limits.as_deref().filter(|limits| !limits.guard.is_empty()) {
        limits::charge_at_once(till, &limits.guard, (limits.cost, Stage::Guard), &mut before)?;
    }
    Ok(Guarded(before))
}
