//! The end of a version, ready for its answers: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), `Link` (RFC 8288, relations of these
//! and of RFC 5829), and when it answers no more.

use crate::head::Head;
use portcullis_config::plan::LifecyclePlan;
use portcullis_types::{Reason, Refusal, Stage};
use std::sync::Arc;

/// What callers of a version are told.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    plan: Arc<LifecyclePlan>,
    fields: Vec<(&'static str, String)>,
}

// === impl Lifecycle ===

impl Lifecycle {
    pub(crate) fn compile(plan: &Arc<LifecyclePlan>) -> Self {
        Self { fields: plan.fields(), plan: Arc::clone(plan) }
    }

    /// Whether the version is served at a moment, in seconds since 1970.
    ///
    /// Where somebody is served all the same, what all others get has to wait until it is known who calls.
    ///
    /// # Errors
    /// It is gone, or answers as if it were.
    pub(crate) fn look(&self, now: i64) -> Result<Option<Box<Refusal>>, Refusal> {
        if self.plan.sunset_at.is_some_and(|sunset| now >= sunset) {
            let detail = "this version of the API has come to its end";
            return Err(Refusal::new(Stage::Route, Reason::VersionGone, detail));
        }
        match self.plan.brownouts.iter().find(|(from, until)| (*from..*until).contains(&now)) {
            None => Ok(None),
            Some((_, until)) => {
                let detail =
                    "this version of the API will come to its end; for an announced time it answers as if it had";
                let refusal = Refusal::new(Stage::Route, Reason::VersionBrownout, detail);
                let refusal = refusal.header("retry-after", until.saturating_sub(now).to_string());
                if self.plan.exempt.is_empty() { Err(refusal) } else { Ok(Some(Box::new(refusal))) }
            }
        }
    }

    /// Whether somebody is served also at announced times.
    pub(crate) fn exempts(&self, caller: &str) -> bool {
        self.plan.exempt.iter().any(|name| name == caller)
    }

    /// Writes what callers are told on each answer.
    pub(crate) fn write(&self, out: &mut impl Head) {
        for (name, value) in &self.fields {
            out.field(name.as_bytes(), value.as_bytes());
        }
    }
}
