//! The `alerts` section.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{AnomalyMode, UpstreamTls, defaults};
use crate::scalar::{Count, FileName, MailServer, Mailbox, Network, Period, Text};

/// Who is told when something is wrong: findings of what is unusual, a store that does not answer, a certificate that ends, security
/// records that wait or are lost, answers that cannot be masked. Nobody without it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alerts {
    /// Whom they are posted to.
    pub(crate) webhook: Option<Webhook>,
    /// Whom they are sent to by e-mail.
    pub(crate) email: Option<Email>,
    /// A file that they are appended to, a line of JSON each.
    pub(crate) file: Option<FileName>,
    /// How long the first alert waits for others to share its message.
    #[schemars(extend("default" = defaults::ALERT_GROUP.to_string()))]
    pub(crate) group: Option<Period>,
    /// When the same alert is told again, while it lasts.
    #[schemars(extend("default" = defaults::ALERT_AGAIN.to_string()))]
    pub(crate) again: Option<Period>,
    /// Messages within an hour. What comes on top waits for the next hour, the newest of it only counted.
    #[schemars(extend("default" = defaults::ALERTS_PER_HOUR.0), extend("minimum" = 1, "maximum" = defaults::MAX_ALERTS_PER_HOUR))]
    pub(crate) per_hour: Option<Count>,
    /// How long before its end a certificate of a listener is told of.
    #[schemars(extend("default" = defaults::ALERT_CERTIFICATES.to_string()))]
    pub(crate) certificates: Option<Period>,
    /// How many answers within five minutes cannot be masked before that is told.
    #[schemars(extend("default" = defaults::ALERT_MASKING.0), extend("minimum" = 1, "maximum" = defaults::MAX_ALERT_MASKING))]
    pub(crate) masking_failures: Option<Count>,
    /// Which findings are told: those that lead at least so far, or none.
    #[schemars(extend("default" = "observe"))]
    pub(crate) findings: Option<AnomalyMode>,
}

/// Whom alerts are posted to, signed as Standard Webhooks has it: `webhook-signature` is `v1,` and the HMAC-SHA-256 of `webhook-id`,
/// `webhook-timestamp` and the body, with points between.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// The address, over TLS or on this machine.
    pub(crate) url: Text,
    /// What messages are signed with: at least 24 bytes, or `whsec_` and such bytes in base64. Write `{ env: NAME }` or
    /// `{ file: PATH }`; it is never printed.
    pub(crate) secret: Text,
    /// How the server is verified and what the gateway shows it. It is always verified.
    pub(crate) tls: Option<UpstreamTls>,
    /// Networks that are not public in which it may be.
    pub(crate) networks: Option<Vec<Network>>,
}

/// Who gets alerts by e-mail, over SMTP (RFC 5321).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Email {
    /// The server that takes them.
    pub(crate) server: MailServer,
    /// Whom they are from.
    pub(crate) from: Mailbox,
    /// Whom they are for.
    pub(crate) to: Vec<Mailbox>,
    /// As whom the gateway proves itself to the server. It does not by default.
    pub(crate) user: Option<Text>,
    /// Its password. Write `{ env: NAME }` or `{ file: PATH }`; it is never printed.
    pub(crate) password: Option<Text>,
    /// How the server is verified and what the gateway shows it. With TLS it is always verified.
    pub(crate) tls: Option<UpstreamTls>,
}
