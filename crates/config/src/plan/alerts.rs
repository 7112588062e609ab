//! Who is told when something is wrong.

use super::Endpoint;
use portcullis_anomaly::Step;
use portcullis_types::Secret;
use std::path::PathBuf;
use std::time::Duration;

/// What is told, and to whom; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertsPlan {
    /// Whom alerts are posted to.
    pub webhook: Option<WebhookPlan>,
    /// What they are appended to.
    pub file: Option<PathBuf>,
    /// How long the first one waits for others.
    pub group: Duration,
    /// When the same one is told again.
    pub again: Duration,
    /// Messages within an hour.
    pub per_hour: usize,
    /// How long before its end a certificate is told of.
    pub certificates: Duration,
    /// Answers within five minutes that cannot be masked.
    pub masking_failures: u64,
    /// How far a finding leads that is told; `None` is none.
    pub findings: Option<Step>,
}

/// Whom alerts are posted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookPlan {
    /// The address.
    pub at: Endpoint,
    /// What messages are signed with.
    pub secret: Secret,
}
