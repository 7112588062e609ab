//! What operators are told of findings, and how they take back what followed from them.

use super::{Handle, SecurityRecord, StartError, listen};
use crate::anomalies::{Anomalies, FindingFacts};
use portcullis_anomaly::Step;
use portcullis_config::plan::Plan;
use portcullis_types::Clock;
use std::sync::Arc;

/// Whoever looks for what is unusual, if anybody is to.
pub(super) fn anomalies(
    plan: &Plan,
    security: Option<&SecurityRecord>,
    clock: &Clock,
) -> Result<Option<Arc<Anomalies>>, StartError> {
    let Some(anomalies) = &plan.anomalies else { return Ok(None) };
    let seed = listen::seed(0).map_err(StartError::System)?;
    let folder = plan.identity.store.as_deref();
    let security = security.map(|security| Arc::clone(&security.shared));
    Anomalies::start(anomalies, (folder, security), seed, clock).map(Some).map_err(StartError::System)
}

// === impl Handle ===

impl Handle {
    /// What was found unusual, the oldest first; `None` where nobody looks.
    #[must_use]
    pub fn findings(&self) -> Option<Vec<FindingFacts>> {
        self.shared.anomalies.as_ref().map(|anomalies| anomalies.findings())
    }

    /// How many callers and addresses each step is in force for, by its name.
    #[must_use]
    pub fn steps_in_force(&self) -> Vec<(&'static str, u64)> {
        let Some(anomalies) = &self.shared.anomalies else { return Vec::new() };
        Step::ALL.iter().zip(anomalies.in_force()).skip(1).map(|(step, count)| (step.name(), count)).collect()
    }

    /// Forgets what was found about a caller or an address; whether anything was done about it.
    ///
    /// # Errors
    /// Why that cannot be, in one sentence.
    pub fn pardon(&self, who: &str) -> Result<bool, String> {
        let anomalies =
            self.shared.anomalies.as_ref().ok_or("nobody looks for what is unusual (`anomalies.mode: off`)")?;
        anomalies.pardon(who).ok_or_else(|| "too much happens at once; ask again".to_owned())
    }
}
