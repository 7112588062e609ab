//! Who is told when something is wrong.

use super::{Endpoint, TargetPlan, UpstreamTlsPlan};
use portcullis_anomaly::Step;
use portcullis_types::Secret;
use std::path::PathBuf;
use std::time::Duration;

/// What is told, and to whom; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertsPlan {
    /// Whom alerts are posted to.
    pub webhook: Option<WebhookPlan>,
    /// Whom they are sent to by e-mail.
    pub email: Option<EmailPlan>,
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

/// Who gets alerts by e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailPlan {
    /// The server that takes them.
    pub server: TargetPlan,
    /// How it is spoken to.
    pub cipher: MailCipher,
    /// How its certificate is verified, where there is one.
    pub tls: UpstreamTlsPlan,
    /// User and password, of at most 128 and 200 bytes.
    pub login: Option<(String, Secret)>,
    /// Whom they are from: an address without anything that ends a command or a line.
    pub from: String,
    /// Whom they are for, each of the same form; at least one.
    pub to: Vec<String>,
}

/// What keeps others from reading mail on its way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailCipher {
    /// TLS from the first byte (RFC 8314 section 3.3).
    Tls,
    /// TLS that is begun in the clear, and demanded (RFC 3207).
    StartTls,
    /// Nothing: mail does not leave this machine.
    None,
}
