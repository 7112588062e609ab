//! The way of alerts: a POST that is signed as Standard Webhooks has it, lines of a file, mail.

use super::mail::Mailer;
use super::outbox::Message;
use super::{Alert, AlertError, Counts, Way};
use crate::identity::outside::{Question, ask, tls_of};
use crate::identity::random;
use crate::outcall::patience::{ATTEMPT, Ending, Pauses};
use crate::record::object::Object;
use crate::record::output::LogFile;
use crate::record::wall::WallTexts;
use crate::upstream::tls::UpstreamTls;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_config::plan::{AlertsPlan, WebhookPlan};
use portcullis_types::Clock;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::runtime::Runtime;

// LIMIT: attempts for one message.
pub(super) const ATTEMPTS_MAX: u32 = 5;
// LIMIT: bytes of an answer, which nobody reads.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Whoever sends.
#[derive(Debug)]
pub(super) struct Sender {
    /// Where something is sent over a connection.
    runtime: Option<Runtime>,
    hook: Option<Hook>,
    mailer: Option<Mailer>,
    file: Option<LogFile>,
    counts: Arc<Counts>,
    ending: Arc<Ending>,
    clock: Clock,
    wall: WallTexts,
}

#[derive(Debug)]
struct Hook {
    plan: WebhookPlan,
    tls: Option<UpstreamTls>,
    key: hmac::Key,
}

// === impl Sender ===

impl Sender {
    /// # Errors
    /// TLS files or a file that cannot be used, no runtime.
    pub(super) fn new(
        plan: &AlertsPlan,
        (counts, ending): (Arc<Counts>, Arc<Ending>),
        clock: &Clock,
    ) -> Result<Self, AlertError> {
        let hook = plan.webhook.as_ref().map(|plan| {
            Ok::<_, AlertError>(Hook {
                tls: tls_of(&plan.at).map_err(|error| AlertError::Tls(Way::Webhook, error))?,
                key: hmac::Key::new(hmac::HMAC_SHA256, &key_of(plan.secret.expose())),
                plan: plan.clone(),
            })
        });
        let mailer = plan.email.as_ref().map(Mailer::new).transpose();
        let mailer = mailer.map_err(|error| AlertError::Tls(Way::Email, error))?;
        let connects = plan.webhook.is_some() || plan.email.is_some();
        let runtime = connects.then(|| tokio::runtime::Builder::new_current_thread().enable_all().build());
        let runtime = runtime.transpose().map_err(AlertError::System)?;
        let file = plan.file.as_ref().map(|path| LogFile::open(path, None).map_err(AlertError::File));
        let (hook, file) = (hook.transpose()?, file.transpose()?);
        Ok(Self { runtime, hook, mailer, file, counts, ending, clock: clock.clone(), wall: WallTexts::default() })
    }

    /// Sends one message each way.
    pub(super) fn send(&mut self, message: &Message) {
        if let Some(file) = &mut self.file {
            let mut lines = Vec::new();
            for alert in &message.alerts {
                let mut line = Object::open(&mut lines);
                write(alert, &mut self.wall, &mut line);
                line.end();
            }
            self.counts.count(Way::File, file.write(&lines).is_ok());
        }
        let Some(runtime) = &self.runtime else { return };
        if let Some(hook) = &self.hook {
            let body = body(message, &mut self.wall);
            let sent = runtime.block_on(hook.deliver(&body, &self.ending, &self.clock));
            self.counts.count(Way::Webhook, sent);
        }
        if let Some(mailer) = &self.mailer {
            let mail = mailer.compose(message, &mut self.wall, self.clock.wall());
            let sent = match mail {
                Ok(mail) => runtime.block_on(mailer.deliver(&mail, &self.ending)),
                Err(_) => false,
            };
            self.counts.count(Way::Email, sent);
        }
    }

    /// A look-up of a name that hangs must not hold up the end.
    pub(super) fn end(self) {
        if let Some(runtime) = self.runtime {
            runtime.shutdown_background();
        }
    }
}

// === impl Hook ===

impl Hook {
    /// Posts a message until it is taken, within bounds; whether it was. Each attempt has the id of the first.
    async fn deliver(&self, body: &[u8], ending: &Ending, clock: &Clock) -> bool {
        let Ok(id) = random::<12>() else { return false };
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut pauses = Pauses::default();
        for attempt in 1..=ATTEMPTS_MAX {
            let now = clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
            let lines = format!(
                "content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\
                 webhook-id: msg_{id}\r\nwebhook-timestamp: {now}\r\nwebhook-signature: {}\r\n",
                body.len(),
                signature(&self.key, &id, now, body)
            );
            let question = Question { method: "POST", lines: &lines, body, bytes_max: ANSWER_BYTES_MAX };
            let post = tokio::time::timeout(ATTEMPT, ask(&self.plan.at, self.tls.as_ref(), &question));
            match ending.before(post).await {
                None => return false,
                Some(Ok(Ok((head, _)))) => match head.status() {
                    200..=299 => return true,
                    // Everything else would fail again.
                    408 | 429 | 500..=599 => {}
                    _ => return false,
                },
                Some(Ok(Err(_)) | Err(_)) => {}
            }
            if attempt == ATTEMPTS_MAX || !ending.rest(pauses.next(None)).await {
                return false;
            }
        }
        false
    }
}

/// The bytes of a secret, which may be written in the form of the standard.
fn key_of(secret: &str) -> Vec<u8> {
    let decoded = secret.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
    decoded.unwrap_or_else(|| secret.as_bytes().to_vec())
}

fn signature(key: &hmac::Key, id: &str, now: u64, body: &[u8]) -> String {
    let mut signed = format!("msg_{id}.{now}.").into_bytes();
    signed.extend_from_slice(body);
    format!("v1,{}", STANDARD.encode(hmac::sign(key, &signed)))
}

fn body(message: &Message, wall: &mut WallTexts) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object::open(&mut out);
    object.number("version", 1);
    object.text("from", b"portcullis");
    object.objects("alerts", &message.alerts, |alert, object| write(alert, wall, object));
    object.number("left_out", message.left_out as u64);
    object.close();
    out
}

fn write(alert: &Alert, wall: &mut WallTexts, object: &mut Object<'_>) {
    object.raw("time", |out| {
        out.push(b'"');
        wall.rfc3339(alert.at_ms, out);
        out.push(b'"');
    });
    object.text("kind", alert.kind.name().as_bytes());
    object.text("severity", alert.severity().as_bytes());
    object.some("about", alert.about.as_bytes());
    object.text("text", alert.text.as_bytes());
    object.some("link", alert.link.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::{hmac, key_of, signature};

    /// The secret, message and signature that the standard's own documents use.
    #[test]
    fn a_signature_is_that_of_the_standard() {
        let key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert_eq!(key.len(), 24);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let signed = signature(&key, "p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(key_of("0123456789abcdef01234567"), b"0123456789abcdef01234567");
    }
}
